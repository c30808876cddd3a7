//! Server-sent events as bytes: where an event ends, and what it carries. Nothing is re-written.
//!
//! Lines end at CR, LF or CRLF and nowhere else: U+2028, U+2029 and U+0085 stand raw inside JSON.

use std::borrow::Cow;

use bytes::BytesMut;
use memchr::memchr2;

/// Finds the end of the event in progress, across frames cut anywhere.
#[derive(Debug, Default)]
pub struct Boundary {
    /// The current line has bytes.
    begun: bool,
    /// The last line ended with a CR, so that an LF now belongs to it.
    after_cr: bool,
}

impl Boundary {
    /// How many of `bytes` complete the event in progress; `None` when it goes on.
    pub fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if std::mem::take(&mut self.after_cr) && bytes[at] == b'\n' {
                at += 1;
                continue;
            }
            let Some(line) = memchr2(b'\n', b'\r', &bytes[at..]) else {
                self.begun = true;
                return None;
            };
            self.begun |= line > 0;
            let cr = bytes[at + line] == b'\r';
            at += line + 1;
            if !self.begun {
                let lf = cr && bytes.get(at) == Some(&b'\n');
                *self = Self::default();
                return Some(at + usize::from(lf));
            }
            self.begun = false;
            self.after_cr = cr;
        }
        None
    }
}

/// Larger events are no events.
const MAX_EVENT: usize = 8 << 20;

/// Events out of frames that are cut anywhere, for decoders that read each of them.
#[derive(Debug, Default)]
pub struct Events {
    boundary: Boundary,
    carried: BytesMut,
}

impl Events {
    /// Calls `each` with every event that this frame completes.
    ///
    /// # Errors
    /// When an event is larger than any sensible one.
    pub fn feed(&mut self, frame: &[u8], mut each: impl FnMut(&Event<'_>)) -> Result<(), TooLarge> {
        let mut rest = frame;
        while let Some(end) = self.boundary.find(rest) {
            let (event, after) = rest.split_at(end);
            if self.carried.is_empty() {
                each(&Event::read(event));
            } else {
                self.carried.extend_from_slice(event);
                each(&Event::read(&self.carried));
                self.carried.clear();
            }
            rest = after;
        }
        if self.carried.len() + rest.len() > MAX_EVENT {
            return Err(TooLarge);
        }
        self.carried.extend_from_slice(rest);
        Ok(())
    }

    /// The event that was not ended with a blank line, if there is one.
    pub fn end(&mut self, each: impl FnOnce(&Event<'_>)) {
        let last = std::mem::take(&mut self.carried);
        if !last.is_empty() {
            each(&Event::read(&last));
        }
    }
}

/// An event beyond [`MAX_EVENT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Whether a frame that starts with a new event also ends with the end of one.
pub fn ends_event(frame: &[u8]) -> bool {
    let line = match frame {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n' | b'\r'] => line,
        _ => return false,
    };
    matches!(line.last(), None | Some(b'\n' | b'\r'))
}

/// What one event carries.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// The value of `event:`.
    pub kind: &'a [u8],
    /// The values of all `data:` lines, joined with LF; `None` when there is none.
    pub data: Option<Cow<'a, [u8]>>,
}

impl<'a> Event<'a> {
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut event = Event::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            event.line(&rest[..end]);
            // The LF of a CRLF makes one more empty line, which means nothing inside one event.
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        event
    }

    fn line(&mut self, line: &'a [u8]) {
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"event" => self.kind = value,
            b"data" => match &mut self.data {
                None => self.data = Some(Cow::Borrowed(value)),
                Some(data) => {
                    data.to_mut().push(b'\n');
                    data.to_mut().extend_from_slice(value);
                }
            },
            _ => {}
        }
    }
}
