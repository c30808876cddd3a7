//! OpenAI's stream, written: every chunk with the same id, model and time, one event each.

use std::{collections::VecDeque, fmt::Write};

use bytes::Bytes;
use serde_json::Value;

use super::usage;
use crate::{api::TokenUsage, wire::Reading};

/// Writes chunks to a queue, none after the finish reason. Strings are escaped here; everything else is made by the gateway.
#[derive(Debug)]
pub struct Chunks {
    /// `data: {"id":…,"object":…,"created":…,"model":…,"choices":[{"index":0,"delta":`.
    head: String,
    include_usage: bool,
    begun: bool,
    finished: bool,
}

impl Chunks {
    /// `id` is the answer's; `reading` says what the client asked for.
    pub fn new(id: &str, model: &str, reading: &Reading) -> Self {
        let mut head = String::from("data: {\"id\":");
        push_json(&mut head, id);
        let _ = write!(head, ",\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":", reading.created);
        push_json(&mut head, model);
        head.push_str(",\"choices\":[");
        Self { head, include_usage: !reading.hide_usage, begun: false, finished: false }
    }

    pub fn has_begun(&self) -> bool {
        self.begun
    }

    pub fn has_finished(&self) -> bool {
        self.finished
    }

    /// The first chunk, with the role; every other method writes it when it has not been written.
    pub fn begin(&mut self, out: &mut VecDeque<Bytes>) {
        if !self.begun {
            self.begun = true;
            self.event(out, "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}");
        }
    }

    pub fn content(&mut self, text: &str, out: &mut VecDeque<Bytes>) {
        self.text_delta("content", text, out);
    }

    pub fn reasoning(&mut self, text: &str, out: &mut VecDeque<Bytes>) {
        self.text_delta("reasoning_content", text, out);
    }

    pub fn refusal(&mut self, text: &str, out: &mut VecDeque<Bytes>) {
        self.text_delta("refusal", text, out);
    }

    /// A tool call begins; `index` counts tool calls from 0. `extra` are further members of the call
    /// (`"extra_content":{…}`), as JSON with a leading comma, or nothing.
    pub fn tool_call(&mut self, index: usize, id: &str, name: &str, extra: &str, out: &mut VecDeque<Bytes>) {
        self.begin(out);
        let mut choice = String::with_capacity(160);
        let _ = write!(choice, "{{\"index\":0,\"delta\":{{\"tool_calls\":[{{\"index\":{index},\"id\":");
        push_json(&mut choice, id);
        choice.push_str(",\"type\":\"function\",\"function\":{\"name\":");
        push_json(&mut choice, name);
        choice.push_str(",\"arguments\":\"\"}");
        choice.push_str(extra);
        choice.push_str("}]},\"finish_reason\":null}");
        self.event(out, &choice);
    }

    /// A piece of a tool call's arguments.
    pub fn arguments(&mut self, index: usize, piece: &str, out: &mut VecDeque<Bytes>) {
        if piece.is_empty() {
            return;
        }
        self.begin(out);
        let mut choice = String::with_capacity(96 + piece.len());
        let _ = write!(
            choice,
            "{{\"index\":0,\"delta\":{{\"tool_calls\":[{{\"index\":{index},\"function\":{{\"arguments\":"
        );
        push_json(&mut choice, piece);
        choice.push_str("}}]},\"finish_reason\":null}");
        self.event(out, &choice);
    }

    /// A delta that only some clients understand (`thinking_blocks`, `annotations`): its members as a JSON object.
    pub fn delta(&mut self, members: &Value, out: &mut VecDeque<Bytes>) {
        self.begin(out);
        let choice = format!("{{\"index\":0,\"delta\":{members},\"finish_reason\":null}}");
        self.event(out, &choice);
    }

    /// Log probabilities of what was said, as OpenAI has them, beside an empty delta.
    pub fn logprobs(&mut self, logprobs: &Value, out: &mut VecDeque<Bytes>) {
        self.begin(out);
        let choice = format!("{{\"index\":0,\"delta\":{{}},\"logprobs\":{logprobs},\"finish_reason\":null}}");
        self.event(out, &choice);
    }

    /// The one finish reason.
    pub fn finish(&mut self, reason: &str, out: &mut VecDeque<Bytes>) {
        if self.finished {
            return;
        }
        self.begin(out);
        let choice = format!("{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"{reason}\"}}");
        self.event(out, &choice);
        self.finished = true;
    }

    /// The usage chunk, when the client asked for it, and `[DONE]`.
    pub fn done(&mut self, tokens: Option<&TokenUsage>, out: &mut VecDeque<Bytes>) {
        if let (true, Some(tokens)) = (self.include_usage, tokens) {
            let usage = serde_json::to_string(&usage(tokens)).expect("numbers serialise");
            out.push_back(format!("{}],\"usage\":{usage}}}\n\n", self.head).into());
        }
        out.push_back(Bytes::from_static(b"data: [DONE]\n\n"));
    }

    fn text_delta(&mut self, member: &str, text: &str, out: &mut VecDeque<Bytes>) {
        if text.is_empty() {
            return;
        }
        self.begin(out);
        let mut choice = String::with_capacity(64 + text.len());
        let _ = write!(choice, "{{\"index\":0,\"delta\":{{\"{member}\":");
        push_json(&mut choice, text);
        choice.push_str("},\"finish_reason\":null}");
        self.event(out, &choice);
    }

    /// What a provider says after the finish reason has no place: clients take the answer for whole.
    fn event(&self, out: &mut VecDeque<Bytes>, choice: &str) {
        if self.finished {
            return;
        }
        let end = if self.include_usage { "],\"usage\":null}\n\n" } else { "]}\n\n" };
        let mut event = String::with_capacity(self.head.len() + choice.len() + end.len());
        event.push_str(&self.head);
        event.push_str(choice);
        event.push_str(end);
        out.push_back(event.into());
    }
}

/// Appends a JSON string.
fn push_json(to: &mut String, text: &str) {
    to.push_str(&serde_json::to_string(text).expect("a string serialises"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::Endpoint, config::Quirks};

    fn reading(hide_usage: bool) -> Reading {
        Reading {
            hide_usage,
            created: 7,
            model: "m".into(),
            ..Reading::plain(Endpoint::ChatCompletions, &Quirks::NONE)
        }
    }

    #[test]
    fn every_chunk_is_one_of_openais() {
        let mut chunks = Chunks::new("id\"1", "m", &reading(false));
        let mut out = VecDeque::new();
        chunks.content("a\u{2028}\"\n", &mut out);
        chunks.tool_call(0, "call_1", "f", ",\"extra_content\":{}", &mut out);
        chunks.arguments(0, "{}", &mut out);
        chunks.finish("tool_calls", &mut out);
        chunks.finish("stop", &mut out);
        chunks.content("too late", &mut out);
        chunks.done(Some(&TokenUsage { input: 1, output: 2, ..Default::default() }), &mut out);
        assert_eq!(out.pop_back().unwrap(), "data: [DONE]\n\n");
        assert_eq!(out.len(), 6);
        for event in out {
            let text = std::str::from_utf8(&event).unwrap();
            let data = text.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
            let chunk: crate::api::ChatCompletionChunk = serde_json::from_str(data).unwrap();
            assert_eq!((chunk.id.as_str(), chunk.created), ("id\"1", 7));
        }
    }
}
