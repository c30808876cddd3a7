//! `POST /v1/completions`: the older endpoint, plain text in and plain text out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    chat::{FinishReason, Stop, StreamOptions, Usage},
    embeddings::TextInput,
    shapes::{constant, present},
};

constant! {
    /// Always `text_completion`.
    pub struct CompletionObject = "text_completion";
}

/// What to complete, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompletionRequest {
    /// The model's name, as `GET /v1/models` lists it.
    #[schema(min_length = 1)]
    pub model: String,
    /// The text to go on from; with several, each is completed. `null` stands for the beginning of a new document.
    #[schema(required)]
    pub prompt: Option<TextInput>,
    /// How many candidates the provider makes, of which it returns the `n` best; 1 by default. Cannot be streamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_of: Option<u32>,
    /// Whether the prompt is put before its completion; `false` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub echo: Option<bool>,
    /// From -2 to 2; above 0, tokens are less likely the more often they occurred. 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// Token ids with a bias from -100 (never) to 100 (only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logit_bias: Option<BTreeMap<String, i64>>,
    /// How many of the likeliest tokens come with their log probabilities, up to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<u32>,
    /// The most tokens to generate; 16 by default at OpenAI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// How many completions of each prompt, from 1 to 128; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// From -2 to 2; above 0, tokens that occurred already are less likely. 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    /// Asks for the same answer to the same request, as far as the provider can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Up to 4 texts before which the completion ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// Whether the answer comes as server-sent events; `false` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// Only with `stream: true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
    /// The text that comes after what is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// From 0 (focused) to 2 (random); 1 by default. Change this or `top_p`, not both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// From 0 to 1: only the tokens that make up this share of the probability are considered; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// An identifier of your end user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The completions; also one event of a stream of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Completion {
    /// Identifies the answer; the same in all events of a stream.
    pub id: String,
    #[schema(inline)]
    pub object: CompletionObject,
    /// When the answer was made, in seconds since 1970.
    pub created: i64,
    /// The model that answered.
    pub model: String,
    /// The state of the provider's backend, to compare with `seed` in mind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// One for each prompt and `n`. Empty in a stream's event that carries the usage.
    pub choices: Vec<CompletionChoice>,
    /// What the answer took. In a stream only with `stream_options.include_usage`: `null` but for the last event.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<Usage>, required = false)]
    pub usage: Option<Option<Usage>>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One completion, or a piece of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompletionChoice {
    pub text: String,
    pub index: u32,
    #[schema(required)]
    pub logprobs: Option<CompletionLogprobs>,
    /// Why it ended: `stop`, `length` or `content_filter`; `null` while a stream goes on.
    #[schema(required)]
    pub finish_reason: Option<FinishReason>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Log probabilities; the lists run in parallel, one entry for each token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompletionLogprobs {
    /// Where each token begins in the text, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_offset: Option<Vec<u64>>,
    /// `null` for the first token of an echoed prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_logprobs: Option<Vec<Option<f64>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<String>>,
    /// The likeliest tokens at each place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_logprobs: Option<Vec<Option<BTreeMap<String, f64>>>>,
}
