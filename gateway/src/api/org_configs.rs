//! What an organisation has configured, over HTTP.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    models::ListObject,
    shapes::{constant, open_enum},
};

constant! {
    /// Always `org.config`.
    pub struct OrgConfigObject = "org.config";
}

constant! {
    /// Always `org.config.deleted`.
    pub struct OrgConfigDeletedObject = "org.config.deleted";
}

/// The blocks of the configuration file that are an organisation's own; unknown keys are refused with their path.
///
/// A secret (`api_key`, `client_secret`, the value of a header, …) is a text, or the marker that was read in its place,
/// `{"set": true, …}`, which leaves it as it is. Operators may also write a reference to one, `env://NAME` or
/// `file:///path`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgConfigDocument {
    /// Providers by name, each with the fields that `GET /v1/provider-types` lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<Map<String, Value>>,
    /// Alias → model, or model → provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_map: Option<Map<String, Value>>,
    /// Which provider a request goes to, and to which next: `targets`, `failover`, `retry`, `conditional_routes`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Map<String, Value>>,
    /// How many requests and tokens a minute are let in: `global_rpm`, `global_tpm`, `per_user_rpm`, `per_model_rpm`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limiting: Option<Map<String, Value>>,
    /// How many US dollars may be spent, and in which time: `limit`, `period`, `warn_threshold`, `hard`, and `users` by their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Map<String, Value>>,
    /// What answers cost: `enabled`, `custom_pricing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_tracking: Option<Map<String, Value>>,
    /// Whatever else it has.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What an organisation has configured. Secrets are never shown, only that they are set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgConfig {
    #[schema(inline)]
    pub object: OrgConfigObject,
    pub org_id: String,
    /// Counts its changes, from 1.
    pub version: u64,
    /// What `If-Match` takes: another one after every change. The header `ETag` has it too, in quotes.
    pub etag: String,
    pub config: OrgConfigDocument,
    /// RFC 3339, in UTC.
    pub created_at: String,
    /// RFC 3339, in UTC.
    pub updated_at: String,
    /// Who made the last change.
    pub updated_by: String,
}

/// An organisation, without what it has configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgSummary {
    pub org_id: String,
    pub version: u64,
    /// Names of its providers.
    pub providers: Vec<String>,
    /// RFC 3339, in UTC.
    pub updated_at: String,
    pub updated_by: String,
}

/// Organisations in the order of their ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgList {
    #[schema(inline)]
    pub object: ListObject,
    pub data: Vec<OrgSummary>,
    /// What `cursor` takes to go on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// An organisation that is no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgConfigDeleted {
    #[schema(inline)]
    pub object: OrgConfigDeletedObject,
    pub org_id: String,
    pub deleted: bool,
}

open_enum! {
    /// How a version came to be.
    pub enum OrgConfigAction {
        Create = "create",
        Replace = "replace",
        Update = "update",
        Rollback = "rollback",
    }
}

/// One version of a configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgConfigVersion {
    pub version: u64,
    pub action: OrgConfigAction,
    /// RFC 3339, in UTC.
    pub at: String,
    /// Who made it.
    pub author: String,
}

/// The last hundred versions, the latest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgConfigVersions {
    #[schema(inline)]
    pub object: ListObject,
    pub data: Vec<OrgConfigVersion>,
}

/// One place at which two versions differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgConfigChange {
    /// As in `providers.openai.base_url`.
    pub path: String,
    /// What it was; absent when there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is; absent when there is nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// What two versions differ in. A secret that was set again differs in its `updated_at`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgConfigDiff {
    pub from: u64,
    pub to: u64,
    pub changes: Vec<OrgConfigChange>,
}

/// Which version is to come back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgConfigRollback {
    pub version: u64,
}

/// One thing wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgConfigMistake {
    /// As in `providers.openai.models[1]`.
    pub path: String,
    pub message: String,
}

/// What would be said of a configuration. Nothing has been changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgConfigValidation {
    pub valid: bool,
    pub mistakes: Vec<OrgConfigMistake>,
}
