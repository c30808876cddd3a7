//! The conversation: roles alternate, a user begins, every result of a turn is in the one message after it.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use serde_json::{Value, json, value::RawValue};

use super::{
    body::{Block, Input, Message, Reasoning, Role, SystemBlock},
    content::Place,
    families::{Family, Thinking},
    media::Names,
    names,
};
use crate::{
    api::{AssistantMessage, Medium, ToolCall, ToolMessage},
    refusal::Refusal,
    wire::hub::{
        Losses,
        turns::{FILLER, Turn, asks_for_answer},
    },
};

/// What a tool said that said nothing: blank text is refused.
const SILENCE: &str = "(empty)";

/// The conversation in Converse's form.
#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    pub system: Vec<SystemBlock<'a>>,
    pub messages: Vec<Message<'a>>,
    /// Names of the tools that were called, each once.
    pub called: Vec<Cow<'a, str>>,
    /// The answer continues a round of tools that was begun without thinking, so that it cannot think either.
    pub thoughtless: bool,
}

/// Writes a [`Conversation`]; what single messages contain is in `content`.
pub(super) struct Writer<'a, 'l> {
    pub(super) family: &'static Family,
    pub(super) losses: &'l mut Losses,
    pub(super) names: Names,
    pub(super) media: &'a [Arc<Medium>],
    ids: HashSet<String>,
    conversation: Conversation<'a>,
}

/// # Errors
/// 400 for content that Converse has no place for, and for conversations that it does not take.
pub(super) fn conversation<'a>(
    turns: Vec<Turn<'a>>,
    media: &'a [Arc<Medium>],
    family: &'static Family,
    losses: &mut Losses,
) -> Result<Conversation<'a>, Refusal> {
    let (names, ids, conversation) = (Names::default(), HashSet::new(), Conversation::default());
    let mut writer = Writer { family, losses, names, media, ids, conversation };
    let last = turns.len().saturating_sub(1);
    let asked = asks_for_answer(&turns);
    let ends_with_assistant = matches!(turns.last(), Some(Turn::Assistant(_, _, results)) if results.is_empty());
    for turn in turns {
        writer.turn(turn)?;
    }
    if asked && writer.conversation.messages.last().is_some_and(|last| last.role == Role::Assistant) {
        writer.losses.approximated("messages");
        writer.push(Role::User, vec![Block::Text(FILLER.into())]);
    }
    writer.close(ends_with_assistant, last)
}

impl<'a> Writer<'a, '_> {
    fn turn(&mut self, turn: Turn<'a>) -> Result<(), Refusal> {
        match turn {
            Turn::System(at, system) => {
                if system.late {
                    self.losses.approximated("messages[].role");
                }
                if system.named {
                    self.losses.dropped("messages[].name");
                }
                let blocks = self.content(system.content, Some(system.extra), at, Place::System)?;
                for block in blocks {
                    match block {
                        Block::Text(text) => self.conversation.system.push(SystemBlock::Text(text)),
                        Block::CachePoint(point) => self.conversation.system.push(SystemBlock::CachePoint(point)),
                        _ => {}
                    }
                }
            }
            Turn::User(at, user) => {
                if user.name.is_some() {
                    self.losses.dropped("messages[].name");
                }
                let mut blocks = self.content(&user.content, Some(&user.extra), at, Place::User)?;
                let has = |wanted: fn(&Block<'_>) -> bool| blocks.iter().any(wanted);
                // "If you include a document, you must also include a text"
                if has(|block| matches!(block, Block::Document(_))) && !has(|block| matches!(block, Block::Text(_))) {
                    self.losses.approximated("messages[].content");
                    blocks.push(Block::Text("See the document.".into()));
                }
                self.push(Role::User, blocks);
            }
            Turn::Assistant(at, assistant, results) => {
                let blocks = self.assistant(at, assistant)?;
                let ids: Vec<String> = blocks
                    .iter()
                    .filter_map(|block| match block {
                        Block::ToolUse { tool_use_id, .. } => Some(tool_use_id.clone()),
                        _ => None,
                    })
                    .collect();
                let thinks = blocks.iter().any(|block| matches!(block, Block::ReasoningContent(_)));
                self.conversation.thoughtless = !results.is_empty() && !thinks;
                self.push(Role::Assistant, blocks);
                let mut blocks = Vec::with_capacity(results.len());
                for ((at, result), id) in results.into_iter().zip(ids) {
                    self.result(at, result, id, &mut blocks)?;
                }
                self.push(Role::User, blocks);
            }
            Turn::Orphan(at, message) => {
                self.losses.approximated("messages[].tool_call_id");
                let mut blocks = vec![Block::Text(format!("Result of the tool call {}:", message.tool_call_id).into())];
                blocks.extend(self.content(&message.content, Some(&message.extra), at, Place::Result)?);
                self.push(Role::User, blocks);
            }
        }
        Ok(())
    }

    fn assistant(&mut self, at: usize, message: &'a AssistantMessage) -> Result<Vec<Block<'a>>, Refusal> {
        if message.name.is_some() {
            self.losses.dropped("messages[].name");
        }
        if message.audio.is_some() {
            self.losses.dropped("messages[].audio");
        }
        let mut blocks = self.thoughts(message);
        if let Some(content) = &message.content {
            blocks.extend(self.content(content, None, at, Place::Assistant)?);
        }
        if let Some(refusal) = message.refusal.as_deref().filter(|text| !text.trim().is_empty()) {
            blocks.push(Block::Text(refusal.into()));
        }
        for (number, call) in message.tool_calls.iter().flatten().enumerate() {
            let ToolCall::Function(call) = call else { continue };
            let name = self.called(&call.function.name);
            let tool_use_id = self.id(&call.id, at, number);
            let input = match call.function.arguments.trim() {
                "" => Input::Value(json!({})),
                text => match serde_json::from_str::<&'a RawValue>(text) {
                    Ok(raw) if raw.get().starts_with('{') => Input::Raw(raw),
                    _ => {
                        self.losses.approximated("messages[].tool_calls");
                        Input::Value(json!({ "arguments": text }))
                    }
                },
            };
            blocks.push(Block::ToolUse { tool_use_id, name, input });
        }
        if !blocks.is_empty() {
            let point = self.marker(&message.extra);
            blocks.extend(point);
        }
        Ok(blocks)
    }

    /// Thinking blocks go back exactly as they came. Thoughts without a signature are refused, so they stay away.
    fn thoughts(&mut self, message: &'a AssistantMessage) -> Vec<Block<'a>> {
        let known = message.extra.get("thinking_blocks").and_then(Value::as_array);
        let text =
            |block: &'a Value, name: &str| block.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let mut blocks = Vec::new();
        let mut lost = false;
        for block in known.into_iter().flatten() {
            let signed = text(block, "signature").map(|signature| {
                let text = block.get("thinking").and_then(Value::as_str).unwrap_or_default();
                Reasoning::ReasoningText { text, signature }
            });
            match signed.or_else(|| text(block, "data").map(Reasoning::RedactedContent)) {
                Some(_) if !self.family.claude && self.family.thinking == Thinking::No => lost = true,
                Some(reasoning) => blocks.push(Block::ReasoningContent(reasoning)),
                None => lost = true,
            }
        }
        if lost {
            self.losses.dropped("messages[].thinking_blocks");
        }
        if blocks.is_empty() && message.reasoning_content.as_deref().is_some_and(|text| !text.is_empty()) {
            self.losses.dropped("messages[].reasoning_content");
        }
        blocks
    }

    fn result(
        &mut self,
        at: usize,
        message: &'a ToolMessage,
        tool_use_id: String,
        to: &mut Vec<Block<'a>>,
    ) -> Result<(), Refusal> {
        let (points, mut content): (Vec<_>, Vec<_>) = self
            .content(&message.content, Some(&message.extra), at, Place::Result)?
            .into_iter()
            .partition(|block| matches!(block, Block::CachePoint(_)));
        if content.is_empty() {
            content.push(Block::Text(SILENCE.into()));
        }
        let failed = message.extra.get("is_error").and_then(Value::as_bool) == Some(true)
            || message.extra.get("status").and_then(Value::as_str) == Some("error");
        let status = (failed && self.family.named).then_some("error");
        to.push(Block::ToolResult { tool_use_id, content, status });
        to.extend(points.into_iter().last());
        Ok(())
    }

    /// A valid id that no other call has, always the same for the same conversation.
    fn id(&mut self, id: &str, at: usize, number: usize) -> String {
        let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b':' | b'-');
        let is_valid = (1..=names::MAX).contains(&id.len()) && id.bytes().all(fits);
        let mut own = if is_valid { id.to_owned() } else { names::hashed(id) };
        if !self.ids.insert(own.clone()) {
            own = names::hashed(&format!("{id}\0{at}\0{number}"));
            self.ids.insert(own.clone());
        }
        own
    }

    fn called(&mut self, name: &'a str) -> Cow<'a, str> {
        let name = names::tool_name(name);
        if !self.conversation.called.contains(&name) {
            self.conversation.called.push(name.clone());
        }
        name
    }

    /// Appends to the last message if it has the same role.
    fn push(&mut self, role: Role, blocks: Vec<Block<'a>>) {
        if blocks.is_empty() {
            return;
        }
        let messages = &mut self.conversation.messages;
        match messages.last_mut().filter(|last| last.role == role) {
            Some(last) => last.content.extend(blocks),
            None => messages.push(Message { role, content: blocks }),
        }
    }

    /// What Converse demands of the whole.
    fn close(mut self, ends_with_assistant: bool, last: usize) -> Result<Conversation<'a>, Refusal> {
        if self.conversation.messages.is_empty() {
            if self.conversation.system.is_empty() {
                return Err(Refusal::invalid("messages", "there is no message that is not blank"));
            }
            self.losses.approximated("messages[].role");
            let blocks = std::mem::take(&mut self.conversation.system).into_iter().map(|block| match block {
                SystemBlock::Text(text) => Block::Text(text),
                SystemBlock::CachePoint(point) => Block::CachePoint(point),
            });
            self.conversation.messages.push(Message { role: Role::User, content: blocks.collect() });
        }
        if self.conversation.messages[0].role == Role::Assistant {
            self.losses.approximated("messages");
            let opening = Message { role: Role::User, content: vec![Block::Text(FILLER.into())] };
            self.conversation.messages.insert(0, opening);
        }
        let end = self.conversation.messages.last_mut();
        if let Some(end) = end.filter(|end| end.role == Role::Assistant && ends_with_assistant) {
            if !self.family.prefill {
                let message =
                    "this model does not continue an assistant message: the last message has to be the user's";
                return Err(Refusal::invalid(format!("messages[{last}]"), message));
            }
            // "final assistant content cannot end with trailing whitespace"
            if let Some(Block::Text(text)) = end.content.last_mut()
                && text.trim_end().len() < text.len()
            {
                self.losses.approximated("messages[].content");
                *text = text.trim_end().to_owned().into();
            }
        }
        Ok(self.conversation)
    }
}
