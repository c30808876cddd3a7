//! Streams: no panic, the same out however the bytes were cut, and chunks that keep every promise to OpenAI's clients.

use std::collections::VecDeque;

use bytes::Bytes;
use prism::{
    api::{ChatCompletionChunk, Endpoint},
    wire::{Reading, StreamDecoder, sse::Events},
};

use super::{
    answers::passes,
    question::{Asked, split},
};

pub fn check(data: &[u8]) {
    let Some((asked, reading, rest)) = split(data, true) else { return };
    let Some((size, bytes)) = rest.split_first() else { return };
    read(asked, reading, usize::from(*size), Bytes::copy_from_slice(bytes));
}

/// The same bytes whole and in pieces of `size`.
pub fn read(asked: &Asked, reading: &Reading, size: usize, bytes: Bytes) {
    if !matches!(reading.endpoint, Endpoint::ChatCompletions | Endpoint::Completions) {
        return;
    }
    let decoder = || {
        // Some formats' answers get their names from the gateway.
        fastrand::seed(0);
        asked.format.stream(reading)
    };
    let whole = Outcome::of(decoder(), [bytes.clone()]);
    let pieces = (0..bytes.len()).step_by(size.max(1));
    let cut = Outcome::of(decoder(), pieces.map(|at| bytes.slice(at..bytes.len().min(at + size.max(1)))));
    assert_eq!(whole, cut, "{} in pieces of {size}", asked.name);
    if !passes(asked) {
        whole.keeps_its_promises();
    }
}

#[derive(Debug, PartialEq)]
struct Outcome {
    given: Vec<u8>,
    complete: bool,
    failed: bool,
}

impl Outcome {
    fn of(mut decoder: Box<dyn StreamDecoder>, pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let mut out = VecDeque::new();
        for piece in pieces {
            decoder.feed(piece, &mut out);
        }
        decoder.end(&mut out);
        let seen = decoder.seen();
        let failed = seen.failed();
        Self { given: out.iter().flatten().copied().collect(), complete: seen.complete && !failed, failed }
    }

    /// One answer of one id, role first, calls numbered as they come, one finish reason, and `[DONE]` for what is complete.
    fn keeps_its_promises(&self) {
        let mut told = Told::default();
        let read = Events::default().feed(&self.given, |event| {
            if let Some(data) = &event.data {
                told.event(data);
            }
        });
        assert!(read.is_ok(), "an event without end");
        assert!(!told.done || self.complete || self.failed, "`[DONE]`, and no end was seen");
        assert!(!self.complete || (told.done && told.finished), "complete, and nobody was told");
    }
}

/// What a client has been told.
#[derive(Default)]
struct Told {
    head: Option<(String, i64, String)>,
    calls: usize,
    finished: bool,
    done: bool,
}

impl Told {
    fn event(&mut self, data: &[u8]) {
        assert!(!self.done, "something after `[DONE]`");
        if data == b"[DONE]" {
            self.done = true;
            return;
        }
        let read = serde_json::from_slice::<ChatCompletionChunk>(data);
        let chunk = read.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(data)));
        let head = (chunk.id, chunk.created, chunk.model);
        match &self.head {
            None => assert!(chunk.choices[0].delta.role.is_some(), "the role comes first"),
            Some(own) => assert_eq!(*own, head),
        }
        self.head = Some(head);
        for choice in chunk.choices {
            assert!(!self.finished, "something after the finish reason");
            self.finished = choice.finish_reason.is_some();
            for call in choice.delta.tool_calls.into_iter().flatten() {
                let place = usize::try_from(call.index).expect("a place");
                let begins = call.id.is_some();
                assert_eq!(place < self.calls, !begins, "call {place} of {}", self.calls);
                assert_eq!(begins, call.function.is_some_and(|function| function.name.is_some()));
                self.calls += usize::from(begins);
                assert!(place < self.calls, "call {place} of {}", self.calls);
            }
        }
    }
}
