//! The conversation as Cohere takes it: roles stay in place, results follow their calls, nothing is blank.

use std::borrow::Cow;

use serde_json::{Map, Value, value::RawValue};

use super::blocks::{Call, Content, Function, Image, Message, Part};
use crate::{
    api::{AssistantMessage, ChatMessage, ContentPart, ImageDetail, ImagePart, MessageContent, ToolCall, ToolMessage},
    refusal::{Cause, Refusal},
    wire::hub::{
        Losses,
        turns::{FILLER, Turn, asks_for_answer, turns},
    },
};

/// # Errors
/// 400 naming the message that cannot be said to Cohere.
pub(super) fn conversation<'a>(messages: &'a [ChatMessage], losses: &mut Losses) -> Result<Vec<Message<'a>>, Refusal> {
    let mut said = Vec::with_capacity(messages.len());
    let turns = turns(messages, losses)?;
    let asked = asks_for_answer(&turns);
    for turn in turns {
        match turn {
            Turn::System(at, system) => {
                losses.drop_if("messages[].name", system.named);
                drop_mark(system.extra, losses);
                let content = text(at, system.content, losses)?;
                said.extend(content.map(|content| Message::System { content: Content::Text(content) }));
            }
            Turn::User(at, message) => {
                losses.drop_if("messages[].name", message.name.is_some());
                drop_mark(&message.extra, losses);
                said.extend(user(at, &message.content, losses)?.map(|content| Message::User { content }));
            }
            Turn::Assistant(at, message, results) => {
                said.extend(assistant(at, message, losses)?);
                for (place, result) in results {
                    let content = Content::Text(result_text(place, result, losses)?);
                    said.push(Message::Tool { tool_call_id: &result.tool_call_id, content });
                }
            }
            Turn::Orphan(at, message) => {
                losses.approximated("messages");
                let result = result_text(at, message, losses)?;
                let told = format!("[Result of the tool call `{}`]\n{result}", message.tool_call_id);
                said.push(Message::User { content: Content::Text(told.into()) });
            }
        }
    }
    let last = said.iter().rfind(|message| !matches!(message, Message::System { .. }));
    if asked && matches!(last, Some(Message::Assistant { .. })) {
        losses.approximated("messages");
        said.push(Message::User { content: Content::Text(FILLER.into()) });
    }
    if said.is_empty() {
        return Err(Refusal::new(Cause::Invalid, "the messages say nothing").param("messages"));
    }
    Ok(said)
}

fn user<'a>(at: usize, content: &'a MessageContent, losses: &mut Losses) -> Result<Option<Content<'a>>, Refusal> {
    let MessageContent::Parts(parts) = content else {
        return Ok(text(at, content, losses)?.map(Content::Text));
    };
    let mut said = Vec::with_capacity(parts.len());
    for (number, part) in parts.iter().enumerate() {
        let refuse = |message: &'static str| Refusal::invalid(format!("messages[{at}].content[{number}]"), message);
        match part {
            ContentPart::Text(_) | ContentPart::Refusal(_) => {
                drop_part_mark(part, losses);
                let text = part.text().filter(|text| !text.trim().is_empty());
                said.extend(text.map(|text| Part::Text { text }));
            }
            ContentPart::ImageUrl(part) => said.push(image(part, losses)),
            ContentPart::InputAudio(_) => return Err(refuse("Cohere does not listen to audio")),
            ContentPart::File(_) => return Err(refuse("Cohere's chat reads no files; send their text")),
        }
    }
    Ok(match said[..] {
        [] => None,
        [Part::Text { text }] => Some(Content::Text(Cow::Borrowed(text))),
        _ => Some(Content::Parts(said)),
    })
}

fn image<'a>(part: &'a ImagePart, losses: &mut Losses) -> Part<'a> {
    drop_mark(&part.extra, losses);
    let detail = part.image_url.detail.as_ref();
    let is_known = |detail: &&ImageDetail| matches!(detail, ImageDetail::Auto | ImageDetail::Low | ImageDetail::High);
    losses.drop_if("messages[].content[].image_url.detail", detail.is_some_and(|detail| !is_known(&detail)));
    Part::ImageUrl {
        image_url: Image { url: &part.image_url.url, detail: detail.filter(is_known).map(ImageDetail::as_str) },
    }
}

fn assistant<'a>(
    at: usize,
    message: &'a AssistantMessage,
    losses: &mut Losses,
) -> Result<Option<Message<'a>>, Refusal> {
    losses.drop_if("messages[].name", message.name.is_some());
    losses.drop_if("messages[].audio", message.audio.is_some());
    losses.drop_if("messages[].thinking_blocks", message.extra.get("thinking_blocks").is_some_and(Value::is_array));
    drop_mark(&message.extra, losses);
    let content = message.content.as_ref().map(|content| text(at, content, losses)).transpose()?.flatten();
    let refusal = message.refusal.as_deref().filter(|text| !text.trim().is_empty()).map(Cow::Borrowed);
    let mut content = content.or(refusal);
    let mut thinking = message.reasoning_content.as_deref().filter(|text| !text.trim().is_empty());
    let mut tool_calls = Vec::new();
    for (number, call) in message.tool_calls.iter().flatten().enumerate() {
        let ToolCall::Function(call) = call else { continue };
        let arguments = if call.function.arguments.trim().is_empty() { "{}" } else { &call.function.arguments };
        let is_object = |json: &RawValue| json.get().starts_with('{');
        if !serde_json::from_str::<&RawValue>(arguments.trim()).is_ok_and(is_object) {
            let name = &call.function.name;
            let message = format!("the arguments of the call `{}` of `{name}` are no JSON object", call.id);
            return Err(Refusal::invalid(format!("messages[{at}].tool_calls[{number}].function.arguments"), message));
        }
        tool_calls.push(Call { id: &call.id, function: Function { name: &call.function.name, arguments } });
    }
    // What was said before calling tools is their plan; what was thought is, too, when nothing was said.
    let tool_plan = match tool_calls.is_empty() {
        true => None,
        false => content.take().or_else(|| thinking.take().map(Cow::Borrowed)),
    };
    let content = match (thinking, content) {
        (None, content) => content.map(Content::Text),
        (Some(_), None) if tool_calls.is_empty() => None,
        (Some(thinking), None) => Some(Content::Parts(vec![Part::Thinking { thinking }])),
        (Some(thinking), Some(Cow::Borrowed(text))) => {
            Some(Content::Parts(vec![Part::Thinking { thinking }, Part::Text { text }]))
        }
        (Some(_), Some(Cow::Owned(text))) => {
            losses.dropped("messages[].reasoning_content");
            Some(Content::Text(text.into()))
        }
    };
    let is_blank = content.is_none() && tool_calls.is_empty();
    Ok((!is_blank).then_some(Message::Assistant { tool_plan, content, tool_calls }))
}

fn result_text<'a>(at: usize, message: &'a ToolMessage, losses: &mut Losses) -> Result<Cow<'a, str>, Refusal> {
    drop_mark(&message.extra, losses);
    losses.drop_if("messages[].is_error", message.extra.get("is_error").is_some_and(|is_error| *is_error == true));
    let text = text(at, &message.content, losses)?;
    Ok(text.unwrap_or_else(|| {
        // An empty result is refused.
        losses.approximated("messages");
        "(no output)".into()
    }))
}

/// Content that is text and nothing else; `None` when it is blank.
fn text<'a>(at: usize, content: &'a MessageContent, losses: &mut Losses) -> Result<Option<Cow<'a, str>>, Refusal> {
    if let MessageContent::Parts(parts) = content {
        if let Some(number) = parts.iter().position(|part| part.text().is_none()) {
            let param = format!("messages[{at}].content[{number}]");
            return Err(Refusal::invalid(param, "only a user's message contains anything but text"));
        }
        parts.iter().for_each(|part| drop_part_mark(part, losses));
    }
    Ok(Some(content.text()).filter(|text| !text.trim().is_empty()))
}

fn drop_part_mark(part: &ContentPart, losses: &mut Losses) {
    if let ContentPart::Text(part) = part {
        drop_mark(&part.extra, losses);
    }
}

fn drop_mark(extra: &Map<String, Value>, losses: &mut Losses) {
    losses.drop_if("messages[].cache_control", extra.get("cache_control").is_some_and(|mark| !mark.is_null()));
}
