//! Rerank: documents in, their order out.

use serde::Serialize;
use serde_json::Value;

use crate::{
    api::ClientRequest,
    refusal::Refusal,
    wire::{Reading, Target, Upstream, hub},
};

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    query: &'a str,
    documents: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_n: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens_per_doc: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relevant_spans: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<&'a Value>,
}

/// # Errors
/// 400 for documents without a text, and for what ranks nothing.
pub(super) fn request(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    let asked = hub::rerank::asked(request)?;
    let mut losses = hub::Losses::default();
    hub::rerank::drop_unknown(&asked, &["relevant_spans", "priority"], &mut losses);
    let body = Request {
        model: target.model,
        query: &asked.query,
        documents: hub::rerank::texts(&asked.documents, &mut losses)?,
        top_n: hub::rerank::top_n(&asked),
        max_tokens_per_doc: asked.max_tokens_per_doc,
        relevant_spans: asked.extra.get("relevant_spans"),
        priority: asked.extra.get("priority"),
    };
    let body = serde_json::to_vec(&body).expect("a request serialises");
    // The second version repeats no documents: the answer's writer does.
    let documents = if asked.return_documents == Some(true) { asked.documents } else { Vec::new() };
    Ok(Upstream {
        path: "/v2/rerank".into(),
        headers: Vec::new(),
        body: bytes::Bytes::from(body).into(),
        losses: losses.into_vec(),
        reading: Reading { documents, ..Reading::of(request, target) },
        more: Vec::new(),
    })
}
