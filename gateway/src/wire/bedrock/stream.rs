//! `ConverseStream`'s events, made OpenAI's chunks.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    answer, errors,
    events::{Event, ToolDelta},
};
use crate::{
    refusal::{Cause, Refusal},
    wire::{
        Reading, Seen, StreamDecoder,
        event_stream::{Frame, Frames},
        hub::{Chunks, answers::own_id},
    },
};

/// Reads one stream.
#[derive(Debug)]
pub(super) struct Decoder {
    frames: Frames,
    state: State,
}

#[derive(Debug)]
struct State {
    chunks: Chunks,
    reading: Reading,
    seen: Seen,
    /// Blocks that are not at their end, by Converse's index.
    blocks: BTreeMap<u64, Block>,
    calls: usize,
    /// Of the answer's text, so far.
    characters: u64,
    /// What came with `messageStop`: usage is yet to come.
    fields: Option<Value>,
    done: bool,
}

/// What is known of a block.
#[derive(Debug, Default)]
struct Block {
    tool: Tool,
    said: bool,
    thought: Option<(String, Option<String>)>,
    begin: u64,
    citations: Vec<Value>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Tool {
    #[default]
    None,
    /// OpenAI's index.
    Call(usize),
    /// The tool that stands for a schema: its input is the content.
    Schema,
    /// Bedrock calls it itself.
    Server,
}

impl Decoder {
    pub(super) fn new(reading: &Reading) -> Self {
        Self::named(&answer::answer_id(), reading)
    }

    pub(super) fn named(id: &str, reading: &Reading) -> Self {
        let state = State {
            chunks: Chunks::new(id, &reading.model, reading),
            reading: reading.clone(),
            seen: Seen::default(),
            blocks: BTreeMap::new(),
            calls: 0,
            characters: 0,
            fields: None,
            done: false,
        };
        Self { frames: Frames::default(), state }
    }
}

impl StreamDecoder for Decoder {
    fn feed(&mut self, frame: Bytes, out: &mut VecDeque<Bytes>) {
        let state = &mut self.state;
        if state.seen.failed() {
            return;
        }
        let read = self.frames.feed(&frame, |frame| {
            if state.seen.failed() {
                return;
            }
            if let Err(refusal) = state.frame(frame, out) {
                state.seen.error = Some(refusal);
            }
        });
        if read.is_err() && !state.seen.failed() {
            let damaged = Refusal::new(Cause::Upstream, "the provider's event stream is damaged");
            state.seen.error = Some(damaged.code("stream_damaged"));
        }
    }

    fn end(&mut self, out: &mut VecDeque<Bytes>) {
        if self.state.seen.complete && !self.state.seen.failed() {
            self.state.finish(out);
        }
    }

    fn seen(&self) -> &Seen {
        &self.state.seen
    }
}

impl State {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut VecDeque<Bytes>) -> Result<(), Refusal> {
        match frame.header(":message-type") {
            Some("exception") => {
                return Err(errors::exception(frame.header(":exception-type").unwrap_or_default(), frame.payload));
            }
            Some("error") => {
                let (code, message) = (frame.header(":error-code"), frame.header(":error-message"));
                return Err(errors::frame(code.unwrap_or_default(), message.unwrap_or_default()));
            }
            _ => {}
        }
        let kind = frame.header(":event-type").unwrap_or_default();
        if !matches!(kind, "contentBlockStart" | "contentBlockDelta" | "contentBlockStop" | "messageStop" | "metadata")
        {
            // `messageStart` commits to nothing: an exception may follow it, and another provider may do better
            return Ok(());
        }
        let unreadable = |_| Refusal::new(Cause::Upstream, format!("the provider's event `{kind}` is unreadable"));
        let event: Event = serde_json::from_slice(frame.payload).map_err(unreadable)?;
        self.seen.event = true;
        match kind {
            "contentBlockStart" => self.start(&event, out),
            "contentBlockDelta" => self.delta(event, out),
            "contentBlockStop" => self.stop(event.content_block_index, out),
            "messageStop" => self.message_stop(event, out)?,
            _ => self.metadata(&event, out),
        }
        Ok(())
    }

    /// Only tools (and images, and what tools of Bedrock's answer) have a start.
    fn start(&mut self, event: &Event, out: &mut VecDeque<Bytes>) {
        let Some(tool) = event.start.as_ref().and_then(|start| start.tool_use.as_ref()) else { return };
        let is_schema = self.reading.json_tool.as_deref() == Some(tool.name.as_str());
        let kind = match &tool.kind {
            Some(_) => Tool::Server,
            None if is_schema => Tool::Schema,
            None => {
                let index = self.calls;
                self.calls += 1;
                self.chunks.tool_call(index, own_id(&self.reading, &tool.tool_use_id), &tool.name, "", out);
                Tool::Call(index)
            }
        };
        self.blocks.insert(event.content_block_index, Block { tool: kind, ..Block::default() });
    }

    fn delta(&mut self, event: Event, out: &mut VecDeque<Bytes>) {
        let Some(delta) = event.delta else { return };
        let fresh = Block { begin: self.characters, ..Block::default() };
        let block = self.blocks.entry(event.content_block_index).or_insert(fresh);
        if let Some(text) = delta.text {
            self.characters += text.chars().count() as u64;
            self.chunks.content(&text, out);
        }
        if let Some(ToolDelta { input }) = delta.tool_use {
            block.said |= !input.is_empty();
            match block.tool {
                Tool::Call(index) => self.chunks.arguments(index, &input, out),
                Tool::Schema => self.chunks.content(&input, out),
                Tool::None | Tool::Server => {}
            }
        }
        if let Some(reasoning) = delta.reasoning_content {
            if let Some(text) = reasoning.text {
                block.thought.get_or_insert_default().0.push_str(&text);
                self.chunks.reasoning(&text, out);
            }
            if let Some(signature) = reasoning.signature {
                block.thought.get_or_insert_default().1.get_or_insert_default().push_str(&signature);
            }
            if let Some(data) = reasoning.redacted_content.filter(|data| !data.is_empty()) {
                self.chunks.delta(&json!({ "thinking_blocks": [answer::redacted_block(&data)] }), out);
            }
        }
        block.citations.extend(delta.citation);
    }

    /// What is only known at a block's end: empty arguments, whole thoughts, what a citation covers.
    fn stop(&mut self, index: u64, out: &mut VecDeque<Bytes>) {
        let Some(block) = self.blocks.remove(&index) else { return };
        match block.tool {
            Tool::Call(index) if !block.said => self.chunks.arguments(index, "{}", out),
            Tool::Schema if !block.said => self.chunks.content("{}", out),
            _ => {}
        }
        if let Some((text, signature)) = block.thought {
            let thinking = answer::thinking_block(&text, signature.as_deref());
            self.chunks.delta(&json!({ "thinking_blocks": [thinking] }), out);
        }
        if !block.citations.is_empty() {
            let annotate = |cite| answer::annotation(cite, block.begin, self.characters);
            let annotations: Vec<_> = block.citations.iter().filter_map(annotate).collect();
            let mut members = json!({ "citations": block.citations });
            if !annotations.is_empty() {
                members["annotations"] = json!(annotations);
            }
            self.chunks.delta(&members, out);
        }
    }

    fn message_stop(&mut self, event: Event, out: &mut VecDeque<Bytes>) -> Result<(), Refusal> {
        let reason = answer::finish_reason(event.stop_reason.as_deref().unwrap_or_default(), self.calls > 0)?;
        let open: Vec<u64> = self.blocks.keys().copied().collect();
        for index in open {
            self.stop(index, out);
        }
        self.chunks.finish(reason, out);
        self.fields = event.additional_model_response_fields;
        self.seen.complete = true;
        Ok(())
    }

    /// Comes after `messageStop`, with the usage.
    fn metadata(&mut self, event: &Event, out: &mut VecDeque<Bytes>) {
        self.seen.usage = event
            .usage
            .as_ref()
            .map(|counts| counts.usage(self.fields.as_ref(), event.service_tier.as_ref()))
            .or(self.seen.usage);
        if self.seen.complete {
            self.finish(out);
        }
    }

    fn finish(&mut self, out: &mut VecDeque<Bytes>) {
        if !std::mem::replace(&mut self.done, true) {
            self.chunks.done(self.seen.usage.as_ref(), out);
        }
    }
}
