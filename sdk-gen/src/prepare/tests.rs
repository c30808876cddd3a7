use serde_json::{Value, json};

use super::prepare;

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// One operation around these parts.
fn document(method: &str, operation: Value, schemas: Value) -> Value {
    let mut operation = operation;
    operation["tags"] = json!(["Things"]);
    json!({ "paths": { "/v1/things": { method: operation } }, "tags": [{ "name": "Things" }], "components": { "schemas": schemas } })
}

fn answer(media: &str, name: &str) -> Value {
    json!({ "200": { "description": "Good", "content": { media: { "schema": reference(name) } } } })
}

fn tagged() -> Value {
    let tag = json!({ "type": "object", "required": ["role"], "properties": { "role": { "type": "string", "enum": ["user"] } } });
    json!({ "oneOf": [{ "title": "UserParam", "allOf": [reference("User"), tag] }, { "type": "string", "title": "Text" }] })
}

#[test]
fn a_tag_joins_the_only_schema_that_it_extends() {
    let user = json!({ "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } });
    let operation = json!({ "x-sdk-method": "things.create", "responses": answer("application/json", "Message") });
    let prepared = prepare(document("post", operation, json!({ "Message": tagged(), "User": user })));
    let schemas = &prepared["components"]["schemas"];
    assert_eq!(schemas["Message"]["oneOf"], json!([reference("User"), { "type": "string" }]));
    assert_eq!(schemas["User"]["required"], json!(["role", "name"]));
    assert!(schemas["User"].get("allOf").is_none() && schemas.get("UserParam").is_none());
}

#[test]
fn a_tag_leaves_a_schema_alone_that_others_use() {
    let user = json!({ "type": "object", "properties": { "friend": reference("User") } });
    let operation = json!({ "x-sdk-method": "things.create", "responses": answer("application/json", "Message") });
    let prepared = prepare(document("post", operation, json!({ "Message": tagged(), "User": user })));
    let schemas = &prepared["components"]["schemas"];
    assert_eq!(schemas["Message"]["oneOf"][0], reference("UserParam"));
    assert!(schemas["User"]["properties"].get("role").is_none());
}

#[test]
fn a_union_of_one_is_that_one() {
    let union = json!({ "description": "Some.", "oneOf": [{ "type": "object", "title": "Only", "properties": { "a": { "type": "string" } } }] });
    let operation = json!({ "x-sdk-method": "things.create", "responses": answer("application/json", "Union") });
    let prepared = prepare(document("post", operation, json!({ "Union": union })));
    let union = &prepared["components"]["schemas"]["Union"];
    assert!(union.get("oneOf").is_none() && union["properties"].get("a").is_some());
    assert_eq!(union["description"], "Some.");
}

#[test]
fn a_nullable_member_keeps_its_description() {
    let member = json!({ "oneOf": [{ "$ref": "#/components/schemas/Usage", "description": "What it took." }, { "type": "null" }] });
    let thing = json!({ "type": "object", "properties": { "usage": member } });
    let operation = json!({ "x-sdk-method": "things.create", "responses": answer("application/json", "Thing") });
    let prepared = prepare(document("post", operation, json!({ "Thing": thing, "Usage": { "type": "object" } })));
    let member = &prepared["components"]["schemas"]["Thing"]["properties"]["usage"];
    assert_eq!((&member["x-nullable"], &member["description"]), (&json!(true), &json!("What it took.")));
}

#[test]
fn members_that_are_no_names_in_python_get_one() {
    let thing = json!({ "type": "object", "properties": { "from": {}, "x-y": {}, "copy": {}, "_id": {}, "2nd": {}, "name": {} } });
    let operation = json!({ "x-sdk-method": "things.create", "responses": answer("application/json", "Thing") });
    let prepared = prepare(document("post", operation, json!({ "Thing": thing })));
    let members = prepared["components"]["schemas"]["Thing"]["properties"].as_object().unwrap();
    let names: Vec<&str> = members.values().map(|member| member["x-sdk-py"].as_str().unwrap()).collect();
    assert_eq!(names, ["from_", "x_y", "copy_", "id", "n2nd", "name"]);
    assert!(members["name"].get("x-sdk-alias").is_none() && members["from"]["x-sdk-alias"] == "from");
}

#[test]
fn streams_pages_and_bytes_are_recognised() {
    let ask = json!({ "type": "object", "properties": { "stream": { "type": "boolean" } } });
    let body = json!({ "content": { "application/json": { "schema": reference("Ask") } } });
    let operation = json!({ "x-sdk-method": "chat.things.create", "requestBody": body, "responses": answer("text/event-stream", "Thing") });
    let prepared = prepare(document("post", operation, json!({ "Ask": ask, "Thing": { "type": "object" } })));
    let operation = &prepared["paths"]["/v1/things"]["post"];
    assert_eq!(operation["x-sdk-stream"], json!({ "param": "stream", "event": "Thing", "end": "[DONE]" }));
    assert_eq!(prepared["components"]["schemas"]["Ask"]["properties"]["stream"]["x-sdk-stream-flag"], true);
    assert_eq!(prepared["x-sdk-namespaces"][0]["children"][0]["class"], "ChatThings");

    let list = json!({ "type": "object", "properties": { "data": { "type": "array", "items": reference("Thing") }, "next_cursor": { "type": "string" } } });
    let cursor = json!([{ "name": "cursor", "in": "query", "schema": { "type": "string" } }]);
    let operation = json!({ "x-sdk-method": "things.list", "parameters": cursor, "responses": answer("application/json", "List_") });
    let prepared = prepare(document("get", operation, json!({ "List_": list, "Thing": { "type": "object" } })));
    assert_eq!(prepared["paths"]["/v1/things"]["get"]["x-sdk-page"], json!({ "item": "Thing" }));

    let operation = json!({ "x-sdk-method": "audio.speech.create", "responses": answer("audio/mpeg", "Thing") });
    let prepared = prepare(document("post", operation, json!({ "Thing": { "type": "string" } })));
    assert_eq!(prepared["paths"]["/v1/things"]["post"]["x-sdk-binary"], true);
}

#[test]
fn schemas_on_neither_side_are_dropped_and_the_rest_marked() {
    let operation = json!({ "x-sdk-method": "things.create", "responses": answer("application/json", "Thing") });
    let thing = json!({ "type": "object", "properties": { "inner": reference("Inner") } });
    let prepared =
        prepare(document("post", operation, json!({ "Thing": thing, "Inner": { "type": "object" }, "Lost": {} })));
    let schemas = prepared["components"]["schemas"].as_object().unwrap();
    assert_eq!(schemas.keys().collect::<Vec<_>>(), ["Thing", "Inner"]);
    assert!(schemas["Inner"]["x-sdk-response"] == true && schemas["Inner"].get("x-sdk-request").is_none());
}

#[test]
fn extensions_come_in_one_order() {
    let operation = |first: &str, second: &str| {
        let mut operation =
            json!({ "x-sdk-method": "things.create", "responses": answer("application/json", "Thing") });
        operation[first] = json!("1");
        operation[second] = json!("1");
        prepare(document("post", operation, json!({ "Thing": { "type": "object" } }))).to_string()
    };
    assert_eq!(operation("x-b", "x-a"), operation("x-a", "x-b"));
}

#[test]
fn the_committed_document_can_be_prepared() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json");
    let document = crate::document::read(&path).unwrap();
    crate::lint::check(&document).unwrap();
    assert_eq!(prepare(document.clone()), prepare(document));
}
