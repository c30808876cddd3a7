//! Claims about Gemini's format.

mod answers;
mod conversations;
mod embeddings;
mod errors;
mod losses;
mod refusals;
mod requests;
mod streams;

use std::io::Write;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::Gemini;
use crate::{
    api::{Endpoint, TokenUsage},
    config::{Quirks, Settings},
    refusal::{Cause, Refusal},
    wire::{Fate, Reading, Target, Upstream, WireFormat, openai},
};

static NONE: Quirks = Quirks::NONE;

fn studio() -> Settings {
    Settings::default()
}

fn vertex() -> Settings {
    Settings { project: Some("my-project".into()), location: Some("us-central1".into()), ..Settings::default() }
}

fn send(endpoint: Endpoint, body: &str, model: &str, settings: &Settings) -> Result<Upstream, Refusal> {
    let request = openai::read(endpoint, Bytes::copy_from_slice(body.as_bytes()))?;
    Gemini.request(&request, Target { model, quirks: &NONE, settings, now: 7 })
}

/// The request of these members next to a model, and next to messages where there are none.
fn chat(members: &str, model: &str, settings: &Settings) -> Result<Upstream, Refusal> {
    let messages =
        if members.contains("\"messages\"") { "" } else { r#","messages":[{"role":"user","content":"hi"}]"# };
    let comma = if members.is_empty() { "" } else { "," };
    send(Endpoint::ChatCompletions, &format!(r#"{{"model":"m"{comma}{members}{messages}}}"#), model, settings)
}

/// What was sent; also for the judge, which wants it in a file (`WIRE_DUMP`).
fn body(upstream: &Upstream) -> Value {
    let bytes = upstream.body.to_bytes();
    if let Ok(path) = std::env::var("WIRE_DUMP") {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let line = format!("{{\"format\":\"gemini\",\"path\":{:?},\"body\":{text}}}\n", upstream.path);
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
    serde_json::from_slice(&bytes).unwrap()
}

fn fates(upstream: &Upstream) -> Vec<(&str, Fate)> {
    upstream.losses.iter().map(|loss| (&*loss.field, loss.fate)).collect()
}

fn reading(hide_usage: bool) -> Reading {
    Reading { hide_usage, created: 7, model: "gemini-3-pro".into(), ..Reading::plain(Endpoint::ChatCompletions, &NONE) }
}

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
