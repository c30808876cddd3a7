//! What can be told of an operation from its parameters, body and answers.

use serde_json::{Value, json};

use super::names::{camel, pascal};
use crate::document::{Operation, operations, reference, schema};

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
    let Some((resource, method)) = operation.sdk_method() else { return Vec::new() };
    let mut facts = vec![
        ("x-sdk-py", json!(method)),
        ("x-sdk-ts", json!(camel(method))),
        ("x-sdk-class", json!(pascal(resource))),
        ("x-sdk-errors", errors(operation)),
    ];
    facts.extend(
        operation.success_response().map(|response| ("x-sdk-returns", json!(one_line(&response["description"])))),
    );
    facts.extend(binary(operation).then(|| ("x-sdk-binary", json!(true))));
    facts.extend(event(operation).map(|event| {
        let end = operation.value["x-sdk-stream-end"].as_str().unwrap_or("[DONE]");
        ("x-sdk-stream", json!({ "param": "stream", "event": event, "end": end }))
    }));
    facts.push(("x-sdk-args", arguments(document, operation)));
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

/// Path parameters, members of the body or form, query parameters: how a method is called, with documentation.
fn arguments(document: &Value, operation: &Operation<'_>) -> Value {
    let at = |place: &'static str| {
        let parameters = operation.parameters().iter().filter(move |parameter| parameter["in"] == place);
        parameters
            .map(|parameter| argument(&parameter["name"], &parameter["description"], parameter["required"] == true))
    };
    let body = operation.body().and_then(|content| content.values().find_map(|content| reference(&content["schema"])));
    let body = body.map(|name| schema(document, name));
    let members: Vec<Value> = match (&operation.value["x-sdk-body"], body) {
        (Value::Null, Some(body)) => {
            let required = body["required"].as_array().map_or(&[][..], Vec::as_slice);
            let members = body["properties"].as_object().into_iter().flatten();
            let members = members.map(|(name, member)| (json!(name), &member["description"], required));
            members.map(|(name, doc, required)| argument(&name, doc, required.contains(&name))).collect()
        }
        (name, Some(body)) => vec![argument(name, &body["description"], true)],
        (_, None) => Vec::new(),
    };
    at("path").chain(members).chain(at("query")).collect()
}

fn argument(name: &Value, description: &Value, required: bool) -> Value {
    json!({ "name": name, "required": required, "doc": super::docs::lines(description.as_str().unwrap_or_default()) })
}

fn errors(operation: &Operation<'_>) -> Value {
    let responses = operation.value["responses"].as_object().into_iter().flatten();
    let bad = responses.filter(|(status, _)| status.starts_with(['4', '5']));
    bad.map(|(status, response)| json!({ "status": status, "doc": one_line(&response["description"]) })).collect()
}

fn one_line(text: &Value) -> String {
    text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The bodies of operations that stream, and the member that asks for it.
fn stream_flags(document: &Value) -> Vec<(String, &'static str)> {
    let streaming = operations(document).into_iter().filter(|operation| event(operation).is_some());
    let body =
        |operation: Operation<'_>| Some(reference(&operation.body()?.get("application/json")?["schema"])?.to_owned());
    streaming.filter_map(body).map(|body| (body, "stream")).collect()
}
