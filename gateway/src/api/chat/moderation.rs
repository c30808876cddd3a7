//! What a moderation model found in a request and its answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::shapes::{constant, open_enum};

/// What the moderation model found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModerationReport {
    /// In the request.
    pub input: ModerationOutcome,
    /// In the answer.
    pub output: ModerationOutcome,
}

/// Findings, or why there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ModerationOutcome {
    #[schema(title = "ModerationResultsOutcome")]
    ModerationResults {
        /// The model that looked.
        model: String,
        results: Vec<ModerationFinding>,
    },
    #[schema(title = "ModerationErrorOutcome")]
    Error { code: String, message: String },
}

constant! {
    /// Always `moderation_result`.
    pub struct ModerationFindingType = "moderation_result";
}

/// One finding.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModerationFinding {
    #[serde(rename = "type")]
    #[schema(inline)]
    pub kind: ModerationFindingType,
    /// The model that found it.
    pub model: String,
    /// Whether any category applies.
    pub flagged: bool,
    /// Whether each category applies.
    pub categories: BTreeMap<String, bool>,
    /// How far each category applies, from 0 to 1.
    pub category_scores: BTreeMap<String, f64>,
    /// What each category's score is about.
    pub category_applied_input_types: BTreeMap<String, Vec<ModeratedInputType>>,
}

open_enum! {
    /// What a moderation model looks at.
    pub enum ModeratedInputType {
        Text = "text",
        Image = "image",
    }
}
