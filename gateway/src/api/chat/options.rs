//! The request's members that have a shape of their own, tools apart.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::TextContent;
use crate::api::shapes::{constant, open_enum};

open_enum! {
    /// How much a reasoning model thinks before it answers.
    pub enum ReasoningEffort {
        None = "none",
        Minimal = "minimal",
        Low = "low",
        Medium = "medium",
        High = "high",
        Xhigh = "xhigh",
        Max = "max",
    }
}

open_enum! {
    /// How long-winded the answer is.
    pub enum Verbosity {
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

open_enum! {
    /// How a request is processed and priced. OpenAI answers `priority` to `fast`.
    pub enum ServiceTier {
        Auto = "auto",
        Default = "default",
        Flex = "flex",
        Scale = "scale",
        Priority = "priority",
        Fast = "fast",
    }
}

open_enum! {
    /// What an answer may consist of.
    pub enum Modality {
        Text = "text",
        Audio = "audio",
    }
}

/// Texts before which the answer ends; they are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected a string or an array of strings")]
pub enum Stop {
    #[schema(title = "OneStop")]
    One(String),
    #[schema(title = "ManyStops")]
    Many(Vec<String>),
}

impl Stop {
    pub fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// How the answer is streamed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StreamOptions {
    /// Adds a last event with the usage of the whole request and no choices; all others then have `usage: null`.
    /// A stream that is cut may not get that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_usage: Option<bool>,
    /// Whether events are padded to hide the length of tokens from those who watch the line; `true` at OpenAI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_obfuscation: Option<bool>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The form of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResponseFormat {
    /// Text.
    #[schema(title = "ResponseFormatText")]
    Text,
    /// Some JSON object. The messages have to ask for JSON, too.
    #[schema(title = "ResponseFormatJsonObject")]
    JsonObject,
    /// JSON that satisfies a schema.
    #[schema(title = "ResponseFormatJsonSchema")]
    JsonSchema { json_schema: JsonSchemaFormat },
}

/// The schema that the answer satisfies.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JsonSchemaFormat {
    /// Up to 64 letters, digits, underscores and dashes.
    pub name: String,
    /// What the format is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A JSON Schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Map<String, Value>>,
    /// Whether the model is held to the schema exactly, for which only a subset of JSON Schema is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// The voice and format of a spoken answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudioOptions {
    pub format: AudioOutputFormat,
    pub voice: Voice,
}

open_enum! {
    /// How spoken answers are encoded.
    pub enum AudioOutputFormat {
        Wav = "wav",
        Aac = "aac",
        Mp3 = "mp3",
        Flac = "flac",
        Opus = "opus",
        Pcm16 = "pcm16",
    }
}

/// A voice: `alloy`, `ash`, `ballad`, `coral`, `echo`, `sage`, `shimmer`, `verse`, `marin`, `cedar`, …, or your own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected the name of a voice or an object with its `id`")]
pub enum Voice {
    #[schema(title = "NamedVoice")]
    Named(String),
    #[schema(title = "CustomVoice")]
    Custom {
        /// Such as `voice_1234`.
        id: String,
    },
}

/// Text that most of the answer is expected to repeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Prediction {
    #[schema(title = "PredictionContent")]
    Content { content: TextContent },
}

open_enum! {
    /// How long cached prompts are kept.
    pub enum PromptCacheRetention {
        InMemory = "in_memory",
        Day = "24h",
    }
}

/// Where cached prompts end and how long they are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PromptCacheOptions {
    /// `implicit` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<PromptCacheMode>,
    /// The least time that cached prompts are kept; `30m` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<PromptCacheTtl>,
}

open_enum! {
    /// Whether the provider chooses a place where a cached prompt ends, besides those that the messages mark.
    pub enum PromptCacheMode {
        Implicit = "implicit",
        Explicit = "explicit",
    }
}

open_enum! {
    /// The least time that a cached prompt is kept.
    pub enum PromptCacheTtl {
        HalfHour = "30m",
        HalfDay = "12h",
    }
}

/// Has the request and the answer checked by a moderation model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModerationOptions {
    /// Such as `omni-moderation-latest`.
    pub model: String,
    /// What is done with what it finds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<ModerationPolicy>,
}

/// What is done with what a moderation model finds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModerationPolicy {
    /// For the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<ModerationRule>,
    /// For the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<ModerationRule>,
}

/// What is done with a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModerationRule {
    pub mode: ModerationMode,
}

open_enum! {
    /// Whether findings are reported only, or block the answer.
    pub enum ModerationMode {
        Score = "score",
        Block = "block",
    }
}

/// How the model searches the web.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebSearchOptions {
    /// How much of the context window results may fill; `medium` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_context_size: Option<SearchContextSize>,
    /// Where the user is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_location: Option<UserLocation>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

open_enum! {
    /// How much of the context window search results may fill.
    pub enum SearchContextSize {
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

constant! {
    /// Always `approximate`.
    pub struct UserLocationType = "approximate";
}

/// Where the user is, roughly.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserLocation {
    #[serde(rename = "type")]
    #[schema(inline)]
    pub kind: UserLocationType,
    pub approximate: ApproximateLocation,
}

/// A place, roughly.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApproximateLocation {
    /// Such as `San Francisco`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// ISO 3166-1, two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Such as `California`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// IANA's name, such as `America/Los_Angeles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}
