//! Rules for operations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{is_argument, is_identifier};
use crate::document::{Operation, operations, reference, schema};

pub fn are_identified(document: &Value, mistakes: &mut Vec<String>) {
    let mut known = BTreeMap::new();
    for operation in operations(document) {
        let Some(id) = operation.value["operationId"].as_str() else {
            mistakes.push(format!("{}: has no `operationId`", operation.name()));
            continue;
        };
        if let Some(other) = known.insert(id, operation.name()) {
            mistakes.push(format!("{}: the `operationId` `{id}` is that of {other}", operation.name()));
        }
    }
}

pub fn have_a_method(document: &Value, mistakes: &mut Vec<String>) {
    let mut known = BTreeMap::new();
    for operation in operations(document) {
        let name = operation.name();
        let method = operation.value["x-sdk-method"].as_str().unwrap_or_default();
        if !method.contains('.') || !method.split('.').all(is_argument) {
            mistakes
                .push(format!("{name}: `x-sdk-method` is `{method}` instead of something like `embeddings.create`"));
        } else if let Some(other) = known.insert(method, name.clone()) {
            mistakes.push(format!("{name}: the `x-sdk-method` `{method}` is that of {other}"));
        }
    }
    let resources: BTreeSet<&str> =
        known.keys().filter_map(|method| method.rsplit_once('.')).map(|(at, _)| at).collect();
    for (method, name) in &known {
        if resources.iter().any(|resource| *resource == *method || resource.starts_with(&format!("{method}."))) {
            mistakes.push(format!("{name}: `{method}` is both a method and a resource"));
        }
    }
}

/// Templates meet a resource by its tag.
pub fn share_a_tag_per_resource(document: &Value, mistakes: &mut Vec<String>) {
    let (mut tags, mut resources) = (BTreeMap::new(), BTreeMap::new());
    for operation in operations(document) {
        let name = operation.name();
        let Some([Value::String(tag)]) = operation.value["tags"].as_array().map(Vec::as_slice) else {
            mistakes.push(format!("{name}: needs exactly one tag"));
            continue;
        };
        let Some((resource, _)) = operation.sdk_method() else { continue };
        let (known_tag, known_resource) =
            (*tags.entry(resource).or_insert(tag), *resources.entry(tag).or_insert(resource));
        if known_tag != tag {
            mistakes.push(format!("{name}: `{resource}` has the tag `{known_tag}` elsewhere, not `{tag}`"));
        }
        if known_resource != resource {
            mistakes.push(format!("{name}: the tag `{tag}` is that of `{known_resource}`, not of `{resource}`"));
        }
    }
}

pub fn answer_with_components(document: &Value, mistakes: &mut Vec<String>) {
    for operation in operations(document) {
        let sides = [("body", operation.body()), ("answer", operation.success())];
        for (side, content) in sides.into_iter().filter_map(|(side, content)| Some((side, content?))) {
            for (media, content) in content {
                let typed = media.contains("json") || media == "text/event-stream" || media == "multipart/form-data";
                if typed && reference(&content["schema"]).is_none() {
                    mistakes
                        .push(format!("{}: the {side} (`{media}`) is not a `$ref` to a component", operation.name()));
                }
            }
        }
    }
}

pub fn stream_on_request(document: &Value, mistakes: &mut Vec<String>) {
    for operation in operations(document) {
        if operation.success().is_some_and(|content| content.contains_key("text/event-stream"))
            && body(document, &operation).is_none_or(|body| body["properties"].get("stream").is_none())
        {
            mistakes.push(format!("{}: answers with a stream, but its body has no member `stream`", operation.name()));
        }
    }
}

pub fn take_simple_parameters(document: &Value, mistakes: &mut Vec<String>) {
    for operation in operations(document) {
        for parameter in operation.parameters() {
            let name = parameter["name"].as_str().unwrap_or_default();
            let declared = &parameter["schema"];
            let is_enum = reference(declared).is_some_and(|name| schema(document, name).get("enum").is_some());
            let kinds = declared["type"].as_array().map_or(std::slice::from_ref(&declared["type"]), Vec::as_slice);
            let simple =
                |kind: &Value| matches!(kind.as_str(), Some("string" | "integer" | "number" | "boolean" | "null"));
            if !is_enum && !kinds.iter().all(simple) {
                mistakes.push(format!("{}: the parameter `{name}` is not a simple value", operation.name()));
            }
            if parameter["in"] != "header" && !is_argument(name) {
                mistakes.push(format!("{}: the parameter `{name}` cannot be an argument in Python", operation.name()));
            }
        }
    }
}

pub fn say_how_they_fail(document: &Value, mistakes: &mut Vec<String>) {
    for operation in operations(document) {
        for class in ['4', '5'] {
            let responses = operation.value["responses"].as_object().into_iter().flatten();
            if !responses.into_iter().any(|(status, _)| status.starts_with(class)) {
                mistakes.push(format!("{}: has no {class}XX answer", operation.name()));
            }
        }
        if operation.value["summary"].as_str().is_none_or(str::is_empty) {
            mistakes.push(format!("{}: has no summary", operation.name()));
        }
    }
}

/// Path and query parameters and the members of the body are arguments of one method.
pub fn have_no_two_arguments_of_one_name(document: &Value, mistakes: &mut Vec<String>) {
    for operation in operations(document) {
        let wrapped = operation.value["x-sdk-body"].as_str();
        if let Some(name) = wrapped.filter(|name| !is_identifier(name)) {
            mistakes.push(format!("{}: `x-sdk-body` `{name}` cannot be an argument", operation.name()));
        }
        let members = body(document, &operation).and_then(|body| body["properties"].as_object());
        let members = members.into_iter().flatten().map(|(name, _)| name.as_str()).filter(|_| wrapped.is_none());
        let parameters = operation.parameters().iter().filter(|parameter| parameter["in"] != "header");
        let mut known = BTreeSet::new();
        for name in parameters.filter_map(|parameter| parameter["name"].as_str()).chain(wrapped).chain(members) {
            if !known.insert(name) {
                mistakes.push(format!("{}: two arguments are called `{name}`", operation.name()));
            }
        }
    }
}

fn body<'a>(document: &'a Value, operation: &Operation<'a>) -> Option<&'a Value> {
    operation.body()?.values().find_map(|content| reference(&content["schema"])).map(|name| schema(document, name))
}
