//! Streams, cut at every byte.

use std::collections::VecDeque;

use base64::{Engine, prelude::BASE64_STANDARD};
use proptest::prelude::*;

use super::{super::stream::Decoder, *};
use crate::{
    refusal::Cause,
    wire::{Seen, StreamDecoder, event_stream::tests::frame},
};

fn event(kind: &str, payload: &Value) -> Vec<u8> {
    let headers = [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload.to_string().as_bytes())
}

fn stream(events: &[(&str, Value)]) -> Vec<u8> {
    let bytes: Vec<u8> = events.iter().flat_map(|(kind, payload)| event(kind, payload)).collect();
    produce(&json!({ "operation": "ConverseStream", "frames": BASE64_STANDARD.encode(&bytes), "events": events }));
    bytes
}

fn run(reading: &Reading, pieces: &[&[u8]]) -> (String, Decoder) {
    let (mut decoder, mut out) = (Decoder::named("id", reading), VecDeque::new());
    for piece in pieces {
        decoder.feed(Bytes::copy_from_slice(piece), &mut out);
    }
    decoder.end(&mut out);
    let text: Vec<u8> = out.into_iter().flatten().collect();
    (String::from_utf8(text).unwrap(), decoder)
}

fn summary(seen: &Seen) -> (bool, bool, Option<Refusal>, Option<u64>) {
    (seen.event, seen.complete, seen.error.clone(), seen.usage.map(|usage| usage.input))
}

/// The deltas and finish reasons, the same wherever the bytes are cut.
fn read(reading: &Reading, bytes: &[u8]) -> (Vec<Value>, Decoder) {
    let (text, decoder) = run(reading, &[bytes]);
    for cut in 0..=bytes.len() {
        let (other, cut_decoder) = run(reading, &[&bytes[..cut], &bytes[cut..]]);
        assert_eq!(other, text, "cut at {cut}");
        assert_eq!(summary(cut_decoder.seen()), summary(decoder.seen()), "cut at {cut}");
    }
    let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    let values = data.map(|data| match data {
        "[DONE]" => json!("[DONE]"),
        data => {
            let chunk: Value = serde_json::from_str(data).unwrap();
            assert_eq!((&chunk["id"], &chunk["model"], &chunk["created"]), (&json!("id"), &json!("m"), &json!(7)));
            match chunk["choices"].get(0) {
                Some(choice) if choice["finish_reason"].is_null() => choice["delta"].clone(),
                Some(choice) => choice["finish_reason"].clone(),
                None => chunk["usage"].clone(),
            }
        }
    });
    (values.collect(), decoder)
}

fn metadata() -> (&'static str, Value) {
    (
        "metadata",
        json!({ "usage": { "inputTokens": 1, "outputTokens": 2, "totalTokens": 6, "cacheReadInputTokens": 3 }, "metrics": { "latencyMs": 1 }, "p": "abc" }),
    )
}

#[test]
fn text_thoughts_and_calls_are_chunks() {
    let bytes = stream(&[
        ("messageStart", json!({ "role": "assistant", "p": "xyz" })),
        ("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "reasoningContent": { "text": "h" } } })),
        ("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "reasoningContent": { "text": "m" } } })),
        (
            "contentBlockDelta",
            json!({ "contentBlockIndex": 0, "delta": { "reasoningContent": { "signature": "s==" } } }),
        ),
        ("contentBlockStop", json!({ "contentBlockIndex": 0 })),
        (
            "contentBlockDelta",
            json!({ "contentBlockIndex": 1, "delta": { "reasoningContent": { "redactedContent": "AAAA" } } }),
        ),
        ("contentBlockStop", json!({ "contentBlockIndex": 1 })),
        ("contentBlockDelta", json!({ "contentBlockIndex": 2, "delta": { "text": "é\u{2028}" } })),
        ("contentBlockStop", json!({ "contentBlockIndex": 2 })),
        (
            "contentBlockStart",
            json!({ "contentBlockIndex": 5, "start": { "toolUse": { "toolUseId": "a", "name": "f" } } }),
        ),
        (
            "contentBlockStart",
            json!({ "contentBlockIndex": 7, "start": { "toolUse": { "toolUseId": "b", "name": "g" } } }),
        ),
        ("contentBlockDelta", json!({ "contentBlockIndex": 5, "delta": { "toolUse": { "input": "" } } })),
        ("contentBlockDelta", json!({ "contentBlockIndex": 5, "delta": { "toolUse": { "input": "{\"x\":1}" } } })),
        ("contentBlockStop", json!({ "contentBlockIndex": 5 })),
        ("contentBlockStop", json!({ "contentBlockIndex": 7 })),
        ("messageStop", json!({ "stopReason": "tool_use" })),
        metadata(),
    ]);
    let (chunks, decoder) = read(&reading(None), &bytes);
    let call = |index: u32, id: &str, name: &str| json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": "" } }] });
    let piece =
        |index: u32, text: &str| json!({ "tool_calls": [{ "index": index, "function": { "arguments": text } }] });
    let usage = chunks[chunks.len() - 2].clone();
    assert_eq!(
        chunks[..chunks.len() - 2],
        [
            json!({ "role": "assistant", "content": "" }),
            json!({ "reasoning_content": "h" }),
            json!({ "reasoning_content": "m" }),
            json!({ "thinking_blocks": [{ "type": "thinking", "thinking": "hm", "signature": "s==" }] }),
            json!({ "thinking_blocks": [{ "type": "redacted_thinking", "data": "AAAA" }] }),
            json!({ "content": "é\u{2028}" }),
            call(0, "a", "f"),
            call(1, "b", "g"),
            piece(0, "{\"x\":1}"),
            piece(1, "{}"),
            json!("tool_calls"),
        ]
    );
    assert_eq!((&usage["prompt_tokens"], &usage["prompt_tokens_details"]["cached_tokens"]), (&json!(4), &json!(3)));
    assert_eq!(chunks.last(), Some(&json!("[DONE]")));
    assert_eq!(summary(decoder.seen()), (true, true, None, Some(4)));
}

#[test]
fn the_schemas_tool_is_content_and_citations_follow_their_text() {
    let bytes = stream(&[
        ("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": "fact" } })),
        (
            "contentBlockDelta",
            json!({ "contentBlockIndex": 0, "delta": { "citation": { "title": "T", "location": { "web": { "url": "https://x.y" } } } } }),
        ),
        ("contentBlockStop", json!({ "contentBlockIndex": 0 })),
        (
            "contentBlockStart",
            json!({ "contentBlockIndex": 1, "start": { "toolUse": { "toolUseId": "a", "name": "reply" } } }),
        ),
        ("contentBlockDelta", json!({ "contentBlockIndex": 1, "delta": { "toolUse": { "input": "{\"x\":1}" } } })),
        ("contentBlockStop", json!({ "contentBlockIndex": 1 })),
        ("messageStop", json!({ "stopReason": "tool_use" })),
    ]);
    let (chunks, _) = read(&reading(Some("reply")), &bytes);
    assert_eq!(chunks[1], json!({ "content": "fact" }));
    assert_eq!(chunks[2]["annotations"][0]["url_citation"]["end_index"], 3);
    assert_eq!(chunks[3..], [json!({ "content": "{\"x\":1}" }), json!("stop"), json!("[DONE]")]);
}

#[test]
fn errors_in_a_stream_end_it_with_their_cause() {
    let text = event("contentBlockDelta", &json!({ "contentBlockIndex": 0, "delta": { "text": "x" } }));
    for (kind, payload, cause) in [
        ("throttlingException", json!({ "message": "slow down" }), Cause::RateLimited),
        ("internalServerException", json!({ "message": "x" }), Cause::Upstream),
        ("serviceUnavailableException", json!({}), Cause::Unavailable),
        ("validationException", json!({ "message": "Input is too long for requested model." }), Cause::Invalid),
        ("modelStreamErrorException", json!({ "message": "x", "originalStatusCode": 500 }), Cause::Upstream),
        (
            "modelStreamErrorException",
            json!({ "originalMessage": "busy", "originalStatusCode": 429 }),
            Cause::RateLimited,
        ),
    ] {
        let bad = frame(&[(":message-type", "exception"), (":exception-type", kind)], payload.to_string().as_bytes());
        let (chunks, decoder) = read(&reading(None), &[&text[..], &bad, &text].concat());
        assert_eq!(chunks.len(), 2, "nothing after the error counts");
        assert_eq!(decoder.seen().error.as_ref().unwrap().cause, cause, "{kind}");
        assert!(!decoder.seen().complete);
    }
    let bad =
        frame(&[(":message-type", "error"), (":error-code", "ThrottlingException"), (":error-message", "m")], b"");
    let start = event("messageStart", &json!({ "role": "assistant" }));
    let (chunks, decoder) = read(&reading(None), &[start, bad].concat());
    assert_eq!(decoder.seen().error.as_ref().unwrap().cause, Cause::RateLimited);
    assert!(chunks.is_empty() && !decoder.seen().event, "another provider may still answer");
    let stop = event("messageStop", &json!({ "stopReason": "malformed_tool_use" }));
    assert_eq!(read(&reading(None), &stop).1.seen().error.as_ref().unwrap().cause, Cause::Upstream);
}

#[test]
fn a_cut_stream_is_not_complete_and_a_damaged_one_fails() {
    let mut bytes = stream(&[
        ("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": "x" } })),
        ("messageStop", json!({ "stopReason": "end_turn" })),
    ]);
    let (text, decoder) = run(&reading(None), &[&bytes[..bytes.len() - 1]]);
    assert!(!decoder.seen().complete && !text.contains("[DONE]"));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let (_, decoder) = read(&reading(None), &bytes);
    assert_eq!(decoder.seen().error.as_ref().unwrap().code.as_deref(), Some("stream_damaged"));
}

proptest! {
    #[test]
    fn damaged_streams_never_panic(at in 0usize..2000, byte in any::<u8>(), cut in 0usize..2000, payload in ".{0,80}") {
        let kinds = ["contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "new"];
        let mut bytes: Vec<u8> = kinds.iter().flat_map(|kind| frame(&[(":event-type", *kind)], payload.as_bytes())).collect();
        let (at, cut) = (at % bytes.len(), cut % bytes.len());
        let _ = run(&reading(None), &[&bytes[..cut], &bytes[cut..]]);
        bytes[at] = byte;
        let _ = run(&reading(None), &[&bytes[..cut], &bytes[cut..]]);
    }
}
