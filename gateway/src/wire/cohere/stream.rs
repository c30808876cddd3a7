//! Cohere's stream, read event by event and written as OpenAI's chunks.

use std::{borrow::Cow, collections::VecDeque};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    answer::{self, Call, Logprob, Part, Usage},
    errors,
    sse::Event,
};
use crate::{
    refusal::Refusal,
    wire::{
        Reading, Seen,
        hub::{Chunks, EventReader},
    },
};

pub(super) struct State {
    reading: Reading,
    seen: Seen,
    chunks: Option<Chunks>,
    /// Tool calls begun.
    calls: usize,
    /// The call in progress has sent no arguments yet.
    bare: bool,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    delta: Option<Delta>,
    logprobs: Option<Logprob>,
}

#[derive(Default, Deserialize)]
struct Delta {
    message: Option<Message>,
    finish_reason: Option<String>,
    usage: Option<Usage>,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
struct Message {
    content: Option<Value>,
    tool_plan: Option<String>,
    /// An object, or a list in `message-start`.
    tool_calls: Option<Value>,
    citations: Option<Value>,
}

impl Message {
    fn part(&self) -> Part {
        self.content.as_ref().and_then(|part| Part::deserialize(part).ok()).unwrap_or_default()
    }

    fn call(&self) -> Call {
        let call = self.tool_calls.as_ref().map(|calls| calls.get(0).unwrap_or(calls));
        call.and_then(|call| Call::deserialize(call).ok()).unwrap_or_default()
    }
}

impl State {
    pub(super) fn new(reading: &Reading) -> Self {
        Self { reading: reading.clone(), seen: Seen::default(), chunks: None, calls: 0, bare: false }
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
        let Ok(read) = serde_json::from_slice::<Data<'_>>(data) else {
            // An error has no type; what is new or cannot be read is not ours.
            if errors::is_error(data) {
                self.fail(errors::disguised(data));
            }
            return;
        };
        let delta = read.delta.unwrap_or_default();
        match &*read.kind {
            "message-start" => return self.start(read.id.as_deref().unwrap_or_default(), out),
            "message-end" => return self.stop(delta, out),
            "error" => return self.fail(errors::disguised(data)),
            _ => {}
        }
        let Some(chunks) = &mut self.chunks else { return };
        let message = delta.message.unwrap_or_default();
        match &*read.kind {
            "content-start" | "content-delta" => {
                let part = message.part();
                chunks.reasoning(part.thinking.as_deref().unwrap_or_default(), out);
                chunks.content(part.text.as_deref().unwrap_or_default(), out);
                if let Some(logprobs) = &read.logprobs {
                    chunks.logprobs(&answer::logprobs_value(logprobs), out);
                }
            }
            "tool-plan-delta" => chunks.reasoning(message.tool_plan.as_deref().unwrap_or_default(), out),
            "tool-call-start" => self.call(message.call(), out),
            "tool-call-delta" => {
                let piece = message.call().function.and_then(|function| function.arguments).unwrap_or_default();
                self.arguments(&piece, out);
            }
            "tool-call-end" => self.end_call(out),
            "citation-start" => {
                if let Some(citation) = message.citations {
                    let citations = if citation.is_array() { citation } else { json!([citation]) };
                    chunks.delta(&json!({ "citations": citations }), out);
                }
            }
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
    fn start(&mut self, id: &str, out: &mut VecDeque<Bytes>) {
        if self.chunks.is_some() {
            return;
        }
        let chunks = self.chunks.insert(Chunks::new(id, &self.reading.model, &self.reading));
        chunks.begin(out);
        self.seen.event = true;
    }

    fn call(&mut self, call: Call, out: &mut VecDeque<Bytes>) {
        self.end_call(out);
        let Some(chunks) = &mut self.chunks else { return };
        let function = call.function.unwrap_or_default();
        let name = function.name.unwrap_or_default();
        chunks.tool_call(self.calls, &call.id.unwrap_or_default(), &name, "", out);
        self.calls += 1;
        self.bare = true;
        self.arguments(&function.arguments.unwrap_or_default(), out);
    }

    fn arguments(&mut self, piece: &str, out: &mut VecDeque<Bytes>) {
        let (Some(chunks), Some(call)) = (&mut self.chunks, self.calls.checked_sub(1)) else { return };
        self.bare &= piece.is_empty();
        chunks.arguments(call, piece, out);
    }

    /// A call without arguments has empty ones.
    fn end_call(&mut self, out: &mut VecDeque<Bytes>) {
        if self.bare {
            self.arguments("{}", out);
        }
    }

    fn stop(&mut self, delta: Delta, out: &mut VecDeque<Bytes>) {
        self.end_call(out);
        self.seen.usage = delta.usage.as_ref().map(Usage::tokens).or(self.seen.usage);
        if let Some(error) = delta.error.filter(|error| !error.is_empty()) {
            return self.fail(errors::disguised(json!({ "message": error }).to_string().as_bytes()));
        }
        let reason = answer::finish_reason(delta.finish_reason.as_deref().unwrap_or_default(), self.calls > 0);
        match (reason, &mut self.chunks) {
            (Ok(reason), Some(chunks)) => {
                chunks.finish(reason, out);
                chunks.done(self.seen.usage.as_ref(), out);
                self.seen.complete = true;
            }
            (Ok(_), None) => {}
            (Err(refusal), _) => self.fail(refusal),
        }
    }
}
