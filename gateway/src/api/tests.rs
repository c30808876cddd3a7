//! Claims about the documented shapes: what the SDK generator needs of them (SDK.md §7).

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::OpenApi;

use super::*;

#[derive(OpenApi)]
#[openapi(components(schemas(
    ChatCompletionRequest,
    ChatCompletion,
    ChatCompletionChunk,
    CompletionRequest,
    Completion,
    EmbeddingRequest,
    EmbeddingResponse,
    ModelList,
    ErrorEnvelope,
    ProvidersHealth,
    Readiness,
    Liveness,
)))]
struct Document;

fn schemas() -> serde_json::Map<String, Value> {
    let document = serde_json::to_value(Document::openapi()).unwrap();
    document["components"]["schemas"].as_object().unwrap().clone()
}

/// Calls `look` with every schema in a schema, and the way to it.
fn walk(path: &str, schema: &Value, look: &mut impl FnMut(&str, &Value)) {
    look(path, schema);
    match schema {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| walk(&format!("{path}/{name}"), member, look));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| walk(&format!("{path}/{index}"), item, look));
        }
        _ => {}
    }
}

fn walk_all(mut look: impl FnMut(&str, &Value)) {
    schemas().iter().for_each(|(name, schema)| walk(name, schema, &mut look));
}

#[test]
fn every_union_variant_has_a_title_of_its_own() {
    let mut titles: BTreeSet<String> = schemas().keys().cloned().collect();
    walk_all(|path, schema| {
        let variants = schema.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
        if variants.iter().any(|variant| variant["type"] == "null") {
            return;
        }
        for variant in variants {
            let title = variant["title"].as_str().unwrap_or_else(|| panic!("{path}: no title: {variant}"));
            assert!(titles.insert(title.to_owned()), "{path}: `{title}` is the name of something else, too");
        }
    });
}

#[test]
fn enums_are_components_unless_they_have_one_value() {
    walk_all(|path, schema| {
        let values = schema.get("enum").and_then(Value::as_array).map_or(0, Vec::len);
        assert!(values < 2 || !path.contains('/'), "{path} is an inline enum");
        assert!(values == 0 || schema["type"] == "string", "{path} has no type");
    });
}

#[test]
fn objects_are_components() {
    walk_all(|path, schema| {
        let inline = schema.get("properties").is_some_and(Value::is_object) && path.contains("/properties/");
        let in_union = path.contains("/oneOf/") || path.contains("/allOf/");
        assert!(!inline || in_union, "{path} is an inline object");
    });
}

#[test]
fn names_are_usable_in_python_and_typescript() {
    const BUILTIN: [&str; 12] =
        ["Error", "List", "Any", "Dict", "Omit", "Optional", "Union", "Record", "Date", "Map", "Set", "Object"];
    const RESERVED: [&str; 11] = [
        "extra_headers",
        "extra_query",
        "extra_body",
        "timeout",
        "self",
        "from",
        "class",
        "import",
        "in",
        "is",
        "global",
    ];
    for name in schemas().keys() {
        assert!(!BUILTIN.contains(&name.as_str()), "{name}");
    }
    walk_all(|path, schema| {
        for name in schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|members| members.keys()) {
            let identifier = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            assert!(identifier && !RESERVED.contains(&name.as_str()), "{path}: {name}");
        }
    });
}

#[test]
fn every_component_and_every_field_that_needs_it_is_described() {
    for (name, schema) in schemas() {
        assert!(schema["description"].is_string(), "{name}");
    }
    let request = &schemas()["ChatCompletionRequest"]["properties"];
    for (name, schema) in request.as_object().unwrap() {
        assert!(schema.to_string().contains("description"), "{name}");
    }
}

/// Every member of OpenAI's request (its Python SDK 3.54), so that none is forgotten.
#[test]
fn the_chat_request_is_complete() {
    let official = [
        "messages",
        "model",
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ];
    let ours = schemas()["ChatCompletionRequest"]["properties"].as_object().unwrap().clone();
    assert_eq!(ours.keys().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(official));
}
