//! The answer in one piece.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{FunctionCall, ModerationReport, ServiceTier, ToolCall, Usage};
use crate::api::shapes::{constant, open_enum};

constant! {
    /// Always `chat.completion`.
    pub struct ChatCompletionObject = "chat.completion";
}

constant! {
    /// Always `assistant`.
    pub struct AssistantRole = "assistant";
}

/// The model's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChatCompletion {
    /// Identifies the answer.
    pub id: String,
    #[schema(inline)]
    pub object: ChatCompletionObject,
    /// When the answer was made, in seconds since 1970.
    pub created: i64,
    /// The model that answered.
    pub model: String,
    /// `n` of them.
    pub choices: Vec<Choice>,
    /// What the answer took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// How the request was processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<ServiceTier>,
    /// The state of the provider's backend, to compare with `seed` in mind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// The request's `metadata`, where the answer was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// What the moderation model found, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation: Option<ModerationReport>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One of the answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Choice {
    pub index: u32,
    pub message: ResponseMessage,
    #[schema(required)]
    pub logprobs: Option<Logprobs>,
    /// Why the answer ended.
    pub finish_reason: FinishReason,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

open_enum! {
    /// Why an answer ended.
    pub enum FinishReason {
        /// The model was done, or wrote a stop text.
        Stop = "stop",
        /// The answer reached the most tokens allowed.
        Length = "length",
        /// The model called tools.
        ToolCalls = "tool_calls",
        /// The provider left something out.
        ContentFilter = "content_filter",
        /// The model called a function. Replaced by `tool_calls`.
        FunctionCall = "function_call",
    }
}

/// What the model said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResponseMessage {
    #[schema(inline)]
    pub role: AssistantRole,
    /// The answer; `null` where the model only called tools.
    #[schema(required)]
    pub content: Option<String>,
    /// What the model said instead of answering.
    #[schema(required)]
    pub refusal: Option<String>,
    /// What the model thought. Not OpenAI's: an extension that many providers share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// The tools that the model calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCall>>,
    /// Where the answer is from, after a web search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Vec<Annotation>>,
    /// The spoken answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<ResponseAudio>,
    /// Replaced by `tool_calls`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(deprecated)]
    pub function_call: Option<FunctionCall>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A note on a stretch of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Annotation {
    #[schema(title = "UrlCitationAnnotation")]
    UrlCitation { url_citation: UrlCitation },
}

/// The page that a stretch of the answer is from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UrlCitation {
    /// Where the stretch begins, in characters.
    pub start_index: u64,
    /// The stretch's last character.
    pub end_index: u64,
    /// The page's title.
    pub title: String,
    /// The page's address.
    pub url: String,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A spoken answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResponseAudio {
    /// To refer to it in a later request.
    pub id: String,
    /// Base64, in the format that was asked for.
    pub data: String,
    /// Until when it can be referred to, in seconds since 1970.
    pub expires_at: i64,
    /// What is said.
    pub transcript: String,
}

/// Log probabilities.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Logprobs {
    /// Of the answer's tokens.
    #[schema(required)]
    pub content: Option<Vec<TokenLogprob>>,
    /// Of the refusal's tokens.
    #[schema(required)]
    pub refusal: Option<Vec<TokenLogprob>>,
}

/// A token and how likely it was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TokenLogprob {
    pub token: String,
    /// The natural logarithm of its probability; -9999 for very unlikely ones.
    pub logprob: f64,
    /// The token's UTF-8, since characters may be split over tokens.
    #[schema(required)]
    pub bytes: Option<Vec<u8>>,
    /// The likeliest tokens at this place.
    pub top_logprobs: Vec<TopLogprob>,
}

/// One of the likeliest tokens at a place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopLogprob {
    pub token: String,
    /// The natural logarithm of its probability.
    pub logprob: f64,
    /// The token's UTF-8.
    #[schema(required)]
    pub bytes: Option<Vec<u8>>,
}
