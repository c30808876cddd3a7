//! Bedrock's event stream in whole frames, which a fuzzer that knows no CRC would never make: each line of the input is a
//! frame, a byte for its kind and then its payload.

use bytes::Bytes;

use super::{question::split, streams};

/// Kinds of frames: `:message-type`, and the header that says more.
pub const KINDS: [[(&str, &str); 2]; 16] = [
    [(":message-type", "event"), (":event-type", "messageStart")],
    [(":message-type", "event"), (":event-type", "contentBlockStart")],
    [(":message-type", "event"), (":event-type", "contentBlockDelta")],
    [(":message-type", "event"), (":event-type", "contentBlockStop")],
    [(":message-type", "event"), (":event-type", "messageStop")],
    [(":message-type", "event"), (":event-type", "metadata")],
    [(":message-type", "event"), (":event-type", "initial-response")],
    [(":message-type", "exception"), (":exception-type", "internalServerException")],
    [(":message-type", "exception"), (":exception-type", "modelStreamErrorException")],
    [(":message-type", "exception"), (":exception-type", "validationException")],
    [(":message-type", "exception"), (":exception-type", "throttlingException")],
    [(":message-type", "exception"), (":exception-type", "serviceUnavailableException")],
    [(":message-type", "exception"), (":exception-type", "")],
    [(":message-type", "error"), (":error-code", "InternalError")],
    [(":message-type", "error"), (":error-message", "The key AKIAIOSFODNN7EXAMPLE is wrong")],
    [("", ""), (":event-type", "contentBlockDelta")],
];

pub fn check(data: &[u8]) {
    let Some((asked, reading, rest)) = split(data, true) else { return };
    let Some((size, lines)) = rest.split_first() else { return };
    if asked.format.name() != "bedrock" {
        return;
    }
    let mut bytes = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        if let Some((kind, payload)) = line.split_first() {
            bytes.extend(frame(&KINDS[usize::from(*kind) % KINDS.len()], payload));
        }
    }
    streams::read(asked, reading, usize::from(*size), bytes.into());
}

/// A frame of `application/vnd.amazon.eventstream`.
pub fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).expect("a short name"));
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).expect("a short value").to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).expect("a small frame").to_be_bytes();
    let mut frame = Vec::with_capacity(16 + head.len() + payload.len());
    frame.extend_from_slice(&length(16 + head.len() + payload.len()));
    frame.extend_from_slice(&length(head.len()));
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&head);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.into()
}
