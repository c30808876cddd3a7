//! A moving average of latency that believes bad news at once and forgets them in seconds.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// In this time a peak falls to a third of its height above the average.
const DECAY: Duration = Duration::from_secs(10);
/// A failure counts as at least this slow, so that fast failures attract nothing.
const FAILURE: Duration = Duration::from_secs(5);
/// Weight of the newest sample in the average that peaks fall back to.
const WEIGHT: f32 = 1.0 / 8.0;

/// Peak and average. The average is what an idle provider is judged by: would the peak fall to nothing, the provider that
/// nobody asks would look like the fastest of all, to all at once. Times are ages of the provider.
#[derive(Debug, Default)]
pub struct PeakEwma {
    /// Both in seconds, as the bits of two `f32`; 0 before the first sample.
    values: AtomicU64,
    /// Of the peak, ms.
    at: AtomicU64,
}

impl PeakEwma {
    pub fn observe(&self, now: Duration, latency: Duration) {
        let latency = latency.as_secs_f32().max(1e-6);
        let (peak, average) = self.load(now).unwrap_or((latency, latency));
        self.store(now, peak.max(latency), average + (latency - average) * WEIGHT);
    }

    /// A failure of any speed. It raises the peak and leaves the average alone.
    pub fn failed(&self, now: Duration, latency: Duration) {
        let latency = latency.max(FAILURE).as_secs_f32();
        let (peak, average) = self.load(now).unwrap_or((0.0, 0.0));
        self.store(now, peak.max(latency), average);
    }

    /// `None` before the first sample.
    pub fn value(&self, now: Duration) -> Option<Duration> {
        self.load(now).map(|(peak, _)| Duration::from_secs_f32(peak))
    }

    /// The peak as it has fallen until now, and the average.
    fn load(&self, now: Duration) -> Option<(f32, f32)> {
        let values = self.values.load(Relaxed);
        if values == 0 {
            return None;
        }
        let (peak, average) = (f32::from_bits((values >> 32) as u32), f32::from_bits(values as u32));
        let passed = now.saturating_sub(Duration::from_millis(self.at.load(Relaxed)));
        let left = (-passed.as_secs_f32() / DECAY.as_secs_f32()).exp();
        Some((average + (peak - average).max(0.0) * left, average))
    }

    /// A lost race loses one sample of many.
    fn store(&self, now: Duration, peak: f32, average: f32) {
        self.values.store(u64::from(peak.to_bits()) << 32 | u64::from(average.to_bits()), Relaxed);
        self.at.fetch_max(now.as_millis() as u64, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn value(ewma: &PeakEwma, now: u64) -> f32 {
        ewma.value(ms(now)).unwrap().as_secs_f32()
    }

    fn settled() -> PeakEwma {
        let ewma = PeakEwma::default();
        assert_eq!(ewma.value(ms(0)), None);
        (0..100).for_each(|at| ewma.observe(ms(at * 10), ms(200)));
        assert!((value(&ewma, 1000) - 0.2).abs() < 0.001);
        ewma
    }

    #[test]
    fn it_rises_to_a_peak_at_once_and_falls_back_over_ten_seconds() {
        let ewma = settled();
        ewma.observe(ms(1000), ms(4200));
        assert!((value(&ewma, 1000) - 4.2).abs() < 0.001);
        (0..60).for_each(|_| ewma.observe(ms(1000), ms(200)));
        assert!(value(&ewma, 1000) > 4.0, "many good samples in the same moment do not hide it");
        assert!((value(&ewma, 11_000) - (0.2 + 4.0 * 0.37)).abs() < 0.05);
        assert!((value(&ewma, 61_000) - 0.2).abs() < 0.05);
    }

    #[test]
    fn it_falls_at_the_same_speed_however_often_it_is_fed() {
        let (busy, idle) = (settled(), settled());
        busy.observe(ms(1000), ms(4200));
        idle.observe(ms(1000), ms(4200));
        (1..10_000).for_each(|at| busy.observe(ms(1000 + at), ms(200)));
        (0..60).for_each(|_| idle.observe(ms(11_000), ms(200)));
        assert!((value(&busy, 11_000) - value(&idle, 11_000)).abs() < 0.5);
    }

    #[test]
    fn a_fast_failure_is_slow_and_soon_forgotten() {
        let ewma = settled();
        ewma.failed(ms(1000), ms(1));
        assert!((value(&ewma, 1000) - 5.0).abs() < 0.001);
        ewma.failed(ms(1000), ms(9000));
        ewma.failed(ms(1000), ms(1));
        assert!((value(&ewma, 1000) - 9.0).abs() < 0.001);
        assert!((value(&ewma, 90_000) - 0.2).abs() < 0.01);
        let unknown = PeakEwma::default();
        unknown.failed(ms(0), ms(1));
        assert!((value(&unknown, 0) - 5.0).abs() < 0.001);
    }
}
