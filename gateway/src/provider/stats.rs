//! What requests count about a provider, with atomics only; the actor reads it.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Slots of the error-rate window and their length: one minute in all.
const SLOTS: usize = 10;
const SLOT: Duration = Duration::from_secs(6);
/// Weight of the newest latency in the moving average, as a power of two: 1/8.
const EWMA_SHIFT: u32 = 3;

#[derive(Debug, Default)]
pub struct Stats {
    pub succeeded: AtomicU64,
    pub failed: AtomicU64,
    pub consecutive_failures: AtomicU32,
    pub restarts: AtomicU32,
    /// Moving average of the time to the answer's head, µs; 0 before the first.
    latency: AtomicU64,
    /// Since the provider's birth, ms; 0 for never.
    last_success: AtomicU64,
    recent: [Slot; SLOTS],
}

#[derive(Debug, Default)]
struct Slot {
    /// Which stretch of time the slot counts, so that an old one is recognised.
    era: AtomicU64,
    succeeded: AtomicU32,
    failed: AtomicU32,
}

impl Stats {
    /// `age` is the time since the provider's birth.
    pub fn success(&self, age: Duration, latency: Duration) {
        self.succeeded.fetch_add(1, Relaxed);
        self.last_success.store(age.as_millis().max(1) as u64, Relaxed);
        let (old, new) = (self.latency.load(Relaxed), latency.as_micros() as u64);
        let mean = if old == 0 { new } else { old - (old >> EWMA_SHIFT) + (new >> EWMA_SHIFT) };
        self.latency.store(mean, Relaxed); // a lost race loses one sample of many
        self.slot(age).succeeded.fetch_add(1, Relaxed);
    }

    /// Counts an ill-health failure and returns how many there were in a row.
    pub fn failure(&self, age: Duration) -> u32 {
        self.failed.fetch_add(1, Relaxed);
        self.slot(age).failed.fetch_add(1, Relaxed);
        self.consecutive_failures.fetch_add(1, Relaxed) + 1
    }

    fn slot(&self, age: Duration) -> &Slot {
        let era = age.as_secs() / SLOT.as_secs();
        let slot = &self.recent[era as usize % SLOTS];
        if slot.era.swap(era, Relaxed) != era {
            slot.succeeded.store(0, Relaxed);
            slot.failed.store(0, Relaxed);
        }
        slot
    }

    /// Share of failures in the last minute; `None` without traffic.
    pub fn error_rate(&self, age: Duration) -> Option<f64> {
        let now = age.as_secs() / SLOT.as_secs();
        let live = |slot: &&Slot| slot.era.load(Relaxed) + SLOTS as u64 > now;
        let (succeeded, failed) = self.recent.iter().filter(live).fold((0, 0), |(succeeded, failed), slot| {
            (succeeded + slot.succeeded.load(Relaxed), failed + slot.failed.load(Relaxed))
        });
        let all = succeeded + failed;
        (all > 0).then(|| f64::from(failed) / f64::from(all))
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
    fn the_error_rate_forgets_after_a_minute() {
        let stats = Stats::default();
        let at = Duration::from_secs;
        stats.failure(at(1));
        stats.success(at(2), at(1));
        assert_eq!(stats.error_rate(at(10)), Some(0.5));
        assert_eq!(stats.error_rate(at(90)), None);
        stats.success(at(61), at(1));
        assert_eq!(stats.error_rate(at(61)), Some(0.0), "the slot of second 1 is used again from 0");
    }

    #[test]
    fn latency_moves_towards_what_is_seen() {
        let stats = Stats::default();
        stats.success(Duration::ZERO, Duration::from_millis(80));
        assert_eq!(stats.latency(), Some(Duration::from_millis(80)));
        stats.success(Duration::ZERO, Duration::from_millis(160));
        assert_eq!(stats.latency(), Some(Duration::from_millis(90)));
    }
}
