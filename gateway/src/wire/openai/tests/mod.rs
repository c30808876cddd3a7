//! Claims about the bytes lane.

mod answer;
mod errors;
mod request_in;
mod request_out;
mod stream;

use bytes::Bytes;
use http::HeaderMap;

use super::read;
use crate::{
    api::{ClientRequest, Endpoint, TokenUsage},
    config::{Mend, Quirks, Settings, ToolIds},
    refusal::{Cause, Refusal},
    wire::{Fate, Loss, Reading, Target, Upstream, WireFormat, openai::OpenAi},
};

static NONE: Quirks = Quirks::NONE;

/// Everything at once, so that edits meet.
static STRICT: Quirks = Quirks {
    refuses: &["logit_bias", "user", "store"],
    renames: &[("seed", "random_seed"), ("max_completion_tokens", "max_tokens")],
    values: &[("tool_choice", r#""required""#, r#""any""#)],
    message_refuses: &["name"],
    strict_messages: true,
    function_refuses: &["strict"],
    developer_role: false,
    stream_options: false,
    model_prefix: "vendor/",
    tool_ids: ToolIds::Nine,
    mends: &[Mend::FinishReason("model_length", "length"), Mend::FinishReason("eos", "stop"), Mend::ContentList],
    ..Quirks::NONE
};

fn chat(body: &str) -> ClientRequest {
    read(Endpoint::ChatCompletions, Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn refused(body: &str) -> Refusal {
    read(Endpoint::ChatCompletions, Bytes::copy_from_slice(body.as_bytes())).unwrap_err()
}

fn upstream(request: &ClientRequest, model: &str, quirks: &'static Quirks) -> (String, Upstream) {
    let upstream = OpenAi.request(request, Target { model, quirks, settings: &Settings::default(), now: 0 }).unwrap();
    let body = upstream.body.to_bytes();
    assert_eq!(body.len() as u64, upstream.body.len());
    (String::from_utf8(body.to_vec()).unwrap(), upstream)
}

fn reading(quirks: &'static Quirks, hide_usage: bool) -> Reading {
    Reading { hide_usage, ..Reading::plain(Endpoint::ChatCompletions, quirks) }
}

fn dropped(fields: &[&str]) -> Vec<Loss> {
    fields.iter().map(|field| Loss { field: (*field).to_owned().into(), fate: Fate::Dropped }).collect()
}
