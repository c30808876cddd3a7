//! Streams, whole and cut at every byte.

use super::{Anthropic, reading};
use crate::wire::hub::golden;

#[test]
fn every_stream_gives_its_golden_chunks_however_it_is_cut() {
    golden::check(&Anthropic, "streams", include_str!("streams.json"), |case| {
        let events = case["events"].as_array().unwrap().iter();
        let text: String =
            events.map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())).collect();
        golden::stream(&Anthropic, text.as_bytes(), &reading())
    });
}
