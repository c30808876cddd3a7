//! Replicate's predictions: an input in, a job that ends with an output.
//!
//! `request` writes what `messages` and `input` make of the client's request, in the words that `dialect` finds for the
//! model; `job` says where a prediction stands; `answer` and `stream` read its output; `errors` and `models` are what their
//! names say.

mod answer;
mod dialect;
mod errors;
mod input;
mod job;
mod messages;
mod models;
mod request;
mod stream;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{
    Answer, Disposition, Dispositions, Jobs, ModelPage, Reading, StreamDecoder, Target, Upstream, WireFormat, hub,
    jobs, sse,
};
use crate::{
    api::{ClientRequest, Endpoint},
    config,
    refusal::Refusal,
};

/// The predictions API.
#[derive(Debug, Clone, Copy)]
pub struct Replicate;

impl WireFormat for Replicate {
    fn name(&self) -> &'static str {
        "replicate"
    }

    fn request(&self, request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
        match request.endpoint {
            Endpoint::ChatCompletions => request::chat(request, target),
            Endpoint::Completions => Err(hub::unsupported("completions", "Replicate", "use `/v1/chat/completions`")),
            Endpoint::Embeddings => Err(hub::unsupported("embeddings", "Replicate", "use another provider for them")),
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

    fn dispositions(&self) -> Option<Dispositions> {
        Some(DISPOSITIONS)
    }

    fn jobs(&self) -> Option<&'static dyn Jobs> {
        Some(&job::Predictions)
    }
}

use Disposition::{Approximated, Dropped, Mapped, Refused};

#[rustfmt::skip]
const DISPOSITIONS: Dispositions = &[
    ("model", Mapped("in the path; a version in the body")),
    ("messages", Approximated("`prompt` and the system prompt; earlier turns as a transcript, or as `messages` where the model has them")),
    ("audio", Dropped("no spoken answers")),
    ("frequency_penalty", Mapped("not for Claude and Gemini")),
    ("function_call", Refused("no model calls tools; `none` is fine")),
    ("functions", Refused("no model calls tools")),
    ("logit_bias", Dropped("no slot")),
    ("logprobs", Refused("there are none; `false` is fine")),
    ("max_completion_tokens", Approximated("`max_tokens`, or the model's name for it; Claude's least is 1024")),
    ("max_tokens", Approximated("or the model's name for it; Claude's least is 1024")),
    ("metadata", Dropped("no slot")),
    ("modalities", Refused("text only; `[\"text\"]` is fine")),
    ("moderation", Dropped("no slot")),
    ("n", Refused("one answer per request; 1 is fine")),
    ("parallel_tool_calls", Dropped("no model calls tools")),
    ("prediction", Dropped("no slot")),
    ("presence_penalty", Mapped("not for Claude and Gemini")),
    ("prompt_cache_key", Dropped("no slot")),
    ("prompt_cache_options", Dropped("no slot")),
    ("prompt_cache_retention", Dropped("no slot")),
    ("reasoning_effort", Approximated("OpenAI's reasoning models: the nearest that the model has; else dropped")),
    ("response_format", Refused("text only; `text` is fine")),
    ("safety_identifier", Dropped("no slot")),
    ("seed", Mapped("not for OpenAI, Claude and Gemini")),
    ("service_tier", Dropped("no slot")),
    ("stop", Mapped("`stop_sequences`, joined by commas; not for OpenAI, Claude and Gemini; refused with a comma in it")),
    ("store", Dropped("nothing is stored for you")),
    ("stream", Mapped("the prediction's events; one chunk where a model has none")),
    ("stream_options", Mapped("usage as the prediction's metrics have it")),
    ("temperature", Mapped("not for Claude and OpenAI's reasoning models")),
    ("tool_choice", Refused("no model calls tools; `none` is fine")),
    ("tools", Refused("no model calls tools; dropped with `tool_choice: none`")),
    ("top_logprobs", Dropped("no slot")),
    ("top_p", Mapped("not for Claude and OpenAI's reasoning models")),
    ("user", Dropped("no slot")),
    ("verbosity", Mapped("GPT-5; else dropped")),
    ("web_search_options", Dropped("no slot")),
];
