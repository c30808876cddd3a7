use serde_json::{Value, json};

use super::mistakes;

/// A document without a mistake.
fn document() -> Value {
    let envelope = json!({ "description": "Bad", "content": {} });
    json!({
        "paths": { "/v1/things": { "post": {
            "operationId": "createThing",
            "tags": ["Things"],
            "summary": "Create a thing",
            "x-sdk-method": "things.create",
            "parameters": [{ "name": "limit", "in": "query", "schema": { "type": "integer" } }],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Ask" } } } },
            "responses": {
                "200": { "description": "Good", "content": {
                    "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } },
                    "text/event-stream": { "schema": { "$ref": "#/components/schemas/Thing" } }
                } },
                "4XX": envelope, "5XX": envelope
            }
        } } },
        "components": { "schemas": {
            "Ask": { "type": "object", "properties": { "stream": { "type": "boolean" } } },
            "Thing": { "oneOf": [{ "type": "object", "title": "OneThing", "properties": {} }, { "type": "string" }] }
        } }
    })
}

#[test]
fn a_good_document_has_no_mistakes() {
    assert_eq!(mistakes(&document()), Vec::<String>::new());
}

#[test]
fn every_mistake_names_its_place() {
    let post = "/paths/~1v1~1things/post";
    let cases = [
        (format!("{post}/operationId"), json!(7), "post /v1/things: has no `operationId`"),
        (format!("{post}/x-sdk-method"), json!("create"), "`x-sdk-method` is `create`"),
        (format!("{post}/x-sdk-method"), json!("things.import"), "`x-sdk-method` is `things.import`"),
        (format!("{post}/tags"), json!(["Things", "More"]), "needs exactly one tag"),
        (format!("{post}/summary"), json!(""), "has no summary"),
        (format!("{post}/parameters/0/name"), json!("from"), "the parameter `from` cannot be an argument"),
        (format!("{post}/parameters/0/name"), json!("stream"), "two arguments are called `stream`"),
        (
            format!("{post}/parameters/0/schema"),
            json!({ "type": "array" }),
            "the parameter `limit` is not a simple value",
        ),
        (
            format!("{post}/requestBody/content/application~1json/schema"),
            json!({ "type": "object" }),
            "the body (`application/json`) is not a `$ref`",
        ),
        (format!("{post}/responses"), json!({ "200": { "description": "Good" } }), "has no 4XX answer"),
        ("/components/schemas/Ask/properties".to_owned(), json!({}), "its body has no member `stream`"),
        (
            "/components/schemas/Ask/properties".to_owned(),
            json!({ "stream": {}, "class": {} }),
            "schema `Ask`: the member `class`",
        ),
        (
            "/components/schemas/Ask/properties".to_owned(),
            json!({ "stream": { "$ref": "#/components/schemas/No" } }),
            "schema `No`: is referred to",
        ),
        ("/components/schemas/Thing/oneOf/0/title".to_owned(), Value::Null, "schema `Thing`: a variant has no title"),
        (
            "/components/schemas/Thing/oneOf/0/title".to_owned(),
            json!("Ask"),
            "the variant `Ask` is called like another schema",
        ),
        ("/components/schemas".to_owned(), json!({ "List": {} }), "schema `List`: this name means something else"),
        (
            "/components/schemas/Ask".to_owned(),
            json!({ "description": "Ends */ here", "properties": { "stream": {} } }),
            "a description contains `*/`",
        ),
    ];
    for (pointer, value, expected) in cases {
        let mut document = document();
        *document.pointer_mut(&pointer).expect(&pointer) = value;
        let found = mistakes(&document);
        assert!(found.iter().any(|mistake| mistake.contains(expected)), "{expected} is not in {found:?}");
    }
}

#[test]
fn two_operations_share_neither_id_nor_method_nor_tag() {
    let mut document = document();
    let mut other = document["paths"]["/v1/things"].clone();
    other["post"]["x-sdk-method"] = json!("others.create");
    document["paths"]["/v1/others"] = other;
    document["paths"]["/v1/again"] = document["paths"]["/v1/things"].clone();
    let found = mistakes(&document).join("\n");
    for expected in [
        "the `operationId` `createThing` is that of",
        "the `x-sdk-method` `things.create` is that of",
        "the tag `Things` is that of",
    ] {
        assert!(found.contains(expected), "{expected} is not in\n{found}");
    }
}

#[test]
fn a_method_is_not_a_resource_too() {
    let mut document = document();
    document["paths"]["/v1/deep"] = document["paths"]["/v1/things"].clone();
    document["paths"]["/v1/deep"]["post"]["x-sdk-method"] = json!("things.create.deep");
    assert!(mistakes(&document).iter().any(|mistake| mistake.contains("both a method and a resource")));
}
