//! What passes to a client, watched for what its limits and its usage event want to know of it.

use std::{borrow::Cow, sync::LazyLock};

use memchr::memmem::Finder;

use super::sniff;

static FINISH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""finish_reason":"#));

/// Of English text in today's vocabularies; other languages and code have shorter tokens.
/// <https://help.openai.com/en/articles/4936856-what-are-tokens-and-how-to-count-them>
const BYTES_PER_TOKEN: u64 = 4;
/// Nobody's finish reason is longer.
const LONGEST_REASON: usize = 32;

/// Looks at the pieces of an answer in OpenAI's format. A member that is cut between two pieces is seen in part: what is
/// seen serves for estimates, and for a word.
#[derive(Debug, Default)]
pub struct Tap {
    finish_reason: Option<Cow<'static, str>>,
    text: u64,
}

impl Tap {
    /// A piece of a stream, or an answer whose tokens nobody has counted.
    pub fn see(&mut self, piece: &[u8]) {
        self.text += sniff::written(piece);
        self.see_end(piece);
    }

    /// A piece of which only the end matters.
    pub fn see_end(&mut self, piece: &[u8]) {
        if let Some(at) = FINISH.find(piece)
            && let Some(reason) = word(&piece[at + FINISH.needle().len()..])
        {
            self.finish_reason = Some(reason);
        }
    }

    /// Why the answer ended, when it has said so.
    pub fn finish_reason(&self) -> Option<&str> {
        self.finish_reason.as_deref()
    }

    /// Bytes of text that have passed.
    pub fn text(&self) -> u64 {
        self.text
    }
}

/// How many tokens so many bytes of text are likely to be.
pub fn estimate(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// A short string without escapes; `null` is none.
fn word(bytes: &[u8]) -> Option<Cow<'static, str>> {
    const KNOWN: [&str; 5] = ["stop", "length", "tool_calls", "content_filter", "function_call"];
    let text = bytes.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', &text[..text.len().min(LONGEST_REASON)])?;
    let word = std::str::from_utf8(&text[..end]).ok().filter(|word| !word.contains('\\'))?;
    let known = KNOWN.into_iter().find(|known| *known == word);
    Some(known.map_or_else(|| Cow::Owned(word.to_owned()), Cow::Borrowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_measured_and_the_reason_kept() {
        let mut tap = Tap::default();
        tap.see(br#"data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#);
        assert_eq!((tap.finish_reason(), tap.text()), (None, 0));
        tap.see(br#"data: {"choices": [{"delta": {"content": "a \"quoted\" word"}, "finish_reason": null}]}"#);
        tap.see(br#"data: {"choices":[{"delta":{"reasoning_content":"hm"},"finish_reason": "length"}]}"#);
        assert_eq!((tap.finish_reason(), tap.text()), (Some("length"), 19));
        tap.see_end(br#"{"choices":[{"finish_reason":"eos"}]}"#);
        assert_eq!(tap.finish_reason(), Some("eos"));
        tap.see_end(br#"{"choices":[{"finish_reason":"sto"#);
        assert_eq!(tap.finish_reason(), Some("eos"));
    }
}
