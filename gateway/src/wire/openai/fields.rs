//! The request fields that the gateway knows: their static names, and the JSON kinds that make sense for them.
//!
//! Lenient where compatible providers extend OpenAI's types; what is not in the table passes unchecked.

use std::borrow::Cow;

use Kind::{Array, Boolean, Integer, Number, Object, Text};

use crate::api::SmallName;

/// A kind of JSON value; null goes with all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// Also written `1.0`.
    Integer,
    Boolean,
    Array,
    Object,
}

impl Kind {
    fn admits(self, value: &str) -> bool {
        match (self, value.as_bytes().first()) {
            (Text, Some(b'"'))
            | (Number, Some(b'-' | b'0'..=b'9'))
            | (Boolean, Some(b't' | b'f'))
            | (Array, Some(b'['))
            | (Object, Some(b'{')) => true,
            (Integer, Some(b'-' | b'0'..=b'9')) => is_integer(value),
            _ => false,
        }
    }

    fn article(self) -> &'static str {
        match self {
            Text => "a string",
            Number => "a number",
            Integer => "an integer",
            Boolean => "a boolean",
            Array => "an array",
            Object => "an object",
        }
    }
}

/// A field and the kinds it may have; none listed: any.
pub(super) struct Known {
    name: &'static str,
    kinds: &'static [Kind],
}

const fn known(name: &'static str, kinds: &'static [Kind]) -> Known {
    Known { name, kinds }
}

/// Sorted by length, so that a name is compared with few others.
static KNOWN: [Known; 49] = [
    known("n", &[Integer]),
    known("echo", &[Boolean]),
    known("seed", &[Integer]),
    known("stop", &[Text, Array]),
    known("user", &[Text]),
    known("audio", &[Object]),
    known("input", &[Text, Array, Object]),
    known("model", &[Text]),
    known("query", &[Text]),
    known("store", &[Boolean]),
    known("tools", &[Array]),
    known("top_k", &[Integer]),
    known("top_n", &[Integer]),
    known("top_p", &[Number]),
    known("prompt", &[Text, Array]),
    known("stream", &[Boolean]),
    known("suffix", &[Text]),
    known("best_of", &[Integer]),
    known("logprobs", &[Boolean, Integer]),
    known("messages", &[Array]),
    known("metadata", &[Object]),
    known("thinking", &[]),
    known("documents", &[Array]),
    known("functions", &[Array]),
    known("reasoning", &[]),
    known("verbosity", &[Text]),
    known("dimensions", &[Integer]),
    known("logit_bias", &[Object]),
    known("max_tokens", &[Integer]),
    known("modalities", &[Array]),
    known("prediction", &[Object]),
    known("temperature", &[Number]),
    known("tool_choice", &[Text, Object]),
    known("service_tier", &[Text]),
    known("top_logprobs", &[Integer]),
    known("function_call", &[Text, Object]),
    known("stream_options", &[Object]),
    known("encoding_format", &[Text]),
    known("response_format", &[Object]),
    known("presence_penalty", &[Number]),
    known("prompt_cache_key", &[Text]),
    known("reasoning_effort", &[Text, Integer, Boolean]),
    known("return_documents", &[Boolean]),
    known("frequency_penalty", &[Number]),
    known("safety_identifier", &[Text]),
    known("max_tokens_per_doc", &[Integer]),
    known("web_search_options", &[Object]),
    known("parallel_tool_calls", &[Boolean]),
    known("max_completion_tokens", &[Integer]),
];

/// Where the names of each length begin in [`KNOWN`].
static STARTS: [usize; LONGEST + 2] = {
    let mut starts = [0; LONGEST + 2];
    let mut length = 1;
    while length < starts.len() {
        let mut at = starts[length - 1];
        while at < KNOWN.len() && KNOWN[at].name.len() < length {
            at += 1;
        }
        starts[length] = at;
        length += 1;
    }
    starts
};
const LONGEST: usize = KNOWN[KNOWN.len() - 1].name.len();

/// Which of the known fields were seen.
#[derive(Debug, Default)]
pub(super) struct SeenFields(u64);
const _: () = assert!(KNOWN.len() <= u64::BITS as usize);

impl SeenFields {
    /// Whether it is the first time.
    pub(super) fn insert(&mut self, at: usize) -> bool {
        let bit = 1 << at;
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new
    }
}

/// The known field of that name, and its place in the table.
pub(super) fn find(name: &str) -> Option<(usize, &'static Known)> {
    let (start, end) = (*STARTS.get(name.len())?, *STARTS.get(name.len() + 1)?);
    let at = start + KNOWN[start..end].iter().position(|known| known.name == name)?;
    Some((at, &KNOWN[at]))
}

impl Known {
    pub(super) fn name(&self) -> SmallName {
        Cow::Borrowed(self.name)
    }

    /// What is wrong with this value's kind: the message without the field's name.
    pub(super) fn complaint(&self, value: &str) -> Option<String> {
        if self.kinds.is_empty() || value == "null" || self.kinds.iter().any(|kind| kind.admits(value)) {
            return None;
        }
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.article()).collect();
        Some(format!("must be {}", kinds.join(" or ")))
    }
}

/// `12`, `-3`, `12.0`; JSON makes no difference between the last and `12`.
fn is_integer(number: &str) -> bool {
    match number.split_once('.') {
        _ if number.contains(['e', 'E']) => false,
        Some((_, fraction)) => fraction.bytes().all(|digit| digit == b'0'),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_finds_every_row() {
        assert!(KNOWN.is_sorted_by(|one, next| (one.name.len(), one.name) < (next.name.len(), next.name)));
        assert!(KNOWN.iter().all(|known| find(known.name).is_some_and(|(_, found)| found.name == known.name)));
        assert!(find("top_q").is_none());
    }
}
