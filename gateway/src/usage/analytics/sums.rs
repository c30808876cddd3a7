//! What is added up.

use super::histogram::Histogram;
use crate::{api::EventTokens, money::Usd};

/// Of some requests. Sums neither round nor depend on their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    pub requests: u64,
    /// Upstream calls.
    pub attempts: u64,
    /// Requests whose answers did not reach their end.
    pub incomplete: u64,
    /// Requests whose tokens the gateway has estimated.
    pub estimated: u64,
    /// Requests that may be on a provider's bill, and whose price is not known.
    pub unpriced: u64,
    pub tokens: EventTokens,
    pub cost: Usd,
    pub latency: Histogram,
    pub first_token: Histogram,
}

impl Sums {
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.attempts += other.attempts;
        self.incomplete += other.incomplete;
        self.estimated += other.estimated;
        self.unpriced += other.unpriced;
        self.add_tokens(&other.tokens);
        self.cost = self.cost + other.cost;
        self.latency.merge(&other.latency);
        self.first_token.merge(&other.first_token);
    }

    pub fn add_tokens(&mut self, other: &EventTokens) {
        for (sum, more) in counts(&mut self.tokens).into_iter().zip(counts(&mut other.clone())) {
            *sum = sum.saturating_add(*more);
        }
    }
}

/// Every count, in the order of [`TOKENS`].
pub(super) fn counts(tokens: &mut EventTokens) -> [&mut u64; 13] {
    let EventTokens { input, output, cached_read, cached_write, cached_write_1h, reasoning, audio_input, .. } = tokens;
    let EventTokens { audio_cached, audio_output, image_input, image_output, free_input, search_units, .. } = tokens;
    [
        input,
        output,
        cached_read,
        cached_write,
        cached_write_1h,
        reasoning,
        audio_input,
        audio_cached,
        audio_output,
        image_input,
        image_output,
        free_input,
        search_units,
    ]
}

/// The names of their columns.
pub(super) const TOKENS: [&str; 13] = [
    "input",
    "output",
    "cached_read",
    "cached_write",
    "cached_write_1h",
    "reasoning",
    "audio_input",
    "audio_cached",
    "audio_output",
    "image_input",
    "image_output",
    "free_input",
    "search_units",
];
