//! What the gateway says of itself and of its providers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{models::ListObject, shapes::open_enum};

open_enum! {
    /// How a provider is doing.
    pub enum ProviderState {
        /// It answers.
        Healthy = "healthy",
        /// It answers, but some of its recent answers were failures, or it refuses a key.
        Degraded = "degraded",
        /// Its circuit breaker is open: it gets no requests until it has rested.
        Unhealthy = "unhealthy",
        /// It is coming back: a few requests probe it, or it gets a growing share.
        Recovering = "recovering",
        /// It finishes what it has and takes nothing new.
        Draining = "draining",
        /// Nothing has been asked of it yet.
        Unknown = "unknown",
    }
}

/// The health of every configured provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProvidersHealth {
    #[schema(inline)]
    pub object: ListObject,
    pub data: Vec<ProviderHealth>,
}

/// The health of one provider. Counts are since the provider was (re)started; times are RFC 3339, in UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderHealth {
    /// The provider's name in the configuration.
    pub name: String,
    /// Where it is, for a provider that has regions: each has an entry of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The kind of provider: `openai`, `anthropic`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The wire format that is spoken with it.
    pub api_format: String,
    pub state: ProviderState,
    /// The last changes of its state, oldest first.
    pub changes: Vec<StateChange>,
    pub breaker: BreakerHealth,
    /// Requests that it is answering now.
    pub in_flight: u64,
    /// How many requests it is given at once at most.
    pub max_concurrent: u64,
    /// Requests sent to it.
    pub requests: u64,
    /// Requests that it failed.
    pub failures: u64,
    /// Failures since the last success.
    pub consecutive_failures: u64,
    /// The share of its recent requests that failed, from 0 to 1; absent before the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
    pub availability: Availability,
    /// How long it takes to begin its answer, in milliseconds: a moving average that favours recent requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Until the first content of a stream, over the last minutes; absent while too few are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_content: Option<Quantiles>,
    /// Until a whole answer that was not streamed, over the last minutes; absent while too few are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole_answer: Option<Quantiles>,
    /// What keys and models have used up, or nearly so; up to a hundred.
    pub quotas: Vec<QuotaHealth>,
    /// One entry for each key that it is called with.
    pub credentials: Vec<CredentialHealth>,
    /// The most recent failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<ProviderError>,
    /// When it last answered a request well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<String>,
    /// How often its supervisor has restarted it.
    pub restarts: u64,
    /// The number of models it is known to have.
    pub models: u64,
    /// How listing its models goes; absent where that is switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery: Option<DiscoveryHealth>,
}

/// A provider went from one state to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StateChange {
    /// RFC 3339.
    pub at: String,
    pub from_state: ProviderState,
    pub to_state: ProviderState,
    /// Why, in words.
    pub reason: String,
}

open_enum! {
    /// Where a circuit breaker stands.
    pub enum BreakerPhase {
        /// Requests pass.
        Closed = "closed",
        /// After a rest: requests pass freely in a growing share.
        Ramping = "ramping",
        /// A few real requests probe the provider.
        HalfOpen = "half_open",
        /// No request passes.
        Open = "open",
    }
}

/// A provider's circuit breaker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BreakerHealth {
    pub state: BreakerPhase,
    /// Until when it is open at the latest, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The share of requests that pass freely, from 0 to 1.
    pub share: f64,
    /// Its last transitions, oldest first.
    pub history: Vec<BreakerTransition>,
}

/// A circuit breaker went from one state to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BreakerTransition {
    /// RFC 3339.
    pub at: String,
    pub from_state: BreakerPhase,
    pub to_state: BreakerPhase,
    /// Why, in words.
    pub reason: String,
}

/// How a provider's requests ended, over several stretches of time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Availability {
    /// The last minute.
    pub minute: AvailabilityWindow,
    /// The last five minutes.
    pub five_minutes: AvailabilityWindow,
    /// The last hour.
    pub hour: AvailabilityWindow,
}

/// How the requests of a stretch of time ended. What speaks against no provider (a caller's mistake, a quota) is not counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AvailabilityWindow {
    pub requests: u64,
    pub failures: u64,
    /// The share that succeeded, from 0 to 1; absent without requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<f64>,
    /// The share that failed, from 0 to 1; absent without requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
}

/// How durations are distributed, in milliseconds; each is at most 6 % off.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Quantiles {
    /// Half of the requests stay below.
    pub p50_ms: f64,
    /// Nineteen of twenty stay below.
    pub p95_ms: f64,
    /// Ninety-nine of a hundred stay below.
    pub p99_ms: f64,
    /// From how many requests.
    pub samples: u64,
}

open_enum! {
    /// What is left of a quota.
    pub enum QuotaLevel {
        /// Nothing, as far as can be told: requests go elsewhere.
        Limited = "limited",
        /// Perhaps no more than the requests in progress will take.
        Low = "low",
    }
}

/// A quota that is used up, or nearly so. Providers count by key and model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuotaHealth {
    /// The model, as the provider knows it.
    pub model: String,
    /// Which of the provider's keys: its place in the configuration, from 1.
    pub key: u64,
    pub level: QuotaLevel,
    /// When it should be free again, RFC 3339, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

open_enum! {
    /// Whether a provider takes a key.
    pub enum CredentialStatus {
        /// Nothing speaks against it.
        Accepted = "ok",
        /// The provider refused it, and has not taken it since.
        Refused = "refused",
    }
}

/// How a provider likes one of its keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CredentialHealth {
    /// Which of the provider's keys: its place in the configuration, from 1.
    pub key: u64,
    pub state: CredentialStatus,
    /// Since when it is refused, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// When a request will try it again, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<String>,
}

/// A provider's failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderError {
    /// The class of the failure: `upstream`, `unreachable`, `upstream_timeout`, `rate_limited`, `credential`, …
    pub cause: String,
    pub message: String,
    /// RFC 3339.
    pub at: String,
}

/// How listing a provider's models goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiscoveryHealth {
    /// When its models were last listed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<String>,
    /// Why the last attempt failed; absent when it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

open_enum! {
    /// Whether requests are welcome.
    pub enum ReadinessStatus {
        Ready = "ready",
        /// `reasons` says why.
        NotReady = "not_ready",
    }
}

/// Whether the gateway should be sent requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    pub status: ReadinessStatus,
    /// What stands in the way; empty when it is ready.
    pub reasons: Vec<String>,
    /// What is not as it should be although requests are served: NATS is away, the spool is full.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

open_enum! {
    /// Whether the process is doing its work.
    pub enum LivenessStatus {
        Alive = "alive",
    }
}

/// Whether the process is doing its work. Providers have no part in it: restarting the gateway does not mend them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Liveness {
    pub status: LivenessStatus,
    /// The gateway's version.
    pub version: String,
    /// Seconds since the process started.
    pub uptime_seconds: u64,
}
