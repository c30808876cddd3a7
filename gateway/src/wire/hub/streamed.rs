//! The loop that the streams of server-sent events share: frames in, events out, until one of them ends it.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{
    refusal::{Cause, Refusal},
    wire::{
        Seen, StreamDecoder,
        sse::{Event, Events},
    },
};

/// What a format makes of its events.
pub trait EventReader: Send {
    /// One event; none comes after the stream has failed or said that it is complete.
    fn event(&mut self, event: &Event<'_>, out: &mut VecDeque<Bytes>);

    /// The body has ended. An event without its blank line counts, unless the format says otherwise.
    fn end(&mut self, events: &mut Events, out: &mut VecDeque<Bytes>) {
        events.end(|event| self.event(event, out));
    }

    fn seen(&self) -> &Seen;

    fn fail(&mut self, refusal: Refusal);
}

/// A stream that is read event by event.
pub struct Streamed<R> {
    events: Events,
    reader: R,
}

impl<R> Streamed<R> {
    pub fn new(reader: R) -> Self {
        Self { events: Events::default(), reader }
    }
}

impl<R: EventReader> StreamDecoder for Streamed<R> {
    fn feed(&mut self, frame: Bytes, out: &mut VecDeque<Bytes>) {
        let Self { events, reader } = self;
        if reader.seen().is_over() {
            return;
        }
        let read = events.feed(&frame, |event| {
            if !reader.seen().is_over() {
                reader.event(event, out);
            }
        });
        if read.is_err() {
            reader.fail(Refusal::new(Cause::Upstream, "the provider sent an event that is too long"));
        }
    }

    fn end(&mut self, out: &mut VecDeque<Bytes>) {
        if !self.reader.seen().is_over() {
            self.reader.end(&mut self.events, out);
        }
    }

    fn seen(&self) -> &Seen {
        self.reader.seen()
    }
}
