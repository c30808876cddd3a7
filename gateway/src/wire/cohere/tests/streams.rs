//! Streams, whole and cut at every byte.

use super::{Cohere, reading};
use crate::wire::hub::golden;

#[test]
fn every_stream_gives_its_golden_chunks_however_it_is_cut() {
    golden::check(&Cohere, "streams", include_str!("streams.json"), |case| {
        let events = case["events"].as_array().unwrap().iter();
        let text: String = events
            .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default()))
            .collect();
        golden::stream(&Cohere, text.as_bytes(), &reading())
    });
}
