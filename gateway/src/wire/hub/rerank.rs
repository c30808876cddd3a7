//! Reranking, as Cohere's models are asked wherever they run.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Losses;
use crate::{
    api::{
        ClientRequest, RerankDocument, RerankMeta, RerankRequest, RerankResponse, RerankResult, RerankUsage, TokenUsage,
    },
    config::PRESETS,
    refusal::{Cause, Refusal},
    wire::{Answer, Reading, errors::is_plain},
};

/// The client's request, typed and complete.
///
/// # Errors
/// 400 naming the field.
pub fn asked(request: &ClientRequest) -> Result<RerankRequest, Refusal> {
    let asked: RerankRequest = super::parse(&request.body)?;
    let refuse = |param: &'static str, message: &'static str| Err(Refusal::invalid(param, message));
    if asked.query.is_empty() {
        return refuse("query", "`query` is empty");
    }
    if asked.documents.is_empty() {
        return refuse("documents", "`documents` is empty: there is nothing to rank");
    }
    if asked.top_n == Some(0) {
        return refuse("top_n", "`top_n` must be at least 1");
    }
    if asked.max_tokens_per_doc == Some(0) {
        return refuse("max_tokens_per_doc", "`max_tokens_per_doc` must be at least 1");
    }
    if request.envelope.stream {
        return refuse("stream", "a ranking is answered in one piece");
    }
    Ok(asked)
}

/// The texts that are ranked. Whatever else belongs to a document stays behind.
///
/// # Errors
/// 400 for a document without a text.
pub fn texts<'a>(documents: &'a [RerankDocument], losses: &mut Losses) -> Result<Vec<&'a str>, Refusal> {
    let mut text = |(at, document): (usize, &'a RerankDocument)| match document {
        RerankDocument::Text(text) => Ok(text.as_str()),
        RerankDocument::Object(object) => {
            if !object.extra.is_empty() {
                losses.approximated("documents");
            }
            object.text.as_deref().ok_or_else(|| {
                Refusal::invalid(format!("documents[{at}].text"), "this provider ranks texts: every document needs one")
            })
        }
    };
    documents.iter().enumerate().map(&mut text).collect()
}

/// How many results are asked for; there are no more than documents.
pub fn top_n(asked: &RerankRequest) -> Option<u32> {
    asked.top_n.map(|top_n| top_n.min(u32::try_from(asked.documents.len()).unwrap_or(u32::MAX)))
}

/// Reports the members that are neither OpenAI's, in a manner of speaking, nor the provider's own.
pub fn drop_unknown(asked: &RerankRequest, own: &[&str], losses: &mut Losses) {
    for (name, _) in asked.extra.iter().filter(|(name, value)| !own.contains(&name.as_str()) && !value.is_null()) {
        losses.dropped(if is_plain(name) { name.clone() } else { "extra".to_owned() });
    }
}

#[derive(Deserialize)]
struct Reply {
    id: Option<String>,
    results: Vec<Ranked>,
    meta: Option<RerankMeta>,
}

#[derive(Deserialize)]
struct Ranked {
    index: u32,
    #[serde(alias = "relevanceScore")]
    relevance_score: f64,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// The answer of one of Cohere's models, or of one that speaks like them.
///
/// # Errors
/// When it is none.
pub fn answer(reading: &Reading, body: &[u8]) -> Result<Answer, Refusal> {
    let reply: Reply = serde_json::from_slice(body)
        .map_err(|_| Refusal::new(Cause::Upstream, "the provider's answer holds no ranking"))?;
    let usage = reply.meta.as_ref().and_then(counted);
    let document = |index: u32| reading.documents.get(index as usize).cloned().map(object);
    let results = reply.results.into_iter().map(|ranked| RerankResult {
        index: ranked.index,
        relevance_score: ranked.relevance_score,
        document: document(ranked.index),
        extra: ranked.extra,
    });
    let response = RerankResponse {
        id: reply.id,
        model: Some(reading.model.to_string()),
        results: results.collect(),
        usage: usage.as_ref().map(usage_of),
        meta: reply.meta,
        extra: Map::new(),
    };
    let body = serde_json::to_vec(&response).expect("an answer serialises");
    Ok(Answer { body: Bytes::from(body), usage })
}

/// Documents come back as objects, as Cohere's first version had them.
fn object(document: RerankDocument) -> RerankDocument {
    match document {
        RerankDocument::Text(text) => {
            RerankDocument::Object(crate::api::RerankDocumentObject { text: Some(text), ..Default::default() })
        }
        object @ RerankDocument::Object(_) => object,
    }
}

fn counted(meta: &RerankMeta) -> Option<TokenUsage> {
    let whole = |count: &Value| count.as_f64().map(|count| count as u64);
    let search_units = meta.billed_units.as_ref().and_then(|units| units.search_units).map(|units| units as u64);
    let input = meta.extra.get("tokens").and_then(|tokens| whole(tokens.get("input_tokens")?));
    (search_units.is_some() || input.is_some()).then(|| TokenUsage {
        input: input.unwrap_or(0),
        searches: search_units.unwrap_or(0),
        ..TokenUsage::default()
    })
}

fn usage_of(counted: &TokenUsage) -> RerankUsage {
    let tokens = (counted.input > 0).then_some(counted.input);
    RerankUsage {
        prompt_tokens: tokens,
        total_tokens: tokens,
        search_units: (counted.searches > 0).then_some(counted.searches),
        extra: Map::new(),
    }
}

/// For a provider that does not rank.
pub fn unsupported() -> Refusal {
    let able: Vec<String> =
        PRESETS.iter().filter(|preset| preset.quirks.rerank).map(|preset| format!("`{}`", preset.name)).collect();
    let message = format!(
        "the provider of this model does not rerank; {} do, and any server of type `openai-compatible` with a `/rerank`",
        able.join(", ")
    );
    Refusal::invalid("model", message)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::json;

    use super::*;
    use crate::{
        api::Endpoint,
        config::{Settings, preset},
        wire::{self, Fate, Target, Upstream, openai},
    };

    fn sent(kind: &str, model: &str, members: &Value) -> Result<Upstream, Refusal> {
        let mut body = json!({ "model": "m", "query": "q", "documents": ["a", { "text": "b" }] });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let request = openai::read(Endpoint::Rerank, Bytes::from(body.to_string()))?;
        let preset = preset(kind).unwrap();
        let settings = Settings { region: Some("eu-central-1".to_owned()), ..Settings::default() };
        let target = Target { model, quirks: preset.quirks, settings: &settings, now: 7 };
        wire::format(preset.api_format).unwrap().request(&request, target)
    }

    fn body(upstream: &Upstream) -> Value {
        serde_json::from_slice(&upstream.body.to_bytes()).unwrap()
    }

    #[test]
    fn every_provider_is_asked_in_its_own_words() {
        let members = json!({ "top_n": 9, "max_tokens_per_doc": 5, "return_documents": true, "rank_fields": ["x"] });
        for (kind, model, path, expected, lost) in [
            (
                "cohere",
                "rerank-v3.5",
                "/v2/rerank",
                json!({ "model": "rerank-v3.5", "query": "q", "documents": ["a", "b"], "top_n": 2, "max_tokens_per_doc": 5 }),
                &["rank_fields"][..],
            ),
            (
                "bedrock",
                "cohere.rerank-v3-5:0",
                "/model/cohere.rerank-v3-5%3A0/invoke",
                json!({ "query": "q", "documents": ["a", "b"], "top_n": 2, "max_tokens_per_doc": 5, "api_version": 2 }),
                &["rank_fields"],
            ),
            (
                "bedrock",
                "arn:aws:bedrock:eu-central-1::foundation-model/amazon.rerank-v1:0",
                "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A%3Afoundation-model%2Famazon.rerank-v1%3A0/invoke",
                json!({ "query": "q", "documents": ["a", "b"], "top_n": 2 }),
                &["rank_fields", "max_tokens_per_doc"],
            ),
            (
                "vllm",
                "bge",
                "/rerank",
                json!({ "model": "bge", "query": "q", "documents": ["a", { "text": "b" }], "top_n": 9,
                    "max_tokens_per_doc": 5, "return_documents": true, "rank_fields": ["x"] }),
                &[],
            ),
        ] {
            let upstream = sent(kind, model, &members).unwrap();
            assert_eq!((&*upstream.path, body(&upstream)), (path, expected), "{kind}");
            let losses: Vec<&str> = upstream.losses.iter().map(|loss| &*loss.field).collect();
            assert_eq!(losses, lost, "{kind}");
        }
    }

    #[test]
    fn a_mistake_names_its_field() {
        for (members, param) in [
            (json!({ "query": null }), "query"),
            (json!({ "query": "" }), "query"),
            (json!({ "query": ["q"] }), "query"),
            (json!({ "documents": null }), "documents"),
            (json!({ "documents": "a" }), "documents"),
            (json!({ "documents": [] }), "documents"),
            (json!({ "documents": ["a", 5] }), "documents[1]"),
            (json!({ "top_n": 0 }), "top_n"),
            (json!({ "top_n": -1 }), "top_n"),
            (json!({ "top_n": "1" }), "top_n"),
            (json!({ "return_documents": "yes" }), "return_documents"),
            (json!({ "max_tokens_per_doc": 0 }), "max_tokens_per_doc"),
            (json!({ "stream": true }), "stream"),
        ] {
            for (kind, model) in [("cohere", "rerank-v3.5"), ("bedrock", "amazon.rerank-v1:0"), ("vllm", "bge")] {
                let refusal = sent(kind, model, &members).unwrap_err();
                assert_eq!(
                    (refusal.cause, refusal.param.as_deref()),
                    (Cause::Invalid, Some(param)),
                    "{kind} {members}"
                );
            }
        }
        let no_text = json!({ "documents": ["a", { "image": "x" }] });
        assert_eq!(sent("cohere", "rerank-v3.5", &no_text).unwrap_err().param.unwrap(), "documents[1].text");
        assert!(sent("openrouter", "m", &no_text).is_ok(), "a server that ranks images says itself what it takes");
        let more = sent("cohere", "rerank-v3.5", &json!({ "documents": [{ "text": "a", "id": 5 }] })).unwrap();
        assert_eq!((&*more.losses[0].field, more.losses[0].fate), ("documents", Fate::Approximated));
    }

    #[test]
    fn who_cannot_rank_names_who_can() {
        for (kind, model) in [("openai", "m"), ("azure", "m"), ("anthropic", "m"), ("gemini", "m"), ("groq", "m")] {
            let refusal = sent(kind, model, &json!({})).unwrap_err();
            assert_eq!((refusal.cause, refusal.param.as_deref()), (Cause::Invalid, Some("model")), "{kind}");
            assert!(refusal.message.contains("`bedrock`, `cohere`, `together`"), "{}", refusal.message);
            assert!(!refusal.message.contains("`openai`"), "{}", refusal.message);
        }
        assert_eq!(sent("bedrock", "amazon.nova-pro-v1:0", &json!({})).unwrap_err().param.unwrap(), "model");
    }

    #[test]
    fn an_answer_repeats_the_documents_that_were_asked_for() {
        let ranked = r#"{"id":"r1","results":[{"index":1,"relevance_score":0.5,"relevant_spans":[]},{"index":0,"relevance_score":0.25}],
            "meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1.0}}}"#;
        let answered = |kind, model, members: &Value, body: &'static str| {
            let reading = sent(kind, model, members).unwrap().reading;
            let format = wire::format(kind).unwrap();
            format.answer(&reading, &HeaderMap::new(), Bytes::from_static(body.as_bytes()))
        };
        let answer = answered("cohere", "rerank-v3.5", &json!({ "return_documents": true }), ranked).unwrap();
        let value: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            value,
            json!({
                "id": "r1", "model": "rerank-v3.5",
                "results": [
                    { "index": 1, "relevance_score": 0.5, "document": { "text": "b" }, "relevant_spans": [] },
                    { "index": 0, "relevance_score": 0.25, "document": { "text": "a" } },
                ],
                "usage": { "search_units": 1 },
                "meta": { "billed_units": { "search_units": 1.0 }, "api_version": { "version": "2" } },
            })
        );
        let expected = TokenUsage { searches: 1, ..TokenUsage::default() };
        assert_eq!(answer.usage, Some(expected));

        let amazon = r#"{"results":[{"index":0,"relevance_score":0.5}]}"#;
        let answer = answered("bedrock", "amazon.rerank-v1:0", &json!({}), amazon).unwrap();
        let value: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(value["results"], json!([{ "index": 0, "relevance_score": 0.5 }]));
        assert_eq!(answer.usage, None);
        assert_eq!(answered("cohere", "m", &json!({}), r#"{"message":"no"}"#).unwrap_err().cause, Cause::Upstream);
    }

    #[test]
    fn presets_say_who_ranks() {
        let able: Vec<&str> = PRESETS.iter().filter(|preset| preset.quirks.rerank).map(|preset| preset.name).collect();
        assert_eq!(able, ["bedrock", "cohere", "together", "openrouter", "vllm", "localai", "simulator"]);
    }
}
