//! What every translating format shares: the typed request, the losses, the writing of OpenAI's chunks and answers.
//!
//! A format reads the client's request with [`chat`], writes its own request, and turns what comes back into OpenAI's
//! shapes with [`Chunks`] (streams) and `api`'s types (whole answers). [`dispositions`] is the table that says what
//! becomes of every field in every format.

pub mod answers;
mod chunks;
pub mod dispositions;
pub mod inline;
mod losses;
mod parse;
pub mod tools;
pub mod turns;

pub use chunks::Chunks;
pub use losses::Losses;
pub use parse::{Mistake, parse};

use super::TokenUsage;
use crate::{
    api::{ChatCompletionRequest, ClientRequest, CompletionTokensDetails, PromptTokensDetails, Usage},
    refusal::Refusal,
};

/// The client's chat request, typed. Deprecated `functions` are left as they are: formats convert them.
///
/// # Errors
/// 400 naming the field that is not as OpenAI has it.
pub fn chat(request: &ClientRequest) -> Result<ChatCompletionRequest, Refusal> {
    parse(&request.body).map_err(Refusal::from)
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
