//! The conversation as Claude takes it: `system` apart, roles merged, results directly after their calls.

use std::{borrow::Cow, collections::HashSet};

use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

use super::{
    blocks::{Block, Message, Role, SystemPrompt},
    content, tools,
};
use crate::{
    api::{AssistantMessage, ChatMessage, FunctionToolCall, ToolCall, ToolMessage},
    ids::hex,
    refusal::{Cause, Refusal},
    wire::hub::{
        Losses,
        turns::{FILLER, System, Turn, asks_for_answer, turns},
    },
};

/// The conversation, ready to be sent.
#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    system: Vec<Block<'a>>,
    pub messages: Vec<Message<'a>>,
    /// Ids that were rewritten: (theirs, the client's).
    pub tool_ids: Vec<(String, String)>,
    /// The last message is the beginning of the answer.
    pub prefilled: bool,
    /// The running tool loop began without a thinking block: budgets are refused then.
    pub thoughtless: bool,
    /// Some document is on Anthropic's side.
    pub uses_files: bool,
    used_ids: HashSet<String>,
}

/// # Errors
/// 400 naming the message that cannot be said to Claude.
pub(super) fn conversation<'a>(messages: &'a [ChatMessage], losses: &mut Losses) -> Result<Conversation<'a>, Refusal> {
    let mut conversation = Conversation::default();
    let turns = turns(messages, losses)?;
    let asked = asks_for_answer(&turns);
    for turn in turns {
        match turn {
            Turn::System(at, system) => conversation.system(at, system, losses)?,
            Turn::User(at, message) => {
                losses.drop_if("messages[].name", message.name.is_some());
                let mut blocks = content::blocks(at, &message.content, losses)?;
                mark_last(&mut blocks, &message.extra);
                conversation.say(Role::User, blocks);
            }
            Turn::Assistant(at, message, results) => conversation.assistant(at, message, results, losses)?,
            Turn::Orphan(at, message) => {
                losses.approximated("messages");
                let text = format!("[Result of the tool call `{}`]\n{}", message.tool_call_id, message.content.text());
                let param = format!("messages[{at}].content");
                let images = content::blocks(at, &message.content, losses)?;
                if images.iter().any(|block| !matches!(block, Block::Text { .. })) {
                    return Err(Refusal::invalid(
                        param,
                        "the result of a call that is not in the conversation is text",
                    ));
                }
                conversation.say(Role::User, vec![Block::text(text)]);
            }
        }
    }
    if asked && conversation.messages.last().is_some_and(|last| last.role == Role::Assistant) {
        losses.approximated("messages");
        conversation.say(Role::User, vec![Block::text(FILLER)]);
    }
    conversation.finish(losses)
}

impl<'a> Conversation<'a> {
    /// The system prompt: text, or blocks where the prompt cache has marks. `more` is added to it.
    pub(super) fn system_prompt(&mut self, more: Option<&'static str>) -> Option<SystemPrompt<'a>> {
        self.system.extend(more.map(Block::text));
        let blocks = std::mem::take(&mut self.system);
        if blocks.iter().any(Block::is_marked) {
            return Some(SystemPrompt::Blocks(blocks));
        }
        let texts = blocks.iter().filter_map(|block| match block {
            Block::Text { text, .. } => Some(text.as_ref()),
            _ => None,
        });
        let texts: Vec<&str> = texts.collect();
        (!texts.is_empty()).then(|| SystemPrompt::Text(texts.join("\n")))
    }

    pub(super) fn has_tool_blocks(&self) -> bool {
        let mut blocks = self.messages.iter().flat_map(|message| &message.content);
        blocks.any(|block| matches!(block, Block::ToolUse { .. }))
    }

    fn system(&mut self, at: usize, system: System<'a>, losses: &mut Losses) -> Result<(), Refusal> {
        losses.drop_if("messages[].name", system.named);
        let mut blocks = content::blocks(at, system.content, losses)?;
        if blocks.iter().any(|block| !matches!(block, Block::Text { .. })) {
            let param = format!("messages[{at}].content");
            return Err(Refusal::invalid(param, "a system or developer message is text"));
        }
        if system.late && !blocks.is_empty() {
            losses.approximated("messages");
        }
        mark_last(&mut blocks, system.extra);
        self.system.append(&mut blocks);
        Ok(())
    }

    fn assistant(
        &mut self,
        at: usize,
        message: &'a AssistantMessage,
        results: Vec<(usize, &'a ToolMessage)>,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        losses.drop_if("messages[].name", message.name.is_some());
        losses.drop_if("messages[].audio", message.audio.is_some());
        let mut blocks = thoughts(message, losses);
        let thoughtless = blocks.is_empty();
        if let Some(content) = &message.content {
            blocks.extend(content::blocks(at, content, losses)?);
        }
        let refusal = message.refusal.as_deref().filter(|text| !text.trim().is_empty());
        blocks.extend(refusal.map(Block::text));
        let mut answers = Vec::new();
        let calls = message.tool_calls.iter().flatten().enumerate();
        for ((number, call), (place, result)) in calls.zip(results) {
            let ToolCall::Function(call) = call else { continue };
            let id = self.id(&call.id);
            blocks.push(tool_use(at, number, call, id.clone())?);
            answers.push(tool_result(place, result, id, losses)?);
        }
        mark_last(&mut blocks, &message.extra);
        if !answers.is_empty() {
            self.thoughtless = thoughtless;
        }
        // A turn of thoughts alone says nothing.
        if blocks.iter().all(|block| matches!(block, Block::Thought(_))) {
            return Ok(());
        }
        self.say(Role::Assistant, blocks);
        if !answers.is_empty() {
            self.say(Role::User, answers);
        }
        Ok(())
    }

    fn say(&mut self, role: Role, blocks: Vec<Block<'a>>) {
        if blocks.is_empty() {
            return;
        }
        match self.messages.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => self.messages.push(Message { role, content: blocks }),
        }
    }

    /// An id of `^[a-zA-Z0-9_-]+$` that no other call has; the same for the same conversation.
    fn id(&mut self, id: &'a str) -> Cow<'a, str> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !id.is_empty() && id.bytes().all(fits) && self.used_ids.insert(id.to_owned()) {
            return Cow::Borrowed(id);
        }
        let mut salt = 0u32;
        loop {
            let hash = Sha256::new().chain_update(id).chain_update(salt.to_be_bytes()).finalize();
            let theirs = format!("call_{}", hex(&hash[..12]));
            if self.used_ids.insert(theirs.clone()) {
                self.tool_ids.push((theirs.clone(), id.to_owned()));
                return Cow::Owned(theirs);
            }
            salt += 1;
        }
    }

    fn finish(mut self, losses: &mut Losses) -> Result<Self, Refusal> {
        if self.messages.is_empty() {
            // Claude answers a user; instructions alone become the user's.
            if self.system.is_empty() {
                return Err(Refusal::new(Cause::Invalid, "the messages say nothing").param("messages"));
            }
            losses.approximated("messages");
            let blocks = std::mem::take(&mut self.system);
            self.say(Role::User, blocks);
        }
        let runs =
            self.messages.last().is_some_and(|last| matches!(last.content.last(), Some(Block::ToolResult { .. })));
        self.thoughtless &= runs;
        let is_file =
            |block: &Block<'_>| matches!(block, Block::Document { source: super::blocks::Source::File { .. }, .. });
        self.uses_files = self.messages.iter().flat_map(|message| &message.content).any(is_file);
        if let Some(Message { role: Role::Assistant, content }) = self.messages.last_mut() {
            self.prefilled = true;
            // White space at the end of a prefill is answered with 400.
            if let Some(Block::Text { text, .. }) = content.last_mut()
                && text.ends_with(char::is_whitespace)
            {
                losses.approximated("messages");
                *text = Cow::Owned(text.trim_end().to_owned());
            }
        }
        Ok(self)
    }
}

/// Thinking blocks, byte for byte. Those without a signature are not Claude's and would be refused.
fn thoughts<'a>(message: &'a AssistantMessage, losses: &mut Losses) -> Vec<Block<'a>> {
    let blocks = message.extra.get("thinking_blocks").and_then(Value::as_array);
    let is_text =
        |block: &Value, name: &str| block.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let is_claudes = |block: &&Value| match block.get("type").and_then(Value::as_str) {
        Some("thinking") => is_text(block, "signature") && block.get("thinking").is_some_and(Value::is_string),
        Some("redacted_thinking") => is_text(block, "data"),
        _ => false,
    };
    let kept: Vec<Block<'a>> = blocks.into_iter().flatten().filter(is_claudes).map(Block::Thought).collect();
    losses.drop_if("messages[].thinking_blocks", blocks.is_some_and(|all| all.len() > kept.len()));
    let reasoned = message.reasoning_content.as_ref().is_some_and(|text| !text.is_empty());
    losses.drop_if("messages[].reasoning_content", reasoned && kept.is_empty());
    kept
}

fn tool_use<'a>(at: usize, number: usize, call: &'a FunctionToolCall, id: Cow<'a, str>) -> Result<Block<'a>, Refusal> {
    let function = &call.function;
    tools::check_name(&function.name, || format!("messages[{at}].tool_calls[{number}].function.name"))?;
    let text = if function.arguments.trim().is_empty() { "{}" } else { function.arguments.trim() };
    let input = serde_json::from_str::<&RawValue>(text).ok().filter(|input| input.get().starts_with('{'));
    let Some(input) = input else {
        let message = format!("the arguments of the call `{}` of `{}` are no JSON object", call.id, function.name);
        return Err(Refusal::invalid(format!("messages[{at}].tool_calls[{number}].function.arguments"), message));
    };
    Ok(Block::ToolUse {
        id,
        name: &function.name,
        input: Cow::Borrowed(input),
        cache_control: content::mark(&call.extra),
    })
}

fn tool_result<'a>(
    at: usize,
    message: &'a ToolMessage,
    tool_use_id: Cow<'a, str>,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let is_error = message.extra.get("is_error").and_then(Value::as_bool).filter(|&is_error| is_error);
    let mut content = content::blocks(at, &message.content, losses)?;
    let marks = content.iter_mut().filter_map(|block| match block {
        Block::Text { cache_control, .. } => cache_control.take(),
        _ => None,
    });
    let cache_control = content::mark(&message.extra).or(marks.last());
    Ok(Block::ToolResult { tool_use_id, content, is_error, cache_control })
}

/// LiteLLM's `cache_control` on a whole message means its last block.
fn mark_last<'a>(blocks: &mut [Block<'a>], extra: &'a serde_json::Map<String, Value>) {
    let last = blocks.iter_mut().rfind(|block| !matches!(block, Block::Thought(_)));
    if let (Some(last), Some(mark)) = (last, content::mark(extra)) {
        last.mark(Some(mark));
    }
}
