//! The conversation with every tool result next to its call, which providers insist on.

use super::Losses;
use crate::{
    api::{AssistantMessage, ChatMessage, MessageContent, ToolCall, ToolMessage, UserMessage},
    refusal::Refusal,
};

/// One step of the conversation; numbers are positions in the request.
#[derive(Debug)]
pub enum Turn<'a> {
    System(usize, System<'a>),
    User(usize, &'a UserMessage),
    /// With the results of its calls, in the order of the calls.
    Assistant(usize, &'a AssistantMessage, Vec<(usize, &'a ToolMessage)>),
    /// A result whose call is not in the conversation.
    Orphan(usize, &'a ToolMessage),
}

/// A system or developer message.
#[derive(Debug, Clone, Copy)]
pub struct System<'a> {
    pub content: &'a MessageContent,
    pub extra: &'a serde_json::Map<String, serde_json::Value>,
    pub named: bool,
    /// Something else was said before.
    pub late: bool,
}

/// Reads the conversation; `functions` must have been converted.
///
/// # Errors
/// 400 for a call without a result, as OpenAI answers it; 400 for calls of custom tools.
pub fn turns<'a>(messages: &'a [ChatMessage], losses: &mut Losses) -> Result<Vec<Turn<'a>>, Refusal> {
    let mut taken = vec![false; messages.len()];
    let mut turns = Vec::with_capacity(messages.len());
    let mut late = false;
    for (at, message) in messages.iter().enumerate() {
        match message {
            ChatMessage::System(message) => {
                let named = message.name.is_some();
                turns.push(Turn::System(at, System { content: &message.content, extra: &message.extra, named, late }));
            }
            ChatMessage::Developer(message) => {
                let named = message.name.is_some();
                turns.push(Turn::System(at, System { content: &message.content, extra: &message.extra, named, late }));
            }
            ChatMessage::User(message) => turns.push(Turn::User(at, message)),
            ChatMessage::Assistant(message) => {
                let results = results(messages, at, message, &mut taken, losses)?;
                turns.push(Turn::Assistant(at, message, results));
            }
            ChatMessage::Tool(message) if !taken[at] => turns.push(Turn::Orphan(at, message)),
            ChatMessage::Tool(_) | ChatMessage::Function(_) => {}
        }
        late |= !matches!(message, ChatMessage::System(_) | ChatMessage::Developer(_));
    }
    Ok(turns)
}

/// What a user says who said nothing: blank text is refused, and without it a model would go on with its own last words.
pub const FILLER: &str = ".";

/// Whether it is the model's turn, as far as the roles say: text may be blank.
pub fn asks_for_answer(turns: &[Turn<'_>]) -> bool {
    let last = turns.iter().rfind(|turn| !matches!(turn, Turn::System(..)));
    matches!(last, Some(Turn::User(..)))
}

/// Finds the result of every call of one assistant message among the messages after it.
fn results<'a>(
    messages: &'a [ChatMessage],
    at: usize,
    message: &AssistantMessage,
    taken: &mut [bool],
    losses: &mut Losses,
) -> Result<Vec<(usize, &'a ToolMessage)>, Refusal> {
    let mut results = Vec::new();
    for (number, call) in message.tool_calls.iter().flatten().enumerate() {
        let ToolCall::Function(call) = call else {
            let param = format!("messages[{at}].tool_calls[{number}]");
            return Err(Refusal::invalid(param, "custom tools exist only in OpenAI's own format"));
        };
        let answer = messages.iter().enumerate().skip(at + 1).find_map(|(place, message)| match message {
            ChatMessage::Tool(message) if !taken[place] && message.tool_call_id == call.id => Some((place, message)),
            _ => None,
        });
        let Some((place, answer)) = answer else {
            let message = format!("no tool message answers the call `{}` of `{}`", call.id, call.function.name);
            return Err(Refusal::invalid(format!("messages[{at}].tool_calls[{number}]"), message));
        };
        if messages[at + 1..place].iter().any(|between| !matches!(between, ChatMessage::Tool(_))) {
            losses.approximated("messages");
        }
        taken[place] = true;
        results.push((place, answer));
    }
    Ok(results)
}
