//! One stream: every event is a whole `GenerateContentResponse`, and the stream ends with the body.

use std::collections::VecDeque;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    answer::{blocked, identity, image, model},
    errors,
    reading::{annotations, arguments, call_id, finish, logprobs, usage},
    reply::{Candidate, Part, Reply},
    signatures,
};
use crate::{
    refusal::{Cause, Refusal},
    wire::{
        Reading, Seen, StreamDecoder,
        hub::Chunks,
        sse::{Event, Events},
    },
};

/// How much of a body that is no stream is kept, for the error that it may be.
const MAX_STRAY: usize = 64 << 10;

pub(super) struct Decoder {
    reading: Reading,
    events: Events,
    seen: Seen,
    chunks: Option<Chunks>,
    /// The answer's id as Gemini has it, of which call ids are made.
    id: String,
    calls: usize,
    /// The text so far, which citations point into.
    text: String,
    /// Why it ended; given out when the body ends, since events may follow.
    finish: Option<&'static str>,
    /// The beginning of a body without events.
    stray: Vec<u8>,
}

impl StreamDecoder for Decoder {
    fn feed(&mut self, frame: Bytes, out: &mut VecDeque<Bytes>) {
        if self.seen.failed() {
            return;
        }
        if !self.seen.event && self.stray.len() < MAX_STRAY {
            self.stray.extend_from_slice(&frame[..frame.len().min(MAX_STRAY - self.stray.len())]);
        }
        let mut events = std::mem::take(&mut self.events);
        if events.feed(&frame, |event| self.event(event, out)).is_err() {
            self.fail(Refusal::new(Cause::Upstream, "the provider sent an event that is too long"));
        }
        self.events = events;
    }

    fn end(&mut self, out: &mut VecDeque<Bytes>) {
        if self.seen.failed() {
            return;
        }
        let mut events = std::mem::take(&mut self.events);
        let mut cut = false;
        events.end(|event| {
            let data = event.data.as_deref().unwrap_or_default().trim_ascii();
            cut = !data.is_empty() && serde_json::from_slice::<serde::de::IgnoredAny>(data).is_err();
            if !cut {
                self.event(event, out);
            }
        });
        if !self.seen.event && !self.seen.failed() {
            self.not_a_stream();
        }
        if self.seen.failed() || cut {
            return;
        }
        if let (Some(reason), Some(chunks)) = (self.finish, &mut self.chunks) {
            chunks.finish(reason, out);
            chunks.done(self.seen.usage.as_ref(), out);
            self.seen.complete = true;
        }
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Decoder {
    pub(super) fn new(reading: &Reading) -> Self {
        Self {
            reading: reading.clone(),
            events: Events::default(),
            seen: Seen::default(),
            chunks: None,
            id: String::new(),
            calls: 0,
            text: String::new(),
            finish: None,
            stray: Vec::new(),
        }
    }

    fn event(&mut self, event: &Event<'_>, out: &mut VecDeque<Bytes>) {
        let data = event.data.as_deref().unwrap_or_default().trim_ascii();
        // Some proxies append OpenAI's terminator.
        if self.seen.failed() || data.is_empty() || data == b"[DONE]" {
            return;
        }
        if event.kind == b"error" || data.starts_with(b"[") {
            return self.fail(errors::disguised(data));
        }
        let Ok(reply) = serde_json::from_slice::<Reply>(data) else {
            return self.fail(Refusal::new(Cause::Upstream, "the provider sent an event that could not be read"));
        };
        if reply.error.is_some() {
            return self.fail(errors::disguised(data));
        }
        self.seen.event = true;
        self.stray = Vec::new();
        if let Some(metadata) = &reply.usage_metadata {
            self.seen.usage = Some(usage(metadata));
        }
        let mut chunks = self.chunks.take().unwrap_or_else(|| {
            self.id.clone_from(&reply.response_id);
            Chunks::new(&identity(&reply, &self.reading), model(&reply, &self.reading), &self.reading)
        });
        chunks.begin(out);
        // Streams of several candidates are refused before they begin.
        if let Some(candidate) = reply.candidates.first() {
            self.candidate(candidate, &mut chunks, out);
        } else if blocked(&reply) {
            self.finish = Some("content_filter");
        }
        self.chunks = Some(chunks);
    }

    fn candidate(&mut self, candidate: &Candidate, chunks: &mut Chunks, out: &mut VecDeque<Bytes>) {
        for part in &candidate.content.parts {
            self.part(part, chunks, out);
        }
        if let Some(result) = &candidate.logprobs_result {
            let logprobs = serde_json::to_value(logprobs(result)).expect("log probabilities serialise");
            chunks.logprobs(&logprobs, out);
        }
        let annotations = annotations(candidate, &self.text, &[]);
        if !annotations.is_empty() {
            let annotations = serde_json::to_value(annotations).expect("annotations serialise");
            chunks.delta(&json!({"annotations": annotations}), out);
        }
        if let Some(reason) = &candidate.finish_reason {
            match finish(reason, candidate.finish_message.as_deref(), self.calls > 0) {
                Ok(reason) => self.finish = Some(reason),
                Err(refusal) => self.fail(refusal),
            }
        }
    }

    fn part(&mut self, part: &Part, chunks: &mut Chunks, out: &mut VecDeque<Bytes>) {
        if let Some(text) = &part.text {
            if part.thought {
                chunks.reasoning(text, out);
            } else {
                self.text.push_str(text);
                chunks.content(text, out);
            }
        }
        if let Some(image) = image(part) {
            chunks.delta(&json!({"images": [image]}), out);
        }
        let signed = part.thought_signature.as_deref().map(signatures::extra_content);
        if let Some(call) = &part.function_call {
            let extra = signed.map(|content| format!(",\"extra_content\":{content}")).unwrap_or_default();
            let id = call_id(call, &self.id, &self.reading, self.calls);
            chunks.tool_call(self.calls, &id, &call.name, &extra, out);
            chunks.arguments(self.calls, &arguments(call), out);
            self.calls += 1;
        } else if let Some(content) = signed.filter(|_| !part.thought) {
            let members: Map<String, Value> = [("extra_content".to_owned(), content)].into_iter().collect();
            chunks.delta(&members.into(), out);
        }
    }

    fn fail(&mut self, refusal: Refusal) {
        self.seen.error = Some(refusal);
    }

    /// A body that is no stream at all: when it is an error, that is what it means.
    fn not_a_stream(&mut self) {
        let body = std::mem::take(&mut self.stray);
        let first = body.trim_ascii();
        if (first.starts_with(b"{") || first.starts_with(b"["))
            && serde_json::from_slice::<Value>(first)
                .is_ok_and(|body| body.get("error").or_else(|| body.get(0)?.get("error")).is_some())
        {
            self.fail(errors::disguised(first));
        }
    }
}
