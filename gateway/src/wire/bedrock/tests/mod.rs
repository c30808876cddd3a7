//! Claims about Bedrock. With `PRISM_PRODUCED=FILE` every request and stream goes to that file as a JSON line, for
//! `tests/wire/judges/bedrock.py`, which holds them against AWS's own service model and parser.

mod answers;
mod embeddings;
mod errors;
mod messages;
mod options;
mod places;
mod streams;
mod tooling;

use std::io::Write;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::Bedrock;
use crate::{
    api::{ClientRequest, Endpoint},
    config::{Quirks, Settings},
    refusal::Refusal,
    wire::{Fate, Reading, Target, Upstream, WireFormat, openai::read},
};

static NONE: Quirks = Quirks::NONE;

const SONNET_45: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const OPUS_46: &str = "us.anthropic.claude-opus-4-6-v1";
const SONNET_5: &str = "us.anthropic.claude-sonnet-5";
const HAIKU_35: &str = "us.anthropic.claude-3-5-haiku-20241022-v1:0";
const NOVA: &str = "us.amazon.nova-pro-v1:0";
const LLAMA: &str = "us.meta.llama3-3-70b-instruct-v1:0";

fn produce(line: &Value) {
    let Some(path) = std::env::var_os("PRISM_PRODUCED") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn sent(endpoint: Endpoint, model: &str, body: &Value, settings: &Settings) -> Result<Upstream, Refusal> {
    let mut body = body.clone();
    body["model"] = json!("alias");
    let request: ClientRequest = read(endpoint, Bytes::from(body.to_string())).unwrap();
    let translate = || Bedrock.request(&request, Target { model, quirks: &NONE, settings, now: 7 });
    let (first, second) = (translate(), translate());
    if let (Ok(first), Ok(second)) = (&first, &second) {
        assert_eq!(first.body.to_bytes(), second.body.to_bytes(), "the same request, other bytes");
    }
    first
}

fn chat(model: &str, body: &Value) -> Result<Upstream, Refusal> {
    sent(Endpoint::ChatCompletions, model, body, &Settings::default())
}

fn body(upstream: &Upstream) -> Value {
    serde_json::from_slice(&upstream.body.to_bytes()).unwrap()
}

/// The request becomes exactly this, with these losses (`~` before what was approximated).
#[track_caller]
fn becomes(model: &str, request: &Value, expected: &Value, losses: &[&str]) -> Upstream {
    let upstream = chat(model, request).unwrap();
    let got = body(&upstream);
    assert_eq!(&got, expected, "\n{got:#}");
    let found: Vec<String> = upstream
        .losses
        .iter()
        .map(|loss| format!("{}{}", if loss.fate == Fate::Approximated { "~" } else { "" }, loss.field))
        .collect();
    assert_eq!(found, losses);
    produce(&json!({ "operation": "Converse", "model": model, "body": got }));
    upstream
}

/// The request is refused with 400, naming this field.
#[track_caller]
fn refused(model: &str, request: &Value, param: &str) {
    let refusal = chat(model, request).unwrap_err();
    assert_eq!(refusal.cause, crate::refusal::Cause::Invalid);
    assert_eq!(refusal.param.as_deref(), Some(param), "{}", refusal.message);
}

fn hi() -> Value {
    json!([{ "role": "user", "content": "hi" }])
}

fn hi_there() -> Value {
    json!([{ "role": "user", "content": [{ "text": "hi" }] }])
}

fn reading(json_tool: Option<&str>) -> Reading {
    Reading {
        created: 7,
        model: "m".into(),
        json_tool: json_tool.map(Into::into),
        ..Reading::plain(Endpoint::ChatCompletions, &NONE)
    }
}

#[test]
fn every_field_has_exactly_one_row() {
    let mut fields = crate::wire::hub::dispositions::fields();
    let mut rows: Vec<String> = super::DISPOSITIONS.iter().map(|(field, _)| (*field).to_owned()).collect();
    fields.sort();
    rows.sort();
    assert_eq!(rows, fields);
}
