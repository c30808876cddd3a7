//! The answer in pieces.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{FinishReason, Logprobs, ModerationReport, ServiceTier, Usage};
use crate::api::shapes::{constant, open_enum, present};

constant! {
    /// Always `chat.completion.chunk`.
    pub struct ChatCompletionChunkObject = "chat.completion.chunk";
}

/// One event of a streamed answer. The stream ends with the event `[DONE]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChatCompletionChunk {
    /// Identifies the answer; the same in all events.
    pub id: String,
    #[schema(inline)]
    pub object: ChatCompletionChunkObject,
    /// When the answer was begun, in seconds since 1970; the same in all events.
    pub created: i64,
    /// The model that answers.
    pub model: String,
    /// How the request is processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<ServiceTier>,
    /// The state of the provider's backend, to compare with `seed` in mind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// Pieces of one or several answers. Empty in the event that carries the usage.
    pub choices: Vec<ChunkChoice>,
    /// What the answer took. Only with `stream_options.include_usage`: `null` but for the last event.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<Usage>, required = false)]
    pub usage: Option<Option<Usage>>,
    /// What the moderation model found, where one was asked for; in an event of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation: Option<ModerationReport>,
    /// Padding that hides the length of tokens from those who watch the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obfuscation: Option<String>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A piece of one of the answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChunkChoice {
    pub index: u32,
    pub delta: Delta,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Logprobs>,
    /// Why the answer ended; `null` while it goes on.
    #[schema(required)]
    pub finish_reason: Option<FinishReason>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What is new: texts are appended to those before them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delta {
    /// In an answer's first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<ChatRole>,
    /// `null` in the first piece of an answer that only calls tools.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<String>, required = false)]
    pub content: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// What the model thinks. Not OpenAI's: an extension that many providers share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCallDelta>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<AudioDelta>,
    /// Replaced by `tool_calls`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(deprecated)]
    pub function_call: Option<FunctionCallDelta>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

open_enum! {
    /// Whose message it is.
    pub enum ChatRole {
        Developer = "developer",
        System = "system",
        User = "user",
        Assistant = "assistant",
        Tool = "tool",
    }
}

/// A piece of a tool call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToolCallDelta {
    /// Which of the answer's tool calls it belongs to.
    pub index: u32,
    /// In a call's first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// In a call's first piece.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<ToolType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<FunctionCallDelta>,
    /// For a custom tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<CustomCallDelta>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

open_enum! {
    /// The kind of a tool.
    pub enum ToolType {
        Function = "function",
        Custom = "custom",
    }
}

/// A piece of a function call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FunctionCallDelta {
    /// In a call's first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The next stretch of the arguments' JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
}

/// A piece of a custom tool's call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomCallDelta {
    /// In a call's first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The next stretch of the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
}

/// A piece of a spoken answer. The last one holds only `expires_at`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AudioDelta {
    /// To refer to it in a later request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Base64, in the format that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Until when it can be referred to, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// What is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
}
