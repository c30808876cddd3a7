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
        let (mut sums, more) = (self.tokens.counts(), other.counts());
        sums.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        self.tokens = EventTokens::of(sums);
    }
}
