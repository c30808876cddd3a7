//! Embeddings by `InvokeModel`, whose bodies are each vendor's own: Titan's for one text, Cohere's for many.

use bytes::Bytes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::regions;
use crate::{
    api::{
        ClientRequest, Embedding, EmbeddingObject, EmbeddingRequest, EmbeddingResponse, EmbeddingUsage,
        EmbeddingVector, EncodingFormat, ListObject, TokenUsage,
    },
    refusal::{Cause, Refusal},
    wire::{
        Answer, Payload, Reading, Target, Upstream,
        errors::is_plain,
        hub::{self, Losses, inline::encode_vector},
    },
};

/// Cohere takes no more texts at once.
const MOST_TEXTS: usize = 96;

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Invocation<'a> {
    #[serde(rename_all = "camelCase")]
    Titan {
        input_text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        dimensions: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        normalize: Option<bool>,
    },
    Cohere {
        texts: &'a [String],
        input_type: &'a str,
        embedding_types: [&'static str; 1],
        #[serde(skip_serializing_if = "Option::is_none")]
        output_dimension: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        truncate: Option<&'a str>,
    },
}

/// # Errors
/// 400 for what the model does not take: token ids, another length.
pub(super) fn upstream(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    let asked = hub::embeddings::asked(request)?;
    let texts = hub::embeddings::texts(&asked.input)?;
    let model = regions::model_in(target.settings.region.as_deref(), target.model);
    let most = if regions::base(&model).starts_with("cohere.embed") { MOST_TEXTS } else { 1 };
    hub::embeddings::in_parts(texts, most, |texts| part(request, target, &asked, &model, texts))
}

fn part(
    request: &ClientRequest,
    target: Target<'_>,
    asked: &EmbeddingRequest,
    model: &str,
    texts: &[String],
) -> Result<Upstream, Refusal> {
    let mut losses = Losses::default();
    losses.drop_if("user", asked.user.is_some());
    let base = regions::base(model);
    let text = |name: &str| asked.extra.get(name).and_then(Value::as_str);
    let (invocation, read): (_, &[&str]) = match texts {
        [input_text] if base.starts_with("amazon.titan-embed-text") || base.starts_with("amazon.titan-embed-g1") => {
            let is_v2 = base.starts_with("amazon.titan-embed-text-v2");
            if !is_v2 && asked.dimensions.is_some() {
                return Err(Refusal::invalid("dimensions", "only version 2 of Titan shortens its vectors"));
            }
            let normalize = asked.extra.get("normalize").and_then(Value::as_bool).filter(|_| is_v2);
            (Invocation::Titan { input_text, dimensions: asked.dimensions, normalize }, &["normalize"])
        }
        texts if base.starts_with("cohere.embed") => {
            if asked.dimensions.is_some() && !base.starts_with("cohere.embed-v4") {
                return Err(Refusal::invalid("dimensions", "only version 4 of Cohere's models shortens its vectors"));
            }
            let configured = target.settings.embedding_input_type.as_deref();
            let input_type = text("input_type").or(configured).unwrap_or("search_document");
            let (output_dimension, truncate) = (asked.dimensions, text("truncate"));
            let embedding_types = ["float"];
            let cohere = Invocation::Cohere { texts, input_type, embedding_types, output_dimension, truncate };
            (cohere, &["input_type", "truncate"])
        }
        _ => {
            let message = "of Bedrock's embedding models the gateway knows Titan's for text and Cohere's";
            return Err(Refusal::invalid("model", message));
        }
    };
    for (name, _) in asked.extra.iter().filter(|(name, value)| !read.contains(&name.as_str()) && !value.is_null()) {
        losses.dropped(if is_plain(name) { name.clone() } else { "extra".to_owned() });
    }
    let body = serde_json::to_vec(&invocation).expect("a request serialises");
    Ok(Upstream {
        path: format!("/model/{}/invoke", regions::encoded(model)).into(),
        headers: Vec::new(),
        body: Payload::from(Bytes::from(body)),
        losses: losses.into_vec(),
        reading: Reading {
            base64: asked.encoding_format == Some(EncodingFormat::Base64),
            ..Reading::of(request, target)
        },
        more: Vec::new(),
    })
}

/// Titan's answer or Cohere's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invoked {
    embedding: Option<Vec<f64>>,
    input_text_token_count: Option<u64>,
    embeddings: Option<Vectors>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Vectors {
    Floats(Vec<Vec<f64>>),
    ByType { float: Vec<Vec<f64>> },
}

/// Cohere counts in a header only.
fn in_header(headers: &HeaderMap) -> Option<u64> {
    headers.get("x-amzn-bedrock-input-token-count")?.to_str().ok()?.parse().ok()
}

/// # Errors
/// When the body holds no vectors.
pub(super) fn answer(reading: &Reading, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Refusal> {
    let invoked: Option<Invoked> = serde_json::from_slice(body).ok();
    let counted = invoked.as_ref().and_then(|invoked| invoked.input_text_token_count);
    let tokens = counted.or_else(|| in_header(headers)).unwrap_or(0);
    let vectors = invoked.and_then(|invoked| match invoked.embeddings {
        Some(Vectors::Floats(vectors) | Vectors::ByType { float: vectors }) => Some(vectors),
        None => Some(vec![invoked.embedding?]),
    });
    let Some(vectors) = vectors else {
        return Err(Refusal::new(Cause::Upstream, "the provider's answer holds no embeddings"));
    };
    let data = vectors.into_iter().enumerate().map(|(index, vector)| Embedding {
        object: EmbeddingObject,
        index: u32::try_from(index).unwrap_or(u32::MAX),
        embedding: if reading.base64 {
            #[expect(clippy::cast_possible_truncation, reason = "what OpenAI calls base64 is 32-bit floats")]
            let floats: Vec<f32> = vector.into_iter().map(|float| float as f32).collect();
            EmbeddingVector::Base64(encode_vector(&floats))
        } else {
            EmbeddingVector::Floats(vector)
        },
        extra: Default::default(),
    });
    let response = EmbeddingResponse {
        object: ListObject,
        data: data.collect(),
        model: reading.model.to_string(),
        usage: EmbeddingUsage { prompt_tokens: tokens, total_tokens: tokens, extra: Default::default() },
        extra: Default::default(),
    };
    let body = serde_json::to_vec(&json!(response)).expect("an answer serialises");
    let usage = (tokens > 0).then(|| TokenUsage { input: tokens, ..TokenUsage::default() });
    Ok(Answer { body: body.into(), usage })
}
