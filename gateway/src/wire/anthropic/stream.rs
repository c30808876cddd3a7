//! Claude's stream, read event by event and written as OpenAI's chunks.

use std::{borrow::Cow, collections::VecDeque};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    answer::{self, Block, StopDetails, Usage},
    errors,
    sse::Event,
};
use crate::{
    refusal::Refusal,
    wire::{
        Reading, Seen,
        hub::{Chunks, EventReader, answers::own_id},
    },
};

pub(super) struct State {
    reading: Reading,
    seen: Seen,
    chunks: Option<Chunks>,
    usage: Usage,
    stop_reason: Option<String>,
    explanation: Option<String>,
    open: Open,
    /// Tool calls begun.
    calls: usize,
    /// Characters of content so far, for citations.
    written: usize,
}

/// The block in progress: blocks follow one another.
#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    Text {
        start: usize,
        citations: Vec<Value>,
    },
    Thought {
        thinking: String,
        signature: String,
    },
    /// A tool call, or the tool that stands for a JSON schema (`call` is absent). `input` is what the start held.
    Tool {
        call: Option<usize>,
        input: Option<String>,
    },
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    message: Option<Head<'a>>,
    #[serde(borrow)]
    content_block: Option<Block<'a>>,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    model: Cow<'a, str>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    thinking: Option<Cow<'a, str>>,
    #[serde(borrow)]
    signature: Option<Cow<'a, str>>,
    #[serde(borrow)]
    partial_json: Option<Cow<'a, str>>,
    citation: Option<Value>,
    stop_reason: Option<String>,
    stop_details: Option<StopDetails>,
}

impl State {
    pub(super) fn new(reading: &Reading) -> Self {
        Self {
            reading: reading.clone(),
            seen: Seen::default(),
            chunks: None,
            usage: Usage::default(),
            stop_reason: None,
            explanation: None,
            open: Open::Nothing,
            calls: 0,
            written: 0,
        }
    }
}

impl EventReader for State {
    fn event(&mut self, event: &Event<'_>, out: &mut VecDeque<Bytes>) {
        let Some(data) = event.data.as_deref().filter(|data| !data.trim_ascii().is_empty()) else {
            return;
        };
        if event.kind == b"error" {
            return self.fail(errors::disguised(data));
        }
        // What is new or cannot be read is not ours: only the end decides whether the answer is whole.
        let Ok(read) = serde_json::from_slice::<Data<'_>>(data) else { return };
        match &*read.kind {
            "error" => self.fail(errors::disguised(data)),
            "message_start" => self.start(read, out),
            "content_block_start" => self.open(read.content_block.unwrap_or_default(), out),
            "content_block_delta" => read.delta.into_iter().for_each(|delta| self.delta(delta, out)),
            "content_block_stop" => self.close(out),
            "message_delta" => {
                self.count(read.usage);
                let Some(delta) = read.delta else { return };
                self.stop_reason = delta.stop_reason.or(self.stop_reason.take());
                self.explanation = delta.stop_details.and_then(|details| details.explanation);
            }
            "message_stop" => self.stop(out),
            _ => {}
        }
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }

    fn fail(&mut self, refusal: Refusal) {
        self.seen.error = Some(refusal);
    }
}

impl State {
    fn start(&mut self, read: Data<'_>, out: &mut VecDeque<Bytes>) {
        let Some(head) = read.message.filter(|_| self.chunks.is_none()) else { return };
        let model = if head.model.is_empty() { &*self.reading.model } else { &*head.model };
        let chunks = self.chunks.insert(Chunks::new(&head.id, model, &self.reading));
        chunks.begin(out);
        self.seen.event = true;
        self.count(head.usage);
    }

    fn count(&mut self, usage: Option<Usage>) {
        let Some(usage) = usage else { return };
        self.usage.replace(usage);
        self.seen.usage = Some(self.usage.tokens());
    }

    fn open(&mut self, block: Block<'_>, out: &mut VecDeque<Bytes>) {
        self.close(out);
        let Some(chunks) = &mut self.chunks else { return };
        self.open = match &*block.kind {
            "text" => {
                let citations = block.citations.unwrap_or_default();
                self.open = Open::Text { start: self.written, citations };
                return self.content(block.text.as_deref().unwrap_or_default(), out);
            }
            "thinking" => {
                let thinking = block.thinking.unwrap_or_default();
                chunks.reasoning(&thinking, out);
                Open::Thought { thinking, signature: block.signature.unwrap_or_default() }
            }
            "redacted_thinking" => {
                let thoughts = json!({"thinking_blocks": [answer::redacted(block.data.unwrap_or_default())]});
                chunks.delta(&thoughts, out);
                Open::Nothing
            }
            "tool_use" => {
                let name = block.name.unwrap_or_default();
                let is_json = self.reading.json_tool.as_deref() == Some(&*name);
                if !is_json {
                    let id = block.id.unwrap_or_default();
                    chunks.tool_call(self.calls, own_id(&self.reading, &id), &name, "", out);
                }
                let call = (!is_json).then_some(self.calls);
                self.calls += usize::from(!is_json);
                Open::Tool { call, input: Some(block.input.map_or("{}", RawValue::get).to_owned()) }
            }
            _ => Open::Nothing,
        };
    }

    fn delta(&mut self, delta: Delta<'_>, out: &mut VecDeque<Bytes>) {
        let Some(chunks) = &mut self.chunks else { return };
        match (delta.kind.as_deref(), &mut self.open) {
            (Some("text_delta"), _) => self.content(delta.text.as_deref().unwrap_or_default(), out),
            (Some("thinking_delta"), Open::Thought { thinking, .. }) => {
                let piece = delta.thinking.unwrap_or_default();
                thinking.push_str(&piece);
                chunks.reasoning(&piece, out);
            }
            (Some("signature_delta"), Open::Thought { signature, .. }) => {
                signature.push_str(&delta.signature.unwrap_or_default());
            }
            (Some("input_json_delta"), Open::Tool { call, input }) => {
                let piece = delta.partial_json.unwrap_or_default();
                if piece.is_empty() {
                    return;
                }
                *input = None;
                match *call {
                    Some(call) => chunks.arguments(call, &piece, out),
                    None => self.content(&piece, out),
                }
            }
            (Some("citations_delta"), Open::Text { citations, .. }) => citations.extend(delta.citation),
            _ => {}
        }
    }

    /// A block has ended: whole thoughts go out, and the input of a tool that sent none.
    fn close(&mut self, out: &mut VecDeque<Bytes>) {
        let Some(chunks) = &mut self.chunks else { return };
        match std::mem::take(&mut self.open) {
            Open::Nothing => {}
            Open::Text { start, citations } => {
                let (annotations, others) = answer::cited(citations, start, self.written);
                if !annotations.is_empty() {
                    chunks.delta(&json!({ "annotations": annotations }), out);
                }
                if !others.is_empty() {
                    chunks.delta(&json!({ "citations": others }), out);
                }
            }
            Open::Thought { thinking, signature } => {
                chunks.delta(&json!({"thinking_blocks": [answer::thought(thinking, signature)]}), out);
            }
            Open::Tool { call: Some(call), input: Some(input) } => chunks.arguments(call, &input, out),
            Open::Tool { call: None, input: Some(input) } => self.content(&input, out),
            Open::Tool { input: None, .. } => {}
        }
    }

    fn content(&mut self, text: &str, out: &mut VecDeque<Bytes>) {
        self.written += text.chars().count();
        if let Some(chunks) = &mut self.chunks {
            chunks.content(text, out);
        }
    }

    fn stop(&mut self, out: &mut VecDeque<Bytes>) {
        self.close(out);
        let Some(chunks) = &mut self.chunks else { return };
        if let (Some("refusal"), Some(explanation)) = (self.stop_reason.as_deref(), &self.explanation) {
            chunks.refusal(explanation, out);
        }
        chunks.finish(answer::finish_reason(self.stop_reason.as_deref(), self.calls > 0), out);
        chunks.done(self.seen.usage.as_ref(), out);
        self.seen.complete = true;
    }
}
