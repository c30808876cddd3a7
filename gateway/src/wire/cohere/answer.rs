//! A whole answer of Cohere's, in OpenAI's words.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors;
use crate::{
    api::{Logprobs, TokenLogprob, TokenUsage},
    refusal::{Cause, Refusal},
    wire::{Answer, Reading, hub::answers::Found},
};

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    finish_reason: Cow<'a, str>,
    message: Message,
    usage: Option<Usage>,
    logprobs: Option<Vec<Logprob>>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<Vec<Part>>,
    tool_plan: Option<String>,
    tool_calls: Option<Vec<Call>>,
    citations: Option<Vec<Value>>,
}

/// A piece of text or thought.
#[derive(Default, Deserialize)]
pub(super) struct Part {
    pub text: Option<String>,
    pub thinking: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Call {
    pub id: Option<String>,
    pub function: Option<Function>,
}

#[derive(Default, Deserialize)]
pub(super) struct Function {
    pub name: Option<String>,
    pub arguments: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Logprob {
    text: Option<String>,
    logprobs: Option<Vec<f64>>,
}

/// Cohere writes counts as `5.0`.
#[derive(Deserialize)]
pub(super) struct Usage {
    tokens: Option<Counts>,
    billed_units: Option<Counts>,
    cached_tokens: Option<f64>,
}

#[derive(Default, Deserialize)]
struct Counts {
    input_tokens: Option<f64>,
    output_tokens: Option<f64>,
}

impl Usage {
    /// What was read and written, which is more than what is billed.
    pub(super) fn tokens(&self) -> TokenUsage {
        let counts = self.tokens.as_ref().or(self.billed_units.as_ref());
        let input = count(counts.and_then(|counts| counts.input_tokens));
        let billed = self.billed_units.as_ref().map_or(input, |billed| count(billed.input_tokens));
        let output = count(counts.and_then(|counts| counts.output_tokens));
        TokenUsage {
            input,
            output,
            cached_read: count(self.cached_tokens).min(input),
            free_input: input.saturating_sub(billed),
            ..TokenUsage::default()
        }
    }
}

/// A number that is never negative nor broken.
pub(super) fn count(number: Option<f64>) -> u64 {
    number.map_or(0, |number| number as u64)
}

pub(super) fn answer(reading: &Reading, body: &[u8]) -> Result<Answer, Refusal> {
    let Ok(response) = serde_json::from_slice::<Response<'_>>(body) else {
        return Err(errors::disguised_or(body, "the provider's answer could not be read"));
    };
    let mut found = Found { id: response.id.into_owned(), ..Found::default() };
    let mut reasoning = response.message.tool_plan.unwrap_or_default();
    for part in response.message.content.into_iter().flatten() {
        reasoning.push_str(part.thinking.as_deref().unwrap_or_default());
        if let Some(text) = part.text {
            found.content.get_or_insert_default().push_str(&text);
        }
    }
    for call in response.message.tool_calls.into_iter().flatten() {
        let function = call.function.unwrap_or_default();
        let arguments = function.arguments.filter(|arguments| !arguments.trim().is_empty());
        let (id, name) = (call.id.unwrap_or_default(), function.name.unwrap_or_default());
        found.call(reading, &id, &name, arguments.unwrap_or_else(|| "{}".to_owned()));
    }
    found.reasoning = (!reasoning.is_empty()).then_some(reasoning);
    found.finish_reason = finish_reason(&response.finish_reason, !found.calls.is_empty())?;
    found.logprobs = response.logprobs.map(|items| logprobs(&items));
    if let Some(citations) = response.message.citations.filter(|citations| !citations.is_empty()) {
        found.extra.insert("citations".to_owned(), Value::Array(citations));
    }
    found.usage = response.usage.as_ref().map(Usage::tokens);
    Ok(found.answer(reading))
}

/// # Errors
/// When the model failed in a 2xx answer.
pub(super) fn finish_reason(reason: &str, calls: bool) -> Result<&'static str, Refusal> {
    match reason {
        "MAX_TOKENS" => Ok("length"),
        "TOOL_CALL" if calls => Ok("tool_calls"),
        "ERROR" => Err(Refusal::new(Cause::Upstream, "the provider reported that the model failed")),
        "TIMEOUT" => Err(Refusal::new(Cause::UpstreamTimeout, "the provider reported that the model took too long")),
        // `COMPLETE`, `STOP_SEQUENCE`, and what is still to come.
        _ => Ok("stop"),
    }
}

/// An item is a piece of text with one probability per token; pieces of several tokens stay together.
pub(super) fn logprobs(items: &[Logprob]) -> Logprobs {
    let token = |item: &Logprob| {
        let token = item.text.clone().unwrap_or_default();
        let logprob = item.logprobs.iter().flatten().sum();
        TokenLogprob { bytes: Some(token.clone().into_bytes()), token, logprob, top_logprobs: Vec::new() }
    };
    Logprobs { content: Some(items.iter().map(token).collect()), refusal: None }
}

/// The same for a stream's chunk.
pub(super) fn logprobs_value(item: &Logprob) -> Value {
    json!(logprobs(std::slice::from_ref(item)))
}
