//! Texts that are written as numbers.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

/// A text that is most often one of a few.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Word<'a>(pub &'a str);

/// Those few; their numbers begin with 1. More are only added at the end.
const WORDS: [&str; 25] = [
    "chat.completions",
    "completions",
    "embeddings",
    "rerank",
    "round-robin",
    "weighted",
    "least-latency",
    "least-busy",
    "cost-optimized",
    "adaptive",
    "fastest",
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "first",
    "failover",
    "next_key",
    "retry",
    "hedge",
    "mirror",
    "answered",
    "failed",
    "outrun",
    "function_call",
];

const PLACES: usize = 128;
/// Where a word has its number, so that it is found without a search.
static NUMBERS: [u8; PLACES] = {
    let (mut numbers, mut at) = ([0; PLACES], 0);
    while at < WORDS.len() {
        let place = place(WORDS[at].as_bytes());
        assert!(numbers[place] == 0, "two words have one place: other factors are needed");
        numbers[place] = at as u8 + 1;
        at += 1;
    }
    numbers
};

const fn place(word: &[u8]) -> usize {
    match word {
        [] => 0,
        [first, .., last] => (*first as usize * 4 + *last as usize * 7 + word.len()) % PLACES,
        [only] => *only as usize % PLACES,
    }
}

impl<'a> Word<'a> {
    /// `None` for one that is no usual word.
    fn number(self) -> Option<u8> {
        let number = NUMBERS[place(self.0.as_bytes())];
        let word = usize::from(number).checked_sub(1).and_then(|at| WORDS.get(at));
        word.filter(|word| **word == self.0).map(|_| number)
    }

    pub fn text(self) -> &'a str {
        self.0
    }
}

impl Serialize for Word<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.number() {
            Some(number) => to.serialize_u8(number),
            None => (0_u8, self.0).serialize(to),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Known;
        impl<'de> Visitor<'de> for Known {
            type Value = Word<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word's number, or 0 and a text")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Word<'de>, A::Error> {
                let number: u8 = elements.next_element()?.unwrap_or_default();
                let word = match usize::from(number).checked_sub(1) {
                    Some(at) => WORDS.get(at).copied(),
                    None => elements.next_element()?,
                };
                word.map(Word).ok_or_else(|| A::Error::custom("no such word"))
            }
        }
        from.deserialize_tuple(2, Known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_word_has_its_number_and_no_other_text_has() {
        let numbers: Vec<_> = WORDS.iter().map(|word| Word(word).number()).collect();
        assert_eq!(numbers, (1..=WORDS.len() as u8).map(Some).collect::<Vec<_>>());
        for other in ["", "s", "stoop", "ftst", "Stop", "stop "] {
            assert_eq!(Word(other).number(), None, "{other}");
        }
    }
}
