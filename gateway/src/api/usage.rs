//! Tokens of one answer, in one vocabulary for all providers.

use serde::{Deserialize, Serialize};

/// Token counts as a provider reported them. `input` and `output` are totals; the others are parts of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    pub input: u64,
    pub output: u64,
    /// Part of `input` that was read from the provider's prompt cache.
    pub cached_read: u64,
    /// Part of `input` that was written to the provider's prompt cache.
    pub cached_write: u64,
    /// Part of `cached_write` that is kept for an hour; the rest is kept for minutes.
    pub cached_write_1h: u64,
    /// Part of `output` spent on reasoning.
    pub reasoning: u64,
    pub audio_input: u64,
    /// Part of both `audio_input` and `cached_read`.
    pub audio_cached: u64,
    pub audio_output: u64,
    pub image_input: u64,
    pub image_output: u64,
    /// Part of `input` that the provider does not charge for.
    pub free_input: u64,
    /// What a reranker counts in place of tokens, and the searches of the web that a model has made and is paid for.
    pub searches: u64,
    /// At which of the provider's tiers all of this is billed.
    pub tier: BilledTier,
}

/// What an answer says of how it was served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", from = "String")]
pub enum BilledTier {
    /// The ordinary one, also where an answer says nothing.
    #[default]
    Standard,
    Batch,
    Flex,
    Priority,
    /// One whose whole price no list carries: bought throughput, a dearer mode.
    Other,
}

impl From<String> for BilledTier {
    fn from(name: String) -> Self {
        Self::named(&name)
    }
}

impl BilledTier {
    /// In events; the ordinary one needs no name.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Standard => None,
            Self::Batch => Some("batch"),
            Self::Flex => Some("flex"),
            Self::Priority => Some("priority"),
            Self::Other => Some("other"),
        }
    }

    /// The tier of that name, in the words of all providers.
    pub fn named(name: &str) -> Self {
        match name {
            "" | "default" | "standard" | "auto" | "on_demand" => Self::Standard,
            "batch" => Self::Batch,
            "flex" => Self::Flex,
            "priority" => Self::Priority,
            _ => Self::Other,
        }
    }
}
