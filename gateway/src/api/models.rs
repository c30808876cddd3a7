//! The models that can be asked for.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::shapes::constant;

constant! {
    /// Always `list`.
    pub struct ListObject = "list";
}

constant! {
    /// Always `model`.
    pub struct ModelObject = "model";
}

/// All models that the caller may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelList {
    #[schema(inline)]
    pub object: ListObject,
    pub data: Vec<ModelInfo>,
}

/// One model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelInfo {
    /// The name to ask for, `provider/model`. The part after the provider's name is understood alone, too.
    pub id: String,
    #[schema(inline)]
    pub object: ModelObject,
    /// When the model was created, in seconds since 1970; 0 where the provider does not say.
    #[serde(default)]
    #[schema(required)]
    pub created: i64,
    /// Who offers the model.
    #[serde(default)]
    #[schema(required)]
    pub owned_by: String,
    /// The day on which the model will be shut down, where that has been announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shutdown_date: Option<String>,
    /// What else the provider says of the model.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
