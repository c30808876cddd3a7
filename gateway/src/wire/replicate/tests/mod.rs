//! Claims about Replicate's format. Golden files are what the cases give (`hub::golden`).

mod answers;
mod errors;
mod requests;
mod streams;

use serde_json::Value;

use super::Replicate;
use crate::{
    api::Endpoint,
    config::{Quirks, Settings},
    refusal::Refusal,
    wire::{Reading, Target, Upstream, WireFormat, hub::golden},
};

static NONE: Quirks = Quirks::NONE;

fn upstream(body: &Value, model: &str) -> Result<Upstream, Refusal> {
    let target = Target { model, quirks: &NONE, settings: &Settings::default(), now: 7 };
    Replicate.request(&golden::client(body), target)
}

fn reading() -> Reading {
    Reading {
        created: 7,
        model: "meta/meta-llama-3-70b-instruct".into(),
        ..Reading::plain(Endpoint::ChatCompletions, &NONE)
    }
}
