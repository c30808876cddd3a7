//! Anthropic's Messages API, versions `2023-06-01` and `2026-10-21`.
//!
//! `request` writes what `messages` (with `content`), `options` and `tools` make of the client's request (with
//! `search`, Claude's own), knowing the model from `facts`; `answer` and `stream` read what comes back; `errors` and `models` are what their names say.

mod answer;
mod blocks;
mod content;
mod errors;
mod facts;
mod messages;
mod models;
mod options;
mod request;
mod schema;
mod search;
mod stream;
#[cfg(test)]
mod tests;
mod tools;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{
    Answer, Disposition, Dispositions, ModelPage, Reading, StreamDecoder, Target, Upstream, WireFormat, hub, sse,
};
use crate::{
    api::{ClientRequest, Endpoint},
    config::{self, Settings},
    refusal::Refusal,
};

/// What is spoken when the configuration does not say.
const VERSION: &str = "2023-06-01";

/// The Messages API.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;

impl WireFormat for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn request(&self, request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
        match request.endpoint {
            Endpoint::ChatCompletions => request::chat(request, target),
            Endpoint::Completions => Err(hub::unsupported("completions", "Anthropic", "use `/v1/chat/completions`")),
            Endpoint::Embeddings => {
                Err(hub::unsupported("embeddings", "Anthropic", "choose another provider for them"))
            }
            Endpoint::Rerank => Err(hub::rerank::unsupported()),
        }
    }

    fn answer(&self, reading: &Reading, _: &HeaderMap, body: Bytes) -> Result<Answer, Refusal> {
        answer::answer(reading, &body)
    }

    fn stream(&self, reading: &Reading) -> Box<dyn StreamDecoder> {
        Box::new(hub::Streamed::new(stream::State::new(reading)))
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
        errors::refusal(status, headers, body)
    }

    fn models(&self, body: &[u8]) -> Result<ModelPage, Refusal> {
        models::page(body)
    }

    fn models_path(&self, _: &config::Provider) -> Cow<'static, str> {
        "/v1/models".into()
    }

    fn headers(&self, provider: &config::Provider) -> Vec<(HeaderName, HeaderValue)> {
        let version = HeaderValue::from_str(version(&provider.settings));
        version.map(|version| (HeaderName::from_static("anthropic-version"), version)).into_iter().collect()
    }

    fn dispositions(&self) -> Option<Dispositions> {
        Some(DISPOSITIONS)
    }
}

fn version(settings: &Settings) -> &str {
    settings.api_version.as_deref().unwrap_or(VERSION)
}

use Disposition::{Approximated, Dropped, Mapped, Refused};

#[rustfmt::skip]
const DISPOSITIONS: Dispositions = &[
    ("model", Mapped("")),
    ("messages", Mapped("`system` hoisted, roles merged, every tool result after its call")),
    ("audio", Dropped("no spoken answers")),
    ("frequency_penalty", Dropped("no slot")),
    ("function_call", Mapped("`tool_choice`")),
    ("functions", Approximated("`tools`; the answer calls tools")),
    ("logit_bias", Dropped("no slot")),
    ("logprobs", Refused("there are none; `false` is fine")),
    ("max_completion_tokens", Mapped("`max_tokens`; the model's default when absent")),
    ("max_tokens", Mapped("the model's default when absent")),
    ("metadata", Dropped("no slot")),
    ("modalities", Refused("text only; `[\"text\"]` is fine")),
    ("moderation", Dropped("no slot")),
    ("n", Refused("one answer per request; 1 is fine")),
    ("parallel_tool_calls", Mapped("`tool_choice.disable_parallel_tool_use`")),
    ("prediction", Dropped("no slot")),
    ("presence_penalty", Dropped("no slot")),
    ("prompt_cache_key", Dropped("no slot")),
    ("prompt_cache_options", Dropped("`cache_control` and `prompt_cache_breakpoint` in messages are kept")),
    ("prompt_cache_retention", Dropped("no slot")),
    ("reasoning_effort", Approximated("4.6 and later: adaptive thinking and `output_config.effort`; older: a budget")),
    ("response_format", Approximated("`output_config.format` from 4.5 on, a forced tool before; `json_object` is an instruction")),
    ("safety_identifier", Mapped("`metadata.user_id`")),
    ("seed", Dropped("no slot")),
    ("service_tier", Approximated("`auto`, `priority` → `auto`; `default` → `standard_only`; others dropped")),
    ("stop", Mapped("`stop_sequences`, without blank ones")),
    ("store", Dropped("nothing is stored")),
    ("stream", Mapped("")),
    ("stream_options", Mapped("usage is always there")),
    ("temperature", Approximated("0 to 1; dropped where the model or the version refuses it")),
    ("tool_choice", Mapped("")),
    ("tools", Mapped("functions; custom tools are refused")),
    ("top_logprobs", Refused("there are none; 0 is fine")),
    ("top_p", Approximated("dropped where the model refuses it, or `temperature` with it")),
    ("user", Mapped("`metadata.user_id`")),
    ("verbosity", Dropped("no slot")),
    ("web_search_options", Approximated("the server tool `web_search_20250305`, `low` as one search; dropped where tools may not be called, or JSON comes by a tool")),
];
