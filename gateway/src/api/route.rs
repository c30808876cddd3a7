//! What is said of the way of a request: the one it would take now, the one it took.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::shapes::open_enum;

/// The request that one would send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteExplainRequest {
    /// The model that one would ask for.
    pub model: String,
    /// Whatever else the request would hold.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

open_enum! {
    /// What says who serves a model.
    pub enum RouteSource {
        /// `x-prism-provider-lock`.
        ProviderLock = "provider_lock",
        /// A conditional route.
        ConditionalRoute = "conditional_route",
        /// Targets that the request itself names.
        RequestTargets = "request_targets",
        /// `routing.targets`.
        Targets = "targets",
        /// `model_map`.
        ModelMap = "model_map",
        /// Providers whose `models` name it.
        Listed = "listed",
        /// A prefix that names a provider.
        Prefix = "prefix",
        /// Providers that list it themselves.
        Discovered = "discovered",
        /// The provider that models of such a name come from.
        Family = "family",
        /// `routing.default_model`.
        DefaultModel = "default_model",
    }
}

open_enum! {
    /// How gladly a candidate is asked.
    pub enum CandidateReadiness {
        /// Nothing speaks against it.
        Ready = "ready",
        /// It has just recovered, or its quota runs low.
        Reluctant = "reluctant",
        /// It is about to refuse, or has refused its key.
        Low = "low",
        /// It would not be asked now.
        Out = "out",
    }
}

/// What the gateway would do with a request now. Nothing has been sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteExplanation {
    /// The model that was asked for.
    pub model: String,
    /// `chat.completions`, `embeddings`, …
    pub endpoint: String,
    /// What says who serves it.
    pub source: RouteSource,
    /// The name of the conditional route that holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// How equals are ordered.
    pub strategy: String,
    /// In the order in which they would be tried. Where a strategy draws by chance, this is one draw.
    pub candidates: Vec<RouteCandidate>,
    /// Models that would stand in, one after the other, if nobody answered.
    pub fallbacks: Vec<RouteFallback>,
    /// When a second request would be sent beside a slow first one, in milliseconds; absent where none would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge_after_ms: Option<f64>,
    /// Whether something of the request binds it to one candidate.
    pub bound: bool,
    /// Who may get a copy.
    pub mirrors: Vec<RouteMirror>,
    /// Milliseconds until the first content must have come.
    pub timeout_ms: u64,
}

/// A provider that may serve a request, and what the strategies know of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteCandidate {
    pub provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The model, as the provider knows it.
    pub model: String,
    /// Lower goes first, whatever the strategy.
    pub tier: u64,
    pub weight: u64,
    pub readiness: CandidateReadiness,
    /// What speaks against it, in words: its breaker, quota, credential or permits.
    pub reasons: Vec<String>,
    pub in_flight: u64,
    pub max_concurrent: u64,
    /// What its next answer should take to begin; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Of the last minute's requests, from 0 to 1; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    /// US dollars for a million tokens in and a million out; absent where the price is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
}

/// A model that stands in for another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteFallback {
    pub model: String,
    pub candidates: Vec<RouteCandidate>,
}

/// A rule by which a request is copied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteMirror {
    pub provider: String,
    pub model: String,
    /// The share of requests that are copied, from 0 to 1.
    pub sample_rate: f64,
}

/// What was decided for a request, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteDecision {
    pub request_id: String,
    /// The model that was asked for; absent when the request could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `chat.completions`, `embeddings`, …
    pub endpoint: String,
    /// When the request came, RFC 3339.
    pub at: String,
    pub took_ms: f64,
    /// The status that the client was sent.
    pub status: u64,
    /// What said who serves the model; absent when the request was refused before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<RouteSource>,
    pub strategy: String,
    /// In the order of their turns; those for a model that stood in come behind.
    pub candidates: Vec<RoutePlace>,
    /// Those that were not asked when it was their turn.
    pub passed_over: Vec<RoutePassedOver>,
    /// In the order in which they began.
    pub attempts: Vec<RouteAttempt>,
}

/// A provider and what it was to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoutePlace {
    pub provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The model, as the provider knows it.
    pub model: String,
}

/// A candidate that was not asked when it was its turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoutePassedOver {
    pub place: RoutePlace,
    /// Why, in words.
    pub reason: String,
}

open_enum! {
    /// Why an attempt was made.
    pub enum AttemptKind {
        First = "first",
        /// Another candidate, after one had failed.
        Failover = "failover",
        /// Another key of the same provider.
        NextKey = "next_key",
        /// The same again, after a pause.
        Retry = "retry",
        /// A second request beside a slow first one.
        Hedge = "hedge",
    }
}

open_enum! {
    /// How an attempt ended.
    pub enum AttemptOutcome {
        Answered = "answered",
        Failed = "failed",
        /// The other request of a hedge was quicker.
        Outrun = "outrun",
        /// The client left before it had ended.
        Abandoned = "abandoned",
    }
}

/// One call of a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteAttempt {
    pub place: RoutePlace,
    pub kind: AttemptKind,
    pub outcome: AttemptOutcome,
    /// The status that the provider answered a failed attempt with, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u64>,
    /// Until its answer began, or it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<f64>,
}
