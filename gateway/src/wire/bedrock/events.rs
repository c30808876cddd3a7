//! The payloads of `ConverseStream`'s events; members that are not known are read over.

use serde::Deserialize;
use serde_json::Value;

use super::answer::{Counts, Tier};

/// All kinds in one: which members are there is the kind's affair.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    #[serde(default)]
    pub content_block_index: u64,
    pub start: Option<Start>,
    pub delta: Option<Delta>,
    pub stop_reason: Option<String>,
    pub additional_model_response_fields: Option<Value>,
    pub usage: Option<Counts>,
    pub service_tier: Option<Tier>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start {
    pub tool_use: Option<StartedTool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartedTool {
    pub tool_use_id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delta {
    pub text: Option<String>,
    pub tool_use: Option<ToolDelta>,
    pub reasoning_content: Option<ReasoningDelta>,
    pub citation: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToolDelta {
    #[serde(default)]
    pub input: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReasoningDelta {
    pub text: Option<String>,
    pub signature: Option<String>,
    pub redacted_content: Option<String>,
}
