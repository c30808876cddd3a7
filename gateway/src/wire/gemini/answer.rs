//! A whole answer in OpenAI's shape.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    embeddings, errors,
    reading::{annotations, arguments, call_id, finish, logprobs, usage},
    reply::{Candidate, Part, Reply},
    signatures,
};
use crate::{
    api::{AssistantRole, Choice, Endpoint, FinishReason, FunctionCall, FunctionToolCall, ResponseMessage, ToolCall},
    refusal::{Cause, Refusal},
    wire::{Answer, Reading, hub},
};

pub(super) fn answer(reading: &Reading, body: &Bytes) -> Result<Answer, Refusal> {
    if reading.endpoint == Endpoint::Embeddings {
        return embeddings::answer(reading, body);
    }
    let json = body.trim_ascii();
    if json.starts_with(b"[") {
        return Err(errors::disguised(json));
    }
    let unreadable = || Refusal::new(Cause::Upstream, "the provider's answer could not be read");
    let reply: Reply = serde_json::from_slice(json).map_err(|_| unreadable())?;
    if reply.error.is_some() {
        return Err(errors::disguised(json));
    }
    let id = identity(&reply, reading);
    let choices: Result<Vec<Choice>, Refusal> = match &reply.candidates[..] {
        [] if blocked(&reply) => Ok(vec![blank("content_filter")]),
        [] => Err(Refusal::new(Cause::Upstream, "the provider's answer holds no candidates")),
        // Every candidate has its own ids, though places start anew in each.
        candidates => candidates.iter().enumerate().map(|(at, one)| choice(at, one, &reply, reading)).collect(),
    };
    let tokens = reply.usage_metadata.as_ref().map(usage);
    Ok(hub::answers::completion(id, reply.model_version, choices?, tokens, reading))
}

/// The prompt was refused, and there is no candidate.
pub(super) fn blocked(reply: &Reply) -> bool {
    reply.prompt_feedback.as_ref().is_some_and(|feedback| feedback.block_reason.is_some())
}

pub(super) fn identity(reply: &Reply, reading: &Reading) -> String {
    match reply.response_id.as_str() {
        "" => format!("chatcmpl-{:x}", reading.created),
        id => format!("chatcmpl-{id}"),
    }
}

pub(super) fn model<'a>(reply: &'a Reply, reading: &'a Reading) -> &'a str {
    if reply.model_version.is_empty() { &reading.model } else { &reply.model_version }
}

/// An image that the model made, as OpenRouter and litellm give it out.
pub(super) fn image(part: &Part) -> Option<Value> {
    let blob = part.inline_data.as_ref().filter(|_| !part.thought)?;
    let url = format!("data:{};base64,{}", blob.mime_type, blob.data);
    Some(json!({"type": "image_url", "image_url": {"url": url}}))
}

fn blank(reason: &str) -> Choice {
    let message = ResponseMessage { content: Some(String::new()), ..ResponseMessage::default() };
    let finish_reason = FinishReason::from(reason.to_owned());
    Choice { index: 0, message, logprobs: None, finish_reason, extra: Map::default() }
}

fn choice(at: usize, candidate: &Candidate, reply: &Reply, reading: &Reading) -> Result<Choice, Refusal> {
    let (mut text, mut thoughts, mut starts) = (String::new(), String::new(), Vec::new());
    let (mut calls, mut images, mut extra) = (Vec::new(), Vec::new(), Map::default());
    let first = at * 1000;
    for part in &candidate.content.parts {
        starts.push(text.len());
        images.extend(image(part));
        if let Some(piece) = &part.text {
            if part.thought { &mut thoughts } else { &mut text }.push_str(piece);
        }
        if let Some(call) = &part.function_call {
            let function = FunctionCall { name: call.name.clone(), arguments: arguments(call) };
            let id = call_id(call, &reply.response_id, reading, first + calls.len()).into_owned();
            let mut members = Map::default();
            if let Some(signature) = &part.thought_signature {
                members.insert("extra_content".to_owned(), signatures::extra_content(signature));
            }
            calls.push(ToolCall::Function(FunctionToolCall { id, function, extra: members }));
        } else if let Some(signature) = part.thought_signature.as_ref().filter(|_| !part.thought) {
            extra.insert("extra_content".to_owned(), signatures::extra_content(signature));
        }
    }
    if !images.is_empty() {
        extra.insert("images".to_owned(), images.into());
    }
    let reason = candidate.finish_reason.as_deref().unwrap_or("STOP");
    let reason = finish(reason, candidate.finish_message.as_deref(), !calls.is_empty())?;
    let annotations = annotations(candidate, &text, &starts);
    let message = ResponseMessage {
        role: AssistantRole,
        content: (calls.is_empty() || !text.is_empty()).then_some(text),
        refusal: None,
        reasoning_content: (!thoughts.is_empty()).then_some(thoughts),
        tool_calls: (!calls.is_empty()).then_some(calls),
        annotations: (!annotations.is_empty()).then_some(annotations),
        audio: None,
        function_call: None,
        extra,
    };
    Ok(Choice {
        // Some versions leave the index out of all candidates.
        index: u32::try_from(at).unwrap_or(candidate.index),
        message,
        logprobs: candidate.logprobs_result.as_ref().map(logprobs),
        finish_reason: FinishReason::from(reason.to_owned()),
        extra: Map::default(),
    })
}
