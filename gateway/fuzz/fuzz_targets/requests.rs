//! Requests of clients, read and translated to every format: no panic, and the same request gives the same bytes.

#![no_main]

mod common;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use prism::{
    config::{Quirks, Settings},
    wire::{self, Target},
};

fuzz_target!(|data: &[u8]| {
    let Some((format, endpoint, rest)) = common::split(data) else { return };
    let Ok(request) = wire::openai::read(endpoint, Bytes::copy_from_slice(rest)) else { return };
    let settings = Settings { region: Some("us-east-1".into()), ..Settings::default() };
    let target = || Target { model: "m", quirks: &Quirks::NONE, settings: &settings, now: 1_700_000_000 };
    let once = format.request(&request, target()).map(|upstream| (upstream.path, format!("{:?}", upstream.body)));
    let again = format.request(&request, target()).map(|upstream| (upstream.path, format!("{:?}", upstream.body)));
    assert_eq!(once, again);
});
