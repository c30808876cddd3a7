//! What is said of everything but requests: providers, the configuration, keys. Names and meanings do not change within a
//! version; members are only added.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `schema` says in this version.
pub const PROVIDER_SCHEMA: &str = "prism.provider.v1";
pub const CONFIG_SCHEMA: &str = "prism.config.v1";
pub const KEY_SCHEMA: &str = "prism.key.v1";

/// A provider's state has changed, as one gateway sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Prism provider event, version 1")]
pub struct ProviderEvent {
    /// `prism.provider.v1`.
    pub schema: String,
    /// Unique over all gateways, also the message's `Nats-Msg-Id`.
    pub event_id: String,
    /// In UTC (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// The gateway that says so.
    pub gateway: String,
    /// The provider's name in the configuration.
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What has changed.
    pub subject: ProviderSubject,
    /// The state before: of health `healthy`, `degraded`, `unhealthy`, `recovering`, `draining`, `unknown`; of a breaker `closed`,
    /// `open`, `half_open`, `ramping`. Absent where there is no state before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The state now; `refused` of a credential, `limited` of a quota.
    pub to: String,
    /// Why, for people.
    pub reason: String,
}

/// What of a provider has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderSubject {
    /// How it is doing, all in all.
    Health,
    /// Its circuit breaker.
    Breaker,
    /// It refuses a key.
    Credential,
    /// It has answered 429; said once a minute at most.
    Quota,
}

/// A gateway has applied a configuration while running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Prism configuration event, version 1")]
pub struct ConfigEvent {
    /// `prism.config.v1`.
    pub schema: String,
    /// Unique over all gateways, also the message's `Nats-Msg-Id`.
    pub event_id: String,
    /// In UTC (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// The gateway that has applied it.
    pub gateway: String,
    /// The blocks of the file that are not as before; never their values.
    pub changed: Vec<String>,
    /// The providers that there are now.
    pub providers: Vec<String>,
}

/// A client key was made, changed or taken away. Never the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Prism key event, version 1")]
pub struct KeyEvent {
    /// `prism.key.v1`.
    pub schema: String,
    /// Unique over all gateways, also the message's `Nats-Msg-Id`.
    pub event_id: String,
    /// In UTC (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// The gateway that did it.
    pub gateway: String,
    /// The organisation that the key belongs to.
    pub org: String,
    /// As in usage events.
    pub key_id: String,
    pub change: KeyChange,
    /// Who did it, as the audit log has it: a key, as in usage events, or the `admin token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyChange {
    Created,
    /// What it may be used for has changed.
    Updated,
    /// It has another secret; the one before may work for a while.
    Rotated,
    /// Nobody gets in with it until it is enabled.
    Disabled,
    Enabled,
    /// It is gone, by itself or with its organisation.
    Deleted,
}
