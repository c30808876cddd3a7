//! Streams of every format: no panic, and the same out however the bytes were cut.

#![no_main]

mod common;

use std::collections::VecDeque;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use prism::{api::Endpoint, wire::WireFormat};

fn read(format: &dyn WireFormat, endpoint: Endpoint, pieces: impl Iterator<Item = Bytes>) -> (Vec<u8>, bool, bool) {
    let request = common::request(endpoint, true);
    let mut decoder = format.stream(&common::reading(&request));
    let mut out = VecDeque::new();
    for piece in pieces {
        decoder.feed(piece, &mut out);
        if decoder.seen().failed() {
            break;
        }
    }
    if !decoder.seen().failed() {
        decoder.end(&mut out);
    }
    let seen = decoder.seen();
    (out.iter().flatten().copied().collect(), seen.complete, seen.failed())
}

fuzz_target!(|data: &[u8]| {
    let Some((format, endpoint, rest)) = common::split(data) else { return };
    let Some((size, rest)) = rest.split_first() else { return };
    if !matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Completions) {
        return;
    }
    let bytes = Bytes::copy_from_slice(rest);
    let whole = read(format, endpoint, std::iter::once(bytes.clone()));
    let size = usize::from(*size).max(1);
    let cuts = (0..rest.len()).step_by(size).map(|at| bytes.slice(at..(at + size).min(rest.len())));
    let cut = read(format, endpoint, cuts);
    assert_eq!(whole.2, cut.2, "failed");
    if !whole.2 {
        assert_eq!(whole, cut, "{}", format.name());
    }
});
