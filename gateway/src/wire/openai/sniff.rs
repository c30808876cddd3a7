//! Cheap looks at a frame of whole events: whether something in it has to be read, without reading it.

use std::sync::LazyLock;

use memchr::{memchr2, memmem::Finder};

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""usage""#));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"error"));
static DONE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"[DONE]"));
static FINISH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""finish_reason""#));
static CONTENT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""content""#));
static REASONING_CONTENT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""reasoning_content""#));
static REASONING: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""reasoning""#));
static ARGUMENTS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""arguments""#));
static TEXT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""text""#));
static TOOL_CALLS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""tool_calls""#));

/// The frame may hold usage, an error or the end.
pub(super) fn needs_a_look(frame: &[u8]) -> bool {
    usage(frame).is_some() || error(frame) || DONE.find(frame).is_some()
}

/// A finish reason other than null and `""` (xAI sends that) stands in these bytes.
pub(super) fn finish_reason(bytes: &[u8]) -> bool {
    values(&FINISH, bytes).any(|value| value.len() > 1 && value[0] == b'"' && value[1] != b'"')
}

/// Content in the form of a list.
pub(super) fn content_list(bytes: &[u8]) -> bool {
    values(&CONTENT, bytes).any(|value| value[0] == b'[')
}

pub(super) fn tool_calls(bytes: &[u8]) -> bool {
    TOOL_CALLS.find(bytes).is_some()
}

/// Bytes of what a model has written in these events: text, reasoning, arguments of tools.
pub(super) fn written(bytes: &[u8]) -> u64 {
    let keys: [&'static Finder<'static>; 5] = [&CONTENT, &REASONING_CONTENT, &REASONING, &ARGUMENTS, &TEXT];
    let strings = keys.into_iter().flat_map(|key| values(key, bytes)).filter_map(|value| value.strip_prefix(b"\""));
    strings.map(|string| string_length(string) as u64).sum()
}

/// Of a string whose opening quote is before it, as far as it is there.
fn string_length(string: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', &string[at..]) {
        at += found;
        if string[at] == b'"' {
            return at;
        }
        at = string.len().min(at + 2);
    }
    string.len()
}

/// Where a usage object begins.
pub(super) fn usage(bytes: &[u8]) -> Option<&[u8]> {
    values(&USAGE, bytes).find(|value| value[0] == b'{')
}

/// `"error"` as a key whose value is not null, or `event: error`.
pub(super) fn error(bytes: &[u8]) -> bool {
    ERROR.find_iter(bytes).any(|at| {
        let before = &bytes[..at];
        let after = &bytes[at + b"error".len()..];
        if before.ends_with(b"\"") && after.starts_with(b"\"") {
            value(&after[1..]).is_some_and(|value| value[0] != b'n')
        } else {
            before.ends_with(b"event:") || before.ends_with(b"event: ")
        }
    })
}

/// The bytes from each value of a key on. A quote inside a string is escaped, so that a quoted key is a key, or a
/// string that equals it and has no colon after it.
fn values<'a>(key: &'static Finder<'static>, bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    key.find_iter(bytes).filter_map(move |at| value(&bytes[at + key.needle().len()..]))
}

/// What follows a key and its colon; never empty.
pub(super) fn value(after_key: &[u8]) -> Option<&[u8]> {
    let value = after_key.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_wrote_is_measured_wherever_it_stands() {
        for (event, bytes) in [
            (r#"{"choices":[{"delta":{"content":"hello"}}]}"#, 5),
            (r#"{"choices":[{"delta":{"content": "a\"b"}}]}"#, 4),
            (r#"{"choices":[{"delta":{"content":null,"reasoning_content":"why"}}]}"#, 3),
            (r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{\"a\":1}"}}]}}]}"#, 9),
            (r#"{"choices":[{"text":"abc"}]}"#, 3),
            (r#"{"choices":[{"delta":{"content":"cut"#, 3),
            (r#"{"choices":[{"delta":{"content":"cut\"#, 4),
            (r#"{"choices":[],"usage":{}}"#, 0),
        ] {
            assert_eq!(written(event.as_bytes()), bytes, "{event}");
        }
    }
}
