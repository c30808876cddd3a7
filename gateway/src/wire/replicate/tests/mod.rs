//! Claims about Replicate's format. Golden files are what the cases give; `PRISM_BLESS=1` writes them anew.

mod answers;
mod errors;
mod requests;
mod streams;

use std::collections::VecDeque;

use bytes::Bytes;
use serde_json::{Value, json};

use super::Replicate;
use crate::{
    api::{ClientRequest, Endpoint},
    config::{Quirks, Settings},
    refusal::Refusal,
    wire::{Reading, Target, Upstream, WireFormat, openai},
};

static NONE: Quirks = Quirks::NONE;
/// The crate, wherever it is tested from.
const GATEWAY: &str = match option_env!("PRISM_GATEWAY") {
    Some(path) => path,
    None => env!("CARGO_MANIFEST_DIR"),
};

fn client(body: &Value) -> ClientRequest {
    openai::read(Endpoint::ChatCompletions, Bytes::from(body.to_string())).unwrap()
}

fn upstream(body: &Value, model: &str) -> Result<Upstream, Refusal> {
    let target = Target { model, quirks: &NONE, settings: &Settings::default(), now: 7 };
    Replicate.request(&client(body), target)
}

fn reading() -> Reading {
    Reading {
        created: 7,
        model: "meta/meta-llama-3-70b-instruct".into(),
        ..Reading::plain(Endpoint::ChatCompletions, &NONE)
    }
}

/// Compares what every case gives with the golden file.
fn check(name: &str, cases: &str, run: impl Fn(&Value) -> Value) {
    let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
    let given: Vec<Value> = cases.iter().map(|case| json!({"name": case["name"], "gives": run(case)})).collect();
    let path = format!("{GATEWAY}/src/wire/replicate/tests/{name}.golden.json");
    if std::env::var_os("PRISM_BLESS").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&given).unwrap() + "\n").unwrap();
    }
    let golden: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(golden.len(), given.len(), "{path}");
    for (golden, given) in golden.iter().zip(&given) {
        assert_eq!(golden, given, "{}", given["name"]);
    }
}

/// Feeds a stream in pieces of this size.
fn run(stream: &[u8], size: usize, reading: &Reading) -> (Vec<u8>, bool, Option<Refusal>) {
    let mut decoder = Replicate.stream(reading);
    let mut out = VecDeque::new();
    for piece in stream.chunks(size) {
        decoder.feed(Bytes::copy_from_slice(piece), &mut out);
    }
    decoder.end(&mut out);
    let bytes = out.iter().flat_map(|event| event.to_vec()).collect();
    (bytes, decoder.seen().complete, decoder.seen().error.clone())
}

fn report(refusal: &Refusal) -> Value {
    json!({"cause": format!("{:?}", refusal.cause), "param": refusal.param, "code": refusal.code, "message": refusal.message})
}
