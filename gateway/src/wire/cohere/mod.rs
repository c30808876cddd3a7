//! Cohere's API, version 2: chat, embeddings and rerank.
//!
//! `request` writes what `messages`, `options` and `tools` make of the client's request; `embeddings` and
//! `rerank` are the other endpoints; `answer` and `stream` read what comes back; `errors` and `models` are what their names say.

mod answer;
mod blocks;
mod embeddings;
mod errors;
mod messages;
mod models;
mod options;
mod request;
mod rerank;
mod stream;
#[cfg(test)]
mod tests;
mod tools;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{
    Answer, Disposition, Dispositions, ModelPage, Reading, StreamDecoder, Target, Upstream, WireFormat, hub, sse,
};
use crate::{
    api::{ClientRequest, Endpoint},
    config,
    refusal::Refusal,
};

/// The v2 API.
#[derive(Debug, Clone, Copy)]
pub struct Cohere;

impl WireFormat for Cohere {
    fn name(&self) -> &'static str {
        "cohere"
    }

    fn request(&self, request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
        match request.endpoint {
            Endpoint::ChatCompletions => request::chat(request, target),
            Endpoint::Completions => Err(hub::unsupported("completions", "Cohere", "use `/v1/chat/completions`")),
            Endpoint::Embeddings => embeddings::request(request, target),
            Endpoint::Rerank => rerank::request(request, target),
        }
    }

    fn answer(&self, reading: &Reading, _: &HeaderMap, body: Bytes) -> Result<Answer, Refusal> {
        match reading.endpoint {
            Endpoint::Embeddings => embeddings::answer(reading, &body),
            Endpoint::Rerank => hub::rerank::answer(reading, &body),
            Endpoint::ChatCompletions | Endpoint::Completions => answer::answer(reading, &body),
        }
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

    /// The list is part of version 1.
    fn models_path(&self, _: &config::Provider) -> Cow<'static, str> {
        "/v1/models".into()
    }

    fn dispositions(&self) -> Option<Dispositions> {
        Some(DISPOSITIONS)
    }
}

use Disposition::{Approximated, Dropped, Mapped, Refused};

#[rustfmt::skip]
const DISPOSITIONS: Dispositions = &[
    ("model", Mapped("")),
    ("messages", Mapped("text with tool calls becomes `tool_plan`")),
    ("audio", Dropped("no spoken answers")),
    ("frequency_penalty", Approximated("0 to 1; negative ones are dropped")),
    ("function_call", Mapped("`tool_choice`")),
    ("functions", Approximated("`tools`; the answer calls tools")),
    ("logit_bias", Dropped("no slot")),
    ("logprobs", Mapped("")),
    ("max_completion_tokens", Mapped("`max_tokens`")),
    ("max_tokens", Mapped("")),
    ("metadata", Dropped("no slot")),
    ("modalities", Refused("text only; `[\"text\"]` is fine")),
    ("moderation", Dropped("no slot")),
    ("n", Refused("one answer per request; 1 is fine")),
    ("parallel_tool_calls", Dropped("no slot")),
    ("prediction", Dropped("no slot")),
    ("presence_penalty", Approximated("0 to 1; negative ones are dropped")),
    ("prompt_cache_key", Dropped("no slot")),
    ("prompt_cache_options", Dropped("no slot")),
    ("prompt_cache_retention", Dropped("no slot")),
    ("reasoning_effort", Approximated("`thinking` with a token budget; dropped for models that do not reason")),
    ("response_format", Mapped("`json_object` with `json_schema`; refused together with tools")),
    ("safety_identifier", Dropped("no slot")),
    ("seed", Mapped("negative ones are dropped")),
    ("service_tier", Dropped("no slot")),
    ("stop", Mapped("`stop_sequences`; more than 5 are refused")),
    ("store", Dropped("nothing is stored")),
    ("stream", Mapped("")),
    ("stream_options", Mapped("usage is always there")),
    ("temperature", Mapped("")),
    ("tool_choice", Mapped("a named tool is required and sent alone")),
    ("tools", Mapped("functions; custom tools are refused; `strict` only when all are strict")),
    ("top_logprobs", Dropped("no slot")),
    ("top_p", Approximated("`p`, 0.01 to 0.99")),
    ("user", Dropped("no slot")),
    ("verbosity", Dropped("no slot")),
    ("web_search_options", Dropped("no slot")),
];
