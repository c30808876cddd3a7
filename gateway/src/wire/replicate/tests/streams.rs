//! Streams, whole and cut at every byte.

use serde_json::Value;

use super::{Replicate, reading};
use crate::wire::{hub::golden, job_event};

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
    golden::check(&Replicate, "streams", include_str!("streams.json"), |case| {
        let stream = bytes(&case["events"]);
        let (whole, ..) = golden::run(&Replicate, &stream, stream.len(), &reading());
        for cut in 0..stream.len() {
            let (given, complete, _) = golden::run(&Replicate, &stream[..cut], cut.max(1), &reading());
            assert!(whole.starts_with(&given) || complete, "cut at {cut}");
            assert_eq!(String::from_utf8(given).unwrap().contains("[DONE]"), complete, "cut at {cut}");
        }
        let text = String::from_utf8(whole).unwrap();
        let mut chunks = text.split("\n\n").filter(|event| event.starts_with("data: {"));
        assert!(chunks.all(|chunk| chunk.starts_with(r#"data: {"id":"p1","#)), "{text}");
        golden::stream(&Replicate, &stream, &reading())
    });
}
