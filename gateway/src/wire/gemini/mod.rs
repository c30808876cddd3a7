//! Gemini's format, as AI Studio and Vertex AI have it.
//!
//! Out: `request` writes a `body` from what the client sent: `messages` (with `media` and `signatures`), `tools`,
//! `generation`; `facts` is what is known of models, `path` where they are. In: `answer` and `stream` read a `reply`
//! and write OpenAI's shapes; what both need is in `reading`. `embeddings`, `models` and `errors` stand by themselves.

mod answer;
mod body;
mod embeddings;
mod errors;
mod facts;
mod generation;
mod media;
mod messages;
mod models;
mod path;
mod reading;
mod reply;
mod request;
mod signatures;
mod stream;
#[cfg(test)]
mod tests;
mod tools;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{
    Answer,
    Disposition::{self, Approximated, Dropped, Mapped, Refused},
    Dispositions, ModelPage, Reading, StreamDecoder, Target, Upstream, WireFormat,
};
use crate::{api::ClientRequest, config, refusal::Refusal};

/// Google's format: AI Studio, and Vertex AI where a project is set.
#[derive(Debug, Clone, Copy)]
pub struct Gemini;

/// In the order of the document.
const DISPOSITIONS: &[(&str, Disposition)] = &[
    ("model", Mapped("in the path")),
    ("messages", Mapped("contents and systemInstruction; system messages after the first turn are moved up")),
    ("audio", Refused("spoken answers are not available")),
    ("frequency_penalty", Mapped("generationConfig.frequencyPenalty")),
    ("function_call", Approximated("as tool_choice")),
    ("functions", Approximated("as tools; the answer has tool_calls")),
    ("logit_bias", Dropped("")),
    ("logprobs", Mapped("generationConfig.responseLogprobs")),
    ("max_completion_tokens", Mapped("generationConfig.maxOutputTokens")),
    ("max_tokens", Mapped("generationConfig.maxOutputTokens")),
    ("metadata", Dropped("")),
    ("modalities", Mapped("generationConfig.responseModalities; audio is refused")),
    ("moderation", Dropped("")),
    ("n", Mapped("generationConfig.candidateCount; more than 1 is refused for streams")),
    ("parallel_tool_calls", Dropped("the model may call several tools at once")),
    ("prediction", Dropped("")),
    ("presence_penalty", Mapped("generationConfig.presencePenalty")),
    ("prompt_cache_key", Dropped("prompts are cached by themselves")),
    ("prompt_cache_options", Dropped("prompts are cached by themselves")),
    ("prompt_cache_retention", Dropped("prompts are cached by themselves")),
    ("reasoning_effort", Approximated("generationConfig.thinkingConfig: a level the model has, or a budget")),
    (
        "response_format",
        Approximated("responseMimeType and responseJsonSchema; next to tools an instruction for Gemini 2"),
    ),
    ("safety_identifier", Dropped("")),
    ("seed", Approximated("generationConfig.seed, 31 bits of it")),
    ("service_tier", Approximated("serviceTier: standard, flex or priority")),
    ("stop", Mapped("generationConfig.stopSequences; more than 5 are refused")),
    ("store", Dropped("")),
    ("stream", Mapped("streamGenerateContent")),
    ("stream_options", Mapped("the gateway writes the usage chunk")),
    ("temperature", Mapped("generationConfig.temperature")),
    ("tool_choice", Mapped("toolConfig.functionCallingConfig")),
    ("tools", Mapped("functionDeclarations; custom tools are refused, `strict` is dropped")),
    ("top_logprobs", Mapped("generationConfig.logprobs")),
    ("top_p", Mapped("generationConfig.topP")),
    ("user", Dropped("")),
    ("verbosity", Dropped("")),
    ("web_search_options", Approximated("googleSearch; dropped next to functions")),
];

impl WireFormat for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn request(&self, request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
        request::upstream(request, target)
    }

    fn answer(&self, reading: &Reading, _: &HeaderMap, body: Bytes) -> Result<Answer, Refusal> {
        answer::answer(reading, &body)
    }

    fn stream(&self, reading: &Reading) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(reading))
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
        errors::refusal(status, headers, body)
    }

    fn models(&self, body: &[u8]) -> Result<ModelPage, Refusal> {
        models::models(body)
    }

    fn models_path(&self, provider: &config::Provider) -> Cow<'static, str> {
        path::list(&provider.settings).into()
    }

    fn dispositions(&self) -> Option<Dispositions> {
        Some(DISPOSITIONS)
    }
}
