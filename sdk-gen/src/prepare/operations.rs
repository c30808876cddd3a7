//! What can be told of an operation from its parameters, body and answers.

use serde_json::{Value, json};

use super::names::{camel, pascal};
use crate::document::{METHODS, Operation, operations, reference, schema};

pub fn derive(document: &mut Value) {
    let facts: Vec<_> = operations(document).iter().map(|operation| facts(document, operation)).collect();
    for ((_, _, operation), facts) in crate::document::operations_mut(document).zip(facts) {
        for (name, fact) in facts {
            operation[name] = fact;
        }
    }
    for (body, flag) in stream_flags(document) {
        document["components"]["schemas"][body]["properties"][flag]["x-sdk-stream-flag"] = json!(true);
    }
}

fn facts(document: &Value, operation: &Operation<'_>) -> Vec<(&'static str, Value)> {
    debug_assert!(METHODS.contains(&operation.method));
    let Some((resource, method)) = operation.sdk_method() else { return Vec::new() };
    let mut facts = vec![
        ("x-sdk-py", json!(method)),
        ("x-sdk-ts", json!(camel(method))),
        ("x-sdk-class", json!(pascal(resource))),
        ("x-sdk-idempotent", json!(operation.method != "post")),
        ("x-sdk-errors", errors(operation)),
    ];
    facts.extend(operation.success_response().map(|response| ("x-sdk-returns", response["description"].clone())));
    facts.extend(binary(operation).then(|| ("x-sdk-binary", json!(true))));
    facts.extend(event(operation).map(|event| ("x-sdk-stream", json!({ "param": "stream", "event": event }))));
    facts.extend(page_item(document, operation).map(|item| ("x-sdk-page", json!({ "item": item }))));
    facts
}

/// Bytes, unless some way to answer is JSON (or there is nothing to answer).
fn binary(operation: &Operation<'_>) -> bool {
    operation
        .success()
        .is_some_and(|content| !content.is_empty() && !content.keys().any(|media| media.contains("json")))
}

/// What one server-sent event holds.
fn event<'a>(operation: &Operation<'a>) -> Option<&'a str> {
    reference(&operation.success()?.get("text/event-stream")?["schema"])
}

/// A GET with `?cursor=` whose answer is `{data: [item], next_cursor}`.
fn page_item<'a>(document: &'a Value, operation: &Operation<'a>) -> Option<&'a str> {
    let cursor = |parameter: &Value| parameter["name"] == "cursor" && parameter["in"] == "query";
    operation.parameters().iter().any(cursor).then_some(())?;
    let page = schema(document, reference(&operation.success()?.get("application/json")?["schema"])?);
    page["properties"].get("next_cursor")?;
    reference(&page["properties"]["data"]["items"])
}

fn errors(operation: &Operation<'_>) -> Value {
    let responses = operation.value["responses"].as_object().into_iter().flatten();
    let bad = responses.filter(|(status, _)| status.starts_with(['4', '5']));
    bad.map(|(status, response)| json!({ "status": status, "doc": response["description"] })).collect()
}

/// The bodies of operations that stream, and the member that asks for it.
fn stream_flags(document: &Value) -> Vec<(String, &'static str)> {
    let streaming = operations(document).into_iter().filter(|operation| event(operation).is_some());
    let body =
        |operation: Operation<'_>| Some(reference(&operation.body()?.get("application/json")?["schema"])?.to_owned());
    streaming.filter_map(body).map(|body| (body, "stream")).collect()
}
