//! Tools: what they are, which are called, and the calls.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Tool {
    #[schema(title = "FunctionToolParam")]
    Function(FunctionTool),
    #[schema(title = "CustomToolParam")]
    Custom(CustomTool),
}

impl Tool {
    pub fn name(&self) -> &str {
        match self {
            Self::Function(tool) => &tool.function.name,
            Self::Custom(tool) => &tool.custom.name,
        }
    }
}

/// A tool that takes JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FunctionTool {
    pub function: FunctionDefinition,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A function that the model may call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FunctionDefinition {
    /// Up to 64 letters, digits, underscores and dashes.
    pub name: String,
    /// What it does: how the model knows when to call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its arguments, as a JSON Schema; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
    /// Whether the model is held to the schema exactly, for which only a subset of JSON Schema is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A tool that takes text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomTool {
    pub custom: CustomToolDefinition,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A tool that takes text, in a form of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomToolDefinition {
    pub name: String,
    /// What it does: how the model knows when to call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it takes; any text by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<CustomToolFormat>,
}

/// What a custom tool takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CustomToolFormat {
    /// Any text.
    #[schema(title = "CustomToolFormatText")]
    Text,
    /// Text of a grammar.
    #[schema(title = "CustomToolFormatGrammar")]
    Grammar { grammar: ToolGrammar },
}

/// A grammar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToolGrammar {
    pub definition: String,
    pub syntax: GrammarSyntax,
}

crate::api::shapes::open_enum! {
    /// The language that a grammar is written in.
    pub enum GrammarSyntax {
        Lark = "lark",
        Regex = "regex",
    }
}

/// Which tools the model calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected `none`, `auto`, `required` or an object that names tools")]
pub enum ToolChoice {
    #[schema(title = "ToolChoiceByMode")]
    Mode(ToolChoiceMode),
    #[schema(title = "ToolChoiceByName")]
    Named(NamedToolChoice),
}

crate::api::shapes::open_enum! {
    /// Whether the model calls tools: never, if it wants to, or in any case.
    pub enum ToolChoiceMode {
        None = "none",
        Auto = "auto",
        Required = "required",
    }
}

/// The tool that the model has to call, or those among which it chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NamedToolChoice {
    #[schema(title = "FunctionToolChoice")]
    Function { function: ToolName },
    #[schema(title = "CustomToolChoice")]
    Custom { custom: ToolName },
    #[schema(title = "AllowedToolsChoice")]
    AllowedTools { allowed_tools: AllowedTools },
}

/// A tool's name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToolName {
    pub name: String,
}

/// The tools among which the model chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AllowedTools {
    /// `auto` or `required`.
    pub mode: ToolChoiceMode,
    /// Such as `{"type": "function", "function": {"name": "get_time"}}`.
    pub tools: Vec<Map<String, Value>>,
}

/// Which function the model calls: `none`, `auto` or the one that is named. Replaced by `tool_choice`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected `none`, `auto` or an object with a function's `name`")]
pub enum FunctionCallOption {
    #[schema(title = "FunctionCallByMode")]
    Mode(ToolChoiceMode),
    #[schema(title = "FunctionCallByName")]
    Named(ToolName),
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToolCall {
    #[schema(title = "FunctionToolCallParam")]
    Function(FunctionToolCall),
    #[schema(title = "CustomToolCallParam")]
    Custom(CustomToolCall),
}

/// A call of a function.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FunctionToolCall {
    /// Identifies the call; the tool's answer refers to it.
    pub id: String,
    pub function: FunctionCall,
    /// Anything else that the provider understands or said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A function's name and arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FunctionCall {
    pub name: String,
    /// JSON as the model wrote it, which may be neither valid nor what the schema asks for.
    pub arguments: String,
}

/// A call of a custom tool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomToolCall {
    /// Identifies the call; the tool's answer refers to it.
    pub id: String,
    pub custom: CustomCall,
    /// Anything else that the provider understands or said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A custom tool's name and input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomCall {
    pub name: String,
    pub input: String,
}
