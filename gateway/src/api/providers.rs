//! The providers of an organisation, and what kinds there are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{health::ProviderHealth, models::ListObject};

/// A field of a provider's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderTypeField {
    pub name: String,
    /// `string`, `integer`, `boolean`, `array`, `object` or `duration` (`30s`, or a number of seconds).
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is, or holds, a secret: never shown again, only that it is set.
    pub secret: bool,
    /// Whether the provider cannot do without it (or without what stands in for it: an Entra application for Azure's key).
    pub required: bool,
    pub description: String,
    /// What it can be, where that is a few words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// A type of provider, as `type` names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderTypeInfo {
    pub name: String,
    /// The wire format that is spoken with it.
    pub api_format: String,
    /// Where it is unless something else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// What its `base_url` is or comes from, where there is no default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub fields: Vec<ProviderTypeField>,
}

/// Every type of provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderTypeList {
    #[schema(inline)]
    pub object: ListObject,
    pub data: Vec<ProviderTypeInfo>,
}

/// A provider that an organisation may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgProvider {
    pub name: String,
    /// The type: `openai`, `anthropic`, ….
    #[serde(rename = "type")]
    pub kind: String,
    pub api_format: String,
    /// Whether it is one of the gateway's own, which organisations share.
    pub shared: bool,
    /// The models that it lists, or that were discovered.
    pub models: Vec<String>,
    /// How it is doing, in each of its regions.
    pub health: Vec<ProviderHealth>,
}

/// The providers that an organisation may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrgProviderList {
    #[schema(inline)]
    pub object: ListObject,
    pub data: Vec<OrgProvider>,
}

/// What came of a look at a provider, which no provider bills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderTestResult {
    pub provider: String,
    /// Whether it answered its list of models with the credentials that it was given.
    pub ok: bool,
    pub took_ms: f64,
    /// The models that it says it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
