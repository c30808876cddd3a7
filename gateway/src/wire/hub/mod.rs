//! What every translating format shares: the typed request, the losses, the writing of OpenAI's chunks and answers.
//!
//! A format reads the client's request with [`chat`], writes its own request, and turns what comes back into OpenAI's
//! shapes with [`Chunks`] (streams) and `api`'s types (whole answers). [`dispositions`] is the table that says what
//! becomes of every field in every format.

pub mod answers;
mod chunks;
pub mod dispositions;
pub mod embeddings;
#[cfg(test)]
pub mod golden;
pub mod inline;
mod losses;
pub mod own;
mod parse;
pub mod rerank;
pub mod search;
mod streamed;
pub mod tools;
pub mod turns;

pub use chunks::Chunks;
pub use losses::Losses;
pub use parse::{Mistake, parse};
pub use streamed::{EventReader, Streamed};

use bytes::Bytes;
use serde::Serialize;

use super::TokenUsage;
use crate::{
    api::{ChatCompletionRequest, ClientRequest, CompletionTokensDetails, PromptTokensDetails, Usage},
    refusal::Refusal,
};

/// What a format's own names may add to a request, bytes.
const ROOM: usize = 512;

/// The client's chat request, typed. Deprecated `functions` are left as they are: formats convert them.
///
/// # Errors
/// 400 naming the field that is not as OpenAI has it.
pub fn chat(request: &ClientRequest) -> Result<ChatCompletionRequest, Refusal> {
    parse(&request.body).map_err(Refusal::from)
}

/// A provider's request as JSON, in room enough for what the client wrote, so that a long prompt is not moved while it grows.
///
/// # Errors
/// Never for the types of our formats: their maps have names for keys.
pub fn written(request: &ClientRequest, body: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    let mut json = Vec::with_capacity(request.body.len() + ROOM);
    serde_json::to_writer(&mut json, body)?;
    Ok(json.into())
}

impl From<Mistake> for Refusal {
    fn from(mistake: Mistake) -> Self {
        match mistake.param {
            Some(param) => Refusal::invalid(param, mistake.message),
            None => Refusal::new(crate::refusal::Cause::Invalid, mistake.message),
        }
    }
}

/// Token counts in OpenAI's shape.
pub fn usage(tokens: &TokenUsage) -> Usage {
    Usage {
        prompt_tokens: tokens.input,
        completion_tokens: tokens.output,
        total_tokens: tokens.input + tokens.output,
        prompt_tokens_details: Some(PromptTokensDetails {
            cached_tokens: Some(tokens.cached_read),
            cache_write_tokens: (tokens.cached_write > 0).then_some(tokens.cached_write),
            audio_tokens: (tokens.audio_input > 0).then_some(tokens.audio_input),
            ..Default::default()
        }),
        completion_tokens_details: Some(CompletionTokensDetails {
            reasoning_tokens: Some(tokens.reasoning),
            audio_tokens: (tokens.audio_output > 0).then_some(tokens.audio_output),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A route that a provider's format does not have.
pub fn unsupported(what: &str, provider: &str, instead: &str) -> Refusal {
    Refusal::invalid("model", format!("{provider} has no {what} for this model; {instead}"))
}
