//! Components that are gone, ask for more, or say less than before.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::document::{reference, schema, schemas};

pub fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, before) in schemas(old) {
        let after = schema(new, name);
        if after.is_null() {
            found.push(format!("{name}: removed"));
            continue;
        }
        if before["x-sdk-request"] == true && after["x-sdk-request"] == true {
            request(name, before, after, &mut found);
        }
        if before["x-sdk-response"] == true && after["x-sdk-response"] == true {
            response(name, before, after, &mut found);
        }
    }
    found
}

/// What was accepted must still be.
fn request(name: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    let lost = missing(&alternatives(old), &alternatives(new));
    found.extend(lost.into_iter().map(|lost| format!("{name}: requests may no longer be {lost}")));
    let (before, after) = (members(old), members(new));
    for (member, shape) in after.into_iter().flatten() {
        let was = before.and_then(|before| before.get(member));
        if requires(new, member) && !requires(old, member) {
            let how = if was.is_some() { "became required" } else { "is new and required" };
            found.push(format!("{name}.{member}: {how} in requests"));
        }
        let lost = was.map(|was| missing(&alternatives(was), &alternatives(shape)));
        found.extend(
            lost.into_iter().flatten().map(|lost| format!("{name}.{member}: requests may no longer be {lost}")),
        );
    }
    let gone =
        before.into_iter().flatten().filter(|(member, _)| after.is_none_or(|after| !after.contains_key(*member)));
    found.extend(gone.map(|(member, _)| format!("{name}.{member}: removed from requests")));
}

/// What was promised must still be kept, and nothing comes that nobody expected. Unknown values of enums were always
/// possible.
fn response(name: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    let (old_kinds, new_kinds) = (without_values(alternatives(old)), without_values(alternatives(new)));
    let grown = missing(&new_kinds, &old_kinds);
    found.extend(grown.into_iter().map(|grown| format!("{name}: answers may now be {grown}")));
    for (member, was) in members(old).into_iter().flatten() {
        let Some(shape) = members(new).and_then(|after| after.get(member)) else {
            found.push(format!("{name}.{member}: removed from answers"));
            continue;
        };
        if requires(old, member) && !requires(new, member) {
            found.push(format!("{name}.{member}: may be missing from answers"));
        }
        let (was, is) = (without_values(alternatives(was)), without_values(alternatives(shape)));
        found
            .extend(missing(&is, &was).into_iter().map(|grown| format!("{name}.{member}: answers may now be {grown}")));
    }
}

fn members(schema: &Value) -> Option<&Map<String, Value>> {
    schema["properties"].as_object()
}

fn requires(schema: &Value, member: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|name| name == member))
}

/// Everything that a schema allows, by name: `string`, `null`, `"auto"`, `array of Tool`, `Usage`.
pub fn alternatives(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if schema["x-nullable"] == true {
        found.insert("null".to_owned());
    }
    if let Some(name) = reference(schema) {
        found.insert(name.to_owned());
        return found;
    }
    for variant in ["oneOf", "anyOf"].into_iter().filter_map(|kind| schema[kind].as_array()).flatten() {
        found.extend(alternatives(variant));
    }
    let kinds = schema["type"].as_array().map_or(std::slice::from_ref(&schema["type"]), Vec::as_slice);
    for kind in kinds.iter().filter_map(Value::as_str) {
        match (kind, schema["enum"].as_array()) {
            ("array", _) => {
                found.extend(alternatives(&schema["items"]).into_iter().map(|item| format!("array of {item}")))
            }
            ("string", Some(values)) => found.extend(values.iter().map(Value::to_string)),
            _ => {
                found.insert(kind.to_owned());
            }
        }
    }
    if found.is_empty() {
        found.insert("anything".to_owned());
    }
    found
}

/// Enums are strings to those who receive them.
fn without_values(kinds: BTreeSet<String>) -> BTreeSet<String> {
    kinds.into_iter().map(|kind| if kind.contains('"') { "string".to_owned() } else { kind }).collect()
}

/// Those that the others do not cover.
pub fn missing(wanted: &BTreeSet<String>, allowed: &BTreeSet<String>) -> Vec<String> {
    let covers = |kind: &String| {
        allowed.contains("anything")
            || allowed.contains(kind)
            || (kind.starts_with('"') && allowed.contains("string"))
            || (kind == "integer" && allowed.contains("number"))
    };
    wanted.iter().filter(|kind| !covers(kind)).cloned().collect()
}
