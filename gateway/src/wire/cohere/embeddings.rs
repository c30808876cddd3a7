//! Embeddings: texts in, vectors out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{answer::count, errors};
use crate::{
    api::{
        ClientRequest, Embedding, EmbeddingObject, EmbeddingRequest, EmbeddingResponse, EmbeddingUsage,
        EmbeddingVector, EncodingFormat, ListObject, TokenUsage,
    },
    refusal::{Cause, Refusal},
    wire::{Answer, Reading, Target, Upstream, hub},
};

/// The most texts in one request.
const MAX_TEXTS: usize = 96;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input_type: Cow<'a, str>,
    texts: &'a [String],
    embedding_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate: Option<&'a str>,
}

#[derive(Deserialize)]
struct Response {
    embeddings: Vectors,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Vectors {
    float: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct Meta {
    billed_units: Option<Billed>,
}

#[derive(Deserialize)]
struct Billed {
    input_tokens: Option<f64>,
}

/// # Errors
/// 400 for tokens instead of texts.
pub(super) fn request(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    let asked = hub::embeddings::asked(request)?;
    let texts = hub::embeddings::texts(&asked.input)?;
    hub::embeddings::in_parts(texts, MAX_TEXTS, |texts| part(request, target, &asked, texts))
}

fn part(
    request: &ClientRequest,
    target: Target<'_>,
    asked: &EmbeddingRequest,
    texts: &[String],
) -> Result<Upstream, Refusal> {
    let mut losses = hub::Losses::default();
    losses.drop_if("user", asked.user.is_some());
    let own = |name: &str| asked.extra.get(name).and_then(|value| value.as_str());
    let known = |name: &str| matches!(name, "input_type" | "truncate");
    for (name, _) in asked.extra.iter().filter(|(name, value)| !known(name) && !value.is_null()) {
        losses.dropped(name.clone());
    }
    let configured = target.settings.embedding_input_type.as_deref();
    let body = Request {
        model: target.model,
        input_type: own("input_type").or(configured).unwrap_or("search_document").into(),
        texts,
        embedding_types: ["float"],
        output_dimension: asked.dimensions,
        truncate: own("truncate"),
    };
    let body = serde_json::to_vec(&body)
        .map_err(|_| Refusal::new(Cause::Internal, "the request could not be written for Cohere"))?;
    Ok(Upstream {
        path: "/v2/embed".into(),
        headers: Vec::new(),
        body: bytes::Bytes::from(body).into(),
        losses: losses.into_vec(),
        reading: Reading {
            base64: asked.encoding_format == Some(EncodingFormat::Base64),
            ..Reading::of(request, target)
        },
        more: Vec::new(),
    })
}

/// # Errors
/// When the body holds no vectors.
pub(super) fn answer(reading: &Reading, body: &[u8]) -> Result<Answer, Refusal> {
    let Ok(response) = serde_json::from_slice::<Response>(body) else {
        return Err(errors::disguised_or(body, "the provider's answer could not be read"));
    };
    let input = count(response.meta.and_then(|meta| meta.billed_units).and_then(|units| units.input_tokens));
    let vector = |vector: &Vec<f32>| {
        if reading.base64 {
            return EmbeddingVector::Base64(hub::inline::encode_vector(vector));
        }
        // By way of text, since `0.1` as f64 is not the f64 of `0.1` as f32.
        EmbeddingVector::Floats(vector.iter().map(|float| float.to_string().parse().unwrap_or_default()).collect())
    };
    let vectors = response.embeddings.float.iter().zip(0..);
    let data = vectors.map(|(floats, index)| Embedding {
        object: EmbeddingObject,
        index,
        embedding: vector(floats),
        extra: serde_json::Map::default(),
    });
    let response = EmbeddingResponse {
        object: ListObject,
        data: data.collect(),
        model: reading.model.to_string(),
        usage: EmbeddingUsage { prompt_tokens: input, total_tokens: input, ..EmbeddingUsage::default() },
        extra: serde_json::Map::default(),
    };
    let body =
        serde_json::to_vec(&response).map_err(|_| Refusal::new(Cause::Internal, "the answer could not be written"))?;
    Ok(Answer { body: body.into(), usage: Some(TokenUsage { input, ..TokenUsage::default() }) })
}
