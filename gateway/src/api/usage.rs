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
    /// Part of `output` spent on reasoning.
    pub reasoning: u64,
    pub audio_input: u64,
    pub audio_output: u64,
}
