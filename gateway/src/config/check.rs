//! Mistakes, and the report that collects them all.
//!
//! [`shape`](super::shape) finds what the schema forbids, `resolve` and its parts what the values mean. A mistake never
//! quotes a value: it may be a secret in the wrong place.

use std::{error::Error, fmt};

use super::tree::{Node, Trail};

/// One thing wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub file: String,
    pub line: Option<usize>,
    /// As in `providers.openai.models[1]`; empty for the file as a whole.
    pub path: String,
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything wrong with a configuration, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, mistake) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl Error for Mistakes {}

/// Collects what is found while a file is read.
#[derive(Debug)]
pub(super) struct Report {
    file: String,
    mistakes: Vec<Mistake>,
    /// Spellings that work although another is preferred.
    notes: Vec<Mistake>,
    /// Where the file's shape is wrong: what follows from that is not reported again.
    blemishes: Vec<Trail>,
}

impl Report {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), mistakes: Vec::new(), notes: Vec::new(), blemishes: Vec::new() }
    }

    /// A value that is not there as it should be; nothing more is said about it.
    pub(super) fn structural(&mut self, trail: &Trail, line: usize, message: impl Into<String>) {
        self.add(trail, Some(line), message.into());
        self.spoil(trail.clone());
    }

    /// From here on nothing is said about this place.
    pub(super) fn spoil(&mut self, trail: Trail) {
        self.blemishes.push(trail);
    }

    /// A value that is there and means something impossible, or a missing one.
    pub(super) fn semantic(&mut self, tree: &Node, trail: &Trail, message: impl Into<String>) {
        if !self.is_spoiled(trail) {
            self.add(trail, tree.line_of(trail), message.into());
        }
    }

    /// Something at this place, above it or below it was reported already.
    pub(super) fn is_spoiled(&self, trail: &Trail) -> bool {
        self.blemishes.iter().any(|blemish| blemish.touches(trail))
    }

    /// Another spelling would be better.
    pub(super) fn note(&mut self, trail: &Trail, line: usize, message: String) {
        self.notes.push(self.mistake(trail, Some(line), message));
    }

    /// The value, if nothing was wrong; beside the notes.
    pub(super) fn finish<T>(mut self, value: T) -> Result<(T, Vec<Mistake>), Mistakes> {
        if self.mistakes.is_empty() {
            return Ok((value, self.notes));
        }
        self.mistakes.sort_by_key(|mistake| mistake.line);
        Err(Mistakes(self.mistakes))
    }

    fn add(&mut self, trail: &Trail, line: Option<usize>, message: String) {
        let mistake = self.mistake(trail, line, message);
        self.mistakes.push(mistake);
    }

    fn mistake(&self, trail: &Trail, line: Option<usize>, message: String) -> Mistake {
        Mistake { file: self.file.clone(), line, path: trail.to_string(), message }
    }
}

/// The word that was probably meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let simple = |word: &str| word.to_lowercase().replace('-', "_");
    let word = simple(word);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &simple(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ``(did you mean `x`?)`` or the known words, for the end of a message.
pub(super) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(word) => format!(" (did you mean `{word}`?)"),
        None => format!(" (known: {})", known.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_survives_typos_case_and_dashes() {
        let known = ["host", "port", "api_key", "max_in_flight"];
        assert_eq!(nearest("api_kye", known), Some("api_key"));
        assert_eq!(nearest("Max-In-Flight", known), Some("max_in_flight"));
        assert_eq!(nearest("hots", known), Some("host"));
        assert_eq!(nearest("budget", known), None);
    }
}
