//! The request's options: sampling, thinking, the form of the answer, and what Cohere has no word for.

use serde_json::{Value, json};

use super::blocks::{Options, ResponseFormat};
use crate::{
    api::{self, ChatCompletionRequest, Modality, ReasoningEffort, ServiceTier, Verbosity},
    refusal::Refusal,
    wire::hub::{
        Losses,
        own::{self, Own},
    },
};

/// Cohere's own members, passed when a client sends them.
const OWN: &[&str] = &["documents", "citation_options", "safety_mode", "priority"];

/// Models that do not reason, by the beginning of their names (docs.cohere.com/docs/reasoning).
const UNREASONING: &[&str] = &["command-r", "command-a-03-2025", "command-a-vision", "command-a-translate", "c4ai-"];

const MAX_STOPS: usize = 5;

/// What Cohere cannot do at all.
///
/// # Errors
/// 400 for what would change the answer's meaning.
pub(super) fn refuse(request: &ChatCompletionRequest, has_tools: bool) -> Result<(), Refusal> {
    if request.n.is_some_and(|n| n != 1) {
        return Err(Refusal::invalid("n", "Cohere gives one answer per request"));
    }
    if request.modalities.iter().flatten().any(|modality| *modality != Modality::Text) {
        return Err(Refusal::invalid("modalities", "Cohere answers with text only"));
    }
    if request.stop.as_ref().is_some_and(|stop| stop.texts().len() > MAX_STOPS) {
        return Err(Refusal::invalid("stop", "Cohere takes at most 5 stop sequences"));
    }
    let formatted = !matches!(request.response_format, None | Some(api::ResponseFormat::Text));
    if formatted && has_tools {
        return Err(Refusal::invalid("response_format", "Cohere gives no JSON format together with tools"));
    }
    Ok(())
}

/// Reports what has no slot.
pub(super) fn drop_unknown(request: &ChatCompletionRequest, has_tools: bool, losses: &mut Losses) {
    losses.drop_if("audio", request.audio.is_some());
    losses.drop_openais(request);
    losses.drop_if("metadata", request.metadata.as_ref().is_some_and(|metadata| !metadata.is_empty()));
    losses.drop_if("parallel_tool_calls", has_tools && request.parallel_tool_calls == Some(false));
    losses.drop_if("safety_identifier", request.safety_identifier.is_some());
    let is_usual = |tier: &ServiceTier| matches!(tier, ServiceTier::Auto | ServiceTier::Default);
    losses.drop_if("service_tier", request.service_tier.as_ref().is_some_and(|tier| !is_usual(tier)));
    losses.drop_if("top_logprobs", request.top_logprobs.is_some_and(|top| top > 0));
    losses.drop_if("user", request.user.is_some());
    losses.drop_if("verbosity", request.verbosity.as_ref().is_some_and(|verbosity| *verbosity != Verbosity::Medium));
    losses.drop_if("web_search_options", request.web_search_options.is_some());
    losses.drop_foreign(&request.extra, |name: &str| OWN.contains(&name) || matches!(name, "top_k" | "k" | "thinking"));
}

/// Everything that is neither message nor tool.
pub(super) fn options<'a>(request: &'a ChatCompletionRequest, model: &str, losses: &mut Losses) -> Options<'a> {
    let texts = request.stop.as_ref().map(|stop| stop.texts()).unwrap_or_default();
    let stop_sequences: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    if stop_sequences.len() < texts.len() {
        losses.approximated("stop");
    }
    let seed = request.seed.and_then(|seed| u64::try_from(seed).ok());
    losses.drop_if("seed", request.seed.is_some() && seed.is_none());
    let p = request.top_p.map(|top_p| top_p.clamp(0.01, 0.99));
    if p != request.top_p {
        losses.approximated("top_p");
    }
    Options {
        max_tokens: request.max_completion_tokens.or(request.max_tokens),
        stop_sequences,
        temperature: request.temperature,
        seed,
        frequency_penalty: penalty("frequency_penalty", request.frequency_penalty, losses),
        presence_penalty: penalty("presence_penalty", request.presence_penalty, losses),
        k: own::member(&request.extra, "k").or_else(|| own::member(&request.extra, "top_k")),
        p,
        logprobs: request.logprobs == Some(true),
        thinking: thinking(request, model, losses),
        response_format: response_format(request, losses),
        own: Own::of(&request.extra, OWN),
    }
}

/// From 0 to 1 at Cohere, from -2 to 2 at OpenAI.
fn penalty(name: &'static str, penalty: Option<f64>, losses: &mut Losses) -> Option<f64> {
    let penalty = penalty.filter(|penalty| *penalty != 0.0)?;
    if penalty < 0.0 {
        losses.dropped(name);
        return None;
    }
    if penalty > 1.0 {
        losses.approximated(name);
    }
    Some(penalty.min(1.0))
}

/// Cohere's `thinking` as it came, or what `reasoning_effort` means for the model.
fn thinking(request: &ChatCompletionRequest, model: &str, losses: &mut Losses) -> Option<Value> {
    let effort = request.reasoning_effort.as_ref();
    if let Some(thinking) = own::member(&request.extra, "thinking") {
        losses.drop_if("reasoning_effort", effort.is_some_and(|effort| *effort != ReasoningEffort::None));
        // Claude's spelling, which clients send to every reasoning model.
        return Some(match thinking.get("budget_tokens") {
            Some(budget) => json!({"type": "enabled", "token_budget": budget}),
            None => thinking.clone(),
        });
    }
    let reasons = !UNREASONING.iter().any(|prefix| model.starts_with(prefix));
    let budget = match effort? {
        ReasoningEffort::None => return reasons.then(|| json!({"type": "disabled"})),
        _ if !reasons => {
            losses.dropped("reasoning_effort");
            return None;
        }
        ReasoningEffort::Minimal => 512,
        ReasoningEffort::Low => 2_048,
        ReasoningEffort::Medium => 8_192,
        ReasoningEffort::High | ReasoningEffort::Xhigh | ReasoningEffort::Max => 0,
        ReasoningEffort::Other(_) => {
            losses.dropped("reasoning_effort");
            return None;
        }
    };
    losses.approximated("reasoning_effort");
    Some(match budget {
        0 => json!({"type": "enabled"}),
        budget => json!({"type": "enabled", "token_budget": budget}),
    })
}

fn response_format<'a>(request: &'a ChatCompletionRequest, losses: &mut Losses) -> Option<ResponseFormat<'a>> {
    match request.response_format.as_ref()? {
        api::ResponseFormat::Text => None,
        api::ResponseFormat::JsonObject => Some(ResponseFormat { json_schema: None }),
        api::ResponseFormat::JsonSchema { json_schema } => {
            losses.drop_if("response_format.json_schema.description", json_schema.description.is_some());
            Some(ResponseFormat { json_schema: json_schema.schema.as_ref() })
        }
    }
}
