//! AWS Bedrock: Converse and `ConverseStream` for chat, `InvokeModel` for embeddings and reranking.
//!
//! A request is read by `hub`, its conversation written by [`messages`] (with [`content`] and
//! [`media`]), its tools by [`tools`], its
//! effort by [`thinking`], the rest and the whole by [`request`], in the shapes of [`body`]. What a model can do is in
//! the table of [`families`], where it can be called in that of [`regions`]. Back come [`answer`], [`stream`],
//! [`errors`], [`embeddings`], [`rerank`] and [`models`]. Signing is done by whoever sends.

mod answer;
mod body;
mod content;
mod embeddings;
mod errors;
mod events;
mod families;
mod media;
mod messages;
mod models;
mod names;
mod regions;
mod request;
mod rerank;
mod stream;
#[cfg(test)]
mod tests;
mod thinking;
mod tools;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{Answer, Disposition, Dispositions, ModelPage, Reading, StreamDecoder, Target, Upstream, WireFormat, hub};
use crate::{
    api::{ClientRequest, Endpoint, Wanted},
    config,
    refusal::Refusal,
};

/// The format of AWS Bedrock.
#[derive(Debug, Clone, Copy)]
pub struct Bedrock;

impl WireFormat for Bedrock {
    fn name(&self) -> &'static str {
        "bedrock"
    }

    fn request(&self, request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
        match request.endpoint {
            Endpoint::ChatCompletions => request::upstream(request, target),
            Endpoint::Embeddings => embeddings::upstream(request, target),
            Endpoint::Rerank => rerank::upstream(request, target),
            Endpoint::Completions => {
                Err(Refusal::invalid("model", "Bedrock has no completions without a chat: use /v1/chat/completions"))
            }
        }
    }

    fn media(&self, request: &ClientRequest) -> Result<Vec<Wanted>, Refusal> {
        match request.endpoint {
            Endpoint::ChatCompletions => request::media(request),
            _ => Ok(Vec::new()),
        }
    }

    fn answer(&self, reading: &Reading, headers: &HeaderMap, body: Bytes) -> Result<Answer, Refusal> {
        match reading.endpoint {
            Endpoint::Embeddings => embeddings::answer(reading, headers, &body),
            Endpoint::Rerank => hub::rerank::answer(reading, &body),
            Endpoint::ChatCompletions | Endpoint::Completions => answer::answer(reading, &body),
        }
    }

    fn stream(&self, reading: &Reading) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(reading))
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
        errors::refusal(status, headers, body)
    }

    fn models(&self, body: &[u8]) -> Result<ModelPage, Refusal> {
        models::page(body)
    }

    fn models_path(&self, provider: &config::Provider) -> Cow<'static, str> {
        models::path(provider).into()
    }

    fn dispositions(&self) -> Option<Dispositions> {
        Some(DISPOSITIONS)
    }
}

use Disposition::{Approximated, Dropped, Mapped, Refused};

/// What becomes of every field of the chat request.
pub const DISPOSITIONS: Dispositions = &[
    ("model", Mapped("in the path; a geographic prefix is made the region's")),
    (
        "messages",
        Mapped("`messages` and `system`; roles alternate, blank text goes, results stand next to their calls"),
    ),
    ("audio", Refused("Converse answers with text")),
    ("frequency_penalty", Dropped("no equivalent")),
    ("function_call", Approximated("as `tool_choice`")),
    ("functions", Approximated("as tools; calls come as `tool_calls`")),
    ("logit_bias", Dropped("no equivalent")),
    ("logprobs", Refused("there are none")),
    ("max_completion_tokens", Mapped("`inferenceConfig.maxTokens`")),
    ("max_tokens", Mapped("`inferenceConfig.maxTokens`")),
    ("metadata", Mapped("`requestMetadata`; up to 16 pairs, other characters than AWS's become `_`")),
    ("modalities", Refused("anything but text")),
    ("moderation", Dropped("no equivalent; guardrails by `guardrailConfig`")),
    ("n", Refused("more than one answer")),
    ("parallel_tool_calls", Mapped("Claude 4.5 and later: `tool_choice.disable_parallel_tool_use`; else dropped")),
    ("prediction", Dropped("no equivalent")),
    ("presence_penalty", Dropped("no equivalent")),
    ("prompt_cache_key", Dropped("no equivalent")),
    ("prompt_cache_options", Dropped("no equivalent; marks become `cachePoint`")),
    ("prompt_cache_retention", Dropped("no equivalent")),
    ("reasoning_effort", Mapped("by family: budget, adaptive with `outputConfig.effort`, `reasoningConfig`, …")),
    ("response_format", Mapped("`outputConfig.textFormat`, or a tool that is called; `json_object` is dropped")),
    ("safety_identifier", Mapped("`requestMetadata`")),
    ("seed", Dropped("no equivalent")),
    ("service_tier", Mapped("`serviceTier`; `fast` is priority, `scale` is dropped")),
    ("stop", Mapped("`inferenceConfig.stopSequences`; blank ones go")),
    ("store", Dropped("no equivalent")),
    ("stream", Mapped("`converse-stream`")),
    ("stream_options", Mapped("`include_usage`; there is no obfuscation")),
    ("temperature", Mapped("`inferenceConfig.temperature`, at most 1; not with thinking, nor from Claude 4.7 on")),
    ("tool_choice", Mapped("`toolChoice`, where the model has it; `none` leaves the tools out, or is approximated")),
    ("tools", Mapped("`toolConfig`; custom tools are refused")),
    ("top_logprobs", Refused("there are none")),
    ("top_p", Mapped("`inferenceConfig.topP`; not with `temperature` on Claude 4.1 to 4.6")),
    ("user", Mapped("`requestMetadata`")),
    ("verbosity", Dropped("no equivalent")),
    ("web_search_options", Approximated("Nova 2 and Premier of the US: `nova_grounding`; else dropped")),
];
