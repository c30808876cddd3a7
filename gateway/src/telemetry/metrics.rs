//! Counters and histograms in Prometheus' text format.
//!
//! A request touches only handles that were resolved before ([`Series`]). Labels come from a bounded set: a model's
//! name gets a series of its own only when configuration or a provider's list names it, or an answer proved it real.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, RwLock},
    time::Duration,
};

use prometheus::{
    Counter, CounterVec, Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry, TextEncoder,
};

use arc_swap::ArcSwapOption;

use super::{Decisions, Kind, Pricing};
use crate::{
    api::{Endpoint, TokenUsage},
    config::Provider,
    money::Usd,
    prices::{Catalogue, Price},
};

/// Models with a series of their own that no list names; later ones share `other`.
const MAX_PROVEN_MODELS: usize = 512;
const OTHER: &str = "other";
/// Seconds; from a local echo to a long reasoning answer.
const LATENCY_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// Every metric of the process.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    duration: HistogramVec,
    first_content: HistogramVec,
    tokens: IntCounterVec,
    cost: CounterVec,
    unpriced: IntCounterVec,
    search_units: IntCounterVec,
    attempts: IntCounterVec,
    attempts_by_kind: IntCounterVec,
    transitions: IntCounterVec,
    mirrored: IntCounterVec,
    limited: IntCounterVec,
    /// Retries that were not made for want of budget.
    pub retry_budget_exhausted: IntCounter,
    /// Hedges that were not made for want of budget.
    pub hedge_budget_exhausted: IntCounter,
    /// Traced requests whose spans were dropped because the exporter was behind, or the collector did not take them.
    pub traces_dropped: IntCounter,
    /// Answers that were kept and came a second time.
    pub replays: IntCounter,
    pub in_flight: IntGauge,
    /// Set when it is looked at.
    pub body_memory: IntGauge,
    pub decisions: Decisions,
    series: RwLock<AllSeries>,
    nobody: Arc<Series>,
}

/// By provider and model.
type AllSeries = HashMap<(Box<str>, Box<str>), Arc<Series>>;

/// The handles of one provider and model.
pub struct Series {
    provider: Box<str>,
    model: Box<str>,
    ok: [OnceLock<IntCounter>; Endpoint::ALL.len()],
    duration: [OnceLock<Histogram>; Endpoint::ALL.len()],
    first_content: OnceLock<Histogram>,
    input: OnceLock<IntCounter>,
    output: OnceLock<IntCounter>,
    cost: OnceLock<Counter>,
    kinds: [OnceLock<IntCounter>; Kind::ALL.len()],
    price: ArcSwapOption<Looked>,
    /// Many models share it, so that no price is kept.
    many: bool,
}

/// What a catalogue has said, found or not.
struct Looked {
    catalogue: Arc<Catalogue>,
    provider: Arc<Provider>,
    price: Option<Arc<Price>>,
}

impl Series {
    fn new(provider: &str, model: &str) -> Arc<Self> {
        Self::with(provider, model, model == OTHER)
    }

    fn with(provider: &str, model: &str, many: bool) -> Arc<Self> {
        Arc::new(Self {
            many,
            provider: provider.into(),
            model: model.into(),
            ok: Default::default(),
            duration: Default::default(),
            first_content: OnceLock::new(),
            input: OnceLock::new(),
            output: OnceLock::new(),
            cost: OnceLock::new(),
            kinds: Default::default(),
            price: ArcSwapOption::empty(),
        })
    }

    /// Tokens that an answer has on average, of all so far; `None` before the first.
    pub fn mean_output(&self) -> Option<u64> {
        let written = self.output.get()?.get();
        let answers: u64 = self.ok.iter().filter_map(OnceLock::get).map(IntCounter::get).sum();
        written.checked_div(answers)
    }

    /// The price of its model, `upstream`: looked up again only when catalogue or provider have been replaced.
    pub fn pricing(&self, catalogue: &Arc<Catalogue>, provider: &Arc<Provider>, upstream: &str) -> Pricing {
        if !catalogue.is_enabled() {
            return Pricing::Untracked;
        }
        let looked = self.price.load();
        let price = match &*looked {
            Some(looked) if Arc::ptr_eq(&looked.catalogue, catalogue) && Arc::ptr_eq(&looked.provider, provider) => {
                looked.price.clone()
            }
            _ => {
                let price = catalogue.price(provider, upstream);
                if !self.many {
                    let (catalogue, provider) = (catalogue.clone(), provider.clone());
                    self.price.store(Some(Arc::new(Looked { catalogue, provider, price: price.clone() })));
                }
                price
            }
        };
        price.map_or(Pricing::Unknown, Pricing::Known)
    }
}

impl Metrics {
    pub fn new() -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let vec = IntCounterVec::new(Opts::new(name, help), labels).expect("a valid metric");
            registry.register(Box::new(vec.clone())).expect("registered once");
            vec
        };
        let histogram = |name: &str, help: &str, labels: &[&str]| {
            let options = HistogramOpts::new(name, help).buckets(LATENCY_BUCKETS.to_vec());
            let vec = HistogramVec::new(options, labels).expect("a valid metric");
            registry.register(Box::new(vec.clone())).expect("registered once");
            vec
        };
        let count = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help).expect("a valid metric");
            registry.register(Box::new(counter.clone())).expect("registered once");
            counter
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help).expect("a valid metric");
            registry.register(Box::new(gauge.clone())).expect("registered once");
            gauge
        };
        let cost = Opts::new("prism_cost_usd_total", "US dollars for answers whose price is known.");
        let cost = CounterVec::new(cost, &["provider", "model"]).expect("a valid metric");
        registry.register(Box::new(cost.clone())).expect("registered once");
        Self {
            requests: counter(
                "prism_requests_total",
                "Requests by endpoint, provider, model and status sent to the client.",
                &["endpoint", "provider", "model", "status"],
            ),
            duration: histogram(
                "prism_request_duration_seconds",
                "From the request's head to the end of its answer.",
                &["endpoint", "provider"],
            ),
            first_content: histogram(
                "prism_time_to_first_content_seconds",
                "From the request's head to the first content of a stream.",
                &["provider"],
            ),
            tokens: counter(
                "prism_tokens_total",
                "Tokens as providers reported them; kind is input or output.",
                &["provider", "model", "kind"],
            ),
            cost,
            unpriced: counter(
                "prism_unpriced_requests_total",
                "Answers whose cost is not known: no price for the model or its tier, or no token counts.",
                &["provider", "model"],
            ),
            search_units: counter(
                "prism_search_units_total",
                "Units that providers bill rankings in, as they reported them.",
                &["provider", "model"],
            ),
            attempts: counter(
                "prism_attempts_total",
                "Upstream attempts by provider and outcome.",
                &["provider", "outcome"],
            ),
            attempts_by_kind: counter(
                "prism_attempts_by_kind_total",
                "Upstream attempts by provider and why they were made: first, failover, next_key, retry, hedge.",
                &["provider", "kind"],
            ),
            transitions: counter(
                "prism_breaker_transitions_total",
                "Transitions of circuit breakers by provider, region and the state that they lead to.",
                &["provider", "region", "to"],
            ),
            retry_budget_exhausted: count(
                "prism_retry_budget_exhausted_total",
                "Retries that were not made because the whole process had made enough of them.",
            ),
            hedge_budget_exhausted: count(
                "prism_hedge_budget_exhausted_total",
                "Hedges that were not made because the whole process had made enough of them.",
            ),
            traces_dropped: count(
                "prism_traces_dropped_total",
                "Traced requests whose spans did not reach the collector.",
            ),
            replays: count("prism_replays_total", "Kept answers that were sent again."),
            limited: counter(
                "prism_limited_requests_total",
                "Requests that were refused because a limit was reached, by limit: organisation_requests, key_tokens, ….",
                &["limit"],
            ),
            mirrored: counter(
                "prism_mirrored_requests_total",
                "Copies of requests by provider and outcome: answered, failed, skipped.",
                &["provider", "outcome"],
            ),
            in_flight: gauge("prism_requests_in_flight", "Requests being served now."),
            body_memory: gauge(
                "prism_body_memory_bytes",
                "Memory that request bodies, translations and media of them, and collected answers take now, of `server.max_body_memory`.",
            ),
            decisions: Decisions::default(),
            series: RwLock::default(),
            nobody: Series::new("", ""),
            registry,
        }
    }

    /// The series of a model that a list names.
    pub fn known_series(&self, provider: &str, model: &str) -> Arc<Series> {
        if let Some(series) = self.find(provider, model) {
            return series;
        }
        let mut all = self.series.write().expect("no panic holds this lock");
        let key = (provider.into(), model.into());
        all.entry(key).or_insert_with(|| Series::new(provider, model)).clone()
    }

    /// The series of a model that no list names: its own once [`Metrics::prove`] has seen it, else the provider's `other`.
    pub fn unlisted_series(&self, provider: &str, model: &str) -> Arc<Series> {
        self.find(provider, model).unwrap_or_else(|| self.known_series(provider, OTHER))
    }

    /// The series of one model that is to have no name: it counts as `other`, and knows its price all the same.
    pub fn unnamed_series(&self, provider: &str) -> Arc<Series> {
        Series::with(provider, OTHER, false)
    }

    /// A provider has answered for this model, so its name is not junk.
    pub fn prove(&self, provider: &str, model: &str) {
        let few = self.series.read().expect("no panic holds this lock").len() < MAX_PROVEN_MODELS;
        if few && self.find(provider, model).is_none() {
            self.known_series(provider, model);
        }
    }

    /// The series of requests that reached no provider.
    pub fn nobody(&self) -> &Arc<Series> {
        &self.nobody
    }

    fn find(&self, provider: &str, model: &str) -> Option<Arc<Series>> {
        let all = self.series.read().expect("no panic holds this lock");
        all.get(&(provider, model) as &dyn SeriesKey).cloned()
    }

    pub(super) fn request(&self, series: &Series, endpoint: Endpoint, status: u16, took: Duration) {
        let at = endpoint as usize;
        let count = |status: &str| {
            let labels = [endpoint.name(), &*series.provider, &*series.model, status];
            self.requests.with_label_values(&labels)
        };
        match status {
            200 => series.ok[at].get_or_init(|| count("200")).inc(),
            other => count(&other.to_string()).inc(),
        }
        series.duration[at]
            .get_or_init(|| self.duration.with_label_values(&[endpoint.name(), &*series.provider]))
            .observe(took.as_secs_f64());
    }

    pub(super) fn first_content(&self, series: &Series, took: Duration) {
        series
            .first_content
            .get_or_init(|| self.first_content.with_label_values(&[&*series.provider]))
            .observe(took.as_secs_f64());
    }

    pub(super) fn tokens(&self, series: &Series, usage: &TokenUsage) {
        let counter = |kind| self.tokens.with_label_values(&[&*series.provider, &*series.model, kind]);
        series.input.get_or_init(|| counter("input")).inc_by(usage.input);
        series.output.get_or_init(|| counter("output")).inc_by(usage.output);
        if usage.searches > 0 {
            self.search_units.with_label_values(&[&*series.provider, &*series.model]).inc_by(usage.searches);
        }
    }

    pub(super) fn cost(&self, series: &Series, cost: Usd) {
        let counter = || self.cost.with_label_values(&[&*series.provider, &*series.model]);
        series.cost.get_or_init(counter).inc_by(cost.as_f64());
    }

    pub(super) fn unpriced(&self, series: &Series) {
        self.unpriced.with_label_values(&[&*series.provider, &*series.model]).inc();
    }

    /// A counter of one provider's attempts; resolve it once and keep it.
    pub fn attempts(&self, provider: &str, outcome: &str) -> IntCounter {
        self.attempts.with_label_values(&[provider, outcome])
    }

    /// A counter of one breaker's transitions; resolve it once and keep it.
    pub fn transitions(&self, provider: &str, region: &str, to: &str) -> IntCounter {
        self.transitions.with_label_values(&[provider, region, to])
    }

    pub(super) fn attempt(&self, series: &Series, kind: Kind) {
        let counter = || self.attempts_by_kind.with_label_values(&[&*series.provider, kind.name()]);
        series.kinds[kind as usize].get_or_init(counter).inc();
    }

    /// A copy of a request has ended, or was not made.
    pub fn mirrored(&self, provider: &str, outcome: &str) {
        self.mirrored.with_label_values(&[provider, outcome]).inc();
    }

    /// A limit of ours has refused a request.
    pub fn limited(&self, limit: &'static str) {
        self.limited.with_label_values(&[limit]).inc();
    }

    /// All of it in Prometheus' text format.
    pub fn render(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(16 * 1024);
        TextEncoder::new().encode(&self.registry.gather(), &mut text).expect("writing to memory cannot fail");
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Lets a map with owned keys be asked with borrowed ones.
trait SeriesKey {
    fn parts(&self) -> (&str, &str);
}

impl SeriesKey for (&str, &str) {
    fn parts(&self) -> (&str, &str) {
        *self
    }
}

impl SeriesKey for (Box<str>, Box<str>) {
    fn parts(&self) -> (&str, &str) {
        (&self.0, &self.1)
    }
}

impl<'a> std::borrow::Borrow<dyn SeriesKey + 'a> for (Box<str>, Box<str>) {
    fn borrow(&self) -> &(dyn SeriesKey + 'a) {
        self
    }
}

impl std::hash::Hash for dyn SeriesKey + '_ {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialEq for dyn SeriesKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for dyn SeriesKey + '_ {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junk_model_names_share_one_series() {
        let metrics = Metrics::new();
        for junk in 0..10_000 {
            let series = metrics.unlisted_series("openai", &format!("junk-{junk}"));
            metrics.request(&series, Endpoint::ChatCompletions, 404, Duration::ZERO);
        }
        let text = String::from_utf8(metrics.render()).unwrap();
        assert!(text.contains(r#"model="other""#), "{text}");
        assert!(!text.contains("junk-"), "{text}");
    }

    #[test]
    fn a_proven_model_gets_its_own_series() {
        let metrics = Metrics::new();
        metrics.prove("openai", "gpt-9");
        assert_eq!(&*metrics.unlisted_series("openai", "gpt-9").model, "gpt-9");
        for model in 0..2_000 {
            metrics.prove("openai", &format!("m{model}"));
        }
        assert!(metrics.series.read().unwrap().len() <= MAX_PROVEN_MODELS);
    }
}
