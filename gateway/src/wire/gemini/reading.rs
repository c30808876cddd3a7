//! What an answer says, in OpenAI's words: finish reasons, usage, citations, log probabilities, calls.

use std::borrow::Cow;

use super::reply::{Candidate, FunctionCall, LogprobsResult, Token, UsageMetadata};
use crate::{
    api::{Annotation, BilledTier, Logprobs, TokenLogprob, TokenUsage, TopLogprob, UrlCitation},
    refusal::{Cause, Refusal},
    wire::Reading,
};

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Finish(&'static str),
    /// The model broke off over a mistake of its own.
    Failure,
}

const FINISH: &[(&str, End)] = &[
    ("STOP", End::Finish("stop")),
    ("MAX_TOKENS", End::Finish("length")),
    ("CONTINUATION", End::Finish("length")),
    ("SAFETY", End::Finish("content_filter")),
    ("RECITATION", End::Finish("content_filter")),
    ("LANGUAGE", End::Finish("content_filter")),
    ("OTHER", End::Finish("content_filter")),
    ("BLOCKLIST", End::Finish("content_filter")),
    ("PROHIBITED_CONTENT", End::Finish("content_filter")),
    ("SPII", End::Finish("content_filter")),
    ("IMAGE_SAFETY", End::Finish("content_filter")),
    ("IMAGE_PROHIBITED_CONTENT", End::Finish("content_filter")),
    ("IMAGE_RECITATION", End::Finish("content_filter")),
    ("IMAGE_OTHER", End::Finish("content_filter")),
    ("NO_IMAGE", End::Finish("content_filter")),
    ("ESCALATION", End::Finish("content_filter")),
    ("MODEL_ARMOR", End::Finish("content_filter")),
    ("PUP_LIMITED_DISABLED", End::Finish("content_filter")),
    ("MALFORMED_FUNCTION_CALL", End::Failure),
    ("UNEXPECTED_TOOL_CALL", End::Failure),
    ("TOO_MANY_TOOL_CALLS", End::Failure),
    ("MISSING_THOUGHT_SIGNATURE", End::Failure),
    ("MALFORMED_RESPONSE", End::Failure),
];

/// OpenAI's finish reason. Gemini says STOP when it calls functions.
///
/// # Errors
/// When the model failed.
pub(super) fn finish(reason: &str, message: Option<&str>, calls: bool) -> Result<&'static str, Refusal> {
    let end = FINISH.iter().find(|(name, _)| *name == reason).map_or(End::Finish("stop"), |(_, end)| *end);
    match end {
        End::Finish("stop") if calls => Ok("tool_calls"),
        End::Finish(reason) => Ok(reason),
        End::Failure => {
            let detail =
                message.map(|message| format!(": {}", crate::wire::redact::clean(message))).unwrap_or_default();
            Err(Refusal::new(Cause::Upstream, format!("the model's answer was malformed ({reason}{detail})")))
        }
    }
}

/// Tokens; the candidates' count excludes the thoughts, the prompt's includes what was cached.
pub(super) fn usage(metadata: &UsageMetadata) -> TokenUsage {
    let of = |details: &[super::reply::ModalityCount], modality: &str| {
        details.iter().filter(|count| count.modality == modality).map(|count| count.token_count).sum()
    };
    let tier = match &*metadata.traffic_type {
        "" | "TRAFFIC_TYPE_UNSPECIFIED" | "ON_DEMAND" => BilledTier::Standard,
        "ON_DEMAND_FLEX" => BilledTier::Flex,
        "ON_DEMAND_PRIORITY" => BilledTier::Priority,
        _ => BilledTier::Other,
    };
    TokenUsage {
        input: metadata.prompt_token_count.saturating_add(metadata.tool_use_prompt_token_count),
        output: metadata.candidates_token_count.saturating_add(metadata.thoughts_token_count),
        cached_read: metadata.cached_content_token_count,
        reasoning: metadata.thoughts_token_count,
        audio_input: of(&metadata.prompt_tokens_details, "AUDIO"),
        audio_cached: of(&metadata.cache_tokens_details, "AUDIO"),
        audio_output: of(&metadata.candidates_tokens_details, "AUDIO"),
        image_output: of(&metadata.candidates_tokens_details, "IMAGE"),
        tier,
        ..TokenUsage::default()
    }
}

/// A call's id: Gemini's own, or one made of the answer's id and the call's place.
pub(super) fn call_id<'a>(call: &'a FunctionCall, answer: &str, reading: &Reading, place: usize) -> Cow<'a, str> {
    if let Some(id) = call.id.as_deref().filter(|id| !id.is_empty()) {
        return id.into();
    }
    let answer: String = answer.chars().filter(|letter| letter.is_ascii_alphanumeric()).take(24).collect();
    if answer.is_empty() {
        return format!("call_{:x}_{place}", reading.created).into();
    }
    format!("call_{answer}_{place}").into()
}

/// A call's arguments as Gemini wrote them, without the white space between tokens.
pub(super) fn arguments(call: &FunctionCall) -> String {
    let text = call.args.as_ref().map_or("{}", |args| args.get());
    if text == "null" {
        return "{}".to_owned();
    }
    let (mut compact, mut quoted, mut escaped) = (String::with_capacity(text.len()), false, false);
    for letter in text.chars() {
        if quoted || !letter.is_ascii_whitespace() {
            compact.push(letter);
        }
        if letter == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && letter == '\\' && !escaped;
    }
    compact
}

/// The notes on an answer's text. `starts` are the bytes at which the parts of the text begin.
pub(super) fn annotations(candidate: &Candidate, text: &str, starts: &[usize]) -> Vec<Annotation> {
    let mut annotations = Vec::new();
    let characters = |byte: usize| text.char_indices().take_while(|(at, _)| *at < byte).count() as u64;
    let mut note = |start: usize, end: usize, uri: &str, title: Option<&str>| {
        let first = characters(start);
        let url_citation = UrlCitation {
            start_index: first,
            end_index: characters(end).saturating_sub(1).max(first),
            title: title.unwrap_or_default().to_owned(),
            url: uri.to_owned(),
            extra: serde_json::Map::default(),
        };
        annotations.push(Annotation::UrlCitation { url_citation });
    };
    for citation in candidate.citation_metadata.iter().flat_map(|metadata| &metadata.citations) {
        if let Some(uri) = &citation.uri {
            note(citation.start_index, citation.end_index, uri, citation.title.as_deref());
        }
    }
    let Some(grounding) = &candidate.grounding_metadata else { return annotations };
    for support in &grounding.grounding_supports {
        let base = starts.get(support.segment.part_index).copied().unwrap_or(0);
        for index in &support.grounding_chunk_indices {
            let chunk = grounding.grounding_chunks.get(*index);
            let source = chunk.and_then(|chunk| chunk.web.as_ref().or(chunk.retrieved_context.as_ref()));
            if let Some((source, uri)) = source.and_then(|source| Some((source, source.uri.as_ref()?))) {
                let segment = &support.segment;
                note(base + segment.start_index, base + segment.end_index, uri, source.title.as_deref());
            }
        }
    }
    annotations
}

pub(super) fn logprobs(result: &LogprobsResult) -> Logprobs {
    let bytes = |token: &Token| Some(token.token.as_bytes().to_vec());
    let top = |at: usize| result.top_candidates.get(at).into_iter().flat_map(|top| &top.candidates);
    let content = result.chosen_candidates.iter().enumerate().map(|(at, chosen)| TokenLogprob {
        token: chosen.token.clone(),
        logprob: chosen.log_probability,
        bytes: bytes(chosen),
        top_logprobs: top(at)
            .map(|other| TopLogprob { token: other.token.clone(), logprob: other.log_probability, bytes: bytes(other) })
            .collect(),
    });
    Logprobs { content: Some(content.collect()), refusal: None }
}
