//! Embeddings: one text, a batch, or Vertex AI's `:predict`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::{errors, path};
use crate::{
    api::{
        ClientRequest, Embedding, EmbeddingObject, EmbeddingRequest, EmbeddingResponse, EmbeddingUsage,
        EmbeddingVector, EncodingFormat, ListObject, TokenUsage,
    },
    refusal::{Cause, Refusal},
    wire::{
        Answer, Reading, Target, Upstream,
        hub::{self, Losses, inline},
    },
};

/// What AI Studio takes in one batch.
const MAX_BATCH: usize = 100;
/// What Vertex AI takes in one `:predict`; Gemini's own models take one text there.
/// <https://cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings>
const MAX_INSTANCES: usize = 250;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Embed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u32>,
    /// Where Vertex AI wants what AI Studio has above.
    #[serde(skip_serializing_if = "Option::is_none")]
    embed_content_config: Option<Parameters<'a>>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Text<'a>; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Batch<'a> {
    requests: Vec<Embed<'a>>,
}

#[derive(Serialize)]
struct Predict<'a> {
    instances: Vec<Instance<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters<'a>>,
}

#[derive(Serialize)]
struct Instance<'a> {
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Parameters<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u32>,
}

pub(super) fn upstream(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    let asked = hub::embeddings::asked(request)?;
    let texts = hub::embeddings::texts(&asked.input)?;
    let most = match path::is_vertex(target.settings) {
        false => MAX_BATCH,
        true if target.model.contains("gemini") => 1,
        true => MAX_INSTANCES,
    };
    hub::embeddings::in_parts(texts, most, |texts| part(request, target, &asked, texts))
}

fn part(
    request: &ClientRequest,
    target: Target<'_>,
    asked: &EmbeddingRequest,
    texts: &[String],
) -> Result<Upstream, Refusal> {
    let mut losses = Losses::default();
    losses.drop_if("user", asked.user.is_some());
    let task_type = asked.extra.get("task_type").and_then(|task| task.as_str());
    let dimensions = asked.dimensions;
    let (method, body) = if !path::is_vertex(target.settings) {
        studio(texts, task_type, dimensions, target)
    } else if let [text] = texts
        && embeds_content(target.model)
    {
        let config = Parameters { task_type, output_dimensionality: dimensions };
        let embed_content_config = (task_type.is_some() || dimensions.is_some()).then_some(config);
        let content = Content { parts: [Text { text }] };
        let embed = Embed { model: None, content, task_type: None, output_dimensionality: None, embed_content_config };
        ("embedContent", json(&embed))
    } else {
        let instances = texts.iter().map(|content| Instance { content, task_type }).collect();
        let parameters = dimensions.map(|_| Parameters { task_type: None, output_dimensionality: dimensions });
        ("predict", json(&Predict { instances, parameters }))
    };
    let base64 = asked.encoding_format == Some(EncodingFormat::Base64);
    let reading = Reading { base64, ..Reading::of(request, target) };
    Ok(Upstream {
        path: path::of(target, method).into(),
        headers: Vec::new(),
        body: Bytes::from(body).into(),
        losses: losses.into_vec(),
        reading,
        more: Vec::new(),
    })
}

/// The newer Gemini models are not behind `:predict`. (google-genai: `t_is_vertex_embed_content_model`)
fn embeds_content(model: &str) -> bool {
    model.contains("gemini") && !model.contains("gemini-embedding-001")
}

fn studio(
    texts: &[String],
    task_type: Option<&str>,
    dimensions: Option<u32>,
    target: Target<'_>,
) -> (&'static str, Vec<u8>) {
    let embed = |model, text| Embed {
        model,
        content: Content { parts: [Text { text }] },
        task_type,
        output_dimensionality: dimensions,
        embed_content_config: None,
    };
    if let [text] = texts {
        return ("embedContent", json(&embed(None, text)));
    }
    let name = format!("models/{}", target.model.strip_prefix("models/").unwrap_or(target.model));
    let requests = texts.iter().map(|text| embed(Some(&name), text)).collect();
    ("batchEmbedContents", json(&Batch { requests }))
}

fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("a request serialises")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    embedding: Option<Vector>,
    embeddings: Option<Vec<Vector>>,
    predictions: Option<Vec<Prediction>>,
    usage_metadata: Option<super::reply::UsageMetadata>,
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Prediction {
    embeddings: Vector,
}

#[derive(Deserialize)]
struct Vector {
    #[serde(default)]
    values: Vec<f64>,
    statistics: Option<Statistics>,
}

#[derive(Deserialize)]
struct Statistics {
    #[serde(alias = "tokenCount", default)]
    token_count: f64,
}

pub(super) fn answer(reading: &Reading, body: &[u8]) -> Result<Answer, Refusal> {
    let unreadable = || Refusal::new(Cause::Upstream, "the provider's answer could not be read");
    let reply: Reply = serde_json::from_slice(body).map_err(|_| unreadable())?;
    if reply.error.is_some() {
        return Err(errors::disguised(body));
    }
    let predicted = || Some(reply.predictions?.into_iter().map(|prediction| prediction.embeddings).collect());
    let vectors: Vec<Vector> = match (reply.embedding, reply.embeddings) {
        (Some(one), _) => vec![one],
        (None, Some(many)) => many,
        (None, None) => predicted().ok_or_else(unreadable)?,
    };
    // AI Studio counts nothing: 0 then.
    let counted: f64 = vectors.iter().filter_map(|vector| Some(vector.statistics.as_ref()?.token_count)).sum();
    let counted = reply.usage_metadata.map_or(counted as u64, |usage| usage.prompt_token_count);
    let data = vectors.into_iter().zip(0..).map(|(vector, index)| Embedding {
        object: EmbeddingObject,
        index,
        embedding: if reading.base64 {
            let floats: Vec<f32> = vector.values.iter().map(|value| *value as f32).collect();
            EmbeddingVector::Base64(inline::encode_vector(&floats))
        } else {
            EmbeddingVector::Floats(vector.values)
        },
        extra: Map::default(),
    });
    let response = EmbeddingResponse {
        object: ListObject,
        data: data.collect(),
        model: reading.model.to_string(),
        usage: EmbeddingUsage { prompt_tokens: counted, total_tokens: counted, extra: Map::default() },
        extra: Map::default(),
    };
    let usage = (counted > 0).then(|| TokenUsage { input: counted, ..TokenUsage::default() });
    Ok(Answer { body: json(&response).into(), usage })
}
