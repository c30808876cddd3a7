//! What requests count about a provider, with atomics only; the actor reads it.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::availability::Availability;

/// Weight of the newest latency in the moving average, as a power of two: 1/8.
const EWMA_SHIFT: u32 = 3;

#[derive(Debug, Default)]
pub struct Stats {
    pub succeeded: AtomicU64,
    pub failed: AtomicU64,
    /// Of the answers that reported any, in and out.
    pub tokens: AtomicU64,
    pub consecutive_failures: AtomicU32,
    pub restarts: AtomicU32,
    /// Moving average of the time to the answer's head, µs; 0 before the first.
    latency: AtomicU64,
    /// Since the provider's birth, ms; 0 for never.
    last_success: AtomicU64,
    pub recent: Availability,
}

impl Stats {
    /// `age` is the time since the provider's birth.
    pub fn success(&self, age: Duration, latency: Duration) {
        self.succeeded.fetch_add(1, Relaxed);
        self.last_success.store(age.as_millis().max(1) as u64, Relaxed);
        let (old, new) = (self.latency.load(Relaxed), latency.as_micros() as u64);
        let mean = if old == 0 { new } else { old - (old >> EWMA_SHIFT) + (new >> EWMA_SHIFT) };
        self.latency.store(mean, Relaxed); // a lost race loses one sample of many
        self.recent.succeeded(age);
    }

    /// Counts an ill-health failure and returns how many there were in a row.
    pub fn failure(&self, age: Duration) -> u32 {
        self.failed.fetch_add(1, Relaxed);
        self.recent.failed(age);
        self.consecutive_failures.fetch_add(1, Relaxed) + 1
    }

    /// Share of failures in the last minute; `None` without traffic.
    pub fn error_rate(&self, age: Duration) -> Option<f64> {
        self.recent.success_rate(age).map(|rate| 1.0 - rate)
    }

    pub fn latency(&self) -> Option<Duration> {
        Some(self.latency.load(Relaxed)).filter(|&mean| mean > 0).map(Duration::from_micros)
    }

    /// Age of the provider at its last success.
    pub fn last_success(&self) -> Option<Duration> {
        Some(self.last_success.load(Relaxed)).filter(|&at| at > 0).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_moves_towards_what_is_seen() {
        let stats = Stats::default();
        stats.success(Duration::ZERO, Duration::from_millis(80));
        assert_eq!(stats.latency(), Some(Duration::from_millis(80)));
        stats.success(Duration::ZERO, Duration::from_millis(160));
        assert_eq!(stats.latency(), Some(Duration::from_millis(90)));
    }
}
