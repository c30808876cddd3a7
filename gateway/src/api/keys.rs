//! Client keys of organisations, over HTTP.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use utoipa::ToSchema;

use super::{
    limits::BudgetPeriod,
    models::ListObject,
    shapes::{constant, open_enum},
};

constant! {
    /// Always `key`.
    pub struct KeyObject = "key";
}

constant! {
    /// Always `key.deleted`.
    pub struct KeyDeletedObject = "key.deleted";
}

open_enum! {
    /// What a key may do.
    pub enum KeyRole {
        /// Reads what is configured; calls no model.
        Viewer = "viewer",
        /// Calls models; reads nothing of the configuration.
        Member = "member",
        /// Calls models, reads and changes the configuration, and gives out keys below its own role.
        Admin = "admin",
        /// The same, keys of any role, and the end of the organisation.
        Owner = "owner",
    }
}

/// What a key may spend; what a request may cost is put aside when it comes, and settled when it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeyBudget {
    /// US dollars; 0 for any number.
    #[schema(value_type = f64, minimum = 0)]
    pub limit: Number,
    /// By default `monthly`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<BudgetPeriod>,
    /// Share of the limit from which on it is warned of, by default 0.8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub warn_threshold: Option<f64>,
    /// Whether requests beyond it are refused, by default true; if not, it only warns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard: Option<bool>,
}

/// What a key may be used for, in the words of `auth.keys` of the configuration file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeyCreateRequest {
    /// Name for people, unique in the organisation.
    pub name: String,
    /// By default `member`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<KeyRole>,
    /// Models it may use, with `*` as wildcard; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Providers it may use; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<String>>,
    /// Addresses and networks it may come from; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_ips: Option<Vec<String>>,
    /// Names of functions, and types of a provider's own tools, that its requests may offer, with `*` as wildcard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_tools: Option<Vec<String>>,
    /// Those that they may not offer, whatever else is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_tools: Option<Vec<String>>,
    /// Requests a minute; 0 for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_rpm: Option<u64>,
    /// Tokens a minute; 0 for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_tpm: Option<u64>,
    /// Requests in progress at once; 0 for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u64>,
    /// What it may spend; by default what its organisation may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<KeyBudget>,
    /// What there is to say of it, scalars by name: in logs, and for conditional routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// When it stops working, as `2027-01-01T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// `true` keeps it without letting it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// What is to be changed; what is not named stays, and null brings back the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeyUpdateRequest {
    /// Name for people, unique in the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<KeyRole>,
    /// Models it may use, with `*` as wildcard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Providers it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<String>>,
    /// Addresses and networks it may come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_ips: Option<Vec<String>>,
    /// Names of functions, and types of a provider's own tools, that its requests may offer, with `*` as wildcard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_tools: Option<Vec<String>>,
    /// Those that they may not offer, whatever else is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_tools: Option<Vec<String>>,
    /// Requests a minute; 0 for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_rpm: Option<u64>,
    /// Tokens a minute; 0 for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_tpm: Option<u64>,
    /// Requests in progress at once; 0 for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u64>,
    /// What it may spend; by default what its organisation may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<KeyBudget>,
    /// What there is to say of it, scalars by name: in logs, and for conditional routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// When it stops working, as `2027-01-01T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// `true` keeps it without letting it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// How a key is replaced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeyRotateRequest {
    /// Seconds for which the old one works beside the new one, at most 30 days; by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 2_592_000)]
    pub overlap_seconds: Option<u64>,
}

/// A key, without the key itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKey {
    #[schema(inline)]
    pub object: KeyObject,
    pub id: String,
    pub org_id: String,
    /// How the key begins, to recognise it by.
    pub prefix: String,
    pub name: String,
    pub role: KeyRole,
    /// Models it may use, with `*` as wildcard; empty for all.
    pub models: Vec<String>,
    /// Providers it may use; empty for all.
    pub providers: Vec<String>,
    /// Addresses and networks it may come from; empty for all.
    pub allowed_ips: Vec<String>,
    /// Tools that its requests may offer; empty for all.
    pub allowed_tools: Vec<String>,
    /// Those that they may not offer.
    pub denied_tools: Vec<String>,
    /// Requests a minute; 0 for any number.
    pub rate_limit_rpm: u64,
    /// Tokens a minute; 0 for any number.
    pub rate_limit_tpm: u64,
    /// Requests in progress at once; 0 for any number.
    pub max_concurrent: u64,
    /// What it may spend; absent where only its organisation's budget holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<KeyBudget>,
    /// What its owner says of it.
    pub metadata: Map<String, Value>,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether it is kept without being let in.
    pub disabled: bool,
    /// Until when the key before the last rotation works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_until: Option<String>,
    /// RFC 3339, in UTC.
    pub created_at: String,
    /// Who made it.
    pub created_by: String,
    /// RFC 3339, in UTC.
    pub updated_at: String,
    /// The key itself: only in the answer that makes it, and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The keys of an organisation, the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKeyList {
    #[schema(inline)]
    pub object: ListObject,
    pub data: Vec<VirtualKey>,
    /// What `cursor` takes to go on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A key that opens nothing any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKeyDeleted {
    #[schema(inline)]
    pub object: KeyDeletedObject,
    pub id: String,
    pub deleted: bool,
}
