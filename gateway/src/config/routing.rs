//! How requests are spread over providers and what happens when one fails: the `routing` block, resolved.

use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{condition::Condition, wildcard};

#[derive(Debug, Clone, PartialEq)]
pub struct Routing {
    /// How one of several providers is chosen, where no target or request says otherwise.
    pub strategy: Strategy,
    /// Model → who serves it, in place of the providers' own lists.
    pub targets: IndexMap<String, Vec<RouteTarget>>,
    pub failover: Failover,
    pub retry: Retry,
    pub breaker: BreakerRules,
    /// Bounds a request until its first content, all attempts together.
    pub request_timeout: Duration,
    /// The same for some models.
    pub model_timeouts: IndexMap<String, Duration>,
    /// Model → the models that are tried when nobody answers for it.
    pub model_fallbacks: IndexMap<String, Vec<String>>,
    /// In the order in which they are tried; the first that holds decides.
    pub conditional_routes: Vec<ConditionalRoute>,
    pub mirrors: Vec<Mirror>,
    /// `None` when requests are not hedged.
    pub hedge: Option<Hedge>,
    pub sticky: Sticky,
    /// Model for requests that name one that nobody has.
    pub default_model: Option<String>,
}

/// How one of several providers is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    #[default]
    RoundRobin,
    Weighted,
    LeastLatency,
    LeastBusy,
    CostOptimized,
    Adaptive,
    Fastest,
}

impl Strategy {
    pub const ALL: [Self; 7] = [
        Self::RoundRobin,
        Self::Weighted,
        Self::LeastLatency,
        Self::LeastBusy,
        Self::CostOptimized,
        Self::Adaptive,
        Self::Fastest,
    ];

    /// As configuration, headers and metrics spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::Weighted => "weighted",
            Self::LeastLatency => "least-latency",
            Self::LeastBusy => "least-busy",
            Self::CostOptimized => "cost-optimized",
            Self::Adaptive => "adaptive",
            Self::Fastest => "fastest",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTarget {
    /// The name of a configured provider.
    pub provider: String,
    /// Share of the requests under `weighted`; 0 is for failover only.
    pub weight: u32,
    /// Lower goes first; the others are for failover.
    pub priority: u32,
    /// The model's name at this provider, when it is another.
    pub model_override: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Failover {
    pub enabled: bool,
    /// Candidates tried for one request, the first included.
    pub max_attempts: usize,
    /// Upstream statuses that go to the next candidate.
    pub on_status_codes: Vec<u16>,
    pub on_timeout: bool,
    /// Each attempt's share of the deadline; `None` for all that is left.
    pub per_attempt_timeout: Option<Duration>,
    /// A fixed order in which providers are fallen back to; empty for the order of the strategy.
    pub providers: Vec<String>,
}

/// Another attempt at a candidate that has failed, once no untried candidate is left.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    pub enabled: bool,
    pub max_retries: u32,
    /// Before the first retry; each wait is drawn between 0 and this times `multiplier` per retry made (full jitter).
    pub initial_delay: Duration,
    pub max_delay: Duration,
    pub multiplier: f64,
    /// Retries that the whole process may make, as a percentage of its requests.
    pub budget_percent: u32,
    /// Retries that it may always make.
    pub budget_min: u32,
}

/// When a provider is given a rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerRules {
    pub enabled: bool,
    /// Opens when this percentage of the window failed, once it holds `min_requests`.
    pub error_threshold_percent: u32,
    pub min_requests: u32,
    pub window: Duration,
    /// Opens also after this many failures in a row.
    pub failure_threshold: Option<u32>,
    /// The first pause; repeated trips make it longer.
    pub open_duration: Duration,
    /// Real requests that may probe at once.
    pub half_open_max_requests: u32,
    /// Probes in a row that close it; by default `half_open_max_requests`.
    pub success_threshold: u32,
}

/// Requests that meet the condition go where it says.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionalRoute {
    pub name: String,
    /// Lower is tried first.
    pub priority: i64,
    pub condition: Condition,
    /// Who serves it; `None` leaves that to the model.
    pub provider: Option<String>,
    pub model_override: Option<String>,
}

/// A copy of some requests goes elsewhere; its answer is thrown away.
#[derive(Debug, Clone, PartialEq)]
pub struct Mirror {
    /// Model as clients name it, with `*` as wildcard.
    pub source_model: String,
    pub target_provider: String,
    /// `None` for the same name.
    pub target_model: Option<String>,
    /// Between 0 and 1.
    pub sample_rate: f64,
}

impl Mirror {
    pub fn covers(&self, model: &str) -> bool {
        wildcard(&self.source_model, model)
    }
}

/// A second request when the first is slower than usual.
#[derive(Debug, Clone, PartialEq)]
pub struct Hedge {
    /// Of the time to first token, between 0.5 and 1: the second request starts there.
    pub quantile: f64,
    /// Hedges as a percentage of requests.
    pub budget_percent: u32,
    pub max_per_hour: u32,
}

/// What binds requests to one candidate while it is well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sticky {
    #[default]
    None,
    Session,
    User,
    PromptPrefix,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            targets: IndexMap::new(),
            failover: Failover::default(),
            retry: Retry::default(),
            breaker: BreakerRules::default(),
            request_timeout: Duration::from_secs(600),
            model_timeouts: IndexMap::new(),
            model_fallbacks: IndexMap::new(),
            conditional_routes: Vec::new(),
            mirrors: Vec::new(),
            hedge: None,
            sticky: Sticky::None,
            default_model: None,
        }
    }
}

impl Default for Failover {
    fn default() -> Self {
        Self {
            enabled: true,
            max_attempts: 3,
            on_status_codes: vec![408, 429, 500, 502, 503, 504, 529],
            on_timeout: true,
            per_attempt_timeout: None,
            providers: Vec::new(),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            enabled: true,
            max_retries: 2,
            initial_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(10),
            multiplier: 2.0,
            budget_percent: 20,
            budget_min: 3,
        }
    }
}

impl Default for BreakerRules {
    fn default() -> Self {
        Self {
            enabled: true,
            error_threshold_percent: 50,
            min_requests: 10,
            window: Duration::from_secs(30),
            failure_threshold: None,
            open_duration: Duration::from_secs(60),
            half_open_max_requests: 3,
            success_threshold: 3,
        }
    }
}

impl Default for Hedge {
    fn default() -> Self {
        Self { quantile: 0.95, budget_percent: 5, max_per_hour: 1000 }
    }
}
