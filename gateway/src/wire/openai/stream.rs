//! One stream of chunks: passed on frame by frame, looked into only where something may be in it.
//!
//! What goes out is what came in, byte for byte and frame for frame, except for a usage chunk that the client did not
//! ask for, an error (which becomes a [`Refusal`]), and what a provider's quirks mend. The common frame holds whole
//! events without usage or error: it is forwarded as it is, after a few substring searches.

use std::{borrow::Cow, collections::VecDeque, ops::Range};

use bytes::{Bytes, BytesMut};

use super::{
    errors,
    glance::Glance,
    long::Long,
    mending::Mender,
    sniff,
    sse::{self, Boundary, Event},
};
use crate::{
    refusal::{Cause, Refusal},
    wire::{Reading, Seen, StreamDecoder},
};

/// An event in progress is held back up to this size, then passed on in pieces.
const MAX_HELD: usize = 64 << 10;

pub(super) struct Decoder {
    hide_usage: bool,
    mender: Option<Mender>,
    seen: Seen,
    boundary: Boundary,
    /// The event in progress.
    held: BytesMut,
    /// The event in progress is too long to be held.
    long: Option<Long>,
    /// The first event, which may start with a byte order mark, has been seen.
    begun: bool,
    /// A choice has finished.
    finished: bool,
}

/// What becomes of an event.
enum Verdict {
    Pass,
    Hide,
    Replace(Bytes),
    /// The stream has failed; the reason is in `Seen`.
    Fail,
}

impl StreamDecoder for Decoder {
    fn feed(&mut self, frame: Bytes, out: &mut VecDeque<Bytes>) {
        if self.seen.failed() || frame.is_empty() {
            return;
        }
        let at_boundary = self.held.is_empty() && self.long.is_none();
        let mends = self.mender.as_ref().is_some_and(|mender| mender.may_apply(&frame));
        let routine = self.seen.event && !mends && !sniff::needs_a_look(&frame);
        if at_boundary && routine && sse::ends_event(&frame) {
            self.finished = self.finished || sniff::finish_reason(&frame);
            out.push_back(frame);
        } else {
            self.read(&frame, out);
        }
    }

    fn end(&mut self, out: &mut VecDeque<Bytes>) {
        if self.seen.failed() {
            return;
        }
        let held = self.held.split().freeze();
        let mut whole = self.long.take().is_none();
        if !held.is_empty() {
            if is_cut(&held) {
                whole = false;
                self.not_a_stream(&held);
            } else {
                let judged = self.judge(&held);
                self.seen.midway = matches!(judged, Verdict::Pass | Verdict::Replace(_));
                self.settle(judged, held, out);
            }
        }
        self.seen.complete |= self.finished && whole && !self.seen.failed();
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Decoder {
    pub(super) fn new(reading: &Reading) -> Self {
        Self {
            hide_usage: reading.hide_usage,
            mender: Mender::of(reading),
            seen: Seen::default(),
            boundary: Boundary::default(),
            held: BytesMut::new(),
            long: None,
            begun: false,
            finished: false,
        }
    }

    /// Event by event. Neighbours that pass go out in one slice.
    fn read(&mut self, frame: &Bytes, out: &mut VecDeque<Bytes>) {
        let mut sent = 0;
        let mut at = 0;
        while let Some(length) = self.boundary.find(&frame[at..]) {
            let event = at..at + length;
            at = event.end;
            if self.long.is_some() {
                self.pass_piece(frame.slice(event), out);
                self.end_long();
                sent = at;
            } else if self.held.is_empty() {
                let judged = self.judge(&frame[event.clone()]);
                if !matches!(judged, Verdict::Pass) {
                    push(frame, sent..event.start, out);
                    self.settle(judged, Bytes::new(), out);
                    sent = at;
                }
            } else {
                self.held.extend_from_slice(&frame[event]);
                let event = self.held.split().freeze();
                let judged = self.judge(&event);
                self.settle(judged, event, out);
                sent = at;
            }
            if self.seen.failed() {
                return;
            }
        }
        push(frame, sent..at, out);
        self.hold(frame.slice(at..), out);
    }

    /// Keeps the beginning of an event until the rest arrives.
    fn hold(&mut self, piece: Bytes, out: &mut VecDeque<Bytes>) {
        if self.long.is_some() {
            return self.pass_piece(piece, out);
        }
        self.held.extend_from_slice(&piece);
        if self.held.len() <= MAX_HELD {
            return;
        }
        let event = Event::read(&self.held);
        let begins_error = |data: &[u8]| data.trim_ascii_start().strip_prefix(b"{").is_some_and(starts_error);
        if event.kind == b"error" || event.data.as_deref().is_some_and(begins_error) {
            self.fail(Refusal::new(Cause::Upstream, "the provider reported an error that is too long to be read"));
            return;
        }
        self.seen.event |= event.data.is_some();
        self.seen.midway = true;
        self.begun = true;
        self.long = Some(Long::default());
        let held = self.held.split().freeze();
        self.pass_piece(held, out);
    }

    fn pass_piece(&mut self, piece: Bytes, out: &mut VecDeque<Bytes>) {
        let Some(long) = &mut self.long else { return };
        if !long.take(&piece) {
            self.fail(Refusal::new(Cause::Upstream, "the provider sent an event that is too long"));
            return;
        }
        if !piece.is_empty() {
            out.push_back(piece);
        }
    }

    /// Looks for what may stand at the end of a long event.
    fn end_long(&mut self) {
        let Some(long) = self.long.take() else { return };
        self.seen.midway = self.seen.failed();
        self.finished |= long.has_finished();
        self.seen.usage = long.usage().or(self.seen.usage);
    }

    fn judge(&mut self, bytes: &[u8]) -> Verdict {
        let mut text = bytes;
        if !std::mem::replace(&mut self.begun, true) {
            text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        }
        let event = Event::read(text);
        let data = event.data.unwrap_or_default();
        let json = data.trim_ascii();
        if event.kind == b"error" {
            return self.fail(errors::disguised(json));
        }
        if json == b"[DONE]" {
            self.seen.complete = true;
            return Verdict::Pass;
        }
        if json.is_empty() {
            return Verdict::Pass;
        }
        // As in frames that are not read: wherever it stands.
        self.finished |= sniff::finish_reason(json);
        let Some(glance) = Glance::at(json) else {
            self.seen.event = true;
            return Verdict::Pass;
        };
        if glance.is_error() {
            return self.fail(errors::disguised(json));
        }
        self.seen.event = true;
        self.seen.usage = glance.usage().or(self.seen.usage);
        if self.hide_usage && glance.is_usage_chunk() {
            return Verdict::Hide;
        }
        match data {
            Cow::Borrowed(data) => self.mend(bytes, data).map_or(Verdict::Pass, Verdict::Replace),
            // JSON spread over several `data:` lines, which nobody sends, stays as it is.
            Cow::Owned(_) => Verdict::Pass,
        }
    }

    /// The event with its JSON mended. `data` is a slice of `event`.
    fn mend(&self, event: &[u8], data: &[u8]) -> Option<Bytes> {
        let mender = self.mender.as_ref().filter(|mender| mender.may_apply(data))?;
        let mended = mender.mend(&Bytes::copy_from_slice(data))?;
        let start = data.as_ptr().addr() - event.as_ptr().addr();
        Some([&event[..start], &mended, &event[start + data.len()..]].concat().into())
    }

    fn settle(&mut self, verdict: Verdict, event: Bytes, out: &mut VecDeque<Bytes>) {
        match verdict {
            Verdict::Pass => out.push_back(event),
            Verdict::Replace(mended) => out.push_back(mended),
            Verdict::Hide | Verdict::Fail => {}
        }
    }

    fn fail(&mut self, refusal: Refusal) -> Verdict {
        self.seen.error = Some(refusal);
        Verdict::Fail
    }

    /// A body that is no stream at all: when it is an error, that is what it means.
    fn not_a_stream(&mut self, body: &[u8]) {
        if !self.seen.event && Glance::at(body).is_some_and(|glance| glance.is_error()) {
            self.fail(errors::disguised(body));
        }
    }
}

/// What is left at the end of the body breaks off inside its JSON, or is no event.
fn is_cut(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(rest);
    let event = Event::read(rest);
    match event.data.as_deref().map(<[u8]>::trim_ascii) {
        _ if event.kind == b"error" => false,
        Some(b"[DONE]" | b"") => false,
        Some(json) => Glance::at(json).is_none(),
        None => !rest.trim_ascii().is_empty() && !rest.starts_with(b":"),
    }
}

fn starts_error(members: &[u8]) -> bool {
    let Some(value) = members.trim_ascii_start().strip_prefix(b"\"error\"") else { return false };
    sniff::value(value).is_some_and(|value| value[0] != b'n')
}

fn push(frame: &Bytes, span: Range<usize>, out: &mut VecDeque<Bytes>) {
    if !span.is_empty() {
        out.push_back(frame.slice(span));
    }
}
