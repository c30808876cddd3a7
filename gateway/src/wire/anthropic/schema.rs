//! JSON Schemas that Claude is held to exactly: objects are closed, and some keywords do not exist.
//!
//! As `anthropic` 2.12.0 does it (`lib/_parse/_transform.py`): what the API does not know goes into the description.

use serde_json::{Map, Value};

/// Keywords that the API answers with 400.
const UNKNOWN: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "maxItems",
    "uniqueItems",
    "contains",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "if",
    "then",
    "else",
    "not",
];
/// Members whose values are schemas by name, lists of schemas, and schemas.
const NAMED: &[&str] = &["properties", "$defs", "definitions"];
const LISTED: &[&str] = &["anyOf", "allOf", "prefixItems"];

/// The schema as the API takes it, and whether that is less than the client's.
pub(super) fn strict(schema: &Map<String, Value>) -> (Map<String, Value>, bool) {
    let mut loose = false;
    let mut closed = close(schema, &mut loose);
    if !closed.contains_key("type") && !["anyOf", "allOf", "$ref"].iter().any(|name| closed.contains_key(*name)) {
        closed.insert("type".to_owned(), "object".into());
        closed.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    (closed, loose)
}

fn close(schema: &Map<String, Value>, loose: &mut bool) -> Map<String, Value> {
    let mut closed = Map::new();
    let mut unknown = Vec::new();
    for (name, value) in schema {
        let keyword = name.as_str();
        let is_unknown = UNKNOWN.contains(&keyword) || (keyword == "minItems" && value.as_u64() > Some(1));
        match value {
            _ if is_unknown => unknown.push(format!("{name}: {value}")),
            Value::Object(members) if NAMED.contains(&keyword) => {
                let inner = members.iter().map(|(name, value)| (name.clone(), closed_value(value, loose)));
                closed.insert(name.clone(), Value::Object(inner.collect()));
            }
            Value::Array(items) if LISTED.contains(&keyword) || keyword == "oneOf" => {
                let name = if keyword == "oneOf" { "anyOf" } else { keyword };
                let items = items.iter().map(|item| closed_value(item, loose)).collect();
                closed.insert(name.to_owned(), Value::Array(items));
            }
            value if keyword == "items" => {
                closed.insert(name.clone(), closed_value(value, loose));
            }
            value => {
                closed.insert(name.clone(), value.clone());
            }
        }
    }
    if is_object(&closed) && closed.get("additionalProperties") != Some(&Value::Bool(false)) {
        // Absent means open to everybody else; a `true` or a schema was meant.
        *loose |= closed.contains_key("additionalProperties");
        closed.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if !unknown.is_empty() {
        *loose = true;
        let note = format!("{{{}}}", unknown.join(", "));
        let described = match closed.get("description").and_then(Value::as_str) {
            Some(description) => format!("{description}\n\n{note}"),
            None => note,
        };
        closed.insert("description".to_owned(), described.into());
    }
    closed
}

fn closed_value(value: &Value, loose: &mut bool) -> Value {
    match value {
        Value::Object(schema) => Value::Object(close(schema, loose)),
        other => other.clone(),
    }
}

fn is_object(schema: &Map<String, Value>) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => schema.contains_key("properties"),
    }
}
