//! The `routing` block as written.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    condition::Written,
    routing::{Sticky as StickyBy, Strategy},
    units::Span,
};

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Routing {
    /// How one of several providers of a model is chosen; by default `round-robin`.
    pub default_strategy: Option<Strategy>,
    /// Model → who serves it, in place of the providers' own lists.
    pub targets: Option<IndexMap<String, Vec<Target>>>,
    /// When a provider fails, the next one is tried.
    pub failover: Option<Failover>,
    /// Further attempts at a provider that has failed.
    pub retry: Option<Retry>,
    /// Another spelling of `retry`.
    #[schemars(extend("x-prefer" = "retry"))]
    pub retries: Option<Retry>,
    /// When a provider that fails is given a rest.
    pub circuit_breaker: Option<Breaker>,
    /// Limits on time.
    pub timeouts: Option<RoutingTimeouts>,
    /// Model → the models that are tried, in this order, when nobody answers for it. Theirs are not followed: two models may
    /// stand in for each other.
    pub model_fallbacks: Option<IndexMap<String, Vec<String>>>,
    /// Model → time until its first content, in place of `timeouts.request_timeout_seconds`.
    pub model_timeouts: Option<IndexMap<String, Span>>,
    /// Requests that meet a condition go where it says; the first that holds decides.
    pub conditional_routes: Option<Vec<ConditionalRoute>>,
    /// Copies of some requests go elsewhere; their answers are thrown away.
    pub mirror: Option<Mirror>,
    /// A second request when the first is slower than usual.
    pub hedge: Option<Hedge>,
    /// What binds requests to one provider.
    pub sticky: Option<Sticky>,
    /// Model for requests that name none, or one that nobody has.
    pub default_model: Option<String>,
}

/// A provider's name, or more about it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Target {
    Name(String),
    Full(TargetFields),
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["provider"]))]
pub(in crate::config) struct TargetFields {
    /// A configured provider.
    pub provider: String,
    /// Share of the requests under `weighted`, by default 1; 0 is for failover only.
    #[schemars(range(max = 1_000_000))]
    pub weight: Option<u32>,
    /// Lower goes first, the others are for failover; by default 0.
    #[schemars(range(max = 1_000_000))]
    pub priority: Option<u32>,
    /// The model's name at this provider, when it is another.
    pub model_override: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Failover {
    /// By default true.
    pub enabled: Option<bool>,
    /// Providers tried for one request, the first included; by default 3.
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: Option<usize>,
    /// Upstream statuses that go to the next provider; by default 408, 429, 500, 502, 503, 504 and 529.
    #[schemars(inner(range(min = 400, max = 599)))]
    pub on_status_codes: Option<Vec<u16>>,
    /// Another spelling of `on_status_codes`.
    #[schemars(inner(range(min = 400, max = 599)), extend("deprecated" = true, "x-prefer" = "on_status_codes"))]
    pub failover_on: Option<Vec<u16>>,
    /// Timeouts go to the next provider; by default true.
    pub on_timeout: Option<bool>,
    /// A fixed order in which providers are fallen back to; by default that of the strategy.
    pub providers: Option<Vec<String>>,
    /// Each attempt's time until its first content; by default (`0s`) all that is left of the request's.
    pub per_attempt_timeout: Option<Span>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Retry {
    /// By default true.
    pub enabled: Option<bool>,
    /// By default 2.
    #[schemars(range(max = 20))]
    pub max_retries: Option<u32>,
    /// Longest wait before the first retry, by default `100ms`; each wait is drawn at random below its limit.
    pub initial_delay: Option<Span>,
    /// Another spelling of `initial_delay`, in milliseconds.
    #[schemars(range(max = 3_600_000), extend("deprecated" = true, "x-prefer" = "initial_delay"))]
    pub initial_backoff_ms: Option<u64>,
    /// Longest wait before any retry; by default `10s`.
    pub max_delay: Option<Span>,
    /// Another spelling of `max_delay`, in milliseconds.
    #[schemars(range(max = 3_600_000), extend("deprecated" = true, "x-prefer" = "max_delay"))]
    pub max_backoff_ms: Option<u64>,
    /// By how much the limit grows with each retry; by default 2.
    #[schemars(range(min = 1, max = 10))]
    pub multiplier: Option<f64>,
    /// Another spelling of `multiplier`.
    #[schemars(range(min = 1, max = 10), extend("deprecated" = true, "x-prefer" = "multiplier"))]
    pub backoff_multiplier: Option<f64>,
    /// Retries of the whole process, as a percentage of the requests of the last ten seconds, and at once of those in
    /// progress; by default 20.
    #[schemars(range(max = 100))]
    pub budget_percent: Option<u32>,
    /// Retries that are allowed in ten seconds, and at once, however few requests there are; by default 3.
    #[schemars(range(max = 1_000_000))]
    pub budget_min: Option<u32>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Breaker {
    /// By default true.
    pub enabled: Option<bool>,
    /// Opens when this percentage of the window's requests failed; by default 50.
    #[schemars(range(min = 1, max = 100))]
    pub error_threshold_percent: Option<u32>,
    /// Requests that the window needs before a percentage counts; by default 10.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_requests: Option<u32>,
    /// By default `30s`.
    pub window: Option<Span>,
    /// Opens also after this many failures in a row; by default never.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub failure_threshold: Option<u32>,
    /// How long it stays open the first time, by default `60s`; repeated trips make it longer.
    pub open_duration: Option<Span>,
    /// Another spelling of `open_duration`.
    #[schemars(extend("x-prefer" = "open_duration"))]
    pub open_duration_seconds: Option<Span>,
    /// Another spelling of `open_duration`.
    #[schemars(extend("x-prefer" = "open_duration"))]
    pub cooldown: Option<Span>,
    /// Requests that may probe a resting provider at once; by default 3.
    #[schemars(range(min = 1, max = 1_000))]
    pub half_open_max_requests: Option<u32>,
    /// Successful probes in a row that close it; by default `half_open_max_requests`.
    #[schemars(range(min = 1, max = 1_000))]
    pub success_threshold: Option<u32>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct RoutingTimeouts {
    /// Time until a request's first content, all attempts together; by default 600 seconds.
    pub request_timeout_seconds: Option<Span>,
    /// Each attempt's time: another spelling of `routing.failover.per_attempt_timeout`.
    pub provider_timeout_seconds: Option<Span>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["name", "condition", "action"]))]
pub(in crate::config) struct ConditionalRoute {
    /// Name in logs and metrics.
    pub name: String,
    /// Lower is tried first, by default 0; equals in the order of the file.
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub priority: Option<i64>,
    /// Which requests.
    pub condition: Written,
    /// Where they go.
    pub action: Action,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Action {
    /// Who serves them; by default who serves the model.
    pub provider: Option<String>,
    /// The model that they are for, in place of the one that they name.
    pub model_override: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Mirror {
    /// By default true when there are rules.
    pub enabled: Option<bool>,
    /// What is copied to whom.
    pub rules: Option<Vec<MirrorRule>>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["source_model", "target_provider"]))]
pub(in crate::config) struct MirrorRule {
    /// Model as clients name it, with `*` as wildcard.
    pub source_model: String,
    /// The provider that gets the copy.
    pub target_provider: String,
    /// The model there; by default the same.
    pub target_model: Option<String>,
    /// Share of the requests that is copied, from 0 to 1; by default 1.
    #[schemars(range(min = 0, max = 1))]
    pub sample_rate: Option<f64>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Hedge {
    /// By default true when anything else is written here.
    pub enabled: Option<bool>,
    /// The second request starts where this share of first tokens has come, by default 0.95.
    #[schemars(range(min = 0.5, max = 0.999))]
    pub quantile: Option<f64>,
    /// Second requests as a percentage of all; by default 5.
    #[schemars(range(min = 1, max = 100))]
    pub budget_percent: Option<u32>,
    /// Second requests in an hour; by default 1000.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub max_per_hour: Option<u32>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Sticky {
    /// By default `none`.
    pub by: Option<StickyBy>,
}
