//! The conversation as Replicate's models take it: a system prompt, a prompt, images.
//!
//! One question is the prompt as it is. A longer conversation is written as a transcript that ends where the model speaks:
//!
//! ```text
//! User: Hello
//!
//! Assistant: Hi!
//!
//! User: How are you?
//!
//! Assistant:
//! ```

use serde_json::{Map, Value};

use crate::{
    api::{AssistantMessage, ChatMessage, ContentPart, MessageContent},
    refusal::{Cause, Refusal},
    wire::hub::{
        Losses,
        turns::{Turn, turns},
    },
};

#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    pub system: String,
    /// Who spoke, and what; blank turns are left out.
    pub turns: Vec<(Speaker, String)>,
    /// URLs, `data:` or not, with their positions in the request.
    pub images: Vec<(String, &'a str)>,
    /// An image is not in the last turn.
    pub early_image: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    User,
    Assistant,
}

/// # Errors
/// 400 naming the message that cannot be said to a model that takes text and images.
pub(super) fn conversation<'a>(messages: &'a [ChatMessage], losses: &mut Losses) -> Result<Conversation<'a>, Refusal> {
    let mut conversation = Conversation::default();
    for turn in turns(messages, losses)? {
        match turn {
            Turn::System(at, system) => {
                losses.drop_if("messages[].name", system.named);
                drop_mark(system.extra, losses);
                let text = text(at, system.content, losses)?;
                if system.late && !text.trim().is_empty() {
                    losses.approximated("messages");
                }
                push(&mut conversation.system, &text);
            }
            Turn::User(at, message) => {
                losses.drop_if("messages[].name", message.name.is_some());
                drop_mark(&message.extra, losses);
                conversation.early_image |= !conversation.images.is_empty();
                let text = user(at, &message.content, &mut conversation.images, losses)?;
                conversation.turns.push((Speaker::User, text));
            }
            Turn::Assistant(at, message, _) => {
                let text = assistant(at, message, losses)?;
                conversation.early_image |= !conversation.images.is_empty();
                conversation.turns.push((Speaker::Assistant, text));
            }
            Turn::Orphan(at, _) => return Err(no_tools(format!("messages[{at}]"))),
        }
    }
    conversation.turns.retain(|(_, text)| !text.trim().is_empty());
    if conversation.turns.is_empty() && conversation.images.is_empty() {
        if conversation.system.is_empty() {
            return Err(Refusal::new(Cause::Invalid, "the messages say nothing").param("messages"));
        }
        // A prompt is needed: with nothing else to say the system prompt is it.
        losses.approximated("messages");
        conversation.turns.push((Speaker::User, std::mem::take(&mut conversation.system)));
    }
    Ok(conversation)
}

pub(super) fn no_tools(param: impl Into<String>) -> Refusal {
    Refusal::invalid(param.into(), "Replicate's models call no tools")
}

impl Conversation<'_> {
    /// The conversation in one text.
    pub(super) fn prompt(&self) -> String {
        if let [(Speaker::User, text)] = &self.turns[..] {
            return text.clone();
        }
        let mut prompt = String::new();
        for (speaker, text) in &self.turns {
            let name = if *speaker == Speaker::User { "User" } else { "Assistant" };
            push(&mut prompt, &format!("{name}: {text}"));
        }
        // After an answer that was begun the model goes on with it.
        if matches!(self.turns.last(), Some((Speaker::User, _))) {
            prompt.push_str("\n\nAssistant:");
        }
        prompt
    }

    /// It is more than one question.
    pub(super) fn is_long(&self) -> bool {
        !matches!(&self.turns[..], [] | [(Speaker::User, _)])
    }
}

/// Adds a paragraph.
fn push(text: &mut String, more: &str) {
    if more.trim().is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

fn user<'a>(
    at: usize,
    content: &'a MessageContent,
    images: &mut Vec<(String, &'a str)>,
    losses: &mut Losses,
) -> Result<String, Refusal> {
    let MessageContent::Parts(parts) = content else { return text(at, content, losses) };
    let mut said = String::new();
    for (number, part) in parts.iter().enumerate() {
        let place = || format!("messages[{at}].content[{number}]");
        match part {
            ContentPart::Text(_) | ContentPart::Refusal(_) => {
                drop_part_mark(part, losses);
                push(&mut said, part.text().unwrap_or_default());
            }
            ContentPart::ImageUrl(part) => {
                drop_mark(&part.extra, losses);
                losses.drop_if("messages[].content[].image_url.detail", part.image_url.detail.is_some());
                images.push((place(), &part.image_url.url));
            }
            ContentPart::InputAudio(_) => {
                return Err(Refusal::invalid(place(), "Replicate's language models do not listen to audio"));
            }
            ContentPart::File(_) => {
                return Err(Refusal::invalid(place(), "Replicate's language models read no files; send their text"));
            }
        }
    }
    Ok(said)
}

fn assistant(at: usize, message: &AssistantMessage, losses: &mut Losses) -> Result<String, Refusal> {
    if message.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty()) {
        return Err(no_tools(format!("messages[{at}].tool_calls")));
    }
    losses.drop_if("messages[].name", message.name.is_some());
    losses.drop_if("messages[].audio", message.audio.is_some());
    let thought = message.reasoning_content.as_deref().is_some_and(|text| !text.trim().is_empty());
    losses.drop_if("messages[].reasoning_content", thought);
    losses.drop_if("messages[].thinking_blocks", message.extra.get("thinking_blocks").is_some_and(Value::is_array));
    drop_mark(&message.extra, losses);
    let said = message.content.as_ref().map(|content| text(at, content, losses)).transpose()?.unwrap_or_default();
    let refused = || message.refusal.clone().unwrap_or_default();
    Ok(if said.trim().is_empty() { refused() } else { said })
}

/// Content that is text and nothing else.
fn text(at: usize, content: &MessageContent, losses: &mut Losses) -> Result<String, Refusal> {
    if let MessageContent::Parts(parts) = content {
        if let Some(number) = parts.iter().position(|part| part.text().is_none()) {
            let param = format!("messages[{at}].content[{number}]");
            return Err(Refusal::invalid(param, "only a user's message contains anything but text"));
        }
        parts.iter().for_each(|part| drop_part_mark(part, losses));
    }
    Ok(content.text().into_owned())
}

fn drop_part_mark(part: &ContentPart, losses: &mut Losses) {
    if let ContentPart::Text(part) = part {
        drop_mark(&part.extra, losses);
    }
}

fn drop_mark(extra: &Map<String, Value>, losses: &mut Losses) {
    losses.drop_if("messages[].cache_control", extra.get("cache_control").is_some_and(|mark| !mark.is_null()));
}
