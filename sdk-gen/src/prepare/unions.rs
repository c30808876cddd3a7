//! Titled variants of unions become components, so that generators have names for them and `allOf` is gone.
//!
//! `{"allOf": [{"$ref": "UserMessage"}, {role: "user"}], "title": "UserMessageParam"}` is how serde's internal tags look.
//! The tag joins `UserMessage` itself where nothing else uses that schema; otherwise the title names a new one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::document::{reference, reference_to, references, schema};

pub fn hoist(document: &mut Value) {
    let mut uses = BTreeMap::<String, usize>::new();
    for name in references(document) {
        *uses.entry(name).or_default() += 1;
    }
    let names: Vec<String> = crate::document::schemas(document).map(|(name, _)| name.clone()).collect();
    for name in names {
        let mut union = schema(document, &name).clone();
        if let Some(only) = only(document, &union) {
            document["components"]["schemas"][&name] = only;
            continue;
        }
        for kind in ["oneOf", "anyOf"] {
            let Some(variants) = union.get_mut(kind).and_then(Value::as_array_mut) else { continue };
            for variant in variants {
                if let Some((target, component)) = component(document, variant, &uses) {
                    document["components"]["schemas"][&target] = component;
                    *variant = reference_to(&target);
                } else if let Some(variant) = variant.as_object_mut() {
                    variant.shift_remove("title");
                }
            }
        }
        document["components"]["schemas"][&name] = union;
    }
}

/// A union of one is that one, by the union's name: openapi-generator would forget it.
fn only(document: &Value, union: &Value) -> Option<Value> {
    let [variant] = union["oneOf"].as_array()?.as_slice() else { return None };
    let (_, mut only) = component(document, variant, &BTreeMap::new())?;
    if let Some(description) = union.get("description") {
        only["description"] = description.clone();
    }
    Some(only)
}

/// What a variant is as a component of its own, and the component's name.
fn component(document: &Value, variant: &Value, uses: &BTreeMap<String, usize>) -> Option<(String, Value)> {
    let title = variant["title"].as_str()?;
    if let Some(parts) = variant["allOf"].as_array() {
        let base = parts.iter().find_map(reference);
        let name = base.filter(|base| uses.get(*base) == Some(&1)).unwrap_or(title);
        return Some((name.to_owned(), flatten(document, variant, parts)));
    }
    variant["properties"].as_object()?;
    let mut component = variant.clone();
    component.as_object_mut()?.shift_remove("title");
    Some((title.to_owned(), component))
}

/// One object with the members of all parts; those that are written in place (the tag) come first.
fn flatten(document: &Value, variant: &Value, parts: &[Value]) -> Value {
    let (bases, own): (Vec<&Value>, Vec<&Value>) = parts.iter().partition(|part| reference(part).is_some());
    let bases = bases.into_iter().filter_map(reference).map(|name| schema(document, name));
    let mut description = variant.get("description").cloned();
    let (mut required, mut properties, mut additional) = (Vec::new(), Map::new(), None);
    for part in own.into_iter().chain(bases) {
        required.extend(part["required"].as_array().into_iter().flatten().cloned());
        for (name, member) in part["properties"].as_object().into_iter().flatten() {
            properties.entry(name.clone()).or_insert_with(|| member.clone());
        }
        additional = additional.or_else(|| part.get("additionalProperties").cloned());
        description = description.or_else(|| part.get("description").cloned());
    }
    required.dedup();
    let mut flat = json!({ "type": "object", "required": required, "properties": properties });
    for (name, value) in [("description", description), ("additionalProperties", additional)] {
        if let Some(value) = value {
            flat[name] = value;
        }
    }
    flat
}
