//! What is known of one model at one provider: learned from its answers, kept across route tables.

use std::{sync::OnceLock, time::Duration};

use super::{
    latency::{Distribution, Latencies},
    peak::PeakEwma,
    quota::QuotaState,
};

/// Quotas and speed of one model. Shared by every candidate for it.
pub struct ModelState {
    /// One for each of the provider's keys: providers count by key and model.
    quotas: Box<[QuotaState]>,
    /// Until the head of an answer.
    latency: PeakEwma,
    /// Until the first content of a stream, and until a whole answer.
    streams: OnceLock<Box<Latencies>>,
    wholes: OnceLock<Box<Latencies>>,
}

impl ModelState {
    pub(super) fn new(keys: usize) -> Self {
        Self {
            quotas: (0..keys).map(|_| QuotaState::default()).collect(),
            latency: PeakEwma::default(),
            streams: OnceLock::new(),
            wholes: OnceLock::new(),
        }
    }

    pub(super) fn quota(&self, key: usize) -> &QuotaState {
        &self.quotas[key]
    }

    /// What the next answer should take; `None` before the first.
    pub fn latency(&self, now: Duration) -> Option<Duration> {
        self.latency.value(now)
    }

    pub(super) fn answered(&self, now: Duration, stream: bool, took: Duration) {
        self.latency.observe(now, took);
        self.histogram(stream).get_or_init(Box::default).observe(now, took);
    }

    /// Nobody waited for the answer. That it would have taken longer than this is news when it is longer than usual: who
    /// always loses races must not go on looking quick.
    pub(super) fn abandoned(&self, now: Duration, stream: bool, after: Duration) {
        if self.latency.value(now).is_some_and(|usual| after > usual) {
            self.answered(now, stream, after);
        }
    }

    /// A failure counts as slow, so that fast ones attract nothing.
    pub(super) fn failed(&self, now: Duration, took: Duration) {
        self.latency.failed(now, took);
    }

    /// The time within which this share of the recent answers began; `None` while too few are known.
    pub fn quantile(&self, now: Duration, stream: bool, share: f64) -> Option<Duration> {
        self.histogram(stream).get()?.quantile(now, share)
    }

    /// Adds what it has seen to a provider's distribution.
    pub(super) fn add_to(&self, all: &mut Distribution, now: Duration, stream: bool) {
        if let Some(latencies) = self.histogram(stream).get() {
            all.add(now, latencies);
        }
    }

    fn histogram(&self, stream: bool) -> &OnceLock<Box<Latencies>> {
        if stream { &self.streams } else { &self.wholes }
    }
}
