//! An event too long to be held back: it is passed on in pieces, and what may stand at its end is remembered.

use bytes::{Buf, BytesMut};
use serde_json::{Deserializer, value::RawValue};

use super::{sniff, usage};
use crate::api::TokenUsage;

/// No event is longer than this.
const MAX_EVENT: usize = 8 << 20;
/// How much of the end is kept, for the usage and the finish reason that may stand there.
const TAIL: usize = 4 << 10;

#[derive(Debug, Default)]
pub(super) struct Long {
    size: usize,
    tail: BytesMut,
}

impl Long {
    /// Takes note of a piece; `false` when the event is longer than any event may be.
    pub(super) fn take(&mut self, piece: &[u8]) -> bool {
        self.size += piece.len();
        let keep = &piece[piece.len().saturating_sub(TAIL)..];
        let surplus = (self.tail.len() + keep.len()).saturating_sub(TAIL);
        self.tail.advance(surplus);
        self.tail.extend_from_slice(keep);
        self.size <= MAX_EVENT
    }

    pub(super) fn has_finished(&self) -> bool {
        sniff::finish_reason(&self.tail)
    }

    pub(super) fn usage(&self) -> Option<TokenUsage> {
        let mut values = Deserializer::from_slice(sniff::usage(&self.tail)?).into_iter::<&RawValue>();
        usage::read(values.next()?.ok()?.get())
    }
}
