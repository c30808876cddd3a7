//! The request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    AudioOptions, ChatMessage, FunctionCallOption, FunctionDefinition, Modality, ModerationOptions, Prediction,
    PromptCacheOptions, PromptCacheRetention, ReasoningEffort, ResponseFormat, ServiceTier, Stop, StreamOptions, Tool,
    ToolChoice, Verbosity, WebSearchOptions,
};

/// A conversation to go on with, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChatCompletionRequest {
    /// The model's name, as `GET /v1/models` lists it.
    #[schema(min_length = 1)]
    pub model: String,
    /// The conversation so far.
    #[schema(min_items = 1)]
    pub messages: Vec<ChatMessage>,
    /// The voice and format of a spoken answer. Required when `modalities` holds `audio`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<AudioOptions>,
    /// From -2 to 2; above 0, tokens are less likely the more often they occurred. 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// Replaced by `tool_choice`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(deprecated)]
    pub function_call: Option<FunctionCallOption>,
    /// Replaced by `tools`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(deprecated)]
    pub functions: Option<Vec<FunctionDefinition>>,
    /// Token ids with a bias from -100 (never) to 100 (only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logit_bias: Option<BTreeMap<String, i64>>,
    /// Whether the answer's tokens come with their log probabilities; `false` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<bool>,
    /// The most tokens to generate, those spent on reasoning included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u32>,
    /// The most tokens to generate. OpenAI replaced it by `max_completion_tokens`, many other providers did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(deprecated)]
    pub max_tokens: Option<u32>,
    /// Up to 16 pairs kept with the answer: names of up to 64 characters, values of up to 512.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// What the answer may consist of; `["text"]` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modalities: Option<Vec<Modality>>,
    /// Has the request and the answer checked by a moderation model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation: Option<ModerationOptions>,
    /// How many answers to generate, from 1 to 128, each of which is billed; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// Whether the model may call several tools at once; `true` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    /// Text that most of the answer is expected to repeat, which makes generating it faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    /// From -2 to 2; above 0, tokens that occurred already are less likely. 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    /// Requests with the same key find each other's cached prompts more often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_key: Option<String>,
    /// Where cached prompts end and how long they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_options: Option<PromptCacheOptions>,
    /// Replaced by `prompt_cache_options`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(deprecated)]
    pub prompt_cache_retention: Option<PromptCacheRetention>,
    /// How much a reasoning model thinks before it answers. Not every model knows every value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// The form of the answer; text by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<ResponseFormat>,
    /// Identifies your end user to the provider's abuse detection, in up to 128 characters: best a hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety_identifier: Option<String>,
    /// Asks for the same answer to the same request, as far as the provider can; see `system_fingerprint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// How the request is to be processed and priced; `auto` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<ServiceTier>,
    /// Up to 4 texts before which the answer ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// Whether the provider keeps the answer for its evaluation and distillation products.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<bool>,
    /// Whether the answer comes as server-sent events; `false` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// Only with `stream: true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
    /// From 0 (focused) to 2 (random); 1 by default. Change this or `top_p`, not both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Which tools the model calls: by default `none` without tools, else `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// The tools that the model may call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Tool>>,
    /// How many of the likeliest tokens are given at each place, from 0 to 20. Requires `logprobs: true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_logprobs: Option<u32>,
    /// From 0 to 1: only the tokens that make up this share of the probability are considered; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Replaced by `safety_identifier` and `prompt_cache_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(deprecated)]
    pub user: Option<String>,
    /// How long-winded the answer is; `medium` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verbosity: Option<Verbosity>,
    /// Lets the model search the web, for models that can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_search_options: Option<WebSearchOptions>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
