//! Bars, and whether they are met.

use std::fmt;

use crate::scenario::Metric;
use crate::sheet::{Sheet, median};

/// What a number of the gateway's must keep to; its yardstick is floor --parse, unless the scenario names another.
#[derive(Clone, Copy)]
pub enum Bar {
    None,
    /// Times the yardstick's.
    RatioAtMost(f64),
    RatioAtLeast(f64),
    /// Above the yardstick's, in the metric's unit.
    OverAtMost(f64),
    /// In the metric's unit.
    AtMost(f64),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Verdict {
    Met,
    Missed,
    /// No bar, no gateway, or no number to judge.
    Open,
}

impl Verdict {
    pub fn of(sheet: &Sheet, metric: &Metric) -> Verdict {
        let judged = match metric.bar {
            Bar::None => None,
            Bar::RatioAtMost(bar) => sheet.ratio(metric).map(|ratio| ratio <= bar),
            Bar::RatioAtLeast(bar) => sheet.ratio(metric).map(|ratio| ratio >= bar),
            Bar::OverAtMost(bar) => sheet.compare(metric, |judged, yardstick| judged - yardstick).map(|d| d <= bar),
            Bar::AtMost(bar) => median(sheet.values(metric, sheet.scenario.compared.0)).map(|value| value <= bar),
        };
        judged.map_or(Verdict::Open, |met| if met { Verdict::Met } else { Verdict::Missed })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::Open => "-",
        })
    }
}

impl Bar {
    pub fn text(self, unit: &str) -> String {
        match self {
            Bar::None => String::new(),
            Bar::RatioAtMost(bar) => format!("≤ {bar:.2} ×"),
            Bar::RatioAtLeast(bar) => format!("≥ {bar:.2} ×"),
            Bar::OverAtMost(bar) => format!("≤ +{bar} {unit}"),
            Bar::AtMost(bar) => format!("≤ {bar} {unit}"),
        }
    }
}
