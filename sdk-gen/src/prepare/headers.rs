//! Request headers of the gateway's own (`x-prism-…`), gathered from all operations for `createHeaders`.

use serde_json::{Value, json};

use super::names::{camel, header};
use crate::document::operations;

pub fn gather(document: &mut Value) {
    let mut headers: Vec<Value> = Vec::new();
    for parameter in operations(document).iter().flat_map(|operation| operation.parameters()) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let ours = parameter["in"] == "header" && name.starts_with("x-prism-");
        if !ours || headers.iter().any(|known| known["name"] == name) {
            continue;
        }
        let py = header(name);
        headers.push(json!({
            "name": name,
            "py": py,
            "ts": camel(&py),
            "type": kind(&parameter["schema"]),
            "doc": parameter["description"].as_str().unwrap_or_default(),
        }));
    }
    document["x-sdk-headers"] = Value::Array(headers);
}

/// The type's name; of `["string", "null"]` the part that says something. `json` is a string that holds an object.
fn kind(schema: &Value) -> &str {
    if schema["format"] == "json" {
        return "json";
    }
    let declared = &schema["type"];
    let names = declared.as_array().map_or(std::slice::from_ref(declared), Vec::as_slice);
    names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("string")
}
