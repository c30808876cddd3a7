//! An event stream as it arrives: when the first visible token came, how far apart the others, whether it ended.

use std::time::Instant;

use memchr::{memchr, memmem};

use crate::tally::{Tally, micros};

const MAX_GAPS: usize = 4_000_000;

pub struct Reading {
    anthropic: bool,
    start: Instant,
    last: Instant,
    pub chunks: u64,
    pub ttft: Option<u32>,
    pub done: bool,
    pub usage: bool,
}

impl Reading {
    pub fn new(anthropic: bool, start: Instant) -> Self {
        Reading { anthropic, start, last: start, chunks: 0, ttft: None, done: false, usage: false }
    }

    /// Reads the whole lines at the front of `buffer` and takes them out.
    pub fn take_lines(&mut self, buffer: &mut Vec<u8>, now: Instant, tally: &mut Tally) {
        let mut from = 0;
        while let Some(end) = memchr(b'\n', &buffer[from..]) {
            let line = &buffer[from..from + end];
            from += end + 1;
            if line.starts_with(b"data:") {
                self.take(line, now, tally);
            }
        }
        buffer.drain(..from);
    }

    fn take(&mut self, line: &[u8], now: Instant, tally: &mut Tally) {
        if has_content(line, self.anthropic) {
            self.chunks += 1;
            if self.ttft.is_none() {
                self.ttft = Some(micros(now - self.start));
            } else if tally.gap.len() < MAX_GAPS {
                tally.gap.push(micros(now - self.last));
            }
            self.last = now;
        } else if contains(line, b"[DONE]") || contains(line, b"\"message_stop\"") {
            self.done = true;
        }
        self.usage = self.usage || contains(line, b"_tokens\"");
    }
}

pub fn contains(text: &[u8], word: &[u8]) -> bool {
    memmem::find(text, word).is_some()
}

/// True when an event carries visible text: OpenAI's `"content":"x…"` or Anthropic's `"text":"x…"`.
fn has_content(line: &[u8], anthropic: bool) -> bool {
    let key: &[u8] = if anthropic { b"\"text\"" } else { b"\"content\"" };
    memmem::find_iter(line, key).any(|at| {
        let rest = line[at + key.len()..].trim_ascii_start();
        let Some(value) = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else { return false };
        value.len() > 1 && value[0] == b'"' && value[1] != b'"'
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_text_is_a_token() {
        assert!(has_content(br#"data: {"delta":{"content": "Hi"}}"#, false));
        assert!(!has_content(br#"data: {"delta":{"role":"assistant","content":""}}"#, false));
        assert!(!has_content(br#"data: {"delta":{"content":null}}"#, false));
        assert!(has_content(br#"data: {"delta":{"type":"text_delta","text":"Hi"}}"#, true));
    }

    #[test]
    fn a_stream_cut_at_every_place_reads_the_same() {
        let stream = b"data: {\"content\":\"\"}\n\ndata: {\"content\":\"a\"}\n\ndata: {\"content\":\"b\"}\n\n\
            data: {\"prompt_tokens\":1}\n\ndata: [DONE]\n\n";
        for cut in 0..stream.len() {
            let (start, mut tally, mut buffer) = (Instant::now(), Tally::default(), Vec::new());
            let mut reading = Reading::new(false, start);
            for part in [&stream[..cut], &stream[cut..]] {
                buffer.extend_from_slice(part);
                reading.take_lines(&mut buffer, start, &mut tally);
            }
            assert_eq!((reading.chunks, reading.done, reading.usage, tally.gap.len()), (2, true, true, 1));
            assert!(reading.ttft.is_some() && buffer.is_empty());
        }
    }
}
