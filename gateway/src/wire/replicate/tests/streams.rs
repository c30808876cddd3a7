//! Streams, whole and cut at every byte.

use serde_json::{Value, json};

use super::{check, reading, report, run};
use crate::{api::ChatCompletionChunk, wire::job_event};

/// A text is an event as it comes from the provider, an object the prediction before or after them.
fn bytes(events: &Value) -> Vec<u8> {
    let event = |event: &Value| match event.as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => job_event(serde_json::to_string_pretty(event).unwrap().as_bytes()).to_vec(),
    };
    events.as_array().unwrap().iter().flat_map(event).collect()
}

#[test]
fn every_stream_gives_its_golden_chunks_however_it_is_cut() {
    check("streams", include_str!("streams.json"), |case: &Value| {
        let stream = bytes(&case["events"]);
        let whole = run(&stream, stream.len(), &reading());
        for size in 1..stream.len() {
            assert!(run(&stream, size, &reading()) == whole, "pieces of {size}");
        }
        for cut in 0..stream.len() {
            let (given, complete, _) = run(&stream[..cut], cut.max(1), &reading());
            assert!(whole.0.starts_with(&given) || complete, "cut at {cut}");
            assert_eq!(String::from_utf8(given).unwrap().contains("[DONE]"), complete, "cut at {cut}");
        }
        let (bytes, complete, error) = whole;
        let out = String::from_utf8(bytes).unwrap();
        let data = out.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        let chunks: Vec<Value> = data
            .map(|data| match data {
                "[DONE]" => json!("[DONE]"),
                chunk => {
                    let typed = serde_json::from_str::<ChatCompletionChunk>(chunk).unwrap();
                    assert_eq!(typed.id, "p1");
                    let chunk: Value = serde_json::from_str(chunk).unwrap();
                    let choice = &chunk["choices"][0];
                    if choice.is_null() {
                        chunk["usage"].clone()
                    } else {
                        json!([choice["delta"], choice["finish_reason"]])
                    }
                }
            })
            .collect();
        assert_eq!(out.matches("[DONE]").count(), usize::from(complete));
        assert_eq!(chunks.iter().filter(|chunk| chunk[1].is_string()).count(), usize::from(complete));
        json!({"chunks": chunks, "complete": complete, "error": error.as_ref().map(report)})
    });
}
