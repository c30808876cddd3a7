//! Streamed answers, as server-sent events made one by one.

use std::{iter, sync::Arc};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Map;

use super::{
    text::{Speech, slices, tokens},
    tool::{Turn, written},
};
use crate::api::{
    ChatCompletionChunk, ChatCompletionChunkObject, ChatRole, ChunkChoice, Completion, CompletionChoice,
    CompletionObject, CustomCallDelta, Delta, FinishReason, FunctionCallDelta, ServiceTier, ToolCall, ToolCallDelta,
    ToolType, Usage,
};

/// The arguments of a tool call are streamed in pieces of so many characters.
const ARGUMENTS_PIECE: usize = 8;
const DONE: Event = Event { bytes: Bytes::from_static(b"data: [DONE]\n\n"), content: false };

/// One server-sent event.
pub(super) struct Event {
    pub bytes: Bytes,
    /// Whether it holds a piece of the answer: those are paced, and faults count them.
    pub content: bool,
}

/// What all events of an answer have in common.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    pub id: String,
    pub created: i64,
    pub model: String,
}

impl Stamp {
    pub const FINGERPRINT: &str = "fp_simulator";

    pub fn new(id: String, created: i64, model: &str) -> Self {
        Self { id, created, model: model.to_owned() }
    }

    fn chunk(&self, choices: Vec<ChunkChoice>, usage: Option<Option<Usage>>, content: bool) -> Event {
        let chunk = ChatCompletionChunk {
            id: self.id.clone(),
            object: ChatCompletionChunkObject,
            created: self.created,
            model: self.model.clone(),
            service_tier: Some(ServiceTier::Default),
            system_fingerprint: Some(Self::FINGERPRINT.to_owned()),
            choices,
            usage,
            moderation: None,
            obfuscation: None,
            extra: Map::new(),
        };
        Event { bytes: frame(&chunk), content }
    }

    pub fn completion(&self, choices: Vec<CompletionChoice>, usage: Option<Option<Usage>>) -> Completion {
        Completion {
            id: self.id.clone(),
            object: CompletionObject,
            created: self.created,
            model: self.model.clone(),
            system_fingerprint: Some(Self::FINGERPRINT.to_owned()),
            choices,
            usage,
            extra: Map::new(),
        }
    }
}

/// The bytes of one event.
pub(super) fn frame<T: Serialize>(value: &T) -> Bytes {
    let mut bytes = b"data: ".to_vec();
    serde_json::to_writer(&mut bytes, value).expect("the api types are maps with string keys");
    bytes.extend_from_slice(b"\n\n");
    bytes.into()
}

/// A chat's events. `usage` is given if it is to be reported.
pub(super) fn chat_events(
    stamp: Stamp,
    turn: Turn,
    choices: usize,
    usage: Option<Usage>,
) -> impl Iterator<Item = Event> + Send {
    let no_usage = usage.as_ref().map(|_| None);
    let turn = Arc::new(turn);
    let last = usage.map(|usage| stamp.chunk(Vec::new(), Some(Some(usage)), false));
    let pieces = (0..choices as u32).flat_map(move |index| {
        let stamp = stamp.clone();
        let no_usage = no_usage.clone();
        deltas(turn.clone()).map(move |(delta, finish_reason, content)| {
            let choice = ChunkChoice { index, delta, finish_reason, ..ChunkChoice::default() };
            stamp.chunk(vec![choice], no_usage.clone(), content)
        })
    });
    pieces.chain(last).chain(iter::once(DONE))
}

/// One choice's deltas: its role, its content, its end.
fn deltas(turn: Arc<Turn>) -> Box<dyn Iterator<Item = (Delta, Option<FinishReason>, bool)> + Send> {
    let finish = turn.finish();
    let opening = Some(if matches!(*turn, Turn::Says(_)) { Some(String::new()) } else { None });
    let role = Delta { role: Some(ChatRole::Assistant), content: opening, ..Delta::default() };
    let content: Box<dyn Iterator<Item = Delta> + Send> = match &*turn {
        Turn::Says(speech) => {
            let text = speech.text.clone();
            Box::new(
                tokens(text.clone())
                    .map(move |range| Delta { content: Some(Some(text[range].to_owned())), ..Delta::default() }),
            )
        }
        Turn::Calls(calls) => Box::new(call_deltas(calls).into_iter()),
        Turn::CallsFunction(call) => {
            let named = FunctionCallDelta { name: Some(call.name.clone()), arguments: Some(String::new()) };
            let pieces = slices(&call.arguments, ARGUMENTS_PIECE)
                .into_iter()
                .map(|piece| FunctionCallDelta { name: None, arguments: Some(piece) });
            let deltas = iter::once(named).chain(pieces);
            Box::new(deltas.map(|call| Delta { function_call: Some(call), ..Delta::default() }))
        }
    };
    let end = iter::once((Delta::default(), Some(finish), false));
    Box::new(iter::once((role, None, false)).chain(content.map(|delta| (delta, None, true))).chain(end))
}

/// Each call is named first, then its arguments follow in pieces.
fn call_deltas(calls: &[ToolCall]) -> Vec<Delta> {
    let mut deltas = Vec::new();
    for (index, call) in (0..).zip(calls) {
        let (id, kind, name) = match call {
            ToolCall::Function(call) => (&call.id, ToolType::Function, &call.function.name),
            ToolCall::Custom(call) => (&call.id, ToolType::Custom, &call.custom.name),
        };
        let piece = |name: Option<String>, text: String| {
            let mut delta = ToolCallDelta { index, ..ToolCallDelta::default() };
            match call {
                ToolCall::Function(_) => delta.function = Some(FunctionCallDelta { name, arguments: Some(text) }),
                ToolCall::Custom(_) => delta.custom = Some(CustomCallDelta { name, input: Some(text) }),
            }
            delta
        };
        let opening = piece(Some(name.clone()), String::new());
        let rest = slices(written(call), ARGUMENTS_PIECE).into_iter().map(|text| piece(None, text));
        let all = iter::once(ToolCallDelta { id: Some(id.clone()), kind: Some(kind), ..opening }).chain(rest);
        deltas.extend(all.map(|delta| Delta { tool_calls: Some(vec![delta]), ..Delta::default() }));
    }
    deltas
}

/// A completion's events. `usage` is given if it is to be reported.
pub(super) fn completion_events(
    stamp: Stamp,
    speeches: Vec<Speech>,
    usage: Option<Usage>,
) -> impl Iterator<Item = Event> + Send {
    let no_usage = usage.as_ref().map(|_| None);
    let last =
        usage.map(|usage| Event { bytes: frame(&stamp.completion(Vec::new(), Some(Some(usage)))), content: false });
    let pieces = (0..).zip(speeches).flat_map(move |(index, Speech { text, finish })| {
        let stamp = stamp.clone();
        let no_usage = no_usage.clone();
        let ranges = tokens(text.clone()).map(Some).chain(iter::once(None));
        ranges.map(move |range| {
            let (text, finish_reason, content) = match range {
                Some(range) => (text[range].to_owned(), None, true),
                None => (String::new(), Some(finish.clone()), false),
            };
            let choice = CompletionChoice { text, index, logprobs: None, finish_reason, extra: Map::new() };
            Event { bytes: frame(&stamp.completion(vec![choice], no_usage.clone())), content }
        })
    });
    pieces.chain(last).chain(iter::once(DONE))
}
