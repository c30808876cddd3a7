use std::collections::VecDeque;

use super::*;
use crate::wire::{Seen, StreamDecoder};

/// What the client gets, and what was seen.
fn run(frames: &[&[u8]], hide_usage: bool) -> (String, Box<dyn StreamDecoder>) {
    let mut decoder = Gemini.stream(&reading(hide_usage));
    let mut out = VecDeque::new();
    for frame in frames {
        decoder.feed(Bytes::copy_from_slice(frame), &mut out);
    }
    decoder.end(&mut out);
    let bytes: Vec<u8> = out.into_iter().flatten().collect();
    (String::from_utf8(bytes).unwrap(), decoder)
}

/// The stream in one piece, and cut at every byte, with either line end and with and without the last one.
fn check(events: &[&str], expected: &[&str]) {
    for end in ["\n", "\r\n", "\r"] {
        let text: String = events.iter().map(|event| format!("data: {event}{end}{end}")).collect();
        for text in [text.as_str(), text.trim_end()] {
            let (whole, decoder) = run(&[text.as_bytes()], false);
            assert!(decoder.seen().complete, "{:?}", decoder.seen().error);
            let chunks: Vec<Value> = whole.split_terminator("\n\n").map(chunk).collect();
            let expected: Vec<Value> = expected.iter().map(|choice| head(choice)).collect();
            assert_eq!(chunks, expected);
            for at in 0..=text.len() {
                let (first, second) = text.as_bytes().split_at(at);
                assert_eq!(run(&[first, second], false).0, whole, "cut at {at}");
            }
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(run(&bytes, false).0, whole);
        }
    }
}

fn chunk(event: &str) -> Value {
    let data = event.strip_prefix("data: ").unwrap();
    if data == "[DONE]" {
        return "[DONE]".into();
    }
    let _: crate::api::ChatCompletionChunk = serde_json::from_str(data).unwrap();
    golden(data)
}

/// `choice`, with everything that all chunks have.
fn head(choice: &str) -> Value {
    let all = r#""id":"chatcmpl-r-1","object":"chat.completion.chunk","created":7,"model":"g-001""#;
    match choice {
        "[DONE]" => "[DONE]".into(),
        usage if usage.starts_with("{\"prompt") => golden(&format!("{{{all},\"choices\":[],\"usage\":{usage}}}")),
        choice => {
            let (delta, rest) = choice.split_once('|').unwrap_or((choice, r#""finish_reason":null"#));
            golden(&format!("{{{all},\"choices\":[{{\"index\":0,\"delta\":{delta},{rest}}}],\"usage\":null}}"))
        }
    }
}

const ROLE: &str = r#"{"role":"assistant","content":""}"#;
const USAGE: &str = r#"{"prompt_tokens":3,"completion_tokens":6,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":2}}"#;

fn event(parts: &str, rest: &str) -> String {
    format!(
        r#"{{"candidates":[{{"content":{{"parts":[{parts}],"role":"model"}}{rest}}}],"usageMetadata":{{"promptTokenCount":3,"candidatesTokenCount":4,"thoughtsTokenCount":2}},"modelVersion":"g-001","responseId":"r-1"}}"#
    )
}

const STOP: &str = r#","finishReason":"STOP""#;

#[test]
fn thoughts_and_text_come_apart_and_usage_once() {
    let events = [
        event(r#"{"text":"hm","thought":true}"#, ""),
        event(r#"{"text":"a\u2028"},{"text":"ü"}"#, ""),
        event(r#"{"text":"","thoughtSignature":"c2ln"}"#, STOP),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    check(
        &events,
        &[
            ROLE,
            r#"{"reasoning_content":"hm"}"#,
            "{\"content\":\"a\\u2028\"}",
            r#"{"content":"ü"}"#,
            r#"{"extra_content":{"google":{"thought_signature":"c2ln"}}}"#,
            r#"{}|"finish_reason":"stop""#,
            USAGE,
            "[DONE]",
        ],
    );
    let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let hidden = run(&[text.as_bytes()], true);
    assert!(!hidden.0.contains("usage") && hidden.0.ends_with("data: [DONE]\n\n"), "{}", hidden.0);
    assert_eq!(hidden.1.seen().usage.unwrap().output, 6);
}

#[test]
fn calls_have_stable_ids_and_distinct_indices() {
    let events = [
        event(
            r#"{"functionCall":{"name":"f","args":{"a": 1}},"thoughtSignature":"c2ln"},{"functionCall":{"name":"f"}}"#,
            "",
        ),
        event(r#"{"functionCall":{"id":"own","name":"g","args":{}}}"#, ""),
        event("", STOP),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    check(
        &events,
        &[
            ROLE,
            r#"{"tool_calls":[{"index":0,"id":"call_r1_0","type":"function","function":{"name":"f","arguments":""},"extra_content":{"google":{"thought_signature":"c2ln"}}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}"#,
            r#"{"tool_calls":[{"index":1,"id":"call_r1_1","type":"function","function":{"name":"f","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}"#,
            r#"{"tool_calls":[{"index":2,"id":"own","type":"function","function":{"name":"g","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":2,"function":{"arguments":"{}"}}]}"#,
            r#"{}|"finish_reason":"tool_calls""#,
            USAGE,
            "[DONE]",
        ],
    );
}

#[test]
fn citations_log_probabilities_and_images_are_deltas() {
    let events = [
        event(r#"{"text":"é"}"#, r#","logprobsResult":{"chosenCandidates":[{"token":"é","logProbability":-1}]}"#),
        event(r#"{"inlineData":{"mimeType":"image/png","data":"AA"}}"#, ""),
        event(
            r#"{"text":"!"}"#,
            r#","finishReason":"MAX_TOKENS","citationMetadata":{"citations":[{"endIndex":2,"uri":"https://a"}]}"#,
        ),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    check(
        &events,
        &[
            ROLE,
            r#"{"content":"é"}"#,
            r#"{}|"logprobs":{"content":[{"token":"é","logprob":-1.0,"bytes":[195,169],"top_logprobs":[]}],"refusal":null},"finish_reason":null"#,
            r#"{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}"#,
            r#"{"content":"!"}"#,
            r#"{"annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":0,"title":"","url":"https://a"}}]}"#,
            r#"{}|"finish_reason":"length""#,
            USAGE,
            "[DONE]",
        ],
    );
}

#[test]
fn a_blocked_prompt_ends_filtered() {
    check(
        &[r#"{"promptFeedback":{"blockReason":"SAFETY"},"modelVersion":"g-001","responseId":"r-1"}"#],
        &[ROLE, r#"{}|"finish_reason":"content_filter""#, "[DONE]"],
    );
}

fn broken(body: &str) -> (String, Seen) {
    let (whole, decoder) = run(&[body.as_bytes()], false);
    let seen = |decoder: &dyn StreamDecoder| {
        let seen = decoder.seen();
        Seen {
            event: seen.event,
            complete: seen.complete,
            usage: seen.usage,
            error: seen.error.clone(),
            midway: seen.midway,
        }
    };
    for at in 0..=body.len() {
        let (first, second) = body.as_bytes().split_at(at);
        let (cut, other) = run(&[first, second], false);
        assert_eq!(
            (cut, other.seen().complete, &other.seen().error),
            (whole.clone(), decoder.seen().complete, &decoder.seen().error)
        );
    }
    (whole, seen(&*decoder))
}

#[test]
fn an_error_in_the_middle_ends_the_stream_as_one() {
    let first = event(r#"{"text":"a"}"#, "");
    for error in [
        r#"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#,
        r#"[{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}]"#,
    ] {
        let (out, seen) = broken(&format!("data: {first}\r\n\r\ndata: {error}\r\n\r\ndata: {first}\n\n"));
        assert_eq!(seen.error.unwrap().cause, Cause::Unavailable);
        assert!(!seen.complete && out.matches("\"a\"").count() == 1 && !out.contains("[DONE]"), "{out}");
    }
    let malformed = event("", r#","finishReason":"MALFORMED_FUNCTION_CALL""#);
    for bad in [malformed.as_str(), "{", "hello"] {
        let (out, seen) = broken(&format!("data: {first}\n\ndata: {bad}\n\n"));
        assert_eq!(seen.error.unwrap().cause, Cause::Upstream);
        assert!(!out.contains("[DONE]"), "{out}");
    }
}

#[test]
fn a_stream_without_a_finish_is_not_complete() {
    let first = event(r#"{"text":"a"}"#, "");
    let last = event(r#"{"text":"b"}"#, STOP);
    for body in [
        "".to_owned(),
        format!("data: {first}\n\n"),
        format!("data: {first}\n\ndata: {}", &last[..last.len() - 9]),
        ": hi\n\n".to_owned(),
    ] {
        let (out, seen) = broken(&body);
        assert!(!seen.complete && seen.error.is_none() && !out.contains("[DONE]"), "{body}");
    }
}

#[test]
fn a_body_that_is_an_error_is_one() {
    for body in [
        "{\n\n\"error\": {\"code\": 429, \"message\": \"m\", \"status\": \"RESOURCE_EXHAUSTED\"}}\n",
        "[{\"error\": {\"code\": 429, \"message\": \"m\"}}\n]",
    ] {
        assert_eq!(broken(body).1.error.unwrap().cause, Cause::RateLimited);
    }
}
