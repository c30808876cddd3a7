//! `/rerank`: relevance is the share of words that query and document have in common.

use std::collections::BTreeSet;

use serde_json::Map;

use super::{id, options::Options, rejection::Rejection, reply::Reply, require_model, text::count};
use crate::api::{RerankDocument, RerankDocumentObject, RerankRequest, RerankResponse, RerankResult, RerankUsage};

/// In one search unit, as at Cohere.
const DOCUMENTS_PER_UNIT: usize = 100;

pub(super) fn answer(body: &[u8]) -> Result<(Reply, Options), Rejection> {
    let request: RerankRequest = crate::wire::hub::parse(body)?;
    let (model, options) = Options::parse(&request.model)?;
    require_model(model, &["rerank"], "/v1/chat/completions")?;
    let texts = texts(&request.documents)?;

    let asked = words(&request.query);
    let mut results: Vec<RerankResult> = (0..)
        .zip(&texts)
        .map(|(index, text)| RerankResult {
            index,
            relevance_score: overlap(&asked, &words(text)),
            document: (request.return_documents == Some(true)).then(|| document(text)),
            extra: Map::new(),
        })
        .collect();
    results.sort_by(|one, other| other.relevance_score.total_cmp(&one.relevance_score));
    results.truncate(request.top_n.map_or(usize::MAX, |top_n| top_n as usize));

    let read = texts.iter().map(|text| count(text) + count(&request.query)).sum();
    let usage = options.usage.then(|| RerankUsage {
        prompt_tokens: Some(read),
        total_tokens: Some(read),
        search_units: Some(texts.len().div_ceil(DOCUMENTS_PER_UNIT) as u64),
        extra: Map::new(),
    });
    let response = RerankResponse {
        id: Some(id("rerank-")),
        model: Some(model.to_owned()),
        results,
        usage,
        meta: None,
        extra: Map::new(),
    };
    Ok((Reply::whole(&response), options))
}

fn texts(documents: &[RerankDocument]) -> Result<Vec<&str>, Rejection> {
    let mut texts = Vec::with_capacity(documents.len());
    for (at, document) in documents.iter().enumerate() {
        let text = match document {
            RerankDocument::Text(text) => Some(text.as_str()),
            RerankDocument::Object(object) => object.text.as_deref(),
        };
        let missing = || Rejection::invalid(format!("documents[{at}].text"), "a document needs a text.");
        texts.push(text.ok_or_else(missing)?);
    }
    Ok(texts)
}

fn document(text: &str) -> RerankDocument {
    RerankDocument::Object(RerankDocumentObject { text: Some(text.to_owned()), extra: Map::new() })
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// From 0, nothing in common, to 1, the same words.
fn overlap(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let all = one.union(other).count();
    if all == 0 { 0.0 } else { one.intersection(other).count() as f64 / all as f64 }
}
