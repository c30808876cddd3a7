//! How long a provider takes, from what requests have seen lately. Atomics only; times are ages of the provider.

use std::{
    array,
    sync::atomic::{
        AtomicU32, AtomicU64,
        Ordering::{AcqRel, Relaxed},
    },
    time::Duration,
};

/// Each doubling is this many buckets, as a power of two: eight, so that a bucket's middle is at most 6 % off.
const SUB_BITS: u32 = 3;
/// The first bucket begins at 2^10 µs, about 1 ms; twenty doublings reach beyond ten minutes.
const FIRST_OCTAVE: u32 = 10;
const BUCKETS: usize = 20 << SUB_BITS;
/// It forgets window by window: what it knows is from the last 3⅓ to 5 minutes.
const WINDOWS: usize = 3;
const WINDOW: Duration = Duration::from_secs(100);
/// Fewer samples say nothing about a quantile.
const MIN_SAMPLES: u32 = 20;

/// How durations are distributed, between 1 ms and ten minutes.
pub struct Latencies {
    windows: [Window; WINDOWS],
}

struct Window {
    /// Which stretch of time it counts, so that an old one is recognised.
    era: AtomicU64,
    buckets: [AtomicU32; BUCKETS],
}

impl Default for Latencies {
    fn default() -> Self {
        let window = |_| Window { era: AtomicU64::new(0), buckets: [const { AtomicU32::new(0) }; BUCKETS] };
        Self { windows: array::from_fn(window) }
    }
}

impl Latencies {
    pub fn observe(&self, now: Duration, latency: Duration) {
        let era = era(now);
        let window = &self.windows[era as usize % WINDOWS];
        let old = window.era.load(Relaxed);
        if old > era {
            return; // a thread that was held up
        }
        // what others count before the buckets are empty is lost: a few samples of a whole window
        if old < era && window.era.compare_exchange(old, era, AcqRel, Relaxed).is_ok() {
            window.buckets.iter().for_each(|bucket| bucket.store(0, Relaxed));
        }
        window.buckets[bucket(latency)].fetch_add(1, Relaxed);
    }

    /// The latency that this share of the requests stays below; `None` while there are too few samples.
    pub fn quantile(&self, now: Duration, share: f64) -> Option<Duration> {
        let mut all = Distribution::default();
        all.add(now, self);
        all.quantile(share)
    }

    /// Samples that it remembers.
    pub fn count(&self, now: Duration) -> u32 {
        self.live(now).flat_map(|window| &window.buckets).map(|bucket| bucket.load(Relaxed)).sum()
    }

    fn live(&self, now: Duration) -> impl Iterator<Item = &Window> {
        let now = era(now);
        self.windows.iter().filter(move |window| window.era.load(Relaxed) + WINDOWS as u64 > now)
    }
}

/// What one or several of them hold at a moment.
pub struct Distribution([u32; BUCKETS]);

impl Default for Distribution {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Distribution {
    pub fn add(&mut self, now: Duration, latencies: &Latencies) {
        for window in latencies.live(now) {
            for (count, bucket) in self.0.iter_mut().zip(&window.buckets) {
                *count += bucket.load(Relaxed);
            }
        }
    }

    pub fn count(&self) -> u32 {
        self.0.iter().sum()
    }

    /// `None` while there are too few samples.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let all = self.count();
        if all < MIN_SAMPLES {
            return None;
        }
        let wanted = (f64::from(all) * share).ceil().max(1.0);
        let mut below = 0;
        let at = self.0.iter().position(|count| {
            below += count;
            f64::from(below) >= wanted
        });
        Some(middle(at.unwrap_or(BUCKETS - 1)))
    }
}

fn era(now: Duration) -> u64 {
    now.as_secs() / WINDOW.as_secs()
}

fn bucket(latency: Duration) -> usize {
    let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1 << FIRST_OCTAVE);
    let octave = micros.ilog2();
    let sub = (micros >> (octave - SUB_BITS)) & ((1 << SUB_BITS) - 1);
    ((((octave - FIRST_OCTAVE) as usize) << SUB_BITS) + sub as usize).min(BUCKETS - 1)
}

fn middle(bucket: usize) -> Duration {
    let (octave, sub) = (bucket >> SUB_BITS, (bucket & ((1 << SUB_BITS) - 1)) as u64);
    let step = 1 << (octave as u32 + FIRST_OCTAVE - SUB_BITS);
    Duration::from_micros(((1 << SUB_BITS) + sub) * step + step / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn off(found: Duration, exact: Duration) -> f64 {
        (found.as_secs_f64() / exact.as_secs_f64() - 1.0).abs()
    }

    proptest! {
        #[test]
        fn a_quantile_is_a_tenth_off_at_most(
            mut samples in prop::collection::vec(1_100..600_000_000_u64, 20..400), share in 0.01..1.0_f64,
        ) {
            let latencies = Latencies::default();
            samples.iter().for_each(|&micros| latencies.observe(ms(0), Duration::from_micros(micros)));
            samples.sort_unstable();
            let exact = samples[(samples.len() as f64 * share).ceil() as usize - 1];
            let found = latencies.quantile(ms(0), share).unwrap();
            prop_assert!(off(found, Duration::from_micros(exact)) < 0.07, "{:?} for {} µs", found, exact);
            prop_assert_eq!(latencies.count(ms(0)) as usize, samples.len());
        }
    }

    #[test]
    fn it_says_nothing_from_too_few_samples() {
        let latencies = Latencies::default();
        for sample in 0..20 {
            assert_eq!(latencies.quantile(ms(0), 0.5), None, "{sample} samples");
            latencies.observe(ms(0), ms(100));
        }
        assert!(off(latencies.quantile(ms(0), 0.5).unwrap(), ms(100)) < 0.07);
    }

    #[test]
    fn it_forgets_within_five_minutes() {
        let latencies = Latencies::default();
        let at = Duration::from_secs;
        (0..50).for_each(|_| latencies.observe(at(99), at(30)));
        (0..50).for_each(|_| latencies.observe(at(150), at(1)));
        assert_eq!(latencies.count(at(299)), 100);
        assert_eq!(latencies.count(at(300)), 50);
        assert!(off(latencies.quantile(at(300), 0.99).unwrap(), at(1)) < 0.07);
        latencies.observe(at(301), at(1));
        latencies.observe(at(99), at(1)); // a thread that was held up wipes nothing out
        assert_eq!((latencies.count(at(301)), latencies.count(at(10_000))), (51, 0));
    }

    #[test]
    fn what_is_out_of_range_counts_at_its_ends() {
        assert_eq!((bucket(Duration::ZERO), bucket(Duration::MAX)), (0, BUCKETS - 1));
        assert!((0..BUCKETS).all(|at| bucket(middle(at)) == at));
    }
}
