//! `POST /v1/embeddings`: texts in, vectors out.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    models::ListObject,
    shapes::{constant, open_enum},
};

constant! {
    /// Always `embedding`.
    pub struct EmbeddingObject = "embedding";
}

open_enum! {
    /// How vectors are written: JSON numbers, or the base64 of their 32-bit floats, little-endian.
    pub enum EncodingFormat {
        Float = "float",
        Base64 = "base64",
    }
}

/// What to embed, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EmbeddingRequest {
    /// The model's name, as `GET /v1/models` lists it.
    #[schema(min_length = 1)]
    pub model: String,
    /// One input or many; each becomes one vector. An input must not be empty, and OpenAI takes at most 2,048 at once.
    pub input: TextInput,
    /// The length of the vectors, for models that can shorten them. The model's own length by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
    /// How vectors are written; `float` by default. (The OpenAI SDKs ask for `base64` by themselves.)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding_format: Option<EncodingFormat>,
    /// An identifier of your end user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Text or token ids, one input or many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(
    untagged,
    expecting = "expected a string, an array of strings, an array of token ids or an array of token id arrays"
)]
pub enum TextInput {
    #[schema(title = "OneText")]
    Text(String),
    #[schema(title = "ManyTexts")]
    Texts(Vec<String>),
    #[schema(title = "OneTokenList")]
    Tokens(Vec<u32>),
    #[schema(title = "ManyTokenLists")]
    TokenLists(Vec<Vec<u32>>),
}

/// The vectors, in the order of the inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EmbeddingResponse {
    #[schema(inline)]
    pub object: ListObject,
    pub data: Vec<Embedding>,
    /// The model that made them.
    pub model: String,
    pub usage: EmbeddingUsage,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One input's vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Embedding {
    #[schema(inline)]
    pub object: EmbeddingObject,
    /// The input's position.
    pub index: u32,
    pub embedding: EmbeddingVector,
    /// What else the provider said.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A vector, in the encoding that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected an array of numbers or a base64 string")]
pub enum EmbeddingVector {
    #[schema(title = "FloatVector")]
    Floats(Vec<f64>),
    #[schema(title = "Base64Vector")]
    Base64(String),
}

/// The tokens that embedding took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EmbeddingUsage {
    pub prompt_tokens: u64,
    pub total_tokens: u64,
    /// What else the provider counted.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
