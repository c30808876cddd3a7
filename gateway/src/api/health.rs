//! What the gateway says of itself and of its providers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{models::ListObject, shapes::open_enum};

open_enum! {
    /// How a provider is doing.
    pub enum ProviderState {
        /// It answers.
        Healthy = "healthy",
        /// It answers, but some of its recent answers were failures.
        Degraded = "degraded",
        /// It gets no requests until it has recovered.
        Unhealthy = "unhealthy",
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
    /// The kind of provider: `openai`, `anthropic`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The wire format that is spoken with it.
    pub api_format: String,
    pub state: ProviderState,
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
    /// How long it takes to begin its answer, in milliseconds: a moving average that favours recent requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
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
