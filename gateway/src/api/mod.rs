//! The public vocabulary: what travels through the gateway, and the documented shape of every body.

mod chat;
mod completions;
mod embeddings;
mod envelope;
mod errors;
mod health;
mod keys;
mod limits;
mod members;
mod models;
mod notices;
mod org_configs;
mod policies;
mod providers;
mod remote;
mod rerank;
mod route;
mod shapes;
#[cfg(test)]
mod tests;
mod usage;
mod usage_counted;
mod usage_event;
mod usage_record;
mod usage_report;
mod usage_word;

pub use chat::*;
pub use completions::*;
pub use embeddings::*;
pub use envelope::{ClientRequest, Envelope, Field, MessageFacts, SmallName};
pub use errors::{ErrorBody, ErrorEnvelope};
pub use health::*;
pub use keys::*;
pub use limits::*;
pub use models::{ListObject, ModelInfo, ModelList, ModelObject};
pub use notices::*;
pub use org_configs::*;
pub use policies::*;
pub use providers::*;
pub use remote::{Fetched, Medium, Wanted};
pub use rerank::*;
pub use route::*;
pub use usage::{BilledTier, TokenUsage};
pub use usage_counted::*;
pub use usage_event::*;
pub use usage_record::*;
pub use usage_report::*;
pub use usage_word::*;

/// The model-calling routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    ChatCompletions,
    Completions,
    Embeddings,
    Rerank,
}

impl Endpoint {
    pub const ALL: [Endpoint; 4] =
        [Endpoint::ChatCompletions, Endpoint::Completions, Endpoint::Embeddings, Endpoint::Rerank];

    /// The short name in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Endpoint::ChatCompletions => "chat.completions",
            Endpoint::Completions => "completions",
            Endpoint::Embeddings => "embeddings",
            Endpoint::Rerank => "rerank",
        }
    }

    /// The path below an OpenAI-compatible base URL.
    pub fn path(self) -> &'static str {
        match self {
            Endpoint::ChatCompletions => "/chat/completions",
            Endpoint::Completions => "/completions",
            Endpoint::Embeddings => "/embeddings",
            Endpoint::Rerank => "/rerank",
        }
    }

    /// The field without which the request means nothing.
    pub fn essential_field(self) -> &'static str {
        match self {
            Endpoint::ChatCompletions => "messages",
            Endpoint::Completions => "prompt",
            Endpoint::Embeddings => "input",
            Endpoint::Rerank => "documents",
        }
    }
}
