//! Claims about reading and writing: OpenAI's own examples survive, and so does what is not known here.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::*;
use crate::api::{Completion, CompletionRequest, EmbeddingRequest, EmbeddingResponse, ModelList};

/// Reads and writes again; what comes out is what went in.
fn survives<T: Serialize + DeserializeOwned>(value: Value) {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"));
    assert_eq!(serde_json::to_value(&read).unwrap(), value);
    // From text, too: the two ways of reading differ inside serde.
    let read: T = serde_json::from_str(&value.to_string()).unwrap_or_else(|error| panic!("{error}: {value}"));
    assert_eq!(serde_json::to_value(&read).unwrap(), value);
}

/// A request with one more member.
fn with(name: &str, value: Value) -> Value {
    let mut request = json!({ "model": "gpt-5.6", "messages": [{ "role": "user", "content": "Hello!" }] });
    request[name] = value;
    request
}

#[test]
fn every_request_member_survives() {
    let tool = json!({
        "type": "function",
        "function": { "name": "f", "description": "d", "parameters": { "type": "object" }, "strict": true, "x": 1 },
        "cache_control": { "type": "ephemeral" },
    });
    let grammar = json!({ "definition": "start: WORD", "syntax": "lark" });
    for (name, values) in [
        (
            "audio",
            vec![
                json!({ "format": "wav", "voice": "alloy" }),
                json!({ "format": "new", "voice": { "id": "voice_1" } }),
            ],
        ),
        ("frequency_penalty", vec![json!(-0.5)]),
        ("function_call", vec![json!("auto"), json!({ "name": "f" })]),
        ("functions", vec![json!([{ "name": "f", "parameters": {} }])]),
        ("logit_bias", vec![json!({ "50256": -100 })]),
        ("logprobs", vec![json!(true)]),
        ("max_completion_tokens", vec![json!(10)]),
        ("metadata", vec![json!({ "a": "b" })]),
        ("modalities", vec![json!(["text", "audio", "smell"])]),
        (
            "moderation",
            vec![json!({ "model": "omni", "policy": { "input": { "mode": "score" }, "output": { "mode": "block" } } })],
        ),
        (
            "prediction",
            vec![
                json!({ "type": "content", "content": "a" }),
                json!({ "type": "content", "content": [{ "type": "text", "text": "a" }] }),
            ],
        ),
        ("prompt_cache_options", vec![json!({ "mode": "explicit", "ttl": "30m" })]),
        ("prompt_cache_retention", vec![json!("24h"), json!("in_memory")]),
        (
            "reasoning_effort",
            ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"].map(Value::from).to_vec(),
        ),
        (
            "response_format",
            vec![
                json!({ "type": "text" }),
                json!({ "type": "json_object" }),
                json!({ "type": "json_schema", "json_schema": { "name": "n", "description": "d", "schema": { "type": "object" }, "strict": true } }),
            ],
        ),
        ("service_tier", ["auto", "default", "flex", "scale", "priority", "fast", "new"].map(Value::from).to_vec()),
        ("stop", vec![json!("a"), json!(["a", "b"])]),
        ("stream_options", vec![json!({ "include_usage": true, "include_obfuscation": false, "new": 1 })]),
        (
            "tool_choice",
            vec![
                json!("required"),
                json!({ "type": "function", "function": { "name": "f" } }),
                json!({ "type": "custom", "custom": { "name": "c" } }),
                json!({ "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [{ "type": "function", "function": { "name": "f" } }] } }),
            ],
        ),
        (
            "tools",
            vec![json!([
                tool,
                { "type": "custom", "custom": { "name": "c", "description": "d", "format": { "type": "text" } } },
                { "type": "custom", "custom": { "name": "c", "format": { "type": "grammar", "grammar": grammar } } },
            ])],
        ),
        ("verbosity", vec![json!("low")]),
        (
            "web_search_options",
            vec![json!({
                "search_context_size": "high",
                "user_location": { "type": "approximate", "approximate": { "city": "c", "country": "US", "region": "r", "timezone": "t" } },
            })],
        ),
        ("not_known_yet", vec![json!({ "deep": [1, 2.5, null, u64::MAX] })]),
    ] {
        values.into_iter().for_each(|value| survives::<ChatCompletionRequest>(with(name, value)));
    }
}

#[test]
fn every_message_survives() {
    let mark = json!({ "mode": "explicit", "ttl": "12h" });
    let messages = json!([
        { "role": "developer", "content": "d", "name": "n" },
        { "role": "system", "content": [{ "type": "text", "text": "s", "cache_control": { "type": "ephemeral" } }] },
        { "role": "user", "content": "u", "unknown": [true] },
        { "role": "user", "content": [
            { "type": "text", "text": "t", "prompt_cache_breakpoint": mark },
            { "type": "image_url", "image_url": { "url": "https://example.com/a.png", "detail": "original" } },
            { "type": "input_audio", "input_audio": { "data": "AAAA", "format": "wav" } },
            { "type": "file", "file": { "file_id": "file-1" } },
            { "type": "file", "file": { "filename": "a.pdf", "file_data": "data:application/pdf;base64," } },
        ] },
        { "role": "assistant", "content": "a", "refusal": "r", "audio": { "id": "audio_1" }, "reasoning_content": "hm" },
        { "role": "assistant", "content": [{ "type": "refusal", "refusal": "no" }, { "type": "text", "text": "a" }] },
        { "role": "assistant", "function_call": { "name": "f", "arguments": "{}" } },
        { "role": "assistant", "tool_calls": [
            { "id": "1", "type": "function", "function": { "name": "f", "arguments": "{}" } },
            { "id": "2", "type": "custom", "custom": { "name": "c", "input": "i" } },
        ] },
        { "role": "tool", "tool_call_id": "1", "content": [{ "type": "text", "text": "t" }] },
        { "role": "tool", "tool_call_id": "2", "content": "t" },
        { "role": "function", "name": "f", "content": null },
    ]);
    survives::<ChatCompletionRequest>(json!({ "model": "m", "messages": messages }));
}

#[test]
fn null_is_as_good_as_absent() {
    let request = json!({
        "model": "m", "temperature": null, "tools": null, "stop": null, "response_format": null, "stream": null,
        "messages": [{ "role": "assistant", "content": null, "tool_calls": null, "refusal": null }],
    });
    let request: ChatCompletionRequest = serde_json::from_value(request).unwrap();
    assert!(request.extra.is_empty());
    assert_eq!(request.messages, [ChatMessage::Assistant(AssistantMessage::default())]);
}

#[test]
fn openais_chat_answer_survives() {
    survives::<ChatCompletion>(json!({
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion", "created": 1_741_569_952, "model": "gpt-5.4",
        "choices": [{
            "index": 0,
            "message": {
                "role": "assistant", "content": "Hello! How can I assist you today?", "refusal": null,
                "annotations": [{ "type": "url_citation", "url_citation": { "start_index": 0, "end_index": 5, "title": "t", "url": "u" } }],
            },
            "logprobs": {
                "content": [{ "token": "Hello", "logprob": -0.317, "bytes": [72, 101], "top_logprobs": [{ "token": "Hello", "logprob": -0.317, "bytes": null }] }],
                "refusal": null,
            },
            "finish_reason": "stop",
            "content_filter_results": { "hate": { "filtered": false } },
        }],
        "usage": {
            "prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
            "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0, "cache_write_tokens": 0, "image_tokens": 0, "text_tokens": 19 },
            "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0 },
            "queue_time": 0.25,
        },
        "service_tier": "default", "system_fingerprint": "fp_1", "metadata": { "a": "b" },
        "moderation": {
            "input": { "type": "error", "code": "c", "message": "m" },
            "output": { "type": "moderation_results", "model": "omni", "results": [{
                "type": "moderation_result", "model": "omni", "flagged": false, "categories": { "hate": false },
                "category_scores": { "hate": 0.25 }, "category_applied_input_types": { "hate": ["text"] },
            }] },
        },
        "x_groq": { "id": "req_1" },
    }));
    survives::<ChatCompletion>(json!({
        "id": "1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{
            "index": 0, "logprobs": null, "finish_reason": "tool_calls",
            "message": {
                "role": "assistant", "content": null, "refusal": null, "reasoning_content": "hm",
                "tool_calls": [{ "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "{\n}" } }],
                "audio": { "id": "audio_1", "data": "AAAA", "expires_at": 2, "transcript": "t" },
            },
        }],
    }));
}

#[test]
fn openais_chunks_survive() {
    let chunk = |choices: Value| json!({ "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices });
    for choices in [
        json!([{ "index": 0, "delta": { "role": "assistant", "content": "" }, "finish_reason": null }]),
        json!([{ "index": 0, "delta": { "role": "assistant", "content": null }, "finish_reason": null }]),
        json!([{ "index": 0, "delta": { "content": "Hello", "reasoning_content": "hm" }, "finish_reason": null, "matched_stop": null }]),
        json!([{ "index": 0, "delta": { "tool_calls": [{ "index": 0, "id": "1", "type": "function", "function": { "name": "f", "arguments": "" } }] }, "finish_reason": null }]),
        json!([{ "index": 0, "delta": { "tool_calls": [{ "index": 0, "function": { "arguments": "{" } }] }, "finish_reason": null }]),
        json!([{ "index": 0, "delta": { "audio": { "expires_at": 3 } }, "finish_reason": null }]),
        json!([{ "index": 0, "delta": {}, "logprobs": { "content": [], "refusal": null }, "finish_reason": "eos" }]),
    ] {
        survives::<ChatCompletionChunk>(chunk(choices.clone()));
        let mut asked = chunk(choices);
        asked["usage"] = Value::Null;
        asked["obfuscation"] = json!("yxy");
        survives::<ChatCompletionChunk>(asked);
    }
    let mut last = chunk(json!([]));
    last["usage"] = json!({ "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 });
    survives::<ChatCompletionChunk>(last);
}

#[test]
fn the_other_bodies_survive() {
    for prompt in [json!("a"), json!(["a", "b"]), json!([1, 2]), json!([[1], [2]]), Value::Null] {
        survives::<CompletionRequest>(
            json!({ "model": "m", "prompt": prompt, "max_tokens": 7, "logprobs": 5, "suffix": "s", "x": 1 }),
        );
    }
    survives::<Completion>(json!({
        "id": "cmpl-1", "object": "text_completion", "created": 1_589_478_378, "model": "gpt-3.5-turbo-instruct", "system_fingerprint": "fp_1",
        "choices": [{
            "text": "\n\nThis", "index": 0, "finish_reason": "length",
            "logprobs": { "tokens": ["a"], "token_logprobs": [null], "text_offset": [0], "top_logprobs": [{ "a": -0.5 }] },
        }],
        "usage": { "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12 },
    }));
    for input in [json!("a"), json!(["a"]), json!([1]), json!([[1], []])] {
        survives::<EmbeddingRequest>(
            json!({ "model": "m", "input": input, "encoding_format": "base64", "dimensions": 8, "input_type": "query" }),
        );
    }
    for vector in [json!([0.002_306_425_5, -0.009_327_292]), json!("AACAPw==")] {
        survives::<EmbeddingResponse>(json!({
            "object": "list", "model": "m", "usage": { "prompt_tokens": 8, "total_tokens": 8 },
            "data": [{ "object": "embedding", "index": 0, "embedding": vector }],
        }));
    }
    survives::<ModelList>(json!({
        "object": "list",
        "data": [{ "id": "gpt-5", "object": "model", "created": 1, "owned_by": "openai", "shutdown_date": "2026-12-11", "context_length": 8 }],
    }));
}

#[test]
fn mistakes_are_named() {
    let mistake = |messages: Value| {
        let error =
            serde_json::from_value::<ChatCompletionRequest>(json!({ "model": "m", "messages": messages })).unwrap_err();
        error.to_string()
    };
    assert!(mistake(json!([{ "role": "bot" }])).contains("unknown variant `bot`, expected one of `developer`"));
    assert!(mistake(json!([{ "role": "user", "content": [{ "type": "smell" }] }])).contains("unknown variant `smell`"));
    assert!(mistake(json!([{ "role": "user", "content": [{ "type": "text" }] }])).contains("missing field `text`"));
    assert!(mistake(json!([{ "role": "user", "content": 1 }])).contains("a string or an array of content parts"));
}
