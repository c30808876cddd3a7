//! The request's options: sampling, thinking, the form of the answer, and what Claude has no word for.

use serde_json::{Value, json};

use super::{
    blocks::{Format, Metadata, Options},
    facts::{Facts, Thinking},
    messages::Conversation,
    schema,
};
use crate::{
    api::{ChatCompletionRequest, JsonSchemaFormat, Modality, ReasoningEffort, ResponseFormat, ServiceTier, Verbosity},
    refusal::Refusal,
    wire::hub::{
        Losses,
        own::{self, Own},
    },
};

/// Anthropic's own members, passed when a client sends them.
const OWN: &[&str] = &["cache_control", "container", "context_management", "inference_geo", "speed"];

/// Added to the system prompt for `json_object`.
pub(super) const ASK_FOR_JSON: &str = "Answer with one JSON object and nothing else: no explanation, no code fence.";

const MIN_BUDGET: u32 = 1_024;

/// What Claude cannot do at all.
///
/// # Errors
/// 400 for what would change the answer's meaning.
pub(super) fn refuse(request: &ChatCompletionRequest) -> Result<(), Refusal> {
    if request.n.is_some_and(|n| n != 1) {
        return Err(Refusal::invalid("n", "Anthropic gives one answer per request"));
    }
    if request.logprobs == Some(true) {
        return Err(Refusal::invalid("logprobs", "Anthropic gives no log probabilities"));
    }
    if request.top_logprobs.is_some_and(|top| top > 0) {
        return Err(Refusal::invalid("top_logprobs", "Anthropic gives no log probabilities"));
    }
    if request.modalities.iter().flatten().any(|modality| *modality != Modality::Text) {
        return Err(Refusal::invalid("modalities", "Anthropic answers with text only"));
    }
    Ok(())
}

/// Reports what has no slot.
pub(super) fn drop_unknown(request: &ChatCompletionRequest, losses: &mut Losses) {
    let nonzero = |penalty: Option<f64>| penalty.is_some_and(|penalty| penalty != 0.0);
    losses.drop_if("audio", request.audio.is_some());
    losses.drop_if("frequency_penalty", nonzero(request.frequency_penalty));
    losses.drop_openais(request);
    losses.drop_if("metadata", request.metadata.as_ref().is_some_and(|metadata| !metadata.is_empty()));
    losses.drop_if("presence_penalty", nonzero(request.presence_penalty));
    losses.drop_if("seed", request.seed.is_some());
    losses.drop_if("verbosity", request.verbosity.as_ref().is_some_and(|verbosity| *verbosity != Verbosity::Medium));
    losses.drop_foreign(&request.extra, |name: &str| OWN.contains(&name) || matches!(name, "top_k" | "thinking"));
}

/// Everything that is neither message nor tool.
pub(super) fn options<'a>(
    request: &'a ChatCompletionRequest,
    facts: &Facts,
    max_tokens: u32,
    conversation: &Conversation<'_>,
    forced: bool,
    losses: &mut Losses,
) -> Options<'a> {
    let mut options = Options { own: Own::of(&request.extra, OWN), ..Options::default() };
    think(&mut options, request, facts, max_tokens, conversation, forced, losses);
    sample(&mut options, request, facts, losses);
    let texts = request.stop.as_ref().map(|stop| stop.texts()).unwrap_or_default();
    // Blank stop sequences are answered with 400.
    options.stop_sequences = texts.iter().map(String::as_str).filter(|text| !text.trim().is_empty()).collect();
    if options.stop_sequences.len() < texts.len() {
        losses.approximated("stop");
    }
    let user = request.user.as_deref().filter(|user| !user.is_empty());
    let identifier = request.safety_identifier.as_deref().filter(|user| !user.is_empty());
    losses.drop_if("user", identifier.is_some() && user.is_some() && user != identifier);
    options.metadata = identifier.or(user).map(|user_id| Metadata { user_id });
    options.service_tier = match &request.service_tier {
        None => None,
        Some(ServiceTier::Auto) => Some("auto"),
        Some(ServiceTier::Default) => Some("standard_only"),
        Some(ServiceTier::Priority) => {
            losses.approximated("service_tier");
            Some("auto")
        }
        Some(_) => {
            losses.dropped("service_tier");
            None
        }
    };
    options
}

/// The schema that the answer has to satisfy, for models that are held to it.
pub(super) fn format(format: &JsonSchemaFormat, losses: &mut Losses) -> Option<Format> {
    let (schema, loose) = schema::strict(format.schema.as_ref()?);
    losses.drop_if("response_format.json_schema.description", format.description.is_some());
    if loose {
        losses.approximated("response_format");
    }
    Some(Format { schema })
}

/// The schema asked for, when there is one.
pub(super) fn schema_of(request: &ChatCompletionRequest) -> Option<&JsonSchemaFormat> {
    match &request.response_format {
        Some(ResponseFormat::JsonSchema { json_schema }) if json_schema.schema.is_some() => Some(json_schema),
        _ => None,
    }
}

/// Claude's `thinking` as it came, or what `reasoning_effort` means for the model.
fn think(
    options: &mut Options<'_>,
    request: &ChatCompletionRequest,
    facts: &Facts,
    max_tokens: u32,
    conversation: &Conversation<'_>,
    forced: bool,
    losses: &mut Losses,
) {
    let effort = request.reasoning_effort.as_ref();
    if let Some(thinking) = own::member(&request.extra, "thinking") {
        losses.drop_if("reasoning_effort", effort.is_some_and(|effort| *effort != ReasoningEffort::None));
        options.thinking = Some(thinking.clone());
        return;
    }
    let Some(effort) = effort else { return };
    let (level, budget) = match effort {
        ReasoningEffort::None if matches!(facts.thinking, Thinking::AdaptiveFully) => {
            options.thinking = Some(json!({"type": "disabled"}));
            return;
        }
        ReasoningEffort::None => return,
        ReasoningEffort::Minimal => ("low", 1_024),
        ReasoningEffort::Low => ("low", 2_048),
        ReasoningEffort::Medium => ("medium", 8_192),
        ReasoningEffort::High => ("high", 16_384),
        ReasoningEffort::Xhigh => ("xhigh", 24_576),
        ReasoningEffort::Max => ("max", 32_768),
        ReasoningEffort::Other(_) => return losses.dropped("reasoning_effort"),
    };
    match facts.thinking {
        Thinking::Never => losses.dropped("reasoning_effort"),
        Thinking::Budget => {
            // The budget is part of `max_tokens`: a fifth is left for the answer. Thinking goes neither with a forced
            // tool, nor with a prefill, nor into a tool loop that began without it.
            let budget = budget.min(max_tokens / 5 * 4);
            if budget < MIN_BUDGET || forced || conversation.prefilled || conversation.thoughtless {
                return losses.dropped("reasoning_effort");
            }
            losses.approximated("reasoning_effort");
            options.thinking = Some(json!({"type": "enabled", "budget_tokens": budget}));
        }
        Thinking::Adaptive | Thinking::AdaptiveFully => {
            let lacks = level == "xhigh" && facts.thinking == Thinking::Adaptive;
            options.output_config.effort = Some(if lacks { "max" } else { level });
            if lacks || forced || conversation.prefilled || *effort == ReasoningEffort::Minimal {
                losses.approximated("reasoning_effort");
            }
            if !forced && !conversation.prefilled {
                // Models that take every effort send their thoughts empty unless they are asked for
                // (platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7).
                options.thinking = Some(match facts.thinking {
                    Thinking::AdaptiveFully => json!({"type": "adaptive", "display": "summarized"}),
                    _ => json!({"type": "adaptive"}),
                });
            }
        }
    }
}

/// `temperature`, `top_p` and `top_k`, as far as the model takes them; thinking wants the defaults.
fn sample<'a>(options: &mut Options<'a>, request: &'a ChatCompletionRequest, facts: &Facts, losses: &mut Losses) {
    let is_on = |thinking: &Value| thinking.get("type").is_none_or(|kind| kind != "disabled");
    let thinks = options.thinking.as_ref().is_some_and(is_on);
    let temperature = request.temperature.filter(|temperature| *temperature != 1.0);
    let top_p = request.top_p.filter(|top_p| *top_p != 1.0);
    if facts.sampling && !thinks {
        options.temperature = request.temperature.map(|temperature| temperature.clamp(0.0, 1.0));
        if temperature.is_some_and(|temperature| temperature > 1.0) {
            losses.approximated("temperature");
        }
        options.top_k = own::member(&request.extra, "top_k");
    } else {
        losses.drop_if("temperature", temperature.is_some());
        losses.drop_if("top_k", own::member(&request.extra, "top_k").is_some());
    }
    let alone = facts.both_samplings || options.temperature.is_none();
    if facts.sampling && alone && (!thinks || top_p.is_some_and(|top_p| top_p >= 0.95)) {
        options.top_p = request.top_p;
    } else {
        losses.drop_if("top_p", top_p.is_some());
    }
}
