//! Whole answers, errors and model lists of every format: whatever comes, no panic, and what is given out is JSON.

#![no_main]

mod common;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((format, endpoint, rest)) = common::split(data) else { return };
    let request = common::request(endpoint, false);
    let _ = format.answer(&common::reading(&request), &HeaderMap::new(), Bytes::copy_from_slice(rest));
    let _ = format.models(rest);
    for status in [400, 401, 429, 500, 529] {
        let status = StatusCode::from_u16(status).expect("a status");
        assert!(!format.refusal(status, &HeaderMap::new(), rest).message.is_empty());
    }
});
