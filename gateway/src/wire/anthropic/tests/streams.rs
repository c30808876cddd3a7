//! Streams, whole and cut at every byte.

use serde_json::{Value, json};

use super::{check, reading, report, run};
use crate::api::ChatCompletionChunk;

#[test]
fn every_stream_gives_its_golden_chunks_however_it_is_cut() {
    check("streams", include_str!("streams.json"), |case: &Value| {
        let events = case["events"].as_array().unwrap().iter();
        let text: String =
            events.map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())).collect();
        let whole = run(text.as_bytes(), text.len(), &reading());
        for size in 1..text.len() {
            assert!(run(text.as_bytes(), size, &reading()) == whole, "pieces of {size}");
        }
        let (bytes, complete, error) = whole;
        let out = String::from_utf8(bytes).unwrap();
        let data = out.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        let chunks: Vec<Value> = data
            .map(|data| match data {
                "[DONE]" => json!("[DONE]"),
                chunk => {
                    serde_json::from_str::<ChatCompletionChunk>(chunk).unwrap();
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
