//! Changes to a piece of JSON as replaced spans: every byte outside them stays as it is.

use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::Payload;

/// Beyond this many edits the pieces are so small that copying is cheaper than sending them one by one.
const MAX_SLICED: usize = 8;

#[derive(Debug, Default)]
pub struct Edits {
    list: SmallVec<[(Range<usize>, Bytes); 4]>,
}

impl Edits {
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn replace(&mut self, span: Range<usize>, with: impl Into<Bytes>) {
        self.list.push((span, with.into()));
    }

    pub fn insert(&mut self, at: usize, what: impl Into<Bytes>) {
        self.replace(at..at, what);
    }

    /// Cuts members out of one object, each with exactly one adjoining comma. `members` are all members in order, and
    /// whether each goes.
    pub fn cut(&mut self, members: &[(Range<usize>, bool)]) {
        let mut kept_before = false;
        for (index, (member, goes)) in members.iter().enumerate() {
            if !goes {
                kept_before = true;
                continue;
            }
            let start = if kept_before { members[index - 1].0.end } else { member.start };
            let end = match members.get(index + 1) {
                Some((next, _)) if !kept_before => next.start,
                _ => member.end,
            };
            self.replace(start..end, Bytes::new());
        }
    }

    /// The edited text. Slices of `text` go in as they are.
    pub fn apply(mut self, text: &Bytes) -> Payload {
        if self.list.is_empty() {
            return text.clone().into();
        }
        // An insertion goes before whatever is replaced from the same place on.
        self.list.sort_by_key(|(span, _)| (span.start, span.end));
        debug_assert!(self.list.is_sorted_by(|(one, _), (next, _)| one.end <= next.start), "edits overlap");
        if self.list.len() > MAX_SLICED { self.copied(text).into() } else { self.sliced(text) }
    }

    fn sliced(self, text: &Bytes) -> Payload {
        let mut payload = Payload::default();
        let mut done = 0;
        for (span, with) in self.list {
            payload.push(text.slice(done..span.start));
            payload.push(with);
            done = span.end;
        }
        payload.push(text.slice(done..));
        payload
    }

    fn copied(self, text: &[u8]) -> Bytes {
        let added: usize = self.list.iter().map(|(_, with)| with.len()).sum();
        let mut whole = Vec::with_capacity(text.len() + added);
        let mut done = 0;
        for (span, with) in &self.list {
            whole.extend_from_slice(&text[done..span.start]);
            whole.extend_from_slice(with);
            done = span.end;
        }
        whole.extend_from_slice(&text[done..]);
        whole.into()
    }
}
