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

/// Sorted by name.
static KNOWN: &[Known] = &[
    known("audio", &[Object]),
    known("best_of", &[Integer]),
    known("dimensions", &[Integer]),
    known("echo", &[Boolean]),
    known("encoding_format", &[Text]),
    known("frequency_penalty", &[Number]),
    known("function_call", &[Text, Object]),
    known("functions", &[Array]),
    known("input", &[Text, Array, Object]),
    known("logit_bias", &[Object]),
    known("logprobs", &[Boolean, Integer]),
    known("max_completion_tokens", &[Integer]),
    known("max_tokens", &[Integer]),
    known("messages", &[Array]),
    known("metadata", &[Object]),
    known("modalities", &[Array]),
    known("model", &[Text]),
    known("n", &[Integer]),
    known("parallel_tool_calls", &[Boolean]),
    known("prediction", &[Object]),
    known("presence_penalty", &[Number]),
    known("prompt", &[Text, Array]),
    known("prompt_cache_key", &[Text]),
    known("reasoning", &[]),
    known("reasoning_effort", &[Text, Integer, Boolean]),
    known("response_format", &[Object]),
    known("safety_identifier", &[Text]),
    known("seed", &[Integer]),
    known("service_tier", &[Text]),
    known("stop", &[Text, Array]),
    known("store", &[Boolean]),
    known("stream", &[Boolean]),
    known("stream_options", &[Object]),
    known("suffix", &[Text]),
    known("temperature", &[Number]),
    known("thinking", &[]),
    known("tool_choice", &[Text, Object]),
    known("tools", &[Array]),
    known("top_k", &[Integer]),
    known("top_logprobs", &[Integer]),
    known("top_p", &[Number]),
    known("user", &[Text]),
    known("verbosity", &[Text]),
    known("web_search_options", &[Object]),
];

/// The known field of that name.
pub(super) fn find(name: &str) -> Option<&'static Known> {
    KNOWN.binary_search_by(|known| known.name.cmp(name)).ok().map(|at| &KNOWN[at])
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
        assert!(KNOWN.is_sorted_by(|one, next| one.name < next.name));
        assert!(KNOWN.iter().all(|known| find(known.name).is_some_and(|found| found.name == known.name)));
        assert!(find("top_q").is_none());
    }
}
