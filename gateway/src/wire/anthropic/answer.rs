//! A whole answer of Claude's, in OpenAI's words.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::errors;
use crate::{
    api::{Annotation, BilledTier, TokenUsage, UrlCitation},
    refusal::{Cause, Refusal},
    wire::{Answer, Reading, hub::answers::Found},
};

#[derive(Debug, Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    content: Vec<Block<'a>>,
    #[serde(borrow)]
    stop_reason: Option<Cow<'a, str>>,
    stop_details: Option<StopDetails>,
    usage: Option<Usage>,
}

/// Any block of content, in an answer or in a stream.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Block<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub text: Option<Cow<'a, str>>,
    pub thinking: Option<String>,
    pub signature: Option<String>,
    pub data: Option<String>,
    #[serde(borrow)]
    pub id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub input: Option<&'a RawValue>,
    pub citations: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct StopDetails {
    pub explanation: Option<String>,
}

/// Token counts; in a stream later ones replace earlier ones.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
pub(super) struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
    cache_creation: Option<CacheCreation>,
    service_tier: Option<BilledTier>,
    server_tool_use: Option<ServerTools>,
    speed: Option<Pace>,
    inference_geo: Option<Pace>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
struct ServerTools {
    web_search_requests: Option<u64>,
}

/// How, or where, an answer was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Pace {
    Fast,
    Us,
    #[serde(other)]
    Ordinary,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

impl Usage {
    /// Counts are cumulative: what is there replaces what was there.
    pub(super) fn replace(&mut self, newer: Usage) {
        self.input_tokens = newer.input_tokens.or(self.input_tokens);
        self.output_tokens = newer.output_tokens.or(self.output_tokens);
        self.cache_read_input_tokens = newer.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.cache_creation_input_tokens = newer.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.output_tokens_details = newer.output_tokens_details.or(self.output_tokens_details);
        self.cache_creation = newer.cache_creation.or(self.cache_creation);
        self.service_tier = newer.service_tier.or(self.service_tier);
        self.server_tool_use = newer.server_tool_use.or(self.server_tool_use);
        self.speed = newer.speed.or(self.speed);
        self.inference_geo = newer.inference_geo.or(self.inference_geo);
    }

    /// Anthropic's `input_tokens` are those outside the cache.
    pub(super) fn tokens(&self) -> TokenUsage {
        let cached_read = self.cache_read_input_tokens.unwrap_or_default();
        let cached_write = self.cache_creation_input_tokens.unwrap_or_default();
        let kept_long = self.cache_creation.and_then(|written| written.ephemeral_1h_input_tokens);
        // the fast mode and inference kept in the US cost more than the price list says
        let dearer = self.speed == Some(Pace::Fast) || self.inference_geo == Some(Pace::Us);
        TokenUsage {
            input: self.input_tokens.unwrap_or_default().saturating_add(cached_read).saturating_add(cached_write),
            output: self.output_tokens.unwrap_or_default(),
            cached_read,
            cached_write,
            cached_write_1h: kept_long.unwrap_or_default().min(cached_write),
            tier: if dearer { BilledTier::Other } else { self.service_tier.unwrap_or_default() },
            // each has its price, whatever it finds: platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
            searches: self.server_tool_use.and_then(|tools| tools.web_search_requests).unwrap_or_default(),
            reasoning: self.output_tokens_details.and_then(|details| details.thinking_tokens).unwrap_or_default(),
            ..TokenUsage::default()
        }
    }
}

pub(super) fn answer(reading: &Reading, body: &[u8]) -> Result<Answer, Refusal> {
    let Ok(message) = serde_json::from_slice::<Message<'_>>(body) else {
        return Err(errors::disguised_or(body, "the provider's answer could not be read"));
    };
    let mut found = Found { id: message.id.into_owned(), model: message.model.into_owned(), ..Found::default() };
    let mut content: Option<String> = None;
    let mut reasoning = String::new();
    let mut thoughts = Vec::new();
    let mut citations = Vec::new();
    for block in message.content {
        match &*block.kind {
            "text" => {
                let content = content.get_or_insert_default();
                let start = content.chars().count();
                content.push_str(block.text.as_deref().unwrap_or_default());
                let end = content.chars().count();
                let (annotations, others) = cited(block.citations.unwrap_or_default(), start, end);
                found.annotations.extend(annotations);
                citations.extend(others);
            }
            "thinking" => {
                reasoning.push_str(block.thinking.as_deref().unwrap_or_default());
                thoughts.push(thought(block.thinking.unwrap_or_default(), block.signature.unwrap_or_default()));
            }
            "redacted_thinking" => thoughts.push(redacted(block.data.unwrap_or_default())),
            "tool_use" => {
                let name = block.name.unwrap_or_default();
                let input = block.input.map_or("{}", RawValue::get);
                if reading.json_tool.as_deref() == Some(&*name) {
                    content.get_or_insert_default().push_str(input);
                } else {
                    found.call(reading, &block.id.unwrap_or_default(), &name, input.to_owned());
                }
            }
            _ => {}
        }
    }
    found.finish_reason = finish_reason(message.stop_reason.as_deref(), !found.calls.is_empty());
    if message.stop_reason.as_deref() == Some("refusal") {
        found.refusal = message.stop_details.and_then(|details| details.explanation);
    }
    found.content = content;
    found.reasoning = (!reasoning.is_empty()).then_some(reasoning);
    found.extra = extra(thoughts, citations);
    found.usage = message.usage.as_ref().map(Usage::tokens);
    if found.id.is_empty() {
        return Err(Refusal::new(Cause::Upstream, "the provider's answer could not be read"));
    }
    Ok(found.answer(reading))
}

/// Anthropic's stop reason as OpenAI's finish reason.
pub(super) fn finish_reason(stop_reason: Option<&str>, calls: bool) -> &'static str {
    match stop_reason {
        // `pause_turn`: a server tool took too long, and the answer could be gone on with.
        Some("max_tokens" | "model_context_window_exceeded" | "pause_turn") => "length",
        Some("refusal") => "content_filter",
        Some("tool_use") | None if calls => "tool_calls",
        // `end_turn`, `stop_sequence`, and what is still to come.
        _ => "stop",
    }
}

/// A thinking block as Claude wants it back.
pub(super) fn thought(thinking: String, signature: String) -> Value {
    json!({"type": "thinking", "thinking": thinking, "signature": signature})
}

pub(super) fn redacted(data: String) -> Value {
    json!({"type": "redacted_thinking", "data": data})
}

/// The citations of the characters from `start` to before `end`: those of web pages in OpenAI's form, the others as they are.
pub(super) fn cited(citations: Vec<Value>, start: usize, end: usize) -> (Vec<Annotation>, Vec<Value>) {
    let (mut annotations, mut others) = (Vec::new(), Vec::new());
    for citation in citations {
        match web_citation(&citation, start, end) {
            Some(annotation) => annotations.push(annotation),
            None => others.push(citation),
        }
    }
    (annotations, others)
}

/// A web page that a stretch of the answer is from.
fn web_citation(citation: &Value, start: usize, end: usize) -> Option<Annotation> {
    let text = |name: &str| citation.get(name).and_then(Value::as_str).map(str::to_owned);
    let kind = citation.get("type").and_then(Value::as_str)?;
    let url = text("url").filter(|_| kind == "web_search_result_location")?;
    let mut extra = Map::new();
    extra.extend(text("cited_text").map(|cited| ("cited_text".to_owned(), Value::String(cited))));
    let title = text("title").unwrap_or_default();
    let url_citation = UrlCitation {
        start_index: start as u64,
        end_index: end.saturating_sub(1).max(start) as u64,
        title,
        url,
        extra,
    };
    Some(Annotation::UrlCitation { url_citation })
}

fn extra(thoughts: Vec<Value>, citations: Vec<Value>) -> Map<String, Value> {
    let members = [("thinking_blocks", thoughts), ("citations", citations)];
    let present = members.into_iter().filter(|(_, list)| !list.is_empty());
    present.map(|(name, list)| (name.to_owned(), Value::Array(list))).collect()
}
