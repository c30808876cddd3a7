//! `generationConfig`: how the answer is generated, and in which form.

use super::{
    body::{Generation, Thinking},
    facts::{Facts, Thinks},
    tools,
};
use crate::{
    api::{ChatCompletionRequest, ImageDetail, ReasoningEffort, ResponseFormat, ServiceTier},
    refusal::Refusal,
    wire::hub::Losses,
};

const MAX_STOPS: usize = 5;

pub(super) fn generation<'a>(
    chat: &'a ChatCompletionRequest,
    facts: Facts,
    losses: &mut Losses,
) -> Result<Generation<'a>, Refusal> {
    let seed = chat.seed.map(|seed| {
        i32::try_from(seed).unwrap_or_else(|_| {
            losses.approximated("seed");
            // The low bits of a seed are as good as all of them, and the same every time.
            (seed & i64::from(i32::MAX)) as i32
        })
    });
    let logprobs = chat.logprobs == Some(true);
    if chat.top_logprobs.is_some() && !logprobs {
        return Err(Refusal::invalid("top_logprobs", "`top_logprobs` needs `logprobs: true`"));
    }
    let (response_mime_type, response_json_schema) = match &chat.response_format {
        Some(_) if inexpressible(chat, facts) => (None, None),
        Some(ResponseFormat::JsonObject) => (Some("application/json"), None),
        Some(ResponseFormat::JsonSchema { json_schema }) => {
            let schema = json_schema.schema.as_ref().filter(|schema| !schema.is_empty());
            (Some("application/json"), schema)
        }
        Some(ResponseFormat::Text) | None => (None, None),
    };
    Ok(Generation {
        max_output_tokens: chat.max_completion_tokens.or(chat.max_tokens),
        temperature: within(chat.temperature, 0.0, 2.0, "temperature")?,
        top_p: within(chat.top_p, 0.0, 1.0, "top_p")?,
        top_k: chat.extra.get("top_k").filter(|top_k| top_k.is_number()),
        candidate_count: candidates(chat)?,
        stop_sequences: stops(chat)?,
        seed,
        presence_penalty: within(chat.presence_penalty, -2.0, 2.0, "presence_penalty")?,
        frequency_penalty: within(chat.frequency_penalty, -2.0, 2.0, "frequency_penalty")?,
        response_logprobs: logprobs.then_some(true),
        logprobs: chat.top_logprobs.filter(|&top| top > 0),
        response_mime_type,
        response_json_schema,
        response_modalities: modalities(chat)?,
        media_resolution: None,
        thinking_config: thinking(chat, facts, losses)?,
    })
}

/// Gemini 2 refuses a JSON answer next to function declarations and Google's search: the format becomes an instruction.
pub(super) fn inexpressible(chat: &ChatCompletionRequest, facts: Facts) -> bool {
    let has_tools = tools::searches(chat, facts)
        || chat.tools.as_ref().is_some_and(|tools| !tools.is_empty())
        || chat.functions.as_ref().is_some_and(|functions| !functions.is_empty());
    let is_json = chat.response_format.as_ref().is_some_and(|format| *format != ResponseFormat::Text);
    has_tools && is_json && !facts.json_with_tools
}

fn within(value: Option<f64>, least: f64, most: f64, param: &'static str) -> Result<Option<f64>, Refusal> {
    match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(Refusal::invalid(param, format!("`{param}` must be between {least} and {most}, not {value}")))
        }
        value => Ok(value),
    }
}

fn candidates(chat: &ChatCompletionRequest) -> Result<Option<u32>, Refusal> {
    match chat.n {
        Some(0) => Err(Refusal::invalid("n", "`n` must be at least 1")),
        Some(n) if n > 1 && chat.stream == Some(true) => {
            Err(Refusal::invalid("n", "this provider's streams carry one answer: use `n: 1`, or do not stream"))
        }
        n => Ok(n.filter(|&n| n > 1)),
    }
}

fn stops(chat: &ChatCompletionRequest) -> Result<&[String], Refusal> {
    let stops = chat.stop.as_ref().map_or(&[][..], |stop| stop.texts());
    if stops.len() > MAX_STOPS {
        return Err(Refusal::invalid("stop", format!("this provider takes at most {MAX_STOPS} stop texts")));
    }
    if stops.iter().any(String::is_empty) {
        return Err(Refusal::invalid("stop", "a stop text must not be empty"));
    }
    Ok(stops)
}

fn modalities(chat: &ChatCompletionRequest) -> Result<Vec<&'static str>, Refusal> {
    let names: Vec<&str> = chat.modalities.iter().flatten().map(|modality| modality.as_str()).collect();
    if names.iter().all(|name| *name == "text") {
        return Ok(Vec::new());
    }
    let known = |name: &&str| match *name {
        "text" => Ok("TEXT"),
        "image" => Ok("IMAGE"),
        _ => Err(Refusal::invalid("modalities", "this provider answers with `text` and `image` here, not with audio")),
    };
    names.iter().map(known).collect()
}

fn thinking(chat: &ChatCompletionRequest, facts: Facts, losses: &mut Losses) -> Result<Option<Thinking>, Refusal> {
    let Some(effort) = &chat.reasoning_effort else { return Ok(None) };
    // On a scale from 0: none, minimal, low, medium, high, xhigh, max.
    let step = match effort {
        ReasoningEffort::None => 0,
        ReasoningEffort::Minimal => 1,
        ReasoningEffort::Low => 2,
        ReasoningEffort::Medium => 3,
        ReasoningEffort::High => 4,
        ReasoningEffort::Xhigh => 5,
        ReasoningEffort::Max => 6,
        ReasoningEffort::Other(_) => {
            let known = "`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`";
            return Err(Refusal::invalid("reasoning_effort", format!("`reasoning_effort` must be {known}")));
        }
    };
    let mut config = Thinking { include_thoughts: step > 0, ..Thinking::default() };
    match facts.thinks {
        Thinks::No => {
            losses.drop_if("reasoning_effort", step > 0);
            return Ok(None);
        }
        Thinks::Budget { least, off } => {
            let budget = [0, least, 1024, 2048, 4096, 8192, 16384][step];
            if step == 0 && !off {
                losses.approximated("reasoning_effort");
            }
            config.thinking_budget = Some(if step == 0 && !off { least } else { budget });
        }
        Thinks::Level(levels) => {
            let wanted = ["", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH", "XHIGH"][step];
            let level = nearest(levels, wanted);
            if level != wanted || step == 6 {
                losses.approximated("reasoning_effort");
            }
            config.thinking_level = Some(level);
        }
    }
    Ok(Some(config))
}

/// The level that is meant, else the next one above, else the highest: too much thinking beats too little.
fn nearest(levels: &'static [&'static str], wanted: &str) -> &'static str {
    const ORDER: [&str; 6] = ["", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"];
    let rank = |level: &str| ORDER.iter().position(|known| *known == level);
    let fits = levels.iter().find(|level| rank(level) >= rank(wanted));
    fits.or(levels.last()).copied().unwrap_or("HIGH")
}

/// OpenAI's tiers in Gemini's words; those without one leave it to the provider.
pub(super) fn service_tier(chat: &ChatCompletionRequest, losses: &mut Losses) -> Option<&'static str> {
    match chat.service_tier.as_ref()? {
        ServiceTier::Auto => None,
        ServiceTier::Default => Some("standard"),
        ServiceTier::Flex => Some("flex"),
        ServiceTier::Priority | ServiceTier::Fast => Some("priority"),
        ServiceTier::Other(tier) if tier == "standard" => Some("standard"),
        ServiceTier::Scale | ServiceTier::Other(_) => {
            losses.dropped("service_tier");
            None
        }
    }
}

/// One resolution for all images, where all of them ask for the same.
pub(super) fn resolution(details: &[Option<&ImageDetail>], losses: &mut Losses) -> Option<&'static str> {
    let asked = |detail: &Option<&ImageDetail>| detail.is_some_and(|detail| *detail != ImageDetail::Auto);
    if !details.iter().any(asked) {
        return None;
    }
    const FIELD: &str = "messages[].content[].image_url.detail";
    let all = |wanted: ImageDetail| details.iter().all(|detail| *detail == Some(&wanted));
    let resolution = if all(ImageDetail::Low) {
        Some("MEDIA_RESOLUTION_LOW")
    } else if all(ImageDetail::High) {
        Some("MEDIA_RESOLUTION_HIGH")
    } else {
        None
    };
    match resolution {
        Some(_) => losses.approximated(FIELD),
        None => losses.dropped(FIELD),
    }
    resolution
}
