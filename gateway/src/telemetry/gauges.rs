//! What holds at the moment of a scrape. Made anew for each, so that what is gone leaves no series behind.

use prometheus::{Encoder, Gauge, GaugeVec, IntCounter, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

/// By provider and region; the region is empty where there is none.
pub struct Gauges {
    registry: Registry,
    breaker: IntGaugeVec,
    limited: IntGaugeVec,
    refused: IntGaugeVec,
    budgets: GaugeVec,
}

/// Of one provider in one region.
pub struct Shown {
    pub breaker: usize,
    /// Pairs of key and model that wait for their quota.
    pub limited: usize,
    pub refused_keys: usize,
}

impl Gauges {
    pub fn new() -> Self {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str| {
            let vec = IntGaugeVec::new(Opts::new(name, help), &["provider", "region"]).expect("a valid metric");
            registry.register(Box::new(vec.clone())).expect("registered once");
            vec
        };
        let budgets = Opts::new("prism_budget_used_ratio", "Spent in the running period, as a share of the budget.");
        let budgets = GaugeVec::new(budgets, &["scope", "name"]).expect("a valid metric");
        registry.register(Box::new(budgets.clone())).expect("registered once");
        Self {
            budgets,
            breaker: gauge(
                "prism_breaker_state",
                "Where the circuit breaker stands: 0 closed, 1 ramping, 2 half-open, 3 open.",
            ),
            limited: gauge("prism_quota_limited", "Pairs of key and model that wait for their quota after a 429."),
            refused: gauge("prism_credentials_refused", "Keys that the provider refuses."),
            registry,
        }
    }

    pub fn show(&self, provider: &str, region: &str, shown: &Shown) {
        let set = |gauge: &IntGaugeVec, value: usize| {
            gauge.with_label_values(&[provider, region]).set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.breaker, shown.breaker);
        set(&self.limited, shown.limited);
        set(&self.refused, shown.refused_keys);
    }

    /// `name` is one that the configuration names.
    pub fn show_budget(&self, scope: &str, name: &str, used: f64) {
        self.budgets.with_label_values(&[scope, name]).set(used);
    }

    /// One number.
    pub fn show_level(&self, name: &str, help: &str, value: u64) {
        let gauge = IntGauge::new(name, help).expect("a valid metric");
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        self.registry.register(Box::new(gauge)).expect("shown once");
    }

    /// Seconds.
    pub fn show_seconds(&self, name: &str, help: &str, value: f64) {
        let gauge = Gauge::new(name, help).expect("a valid metric");
        gauge.set(value);
        self.registry.register(Box::new(gauge)).expect("shown once");
    }

    /// A number that only grows, counted elsewhere.
    pub fn show_total(&self, name: &str, help: &str, value: u64) {
        let counter = IntCounter::new(name, help).expect("a valid metric");
        counter.inc_by(value);
        self.registry.register(Box::new(counter)).expect("shown once");
    }

    /// Appended to what else is shown.
    pub fn render(&self, text: &mut Vec<u8>) {
        TextEncoder::new().encode(&self.registry.gather(), text).expect("writing to memory cannot fail");
    }
}

impl Default for Gauges {
    fn default() -> Self {
        Self::new()
    }
}
