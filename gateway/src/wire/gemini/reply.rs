//! The answer as Gemini has it: what is read of it, and nothing more. Members may be absent or null.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A `GenerateContentResponse`: a whole answer, or an event of a stream.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reply {
    #[serde(deserialize_with = "or_default")]
    pub candidates: Vec<Candidate>,
    pub prompt_feedback: Option<PromptFeedback>,
    pub usage_metadata: Option<UsageMetadata>,
    #[serde(deserialize_with = "or_default")]
    pub model_version: String,
    #[serde(deserialize_with = "or_default")]
    pub response_id: String,
    pub error: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PromptFeedback {
    pub block_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Candidate {
    #[serde(deserialize_with = "or_default")]
    pub index: u32,
    #[serde(deserialize_with = "or_default")]
    pub content: Content,
    pub finish_reason: Option<String>,
    pub finish_message: Option<String>,
    pub citation_metadata: Option<CitationMetadata>,
    pub grounding_metadata: Option<GroundingMetadata>,
    pub logprobs_result: Option<LogprobsResult>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    #[serde(deserialize_with = "or_default")]
    pub parts: Vec<Part>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Part {
    pub text: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub thought: bool,
    pub thought_signature: Option<String>,
    pub function_call: Option<FunctionCall>,
    pub inline_data: Option<Blob>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FunctionCall {
    pub id: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    pub args: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Blob {
    #[serde(deserialize_with = "or_default")]
    pub mime_type: String,
    #[serde(deserialize_with = "or_default")]
    pub data: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CitationMetadata {
    /// `citationSources` in old versions.
    #[serde(alias = "citationSources", deserialize_with = "or_default")]
    pub citations: Vec<Citation>,
}

/// Offsets are in bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Citation {
    #[serde(deserialize_with = "or_default")]
    pub start_index: usize,
    #[serde(deserialize_with = "or_default")]
    pub end_index: usize,
    pub uri: Option<String>,
    pub title: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GroundingMetadata {
    #[serde(deserialize_with = "or_default")]
    pub grounding_chunks: Vec<GroundingChunk>,
    #[serde(deserialize_with = "or_default")]
    pub grounding_supports: Vec<GroundingSupport>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GroundingChunk {
    pub web: Option<Source>,
    pub retrieved_context: Option<Source>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Source {
    pub uri: Option<String>,
    pub title: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GroundingSupport {
    #[serde(deserialize_with = "or_default")]
    pub grounding_chunk_indices: Vec<usize>,
    #[serde(deserialize_with = "or_default")]
    pub segment: Segment,
}

/// Offsets are in bytes of the part.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Segment {
    #[serde(deserialize_with = "or_default")]
    pub part_index: usize,
    #[serde(deserialize_with = "or_default")]
    pub start_index: usize,
    #[serde(deserialize_with = "or_default")]
    pub end_index: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LogprobsResult {
    #[serde(deserialize_with = "or_default")]
    pub chosen_candidates: Vec<Token>,
    #[serde(deserialize_with = "or_default")]
    pub top_candidates: Vec<TopTokens>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TopTokens {
    #[serde(deserialize_with = "or_default")]
    pub candidates: Vec<Token>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Token {
    #[serde(deserialize_with = "or_default")]
    pub token: String,
    #[serde(deserialize_with = "or_default")]
    pub log_probability: f64,
}

/// Counts are absent when they are 0.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UsageMetadata {
    #[serde(deserialize_with = "or_default")]
    pub prompt_token_count: u64,
    #[serde(deserialize_with = "or_default")]
    pub tool_use_prompt_token_count: u64,
    #[serde(deserialize_with = "or_default")]
    pub cached_content_token_count: u64,
    #[serde(deserialize_with = "or_default")]
    pub candidates_token_count: u64,
    #[serde(deserialize_with = "or_default")]
    pub thoughts_token_count: u64,
    #[serde(deserialize_with = "or_default")]
    pub prompt_tokens_details: Vec<ModalityCount>,
    #[serde(deserialize_with = "or_default")]
    pub candidates_tokens_details: Vec<ModalityCount>,
    #[serde(deserialize_with = "or_default")]
    pub cache_tokens_details: Vec<ModalityCount>,
    /// Vertex AI's word for how it was billed; the Gemini API has none.
    #[serde(deserialize_with = "or_default")]
    pub traffic_type: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ModalityCount {
    #[serde(deserialize_with = "or_default")]
    pub modality: String,
    #[serde(deserialize_with = "or_default")]
    pub token_count: u64,
}

/// Null is as good as absent.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
