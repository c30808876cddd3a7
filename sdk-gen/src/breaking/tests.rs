use serde_json::{Value, json};

use super::{breaks, changelog::announced};

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "tags": [{ "name": "Things" }],
        "paths": { "/v1/things": { "post": {
            "operationId": "createThing",
            "tags": ["Things"],
            "x-sdk-method": "things.create",
            "parameters": [{ "name": "limit", "in": "query", "schema": { "type": "integer" } }],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Ask" } } } },
            "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } } }
        } } },
        "components": { "schemas": {
            "Ask": {
                "type": "object",
                "required": ["name"],
                "properties": { "name": { "type": "string" }, "mode": { "$ref": "#/components/schemas/Mode" }, "size": { "type": ["number", "null"] } }
            },
            "Mode": { "type": "string", "enum": ["fast", "slow"] },
            "Thing": {
                "type": "object",
                "required": ["id", "state"],
                "properties": { "id": { "type": "string" }, "state": { "type": "string", "enum": ["new"] }, "note": { "type": "string" } }
            }
        } }
    })
}

/// The breaks after one change.
fn after(pointer: &str, value: Value) -> Vec<String> {
    let mut new = document();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let parent = new.pointer_mut(parent).and_then(Value::as_object_mut).expect("the parent is an object");
    let name = &name.replace("~1", "/");
    if value.is_null() {
        parent.shift_remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    breaks(&document(), &new)
}

const OPERATION: &str = "/paths/~1v1~1things/post";
const ASK: &str = "/components/schemas/Ask";
const THING: &str = "/components/schemas/Thing";

#[test]
fn every_kind_of_break_is_named() {
    let cases = [
        ("/paths/~1v1~1things".to_owned(), json!({}), "post /v1/things: removed"),
        (
            format!("{OPERATION}/x-sdk-method"),
            json!("things.make"),
            "post /v1/things: called things.make instead of things.create",
        ),
        (
            format!("{OPERATION}/parameters"),
            json!([{ "name": "limit", "in": "query", "schema": { "type": "integer" } }, { "name": "org", "in": "query", "required": true, "schema": { "type": "string" } }]),
            "post /v1/things: new required parameter org",
        ),
        (format!("{OPERATION}/parameters"), json!([]), "post /v1/things: parameter limit removed"),
        (format!("{ASK}/required"), json!(["name", "size"]), "Ask.size: became required in requests"),
        (format!("{ASK}/properties/size"), json!({ "type": "integer" }), "Ask.size: requests may no longer be null"),
        (format!("{ASK}/properties/size"), Value::Null, "Ask.size: removed from requests"),
        ("/components/schemas/Mode/enum".to_owned(), json!(["fast"]), "Mode: requests may no longer be \"slow\""),
        (format!("{THING}/properties/note"), Value::Null, "Thing.note: removed from answers"),
        (format!("{THING}/properties/id"), json!({ "type": ["string", "null"] }), "Thing.id: answers may now be null"),
        (format!("{THING}/properties/id"), json!({ "type": "integer" }), "Thing.id: answers may now be integer"),
        (format!("{THING}/required"), json!(["state"]), "Thing.id: may be missing from answers"),
    ];
    for (pointer, value, expected) in cases {
        let found = after(&pointer, value);
        assert!(found.iter().any(|found| found == expected), "{expected} is not in {found:?}");
    }
}

#[test]
fn growing_breaks_nothing() {
    let cases = [
        (format!("{ASK}/properties/more"), json!({ "type": "string" })),
        (format!("{ASK}/required"), json!([])),
        (format!("{ASK}/properties/name"), json!({ "type": ["string", "integer"] })),
        ("/components/schemas/Mode/enum".to_owned(), json!(["fast", "slow", "auto"])),
        (format!("{THING}/properties/more"), json!({ "type": "string" })),
        (format!("{THING}/properties/state"), json!({ "type": "string", "enum": ["new", "old"] })),
        (format!("{THING}/required"), json!(["id", "state", "note"])),
        (format!("{THING}/description"), json!("A thing.")),
    ];
    for (pointer, value) in cases {
        assert_eq!(after(&pointer, value), Vec::<String>::new(), "{pointer}");
    }
}

#[test]
fn the_changelog_announces_what_it_quotes() {
    let text =
        "# Changes\n\n- `Thing.note: removed from answers`: nobody read it.\n- `Ask.size: removed from requests`\n";
    let announced = announced(text);
    assert!(
        announced.contains("Thing.note: removed from answers") && announced.contains("Ask.size: removed from requests")
    );
}
