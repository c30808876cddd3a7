//! The request for one attempt, made from what the client sent.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    body::{Body, Data, Generation},
    embeddings,
    facts::{Facts, facts},
    generation,
    messages::conversation,
    path, tools,
};
use crate::{
    api::{ChatCompletionRequest, ClientRequest, Endpoint, Modality, ResponseFormat, Verbosity},
    refusal::{Cause, Refusal},
    wire::{
        Reading, Target, Upstream,
        hub::{self, Losses, own},
    },
};

pub(super) fn upstream(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    match request.endpoint {
        Endpoint::ChatCompletions => chat(request, target),
        Endpoint::Embeddings => embeddings::upstream(request, target),
        Endpoint::Rerank => Err(hub::rerank::unsupported()),
        _ => Err(Refusal::new(Cause::Invalid, "this provider has no such endpoint; use /v1/chat/completions")),
    }
}

fn chat(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    let mut chat = hub::chat(request)?;
    let mut losses = Losses::default();
    if chat.functions.as_ref().is_some_and(|functions| !functions.is_empty()) {
        losses.approximated("functions");
    }
    if chat.function_call.is_some() {
        losses.approximated("function_call");
    }
    hub::tools::modernise(&mut chat);
    let facts = facts(target.model);
    let body = body(&chat, facts, path::is_vertex(target.settings), &mut losses)?;
    let body = hub::written(request, &body).expect("a request serialises");
    let verb = if request.envelope.stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    Ok(Upstream {
        path: Cow::Owned(path::of(target, verb)),
        headers: Vec::new(),
        body: body.into(),
        losses: losses.into_vec(),
        reading: Reading::of(request, target),
        more: Vec::new(),
    })
}

fn body<'a>(
    chat: &'a ChatCompletionRequest,
    facts: Facts,
    vertex: bool,
    losses: &mut Losses,
) -> Result<Body<'a>, Refusal> {
    refuse(chat)?;
    dropped(chat, losses);
    let generation = generation::generation(chat, facts, losses)?;
    let (tools, tool_config) = tools::tools(chat, facts, losses)?;
    let mut talk = conversation(&chat.messages, vertex, facts.signs, losses)?;
    if generation::inexpressible(chat, facts) {
        talk.system.extend(instruction(chat.response_format.as_ref()).map(|text| Data::Text(text.into()).into()));
    }
    let system_instruction = talk.instruction();
    let (contents, details) = (talk.contents, talk.details);
    if generation::inexpressible(chat, facts) {
        losses.approximated("response_format");
    }
    let media_resolution = generation::resolution(&details, losses);
    Ok(Body {
        contents,
        system_instruction,
        tools,
        tool_config,
        safety_settings: own(&chat.extra, "safety_settings", "safetySettings"),
        generation_config: Generation { media_resolution, ..generation },
        cached_content: own(&chat.extra, "cached_content", "cachedContent"),
        service_tier: generation::service_tier(chat, losses),
    })
}

/// What would mean something else without these.
fn refuse(chat: &ChatCompletionRequest) -> Result<(), Refusal> {
    let spoken = chat.modalities.as_ref().is_some_and(|modalities| modalities.contains(&Modality::Audio));
    if spoken || chat.audio.is_some() {
        let param = if spoken { "modalities" } else { "audio" };
        return Err(Refusal::invalid(param, "spoken answers are not available from this provider"));
    }
    Ok(())
}

/// What says something that Gemini has no word for.
fn dropped(chat: &ChatCompletionRequest, losses: &mut Losses) {
    losses.drop_openais(chat);
    losses.drop_if("metadata", chat.metadata.as_ref().is_some_and(|metadata| !metadata.is_empty()));
    losses.drop_if("safety_identifier", chat.safety_identifier.is_some());
    losses.drop_if("user", chat.user.is_some());
    let verbosity = chat.verbosity.as_ref().is_some_and(|verbosity| *verbosity != Verbosity::Medium);
    losses.drop_if("verbosity", verbosity);
    const OWN: [&str; 5] = ["top_k", "safety_settings", "safetySettings", "cached_content", "cachedContent"];
    losses.drop_foreign(&chat.extra, |name| OWN.contains(&name));
}

/// A field of Gemini's own that clients send along, in either spelling.
fn own<'a>(extra: &'a Map<String, Value>, snake: &str, camel: &str) -> Option<&'a Value> {
    own::member(extra, snake).or_else(|| own::member(extra, camel))
}

/// The response format in words.
fn instruction(format: Option<&ResponseFormat>) -> Option<String> {
    const JSON: &str = "When you answer, and do not call a function, answer with one JSON object and nothing else.";
    match format? {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some(JSON.to_owned()),
        ResponseFormat::JsonSchema { json_schema } => Some(match &json_schema.schema {
            Some(schema) => {
                let schema = serde_json::to_string(schema).expect("a schema serialises");
                format!("{JSON} It satisfies this JSON Schema: {schema}")
            }
            None => JSON.to_owned(),
        }),
    }
}
