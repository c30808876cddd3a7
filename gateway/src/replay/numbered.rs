//! Gives the events of a stream their numbers (`id:`), so that a client can say which was its last.

use bytes::{Bytes, BytesMut};

use crate::wire::Boundary;

/// A longer event is passed on without a number.
const MAX_EVENT: usize = 1 << 20;

/// Cuts a stream into its events, one piece each, whatever pieces it came in. Event number `n` is piece number `n`.
pub struct Numbered {
    /// What stands before the number: the stream's own name.
    stream: Box<str>,
    next: usize,
    boundary: Boundary,
    carried: BytesMut,
}

impl Numbered {
    pub fn new(stream: &str) -> Self {
        Self { stream: stream.into(), next: 0, boundary: Boundary::default(), carried: BytesMut::new() }
    }

    /// The events that these bytes complete, each with its number.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Bytes)) {
        while let Some(end) = self.boundary.find(bytes) {
            self.carried.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end..];
            // the second half of a line end that was cut: the line has ended already
            if self.carried.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                self.carried.clear();
                continue;
            }
            each(self.numbered());
        }
        self.carried.extend_from_slice(bytes);
        if self.carried.len() > MAX_EVENT {
            self.next += 1;
            each(self.carried.split().freeze());
        }
    }

    /// What is left of an event that has no end.
    pub fn end(&mut self) -> Option<Bytes> {
        (!self.carried.is_empty()).then(|| self.numbered())
    }

    fn numbered(&mut self) -> Bytes {
        let id = format!("id: {}:{}\n", self.stream, self.next);
        self.next += 1;
        let mut event = BytesMut::with_capacity(id.len() + self.carried.len());
        event.extend_from_slice(id.as_bytes());
        event.extend_from_slice(&self.carried.split());
        event.freeze()
    }
}
