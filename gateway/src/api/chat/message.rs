//! The messages of a conversation.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{FunctionCall, MessageContent, ToolCall};

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum ChatMessage {
    #[schema(title = "DeveloperMessageParam")]
    Developer(DeveloperMessage),
    #[schema(title = "SystemMessageParam")]
    System(SystemMessage),
    #[schema(title = "UserMessageParam")]
    User(UserMessage),
    #[schema(title = "AssistantMessageParam")]
    Assistant(AssistantMessage),
    #[schema(title = "ToolMessageParam")]
    Tool(ToolMessage),
    #[schema(title = "FunctionMessageParam")]
    Function(FunctionMessage),
}

impl ChatMessage {
    pub fn content(&self) -> Option<&MessageContent> {
        match self {
            Self::Developer(message) => Some(&message.content),
            Self::System(message) => Some(&message.content),
            Self::User(message) => Some(&message.content),
            Self::Assistant(message) => message.content.as_ref(),
            Self::Tool(message) => Some(&message.content),
            Self::Function(message) => message.content.as_ref(),
        }
    }
}

/// Instructions that the model follows whatever the user says. Replaces `system` for reasoning models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeveloperMessage {
    pub content: MessageContent,
    /// Tells participants of the same role apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Instructions that the model follows whatever the user says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SystemMessage {
    pub content: MessageContent,
    /// Tells participants of the same role apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What the user says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserMessage {
    pub content: MessageContent,
    /// Tells participants of the same role apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What the model said before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssistantMessage {
    /// Required unless the model called tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<MessageContent>,
    /// Tells participants of the same role apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the model said instead of answering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// What the model thought, for providers that want it back. Not OpenAI's: an extension that many share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// A spoken answer that the model gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<AudioReference>,
    /// The tools that the model called. A tool message must follow for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCall>>,
    /// Replaced by `tool_calls`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(deprecated)]
    pub function_call: Option<FunctionCall>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A spoken answer that the model gave before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AudioReference {
    pub id: String,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToolMessage {
    pub content: MessageContent,
    /// The call that it answers.
    pub tool_call_id: String,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a function answered. Replaced by tool messages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FunctionMessage {
    #[schema(required)]
    pub content: Option<MessageContent>,
    /// The function's name.
    pub name: String,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
