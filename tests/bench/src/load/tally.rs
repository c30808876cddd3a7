//! What was seen, and its distribution.

use std::collections::BTreeMap;
use std::time::Duration;

/// Times are in µs and of successes only.
#[derive(Default)]
pub struct Tally {
    pub ok: u64,
    pub errors: BTreeMap<String, u64>,
    pub latency: Vec<u32>,
    pub ttft: Vec<u32>,
    pub gap: Vec<u32>,
    pub chunks: u64,
    pub bytes: u64,
    pub usage_seen: u64,
    pub no_done: u64,
    pub first_error_body: Option<String>,
}

impl Tally {
    pub fn error(&mut self, kind: impl Into<String>) {
        *self.errors.entry(kind.into()).or_default() += 1;
    }

    /// Keeps the beginning of the first body that was not an answer.
    pub fn keep_body(&mut self, body: &[u8]) {
        self.first_error_body.get_or_insert_with(|| String::from_utf8_lossy(body).chars().take(400).collect());
    }

    pub fn merge(&mut self, other: Tally) {
        self.ok += other.ok;
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
        self.latency.extend(other.latency);
        self.ttft.extend(other.ttft);
        self.gap.extend(other.gap);
        self.chunks += other.chunks;
        self.bytes += other.bytes;
        self.usage_seen += other.usage_seen;
        self.no_done += other.no_done;
        self.first_error_body = self.first_error_body.take().or(other.first_error_body);
    }
}

pub fn micros(time: Duration) -> u32 {
    time.as_micros().min(u128::from(u32::MAX)) as u32
}

pub fn distribution(samples: &mut [u32]) -> serde_json::Value {
    let (Some(_), n) = (samples.first(), samples.len()) else { return serde_json::Value::Null };
    samples.sort_unstable();
    let quantile = |p: f64| samples[((n as f64 * p).ceil() as usize).clamp(1, n) - 1];
    let mean = samples.iter().map(|&us| f64::from(us)).sum::<f64>() / n as f64;
    serde_json::json!({
        "n": n,
        "mean_us": mean.round(),
        "min_us": samples[0],
        "p50_us": quantile(0.5),
        "p90_us": quantile(0.9),
        "p95_us": quantile(0.95),
        "p99_us": quantile(0.99),
        "p999_us": quantile(0.999),
        "max_us": samples[n - 1],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples_by_nearest_rank() {
        let mut samples: Vec<u32> = (1..=200).rev().collect();
        let seen = distribution(&mut samples);
        assert_eq!((&seen["p50_us"], &seen["p99_us"], &seen["max_us"]), (&100.into(), &198.into(), &200.into()));
        assert!(distribution(&mut []).is_null());
    }
}
