//! A prediction's events, written as OpenAI's chunks: `output` with text, `error`, `done`, and the prediction itself before
//! and after them.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Deserialize;

use super::{
    errors,
    job::Prediction,
    jobs,
    sse::{Event, Events},
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
    /// The prediction's id, once it is known.
    id: String,
    chunks: Option<Chunks>,
    /// `done` has come: only usage may follow.
    done: bool,
}

/// What `done` carries: nothing, or why there will be no more.
#[derive(Default, Deserialize)]
struct Done {
    reason: Option<String>,
}

impl State {
    pub(super) fn new(reading: &Reading) -> Self {
        Self { reading: reading.clone(), seen: Seen::default(), id: String::new(), chunks: None, done: false }
    }
}

impl EventReader for State {
    fn event(&mut self, event: &Event<'_>, out: &mut VecDeque<Bytes>) {
        let data = event.data.as_deref().unwrap_or_default();
        match event.kind {
            b"output" if !self.done => self.output(&String::from_utf8_lossy(data), out),
            b"error" => self.fail(errors::told(data)),
            b"done" => self.done(data),
            jobs::EVENT => self.prediction(data, out),
            _ => {}
        }
    }

    /// What has no end is not read: the job is over when it has said so.
    fn end(&mut self, _: &mut Events, out: &mut VecDeque<Bytes>) {
        if self.done {
            self.finish(out);
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
    fn output(&mut self, text: &str, out: &mut VecDeque<Bytes>) {
        self.seen.event = true;
        self.chunks().content(text, out);
    }

    fn done(&mut self, data: &[u8]) {
        self.done = true;
        match serde_json::from_slice::<Done>(data).unwrap_or_default().reason.as_deref() {
            Some("canceled") => self.fail(errors::canceled()),
            Some("error") => self.fail(errors::failed("")),
            _ => self.seen.event = true,
        }
    }

    /// As it was created, or as it ended: with its output if that was not told piece by piece.
    fn prediction(&mut self, data: &[u8], out: &mut VecDeque<Bytes>) {
        let Ok(prediction) = Prediction::read(data) else { return };
        if let Some(refusal) = prediction.failure() {
            return self.fail(refusal);
        }
        if prediction.is_over() {
            if self.chunks.is_none() {
                self.id.clone_from(&prediction.id);
                self.output(&prediction.text(), out);
            }
            self.seen.usage = prediction.usage();
            self.finish(out);
        } else {
            self.id = prediction.id;
        }
    }

    fn finish(&mut self, out: &mut VecDeque<Bytes>) {
        let usage = self.seen.usage;
        let chunks = self.chunks();
        chunks.finish("stop", out);
        chunks.done(usage.as_ref(), out);
        self.seen.complete = true;
    }

    fn chunks(&mut self) -> &mut Chunks {
        let (id, reading) = (&self.id, &self.reading);
        self.chunks.get_or_insert_with(|| Chunks::new(id, &reading.model, reading))
    }
}
