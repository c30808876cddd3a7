//! Claims about Anthropic's format. Golden files are what the cases give (`hub::golden`).

mod answers;
mod requests;
mod streams;

use serde_json::Value;

use super::Anthropic;
use crate::{
    api::Endpoint,
    config::{Quirks, Settings},
    refusal::Refusal,
    wire::{Reading, Target, Upstream, WireFormat, hub::golden},
};

static NONE: Quirks = Quirks::NONE;

fn upstream(body: &Value, model: &str, version: Option<&str>) -> Result<Upstream, Refusal> {
    let settings = Settings { api_version: version.map(str::to_owned), ..Settings::default() };
    Anthropic.request(&golden::client(body), Target { model, quirks: &NONE, settings: &settings, now: 7 })
}

fn reading() -> Reading {
    Reading {
        tool_ids: vec![("call_abc".to_owned(), "own.id:1".to_owned())],
        created: 7,
        model: "claude-asked".into(),
        json_tool: Some("the_schema".into()),
        ..Reading::plain(Endpoint::ChatCompletions, &NONE)
    }
}
