//! Whole answers.

use super::*;

fn answered(content: Value, stop: &str, json_tool: Option<&str>) -> Result<Value, Refusal> {
    let body = json!({
        "output": { "message": { "role": "assistant", "content": content } }, "stopReason": stop, "metrics": { "latencyMs": 1 },
        "usage": { "inputTokens": 10, "outputTokens": 5, "totalTokens": 22, "cacheReadInputTokens": 4, "cacheWriteInputTokens": 3 },
        "additionalModelResponseFields": { "usage": { "output_tokens_details": { "thinking_tokens": 2 } } }
    });
    let answer = Bedrock.answer(&reading(json_tool), &HeaderMap::new(), Bytes::from(body.to_string()))?;
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.cached_read, usage.cached_write, usage.reasoning), (17, 5, 4, 3, 2));
    let value: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(value["usage"]["prompt_tokens"], 17, "each token counted once");
    assert_eq!(value["usage"]["total_tokens"], 22);
    assert!(value["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!((&value["created"], &value["model"]), (&json!(7), &json!("m")));
    Ok(value["choices"][0].clone())
}

#[test]
fn text_thoughts_and_calls_find_their_places() {
    let choice = answered(
        json!([
            { "reasoningContent": { "reasoningText": { "text": "hm", "signature": "s==" } } },
            { "reasoningContent": { "redactedContent": "AAAA" } },
            { "text": "one " },
            { "text": "two" },
            { "novelty": {} },
            { "toolUse": { "toolUseId": "t1", "name": "f", "input": { "b": 1.0, "a": [] } } },
            { "toolUse": { "toolUseId": "t2", "name": "g", "input": {} } }
        ]),
        "tool_use",
        None,
    );
    let choice = choice.unwrap();
    let call = |id: &str, name: &str, arguments: &str| json!({ "type": "function", "id": id, "function": { "name": name, "arguments": arguments } });
    assert_eq!(
        choice["message"],
        json!({
            "role": "assistant", "content": "one two", "refusal": null, "reasoning_content": "hm",
            "tool_calls": [call("t1", "f", r#"{"b":1.0,"a":[]}"#), call("t2", "g", "{}")],
            "thinking_blocks": [{ "type": "thinking", "thinking": "hm", "signature": "s==" }, { "type": "redacted_thinking", "data": "AAAA" }]
        })
    );
    assert_eq!(
        choice["message"]["tool_calls"][0]["function"]["arguments"], r#"{"b":1.0,"a":[]}"#,
        "as the model wrote it"
    );
    assert_eq!(choice["finish_reason"], "tool_calls");
}

#[test]
fn stop_reasons_are_openais() {
    for (stop, finish) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
    ] {
        let choice = answered(json!([{ "text": "x" }]), stop, None).unwrap();
        assert_eq!(choice["finish_reason"], finish);
    }
    for stop in ["malformed_model_output", "malformed_tool_use"] {
        let refusal = answered(json!([{ "text": "x" }]), stop, None).unwrap_err();
        assert_eq!(refusal.cause, crate::refusal::Cause::Upstream);
    }
}

#[test]
fn cited_text_is_text() {
    let choice = answered(
        json!([
            { "text": "Né: " },
            { "citationsContent": {
                "content": [{ "text": "a fact" }],
                "citations": [{ "title": "T", "location": { "web": { "url": "https://x.y" } } }, { "title": "D", "location": { "documentPage": { "start": 1 } } }]
            } }
        ]),
        "end_turn",
        None,
    );
    let message = choice.unwrap()["message"].clone();
    assert_eq!(message["content"], "Né: a fact");
    let cited = json!({ "start_index": 4, "end_index": 9, "title": "T", "url": "https://x.y" });
    assert_eq!(message["annotations"], json!([{ "type": "url_citation", "url_citation": cited }]));
    assert_eq!(message["citations"].as_array().unwrap().len(), 2);
}

#[test]
fn the_tool_that_stands_for_a_schema_is_the_content() {
    let content = json!([{ "toolUse": { "toolUseId": "t", "name": "reply", "input": { "a": 1 } } }]);
    let choice = answered(content, "tool_use", Some("reply")).unwrap();
    assert_eq!(choice["message"]["content"], r#"{"a":1}"#);
    assert_eq!((&choice["finish_reason"], choice["message"].get("tool_calls")), (&json!("stop"), None));
}

#[test]
fn what_is_no_answer_is_an_error() {
    for body in ["", "{}", "[]", r#"{"message":"x"}"#, r#"{"output":{},"stopReason":"end_turn"}"#] {
        assert!(Bedrock.answer(&reading(None), &HeaderMap::new(), Bytes::from(body)).is_err(), "{body}");
    }
}
