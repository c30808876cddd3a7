use serde_json::{Value, json};

use crate::transport::simulator::instance::instance;

fn made(schema: Value) -> Result<Value, String> {
    instance(schema.as_object().unwrap())
}

#[test]
fn instances_satisfy_their_schema() {
    for (schema, expected) in [
        (json!({}), json!({})),
        (json!({ "type": "object" }), json!({})),
        (json!({ "type": "string" }), json!("text")),
        (json!({ "type": "string", "minLength": 6 }), json!("textxx")),
        (json!({ "type": "string", "maxLength": 2 }), json!("te")),
        (json!({ "type": "string", "format": "date" }), json!("2026-01-01")),
        (json!({ "type": "integer" }), json!(1)),
        (json!({ "type": "integer", "minimum": 18 }), json!(18)),
        (json!({ "type": "integer", "exclusiveMinimum": 18 }), json!(19)),
        (json!({ "type": "integer", "maximum": -5 }), json!(-5)),
        (json!({ "type": "integer", "exclusiveMaximum": 1 }), json!(0)),
        (json!({ "type": "integer", "multipleOf": 7, "minimum": 10 }), json!(14)),
        (json!({ "type": "number", "minimum": 0, "maximum": 0.5 }), json!(0.5)),
        (json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }), json!(0.5)),
        (json!({ "type": "boolean" }), json!(true)),
        (json!({ "type": "null" }), json!(null)),
        (json!({ "type": ["null", "integer"] }), json!(1)),
        (json!({ "enum": ["b", "a"] }), json!("b")),
        (json!({ "const": { "a": [1] } }), json!({ "a": [1] })),
        (json!({ "properties": { "a": { "type": "null" } } }), json!({ "a": null })),
        (
            json!({ "properties": { "a": {}, "b": { "const": 1 } }, "required": ["b", "c"] }),
            json!({ "b": 1, "c": "text" }),
        ),
        (json!({ "type": "array" }), json!([])),
        (json!({ "type": "array", "items": { "type": "integer" }, "minItems": 3 }), json!([1, 2, 3])),
        (
            json!({ "type": "array", "items": { "enum": ["a", "b"] }, "minItems": 2, "uniqueItems": true }),
            json!(["a", "b"]),
        ),
        (json!({ "type": "array", "items": { "type": "string" }, "maxItems": 0 }), json!([])),
        (json!({ "prefixItems": [{ "type": "string" }, { "type": "integer" }], "items": false }), json!(["text", 2])),
        (json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] }), json!(null)),
        (json!({ "oneOf": [false, { "const": 2 }] }), json!(2)),
        (
            json!({ "allOf": [{ "properties": { "a": { "const": 1 } }, "required": ["a"] }], "properties": { "b": { "const": 2 } }, "required": ["b"] }),
            json!({ "b": 2, "a": 1 }),
        ),
        (
            json!({ "$ref": "#/definitions/x", "definitions": { "x": { "$ref": "#/definitions/y" }, "y": { "const": 5 } } }),
            json!(5),
        ),
    ] {
        assert_eq!(made(schema.clone()).unwrap(), expected, "{schema}");
    }
}

#[test]
fn a_schema_may_refer_to_itself_where_that_ends() {
    let list = json!({
        "type": "object", "required": ["next"],
        "properties": { "next": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] } },
    });
    let text = made(list).unwrap().to_string();
    assert!(text.contains("null") && text.len() < 200, "{text}");
    let tree = json!({ "type": "object", "properties": { "children": { "type": "array", "items": { "$ref": "#" } } } });
    assert!(made(tree).is_ok());
}

#[test]
fn endless_and_huge_schemas_are_refused() {
    let doubling: Value = (0..30)
        .map(|n| {
            let next = json!({ "$ref": format!("#/$defs/{}", n + 1) });
            (n.to_string(), json!({ "properties": { "a": next, "b": next }, "required": ["a", "b"] }))
        })
        .collect();
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "$ref": "#/nowhere" }),
        json!({ "$ref": "https://example.com/schema" }),
        json!({ "type": "object", "properties": { "a": { "$ref": "#" } }, "required": ["a"] }),
        json!({ "type": "array", "minItems": 4_000_000_000_u64 }),
        json!({ "type": "string", "minLength": u64::MAX }),
        json!({ "type": "array", "minItems": 1000, "items": { "type": "string", "minLength": 1000 } }),
        json!({ "enum": [] }),
        json!({ "type": "colour" }),
        json!({ "$ref": "#/$defs/0", "$defs": doubling }),
    ] {
        assert!(made(schema.clone()).is_err(), "{schema}");
    }
}
