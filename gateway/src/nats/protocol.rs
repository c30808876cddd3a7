//! The text on the wire. Pure.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::memmem;
use smallvec::SmallVec;

/// A line that is longer than this is none; only `INFO` of a large cluster comes near.
const LONGEST_LINE: usize = 256 << 10;
/// Nothing that the gateway asks for is longer.
const LARGEST_MESSAGE: usize = 16 << 20;
const VERSION: &[u8] = b"NATS/1.0";

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Info(Bytes),
    Message(Message),
    Ping,
    Pong,
    Ok,
    Error(String),
}

/// What came for a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub subject: Bytes,
    /// Where an answer goes; empty when none is expected.
    pub reply: Bytes,
    /// As sent, the first line included; empty when there are none.
    headers: Bytes,
    pub payload: Bytes,
}

impl Message {
    /// The number in the first line of the headers, which a server puts there in place of an answer: 503 when nobody answers.
    pub fn status(&self) -> Option<u16> {
        let line = self.headers.strip_prefix(VERSION)?;
        std::str::from_utf8(line.get(1..4)?).ok()?.parse().ok()
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(std::str::from_utf8(&self.headers).ok()?, name)
    }
}

/// The first header of that name in a text of them.
pub(super) fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Takes what stands whole at the beginning; `None` when it has not arrived yet.
///
/// # Errors
/// What about it is not NATS.
pub(super) fn read(input: &mut BytesMut) -> Result<Option<Said>, &'static str> {
    let Some(end) = memmem::find(input, b"\r\n") else {
        return if input.len() > LONGEST_LINE { Err("an endless line") } else { Ok(None) };
    };
    let text = std::str::from_utf8(&input[..end]).map_err(|_| "a line that is no text")?;
    let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    let said = match &*word.to_ascii_uppercase() {
        "MSG" | "HMSG" => return message(input, end),
        "INFO" => {
            let at = text.len() - rest.len();
            let line = input.split_to(end + 2).freeze();
            return Ok(Some(Said::Info(line.slice(at..end))));
        }
        "PING" => Said::Ping,
        "PONG" => Said::Pong,
        "+OK" => Said::Ok,
        "-ERR" => Said::Error(rest.trim().trim_matches('\'').to_owned()),
        _ => return Err("an unknown word"),
    };
    let _ = input.split_to(end + 2);
    Ok(Some(said))
}

fn message(input: &mut BytesMut, end: usize) -> Result<Option<Said>, &'static str> {
    let Line { subject, reply, head, whole } = line(&input[..end]).ok_or("a message without its length")?;
    if whole > LARGEST_MESSAGE || head > whole {
        return Err("a message of an impossible length");
    }
    let start = end + 2;
    if input.len() < start + whole + 2 {
        return Ok(None);
    }
    if &input[start + whole..start + whole + 2] != b"\r\n" {
        return Err("a message that does not end where it says");
    }
    let frame = input.split_to(start + whole + 2).freeze();
    Ok(Some(Said::Message(Message {
        subject: frame.slice(subject),
        reply: reply.map_or_else(Bytes::new, |reply| frame.slice(reply)),
        headers: frame.slice(start..start + head),
        payload: frame.slice(start + head..start + whole),
    })))
}

/// The line before a message: where its words stand, the lengths of its headers and of the whole.
struct Line {
    subject: Range<usize>,
    reply: Option<Range<usize>>,
    head: usize,
    whole: usize,
}

/// `MSG subject sid [reply] length`, or `HMSG subject sid [reply] headers-length length`.
fn line(bytes: &[u8]) -> Option<Line> {
    let text = std::str::from_utf8(bytes).ok()?;
    let place = |word: &str| {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        at..at + word.len()
    };
    let mut words = text.split_ascii_whitespace();
    let has_headers = words.next()?.starts_with(['H', 'h']);
    let (subject, _sid) = (place(words.next()?), words.next()?);
    let rest: SmallVec<[&str; 3]> = words.collect();
    let (reply, numbers) = match (&rest[..], has_headers) {
        ([whole], false) => (None, ["0", *whole]),
        ([reply, whole], false) => (Some(place(reply)), ["0", *whole]),
        ([head, whole], true) => (None, [*head, *whole]),
        ([reply, head, whole], true) => (Some(place(reply)), [*head, *whole]),
        _ => return None,
    };
    Some(Line { subject, reply, head: numbers[0].parse().ok()?, whole: numbers[1].parse().ok()? })
}

/// Publishes with headers; the answer, where one is wanted, goes to `reply` and its number.
pub(super) fn publish(
    out: &mut BytesMut,
    subject: &str,
    reply: Option<(&str, u64)>,
    headers: &[(&str, &str)],
    payload: &[u8],
) {
    let lines: usize = headers.iter().map(|(name, value)| name.len() + 2 + value.len() + 2).sum();
    let head = if headers.is_empty() { 0 } else { VERSION.len() + 2 + lines + 2 };
    out.extend_from_slice(if head > 0 { b"HPUB " } else { b"PUB " });
    out.extend_from_slice(subject.as_bytes());
    if let Some((inbox, number)) = reply {
        out.extend_from_slice(b" ");
        out.extend_from_slice(inbox.as_bytes());
        out.extend_from_slice(b".");
        digits(out, number);
    }
    if head > 0 {
        out.extend_from_slice(b" ");
        digits(out, head as u64);
    }
    out.extend_from_slice(b" ");
    digits(out, (head + payload.len()) as u64);
    out.extend_from_slice(b"\r\n");
    if head > 0 {
        out.extend_from_slice(VERSION);
        out.extend_from_slice(b"\r\n");
        for (name, value) in headers {
            for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

fn digits(out: &mut BytesMut, mut number: u64) {
    let mut text = [0; 20];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[at..]);
}
