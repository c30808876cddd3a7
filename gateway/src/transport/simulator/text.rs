//! Texts and the simulated tokens in them: words, each with the white space before it.

use std::{ops::Range, sync::Arc};

use super::{options::MOST_TOKENS, rejection::Rejection};
use crate::api::FinishReason;

pub(super) const LOREM: &str = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod \
    tempor incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco \
    laboris nisi ut aliquip ex ea commodo consequat. Duis aute irure dolor in reprehenderit in voluptate velit esse \
    cillum dolore eu fugiat nulla pariatur. Excepteur sint occaecat cupidatat non proident, sunt in culpa qui officia \
    deserunt mollit anim id est laborum.";

/// The most text that is made out of little, in bytes: repetition and `n` are bounded by it, an echo is not.
const MOST_TEXT: usize = 16 * 1024 * 1024;

/// The ranges of a text's tokens: together they are the text.
pub(super) struct Tokens<T> {
    text: T,
    at: usize,
}

pub(super) fn tokens<T: AsRef<str>>(text: T) -> Tokens<T> {
    Tokens { text, at: 0 }
}

impl<T: AsRef<str>> Iterator for Tokens<T> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.as_ref().get(self.at..).filter(|rest| !rest.is_empty())?;
        let word = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        let mut end = rest[word..].find(char::is_whitespace).map_or(rest.len(), |len| word + len);
        if rest[end..].trim_start().is_empty() {
            end = rest.len();
        }
        let start = self.at;
        self.at += end;
        Some(start..self.at)
    }
}

pub(super) fn count(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

/// Exactly so many words: the text cut short, or from the beginning again and again.
pub(super) fn stretched(text: &str, words: u32) -> Result<String, Rejection> {
    let source = if text.trim().is_empty() { LOREM } else { text };
    let mut stretched = String::new();
    for word in source.split_whitespace().cycle().take(words.min(MOST_TOKENS) as usize) {
        if !stretched.is_empty() {
            stretched.push(' ');
        }
        stretched.push_str(word);
        if stretched.len() > MOST_TEXT {
            return Err(too_much("model"));
        }
    }
    Ok(stretched)
}

/// Refuses to say so much so often.
pub(super) fn check_total(bytes: usize, choices: usize) -> Result<(), Rejection> {
    if choices > 1 && bytes > MOST_TEXT { Err(too_much("n")) } else { Ok(()) }
}

fn too_much(param: &str) -> Rejection {
    Rejection::invalid(param, format!("The simulator makes at most {MOST_TEXT} bytes of text for one answer."))
}

/// What is said, and why it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Speech {
    pub text: Arc<str>,
    pub finish: FinishReason,
}

impl Speech {
    /// Cut before the first stop text, and at so many tokens.
    pub fn new(text: &str, stops: &[String], limit: Option<u32>) -> Self {
        let stops = stops.iter().filter(|stop| !stop.is_empty());
        let end = stops.filter_map(|stop| text.find(stop.as_str())).min().unwrap_or(text.len());
        let text = &text[..end];
        match limit.and_then(|limit| tokens(text).nth(limit as usize)) {
            Some(beyond) => Self { text: text[..beyond.start].into(), finish: FinishReason::Length },
            None => Self { text: text.into(), finish: FinishReason::Stop },
        }
    }
}

/// Stretches of so many characters, for text without words.
pub(super) fn slices(text: &str, length: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(length).map(|slice| slice.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_words_and_lose_nothing() {
        for text in ["", " ", "one", " one  two\nthree \t", "é ü\u{2003}ß", "a b"] {
            let pieces: Vec<&str> = tokens(text).map(|range| &text[range]).collect();
            assert_eq!(pieces.concat(), text);
            assert_eq!(pieces.len() as u64, count(text).max(u64::from(text == " ")), "{text:?}");
        }
        assert_eq!(tokens(" one  two ").collect::<Vec<_>>(), [0..4, 4..10]);
    }

    #[test]
    fn texts_are_stretched_and_cut_to_the_word() {
        assert_eq!(stretched("a b", 5).unwrap(), "a b a b a");
        assert_eq!(stretched("a b c", 2).unwrap(), "a b");
        assert_eq!(count(&stretched("", 100_000).unwrap()), 100_000);
        assert_eq!(stretched("a", 0).unwrap(), "");
        assert!(stretched(&"x".repeat(1_000_000), 100_000).is_err());
    }

    #[test]
    fn stop_texts_come_before_the_limit() {
        let stops = ["two".to_owned(), String::new()];
        let speech = |stops, limit| {
            let speech = Speech::new("one two three", stops, limit);
            (speech.text.to_string(), speech.finish)
        };
        assert_eq!(speech(&stops, None), ("one ".to_owned(), FinishReason::Stop));
        assert_eq!(speech(&stops, Some(1)), ("one ".to_owned(), FinishReason::Stop));
        assert_eq!(speech(&[], Some(2)), ("one two".to_owned(), FinishReason::Length));
        assert_eq!(speech(&[], Some(3)), ("one two three".to_owned(), FinishReason::Stop));
        assert_eq!(speech(&[], Some(0)), (String::new(), FinishReason::Length));
    }
}
