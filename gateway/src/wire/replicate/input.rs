//! A prediction's `input`, in the words of its model.

use serde_json::{Map, Value, json};

use super::{
    dialect::{Dialect, Images},
    messages::{Conversation, Speaker, no_tools},
};
use crate::{
    api::{self, ChatCompletionRequest, Modality, ReasoningEffort, ServiceTier, Verbosity},
    refusal::Refusal,
    wire::hub::{
        Losses,
        tools::{Choice, Tools},
    },
};

/// What Replicate's models cannot do at all.
///
/// # Errors
/// 400 for what would change the answer's meaning.
pub(super) fn refuse(request: &ChatCompletionRequest, offered: &Tools<'_>, losses: &mut Losses) -> Result<(), Refusal> {
    if !offered.functions.is_empty() && offered.choice != Choice::None {
        return Err(no_tools("tools"));
    }
    losses.drop_if("tools", !offered.functions.is_empty());
    if request.n.is_some_and(|n| n != 1) {
        return Err(Refusal::invalid("n", "Replicate gives one answer per request"));
    }
    if request.modalities.iter().flatten().any(|modality| *modality != Modality::Text) {
        return Err(Refusal::invalid("modalities", "Replicate's language models answer with text only"));
    }
    if request.logprobs == Some(true) {
        return Err(Refusal::invalid("logprobs", "Replicate tells no log probabilities"));
    }
    if !matches!(request.response_format, None | Some(api::ResponseFormat::Text)) {
        return Err(Refusal::invalid("response_format", "Replicate's models promise no format of their answers"));
    }
    Ok(())
}

/// Reports what has no slot with any model.
pub(super) fn drop_unknown(request: &ChatCompletionRequest, dialect: &Dialect, losses: &mut Losses) {
    losses.drop_if("audio", request.audio.is_some());
    losses.drop_openais(request);
    losses.drop_if("metadata", request.metadata.as_ref().is_some_and(|metadata| !metadata.is_empty()));
    losses.drop_if("safety_identifier", request.safety_identifier.is_some());
    let is_usual = |tier: &ServiceTier| matches!(tier, ServiceTier::Auto | ServiceTier::Default);
    losses.drop_if("service_tier", request.service_tier.as_ref().is_some_and(|tier| !is_usual(tier)));
    losses.drop_if("top_logprobs", request.top_logprobs.is_some_and(|top| top > 0));
    losses.drop_if("user", request.user.is_some());
    losses.drop_if("web_search_options", request.web_search_options.is_some());
    losses.drop_foreign(&request.extra, |name: &str| dialect.own.contains(&name) || (dialect.open && name == "top_k"));
}

/// # Errors
/// 400 for what this model has no input for and what cannot be left out.
pub(super) fn input(
    request: &ChatCompletionRequest,
    conversation: &Conversation<'_>,
    dialect: &Dialect,
    losses: &mut Losses,
) -> Result<Map<String, Value>, Refusal> {
    let mut input = Map::new();
    say(&mut input, conversation, dialect, losses);
    show(&mut input, conversation, dialect, losses)?;
    if let Some(asked) = request.max_completion_tokens.or(request.max_tokens) {
        let most = asked.max(dialect.least_tokens);
        if most != asked {
            losses.approximated(if request.max_completion_tokens.is_some() {
                "max_completion_tokens"
            } else {
                "max_tokens"
            });
        }
        input.insert(dialect.max_tokens.to_owned(), most.into());
    }
    let stop = stop(request)?;
    if let Some(effort) = effort(request, dialect, losses) {
        input.insert("reasoning_effort".to_owned(), effort.into());
    }
    let is_set = |penalty: Option<f64>| penalty.filter(|penalty| *penalty != 0.0);
    let mut give = |name: &'static str, field: &'static str, has_it: bool, value: Option<Value>| match value {
        Some(value) if has_it => drop(input.insert(name.to_owned(), value)),
        Some(_) => losses.dropped(field),
        None => {}
    };
    give("temperature", "temperature", dialect.sampling, request.temperature.map(Value::from));
    give("top_p", "top_p", dialect.sampling, request.top_p.map(Value::from));
    let (presence, frequency) = (is_set(request.presence_penalty), is_set(request.frequency_penalty));
    give("presence_penalty", "presence_penalty", dialect.penalties, presence.map(Value::from));
    give("frequency_penalty", "frequency_penalty", dialect.penalties, frequency.map(Value::from));
    give("stop_sequences", "stop", dialect.open, stop.map(Value::from));
    give("seed", "seed", dialect.open, request.seed.map(Value::from));
    let verbosity =
        request.verbosity.as_ref().filter(|verbosity| dialect.verbosity || **verbosity != Verbosity::Medium);
    give("verbosity", "verbosity", dialect.verbosity, verbosity.map(|verbosity| json!(verbosity)));
    let top_k = dialect.open.then_some("top_k");
    for name in dialect.own.iter().copied().chain(top_k) {
        give(name, name, true, request.extra.get(name).filter(|value| !value.is_null()).cloned());
    }
    Ok(input)
}

/// The conversation: as messages where the model takes them and one prompt would not say the same.
fn say(input: &mut Map<String, Value>, conversation: &Conversation<'_>, dialect: &Dialect, losses: &mut Losses) {
    if dialect.messages && conversation.is_long() {
        let mut messages = Vec::new();
        if !conversation.system.is_empty() {
            messages.push(json!({"role": "system", "content": conversation.system}));
        }
        messages.extend(conversation.turns.iter().map(|(speaker, text)| {
            let role = if *speaker == Speaker::User { "user" } else { "assistant" };
            json!({"role": role, "content": text})
        }));
        input.insert("messages".to_owned(), messages.into());
        return;
    }
    if conversation.is_long() {
        losses.approximated("messages");
    }
    input.insert("prompt".to_owned(), conversation.prompt().into());
    if !conversation.system.is_empty() {
        input.insert(dialect.system.to_owned(), conversation.system.as_str().into());
    }
}

/// The images, which stand beside the conversation and not in it.
fn show(
    input: &mut Map<String, Value>,
    conversation: &Conversation<'_>,
    dialect: &Dialect,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    if conversation.early_image {
        losses.approximated("messages");
    }
    match (&conversation.images[..], &dialect.images) {
        ([], _) => {}
        ([(_, url)], Images::One(name)) => drop(input.insert((*name).to_owned(), (*url).into())),
        ([_, (place, _), ..], Images::One(_)) => {
            return Err(Refusal::invalid(place.clone(), "this model takes one image"));
        }
        (images, Images::Many(name)) => {
            let urls: Vec<&str> = images.iter().map(|(_, url)| *url).collect();
            input.insert((*name).to_owned(), urls.into());
        }
    }
    Ok(())
}

/// The value that the model has, or the nearest to it.
fn effort(request: &ChatCompletionRequest, dialect: &Dialect, losses: &mut Losses) -> Option<&'static str> {
    const ALL: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    let asked = request.reasoning_effort.as_ref()?;
    let place = |effort: &str| ALL.iter().position(|known| *known == effort);
    let Some(wanted) = place(asked.as_str()).filter(|_| !dialect.efforts.is_empty()) else {
        losses.drop_if("reasoning_effort", *asked != ReasoningEffort::None);
        return None;
    };
    let distance = |effort: &&&str| place(effort).map_or(usize::MAX, |place| place.abs_diff(wanted));
    let nearest = dialect.efforts.iter().min_by_key(distance).copied()?;
    if nearest != asked.as_str() {
        losses.approximated("reasoning_effort");
    }
    Some(nearest)
}

/// Stop sequences in one text, in which commas separate them.
fn stop(request: &ChatCompletionRequest) -> Result<Option<String>, Refusal> {
    let texts = request.stop.as_ref().map(|stop| stop.texts()).unwrap_or_default();
    if texts.iter().any(|text| text.contains(',')) {
        return Err(Refusal::invalid("stop", "Replicate's models take no stop sequence with a comma in it"));
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    Ok((!texts.is_empty()).then(|| texts.join(",")))
}
