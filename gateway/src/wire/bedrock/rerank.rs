//! Reranking by `InvokeModel`, whose body is Cohere's for Cohere's model and Amazon's alike.
//!
//! The `Rerank` operation would do it too, but it is another service's (`bedrock-agent-runtime`): at another host, known
//! by ARNs, closed to Bedrock's own API keys, and silent about what is billed. (botocore: `bedrock-agent-runtime`
//! has `auth: sigv4` alone.)

use bytes::Bytes;
use serde::Serialize;

use super::regions;
use crate::{
    api::ClientRequest,
    refusal::Refusal,
    wire::{
        Payload, Reading, Target, Upstream,
        hub::{self, Losses},
    },
};

#[derive(Debug, Serialize)]
struct Invocation<'a> {
    query: &'a str,
    documents: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_n: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens_per_doc: Option<u32>,
    /// Cohere's: without it version 1 is meant, which Bedrock refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<u32>,
}

/// # Errors
/// 400 for other models, and for what ranks nothing.
pub(super) fn upstream(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    let asked = hub::rerank::asked(request)?;
    let mut losses = Losses::default();
    hub::rerank::drop_unknown(&asked, &[], &mut losses);
    let model = regions::model_in(target.settings.region.as_deref(), target.model);
    let base = regions::base(&model);
    let is_cohere = base.starts_with("cohere.rerank");
    if !is_cohere && !base.starts_with("amazon.rerank") {
        return Err(Refusal::invalid("model", "of Bedrock's models those of Cohere and Amazon named `rerank` rank"));
    }
    losses.drop_if("max_tokens_per_doc", !is_cohere && asked.max_tokens_per_doc.is_some());
    let invocation = Invocation {
        query: &asked.query,
        documents: hub::rerank::texts(&asked.documents, &mut losses)?,
        top_n: hub::rerank::top_n(&asked),
        max_tokens_per_doc: asked.max_tokens_per_doc.filter(|_| is_cohere),
        api_version: is_cohere.then_some(2),
    };
    let body = serde_json::to_vec(&invocation).expect("a request serialises");
    let documents = if asked.return_documents == Some(true) { asked.documents } else { Vec::new() };
    Ok(Upstream {
        path: format!("/model/{}/invoke", regions::encoded(&model)).into(),
        headers: Vec::new(),
        body: Payload::from(Bytes::from(body)),
        losses: losses.into_vec(),
        reading: Reading { documents, ..Reading::of(request, target) },
        more: Vec::new(),
    })
}
