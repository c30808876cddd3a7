//! The chat request, as Converse takes it.

use std::collections::BTreeMap;

use memchr::memmem;
use serde_json::{Value, json};

use super::{
    body::{Converse, InferenceConfig, Typed},
    families::{self, Family, Sampling},
    media::wanted,
    messages, regions,
    thinking::{self, Obstacles},
    tools,
};
use crate::{
    api::{ChatCompletionRequest, ClientRequest, Modality, ServiceTier, Wanted},
    refusal::Refusal,
    wire::{
        Payload, Reading, Target, Upstream,
        hub::{self, Losses, tools::modernise, turns::turns},
    },
};

/// Members that are not OpenAI's and that this format reads; all others are dropped and reported.
const OWN: &[&str] = &[
    "guardrailConfig",
    "performanceConfig",
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "thinking",
    "top_k",
];
const MAX_PAIRS: usize = 16;
const MAX_VALUE: usize = 256;
/// Where Claude tells how many tokens were thoughts, which Converse's own usage does not.
const THOUGHT_TOKENS: &str = "/usage/output_tokens_details";

/// # Errors
/// 400 for what Converse cannot express.
pub(super) fn upstream(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    let mut chat = hub::chat(request)?;
    let mut losses = Losses::default();
    if modernise(&mut chat) {
        // the answer's calls are `tool_calls`
        losses.approximated("functions");
    }
    let model = regions::model_in(target.settings.region.as_deref(), target.model);
    let family = families::family(&model);
    refuse(&chat)?;
    drop_all(&chat, &mut losses);

    let media = request.fetched.all();
    let turns = turns(&chat.messages, &mut losses)?;
    let conversation = messages::conversation(turns, &media, family, &mut losses)?;
    let toolbox = tools::toolbox(&chat, &conversation.called, &model, family, &mut losses)?;
    let obstacles = Obstacles { forced: toolbox.forced, thoughtless: conversation.thoughtless };
    let thought = thinking::thought(&chat, family, obstacles, &mut losses);

    let mut body = Converse { messages: conversation.messages, system: conversation.system, ..Converse::default() };
    body.inference_config = inference(&chat, family, thought.active, &mut losses)?;
    body.tool_config = toolbox.config;
    body.output_config = toolbox.output;
    if thought.effort.is_some() {
        body.output_config.get_or_insert_default().effort = thought.effort;
    }
    body.service_tier = tier(&chat, &mut losses);
    body.request_metadata = metadata(&chat, &mut losses);
    body.guardrail_config = chat.extra.get("guardrailConfig");
    body.performance_config = chat.extra.get("performanceConfig");
    body.additional_model_response_field_paths = chat.extra.get("additionalModelResponseFieldPaths").cloned();
    if thought.active && body.additional_model_response_field_paths.is_none() {
        body.additional_model_response_field_paths = Some(json!([THOUGHT_TOKENS]));
    }
    let fields = &mut body.additional_model_request_fields;
    if let Some(Value::Object(own)) = chat.extra.get("additionalModelRequestFields") {
        fields.extend(own.clone());
    }
    fields.extend(thought.fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
    fields.extend(toolbox.serial.map(|choice| ("tool_choice".to_owned(), choice)));
    match chat.extra.get("top_k") {
        Some(top_k) if family.claude && family.sampling != Sampling::None && !thought.active => {
            fields.insert("top_k".to_owned(), top_k.clone());
        }
        top_k => losses.drop_if("top_k", top_k.is_some()),
    }

    let action = if request.envelope.stream { "converse-stream" } else { "converse" };
    let bytes = hub::written(request, &body).expect("a request serialises");
    Ok(Upstream {
        path: format!("/model/{}/{action}", regions::encoded(&model)).into(),
        headers: Vec::new(),
        body: Payload::from(bytes),
        losses: losses.into_vec(),
        reading: Reading { json_tool: toolbox.json_tool, ..Reading::of(request, target) },
        more: Vec::new(),
    })
}

/// What has to be fetched before; the request is read for it only when it may hold an address.
///
/// # Errors
/// 400 when it is no chat request.
pub(super) fn media(request: &ClientRequest) -> Result<Vec<Wanted>, Refusal> {
    // an address has `://` in it, or its spelling with JSON's escapes
    let signs: [&[u8]; 3] = [b"://", b"\\/", b"\\u00"];
    if signs.iter().any(|sign| memmem::find(&request.body, sign).is_some()) {
        return Ok(wanted(&hub::chat(request)?.messages));
    }
    Ok(Vec::new())
}

/// What would change the answer's meaning if it were left out.
fn refuse(chat: &ChatCompletionRequest) -> Result<(), Refusal> {
    let refuse = |param: &'static str, message: &'static str| Err(Refusal::invalid(param, message));
    if chat.n.is_some_and(|n| n != 1) {
        return refuse("n", "Bedrock gives one answer to a request");
    }
    if chat.logprobs == Some(true) {
        return refuse("logprobs", "Bedrock gives no log probabilities");
    }
    if chat.top_logprobs.is_some_and(|most| most > 0) {
        return refuse("top_logprobs", "Bedrock gives no log probabilities");
    }
    if chat.modalities.iter().flatten().any(|modality| *modality != Modality::Text) {
        return refuse("modalities", "Bedrock answers with text");
    }
    if chat.audio.is_some() {
        return refuse("audio", "Bedrock answers with text");
    }
    Ok(())
}

fn drop_all(chat: &ChatCompletionRequest, losses: &mut Losses) {
    let says = |penalty: Option<f64>| penalty.is_some_and(|penalty| penalty != 0.0);
    losses.drop_if("frequency_penalty", says(chat.frequency_penalty));
    losses.drop_openais(chat);
    losses.drop_if("presence_penalty", says(chat.presence_penalty));
    losses.drop_if("seed", chat.seed.is_some());
    losses.drop_if("verbosity", chat.verbosity.is_some());
    let obfuscation = chat.stream_options.as_ref().and_then(|options| options.include_obfuscation);
    losses.drop_if("stream_options", obfuscation == Some(true));
    losses.drop_foreign(&chat.extra, |name| OWN.contains(&name));
}

fn inference<'a>(
    chat: &'a ChatCompletionRequest,
    family: &Family,
    thinks: bool,
    losses: &mut Losses,
) -> Result<Option<InferenceConfig<'a>>, Refusal> {
    let (field, max_tokens) = match chat.max_completion_tokens {
        Some(most) => ("max_completion_tokens", Some(most)),
        None => ("max_tokens", chat.max_tokens),
    };
    if max_tokens == Some(0) {
        return Err(Refusal::invalid(field, "at least one token has to be allowed"));
    }
    let mut clamped = |field: &'static str, value: Option<f64>| {
        let value = value?;
        let kept = value.clamp(0.0, 1.0);
        if kept.total_cmp(&value).is_ne() {
            losses.approximated(field);
        }
        Some(kept)
    };
    let mut temperature = clamped("temperature", chat.temperature);
    let mut top_p = clamped("top_p", chat.top_p);
    let mut drop = |field: &'static str, value: &mut Option<f64>| {
        // the default can go unsaid
        losses.drop_if(field, value.take().is_some_and(|value| value < 1.0));
    };
    if family.sampling == Sampling::None || thinks {
        drop("temperature", &mut temperature);
    }
    let narrow = thinks && top_p.is_some_and(|top_p| top_p < 0.95);
    let second = family.sampling == Sampling::One && temperature.is_some();
    if family.sampling == Sampling::None || narrow || second {
        drop("top_p", &mut top_p);
    }
    let stop = chat.stop.as_ref().map(|stop| stop.texts()).unwrap_or_default();
    let stop_sequences: Vec<&str> = stop.iter().map(String::as_str).filter(|text| !text.trim().is_empty()).collect();
    if stop_sequences.len() < stop.len() {
        losses.approximated("stop");
    }
    let config = InferenceConfig { max_tokens, temperature, top_p, stop_sequences };
    Ok((config != InferenceConfig::default()).then_some(config))
}

fn tier<'a>(chat: &'a ChatCompletionRequest, losses: &mut Losses) -> Option<Typed<'a>> {
    let kind = match chat.service_tier.as_ref()? {
        ServiceTier::Auto => return None,
        ServiceTier::Fast => {
            losses.approximated("service_tier");
            "priority"
        }
        tier @ (ServiceTier::Default | ServiceTier::Flex | ServiceTier::Priority) => tier.as_str(),
        ServiceTier::Other(tier) if tier == "reserved" => "reserved",
        ServiceTier::Scale | ServiceTier::Other(_) => {
            losses.dropped("service_tier");
            return None;
        }
    };
    Some(Typed { kind })
}

/// Pairs for the invocation log: the client's own, and who the user is. Values are held to Bedrock's alphabet.
fn metadata(chat: &ChatCompletionRequest, losses: &mut Losses) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    let own = chat.metadata.iter().flatten().map(|(name, value)| ("metadata", name.as_str(), value));
    let safety = chat.safety_identifier.iter().map(|value| ("safety_identifier", "safety_identifier", value));
    let user = chat.user.iter().map(|value| ("user", "user", value));
    for (field, name, value) in safety.chain(user).chain(own) {
        let (key, text) = (plain(name), plain(value));
        if key.is_empty() || pairs.contains_key(&key) || pairs.len() == MAX_PAIRS {
            losses.dropped(field);
            continue;
        }
        if key != name || text != *value {
            losses.approximated(field);
        }
        pairs.insert(key, text);
    }
    pairs
}

fn plain(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || " :_@$#=/+,-.".contains(c);
    text.chars().take(MAX_VALUE).map(|c| if fits(c) { c } else { '_' }).collect()
}
