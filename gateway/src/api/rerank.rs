//! `POST /v1/rerank`: documents in, ordered by how well they answer a query. The shape is Cohere's, as compatible servers
//! have it too.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What to rank, and against what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RerankRequest {
    /// The model's name, as `GET /v1/models` lists it.
    #[schema(min_length = 1)]
    pub model: String,
    /// What the documents are compared with.
    #[schema(min_length = 1)]
    pub query: String,
    /// What is ranked: texts, or objects with a `text`.
    #[schema(min_items = 1)]
    pub documents: Vec<RerankDocument>,
    /// How many of the best are answered; all of them by default.
    #[schema(minimum = 1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_n: Option<u32>,
    /// Whether the answer repeats the documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_documents: Option<bool>,
    /// Longer documents are cut to this many tokens.
    #[schema(minimum = 1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens_per_doc: Option<u32>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A document: its text, or an object that holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected a string or an object with `text`")]
pub enum RerankDocument {
    #[schema(title = "DocumentText")]
    Text(String),
    #[schema(title = "DocumentObject")]
    Object(RerankDocumentObject),
}

/// A document with more than its text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RerankDocumentObject {
    /// What is ranked. Only some compatible servers take objects without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whatever else belongs to the document.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The documents by relevance, the best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RerankResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The model that ranked them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub results: Vec<RerankResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<RerankUsage>,
    /// What was billed, as Cohere says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<RerankMeta>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One document's place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RerankResult {
    /// The document's position in the request.
    pub index: u32,
    /// Larger is more relevant; most models answer 0 to 1.
    pub relevance_score: f64,
    /// The document, where `return_documents` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<RerankDocument>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What ranking took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RerankUsage {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
    /// Cohere's unit of price: one query with up to 100 documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_units: Option<u64>,
    /// What else the provider counted.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What Cohere says beside the results.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RerankMeta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed_units: Option<RerankBilledUnits>,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What the provider bills.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RerankBilledUnits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_units: Option<f64>,
    /// What else the provider counted.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
