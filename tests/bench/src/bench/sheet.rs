//! Samples by target and round; medians, bests and ratios.

use std::collections::BTreeMap;

use crate::pressure::Sample;
use crate::scenario::{Best, Metric, Scenario};
use crate::target::Target;

pub struct Sheet {
    pub scenario: &'static Scenario,
    /// In the order of the rounds.
    pub samples: BTreeMap<Target, Vec<Sample>>,
}

impl Sheet {
    pub fn new(scenario: &'static Scenario) -> Self {
        Sheet { scenario, samples: BTreeMap::new() }
    }

    pub fn record(&mut self, target: Target, sample: Sample) {
        self.samples.entry(target).or_default().push(sample);
    }

    /// One number of one target for each round; what it adds to `direct` where the metric says so.
    pub fn values(&self, metric: &Metric, target: Target) -> Vec<f64> {
        let read = |target| self.samples.get(&target).into_iter().flatten().map(metric.read).collect::<Vec<f64>>();
        let mut values = read(target);
        if metric.added && target != Target::Direct {
            for (value, direct) in values.iter_mut().zip(read(Target::Direct)) {
                *value -= direct;
            }
        }
        values
    }

    /// Round by round, the number of who is judged set against the yardstick's; then the median of the rounds.
    pub fn compare(&self, metric: &Metric, compare: fn(f64, f64) -> f64) -> Option<f64> {
        let (judged, yardstick) = self.scenario.compared;
        let pairs = self.values(metric, judged).into_iter().zip(self.values(metric, yardstick));
        median(pairs.map(|(judged, yardstick)| compare(judged, yardstick)).collect())
    }

    /// Judged ÷ yardstick. An added time can come out at nothing or less: then there is no ratio to speak of.
    pub fn ratio(&self, metric: &Metric) -> Option<f64> {
        self.compare(metric, |judged, yardstick| if yardstick > 0.0 { judged / yardstick } else { f64::NAN })
    }
}

/// The median of what was measured.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// The least disturbed round.
pub fn best(metric: &Metric, values: &[f64]) -> Option<f64> {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    match metric.best {
        Best::Least => finite.min_by(f64::total_cmp),
        Best::Most => finite.max_by(f64::total_cmp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;

    fn sample(p99: f64) -> Sample {
        Sample { load: serde_json::json!({"latency": {"p99_us": p99}}), ..Sample::idle(0) }
    }

    #[test]
    fn medians_pass_over_what_was_not_measured() {
        assert_eq!(median(vec![3.0, f64::NAN, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![1.0, 2.0]), Some(1.5));
        assert_eq!(median(vec![f64::NAN]), None);
    }

    #[test]
    fn added_times_and_ratios_are_taken_within_a_round() {
        let scenario = SCENARIOS.iter().find(|scenario| scenario.name == "latency").unwrap();
        let mut sheet = Sheet::new(scenario);
        for (direct, floor, gateway) in [(50.0, 150.0, 200.0), (500.0, 700.0, 800.0), (60.0, 50.0, 90.0)] {
            sheet.record(Target::Direct, sample(direct));
            sheet.record(Target::FloorParse, sample(floor));
            sheet.record(Target::Gateway, sample(gateway));
        }
        let p99 = &scenario.metrics[1];
        assert_eq!(sheet.values(p99, Target::FloorParse), [100.0, 200.0, -10.0]);
        assert_eq!(sheet.ratio(p99), Some(1.5)); // the third round has none
    }
}
