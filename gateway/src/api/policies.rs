//! Routing policies of organisations: the conditional routes of their configurations, one by one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{models::ListObject, shapes::constant};

constant! {
    /// Always `routing.policy.deleted`.
    pub struct RoutingPolicyDeletedObject = "routing.policy.deleted";
}

/// Requests that meet a condition go where it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoutingPolicy {
    /// Unique in the organisation.
    pub name: String,
    /// Lower is tried first, by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Which requests, as `routing.conditional_routes` of the configuration file has it: `{"metadata.tier": {"$in": ["gold"]}}`.
    pub condition: Map<String, Value>,
    /// Where they go: `provider`, `model_override`.
    pub action: Map<String, Value>,
}

/// What is to be changed; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoutingPolicyUpdate {
    /// Lower is tried first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Which requests: replaced as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Map<String, Value>>,
    /// Where they go: replaced as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Map<String, Value>>,
}

/// The policies of an organisation, in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoutingPolicyList {
    #[schema(inline)]
    pub object: ListObject,
    pub data: Vec<RoutingPolicy>,
}

/// A policy that is no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoutingPolicyDeleted {
    #[schema(inline)]
    pub object: RoutingPolicyDeletedObject,
    pub name: String,
    pub deleted: bool,
}
