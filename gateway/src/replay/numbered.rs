//! Gives the events of a stream their numbers (`id:`), so that a client can say which was its last.

use bytes::{Bytes, BytesMut};

use crate::wire::Boundary;

/// A longer event is passed on in parts; its number stands at its end.
const MAX_EVENT: usize = 1 << 20;

/// Cuts a stream into its events, one piece each, whatever pieces it came in. Event number `n` is piece number `n`, the last
/// one of a long event.
pub struct Numbered {
    /// What stands before the number: the stream's own name.
    stream: Box<str>,
    next: usize,
    boundary: Boundary,
    carried: BytesMut,
    /// A part of the event in progress has been passed on.
    midway: bool,
}

impl Numbered {
    pub fn new(stream: &str) -> Self {
        Self { stream: stream.into(), next: 0, boundary: Boundary::default(), carried: BytesMut::new(), midway: false }
    }

    /// The events that these bytes complete, each with its number.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Bytes)) {
        while let Some(end) = self.boundary.find(bytes) {
            self.carried.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end..];
            // the second half of a line end that was cut: the line has ended already
            if !self.midway && self.carried.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                self.carried.clear();
                continue;
            }
            each(self.numbered());
        }
        self.carried.extend_from_slice(bytes);
        if self.carried.len() > MAX_EVENT {
            self.next += 1;
            self.midway = true;
            each(self.carried.split().freeze());
        }
    }

    /// What is left of an event that has no end.
    pub fn end(&mut self) -> Option<Bytes> {
        match self.carried.is_empty() {
            true => None,
            false if self.midway => Some(self.carried.split().freeze()),
            false => Some(self.numbered()),
        }
    }

    fn numbered(&mut self) -> Bytes {
        let id = format!("id: {}:{}\n", self.stream, self.next);
        self.next += 1;
        let carried = self.carried.split();
        // where its first part has gone, the only line that is known to begin is the empty one at the end
        let at = if std::mem::take(&mut self.midway) { carried.len() - last_line_end(&carried) } else { 0 };
        let mut event = BytesMut::with_capacity(id.len() + carried.len());
        event.extend_from_slice(&carried[..at]);
        event.extend_from_slice(id.as_bytes());
        event.extend_from_slice(&carried[at..]);
        event.freeze()
    }
}

/// Bytes of the line end that the text ends with.
fn last_line_end(text: &[u8]) -> usize {
    match text {
        [.., b'\r', b'\n'] => 2,
        [.., b'\r' | b'\n'] => 1,
        _ => 0,
    }
}
