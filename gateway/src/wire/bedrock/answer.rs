//! Converse's whole answer, made OpenAI's. The shapes here are those of streams, too.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    api::{Annotation, BilledTier, TokenUsage, UrlCitation},
    refusal::{Cause, Refusal},
    wire::{Answer, Reading, hub::answers::Found},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    #[serde(borrow)]
    output: Output<'a>,
    stop_reason: String,
    usage: Option<Counts>,
    service_tier: Option<Tier>,
    additional_model_response_fields: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Debug, Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Vec<Block<'a>>,
}

/// A union; members that are not known are read over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    text: Option<String>,
    #[serde(borrow)]
    tool_use: Option<ToolUse<'a>>,
    reasoning_content: Option<ReasoningContent>,
    citations_content: Option<CitationsContent>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse<'a> {
    tool_use_id: String,
    name: String,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    /// `server_tool_use`: Bedrock calls it itself.
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReasoningContent {
    reasoning_text: Option<ReasoningText>,
    redacted_content: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ReasoningText {
    #[serde(default)]
    text: String,
    signature: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CitationsContent {
    #[serde(default)]
    content: Vec<CitedText>,
    #[serde(default)]
    citations: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct CitedText {
    #[serde(default)]
    text: String,
}

/// Converse's usage: `inputTokens` holds neither what was read from a cache nor what was written to it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Counts {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    /// The writes by how long they are kept.
    cache_details: Option<Vec<Kept>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    ttl: String,
    input_tokens: u64,
}

/// How a request was served.
#[derive(Debug, Deserialize)]
pub(super) struct Tier {
    #[serde(rename = "type")]
    kind: BilledTier,
}

impl Counts {
    /// `fields` are the answer's `additionalModelResponseFields`, where Claude counts its thoughts.
    pub(super) fn usage(&self, fields: Option<&Value>, tier: Option<&Tier>) -> TokenUsage {
        let cached_read = self.cache_read_input_tokens.unwrap_or_default();
        let cached_write = self.cache_write_input_tokens.unwrap_or_default();
        let kept = self.cache_details.iter().flatten();
        let kept_long = kept.filter(|kept| kept.ttl == "1h").map(|kept| kept.input_tokens);
        let thoughts = fields.and_then(|fields| fields.pointer("/usage/output_tokens_details/thinking_tokens"));
        TokenUsage {
            input: self.input_tokens.saturating_add(cached_read).saturating_add(cached_write),
            output: self.output_tokens,
            cached_read,
            cached_write,
            cached_write_1h: kept_long.sum::<u64>().min(cached_write),
            tier: tier.map(|tier| tier.kind).unwrap_or_default(),
            reasoning: thoughts.and_then(Value::as_u64).unwrap_or_default().min(self.output_tokens),
            ..TokenUsage::default()
        }
    }
}

/// # Errors
/// When the body is no answer, or says that the model failed.
pub(super) fn answer(reading: &Reading, body: &Bytes) -> Result<Answer, Refusal> {
    let whole: Whole<'_> = serde_json::from_slice(body)
        .map_err(|_| Refusal::new(Cause::Upstream, "the provider's answer is not one of Converse's"))?;
    let mut found = Found { id: answer_id(), ..Found::default() };
    let (mut text, mut thoughts, mut thinking, mut cited) = (String::new(), String::new(), Vec::new(), Vec::new());
    let mut characters = 0;
    for block in whole.output.message.content {
        if let Some(piece) = block.text {
            characters += piece.chars().count() as u64;
            text.push_str(&piece);
        }
        if let Some(cites) = block.citations_content {
            let begin = characters;
            for piece in cites.content {
                characters += piece.text.chars().count() as u64;
                text.push_str(&piece.text);
            }
            found.annotations.extend(cites.citations.iter().filter_map(|cite| annotation(cite, begin, characters)));
            cited.extend(cites.citations);
        }
        if let Some(reasoning) = block.reasoning_content {
            if let Some(thought) = reasoning.reasoning_text {
                thoughts.push_str(&thought.text);
                thinking.push(thinking_block(&thought.text, thought.signature.as_deref()));
            }
            thinking.extend(reasoning.redacted_content.map(|data| redacted_block(&data)));
        }
        if let Some(call) = block.tool_use.filter(|call| call.kind.is_none()) {
            let input = call.input.map_or("{}", RawValue::get);
            if reading.json_tool.as_deref() == Some(call.name.as_str()) {
                text.push_str(input);
            } else {
                found.call(reading, &call.tool_use_id, &call.name, input.to_owned());
            }
        }
    }
    found.finish_reason = finish_reason(&whole.stop_reason, !found.calls.is_empty())?;
    found.content = Some(text);
    found.reasoning = Some(thoughts);
    if !thinking.is_empty() {
        found.extra.insert("thinking_blocks".to_owned(), Value::Array(thinking));
    }
    if !cited.is_empty() {
        found.extra.insert("citations".to_owned(), Value::Array(cited));
    }
    found.usage = whole
        .usage
        .map(|counts| counts.usage(whole.additional_model_response_fields.as_ref(), whole.service_tier.as_ref()));
    Ok(found.answer(reading))
}

/// Converse names no id in its bodies.
pub(super) fn answer_id() -> String {
    format!("chatcmpl-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}

/// OpenAI's word; `calls` says whether the client gets calls, for a tool that stands for a schema is none.
///
/// # Errors
/// When the model failed.
pub(super) fn finish_reason(stop: &str, calls: bool) -> Result<&'static str, Refusal> {
    match stop {
        "tool_use" if !calls => Ok("stop"),
        "tool_use" => Ok("tool_calls"),
        "max_tokens" | "model_context_window_exceeded" => Ok("length"),
        "guardrail_intervened" | "content_filtered" => Ok("content_filter"),
        "malformed_model_output" | "malformed_tool_use" => {
            let message = format!("the model's output was not well formed (`{stop}`)");
            Err(Refusal::new(Cause::Upstream, message).code("malformed_output"))
        }
        // `end_turn`, `stop_sequence`, and words that are not known yet
        _ => Ok("stop"),
    }
}

/// A block of thoughts, to be sent back as it is.
pub(super) fn thinking_block(text: &str, signature: Option<&str>) -> Value {
    match signature {
        Some(signature) => json!({ "type": "thinking", "thinking": text, "signature": signature }),
        None => json!({ "type": "thinking", "thinking": text }),
    }
}

pub(super) fn redacted_block(data: &str) -> Value {
    json!({ "type": "redacted_thinking", "data": data })
}

/// A citation of a page, for the characters from `begin` to before `end`. Citations of documents have no address.
pub(super) fn annotation(citation: &Value, begin: u64, end: u64) -> Option<Annotation> {
    let text = |pointer: &str| citation.pointer(pointer).and_then(Value::as_str);
    let source = || text("/source").filter(|source| source.starts_with("http"));
    let url = text("/location/web/url").or_else(source)?.to_owned();
    let title = text("/title").unwrap_or_default().to_owned();
    let (start_index, end_index) = (begin, end.saturating_sub(1).max(begin));
    let url_citation = UrlCitation { start_index, end_index, title, url, ..UrlCitation::default() };
    Some(Annotation::UrlCitation { url_citation })
}
