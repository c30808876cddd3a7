//! Token counts as compatible providers write them.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::api::TokenUsage;

/// The usage in a `usage` object; `None` when it counts nothing (null, `{}`, no object).
pub(super) fn read(raw: &str) -> Option<TokenUsage> {
    if !raw.starts_with('{') {
        return None;
    }
    let usage: Usage = serde_json::from_str(raw).ok()?;
    let total = usage.total_tokens.0;
    let (input, output) = match (usage.prompt_tokens.0, usage.completion_tokens.0) {
        (None, None) => (total.or(usage.search_units.0.map(|_| 0))?, 0),
        (Some(input), None) => (input, 0),
        (input, Some(output)) => (input.or_else(|| total?.checked_sub(output)).unwrap_or(0), output),
    };
    let prompt = usage.prompt_tokens_details.unwrap_or_default();
    let completion = usage.completion_tokens_details.unwrap_or_default();
    let reasoning = completion.reasoning_tokens.or_zero();
    // xAI counts the reasoning of some models beside the completion; its total tells.
    let beside = reasoning > 0 && total == Some(input.saturating_add(output).saturating_add(reasoning));
    Some(TokenUsage {
        input,
        output: if beside { output.saturating_add(reasoning) } else { output },
        cached_read: prompt.cached_tokens.or_zero(),
        cached_write: prompt.cache_write_tokens.or_zero(),
        reasoning,
        audio_input: prompt.audio_tokens.or_zero(),
        audio_output: completion.audio_tokens.or_zero(),
        image_input: prompt.image_tokens.or_zero(),
        image_output: completion.image_tokens.or_zero(),
        searches: usage.search_units.or_zero(),
        ..TokenUsage::default()
    })
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Count,
    #[serde(default)]
    completion_tokens: Count,
    #[serde(default)]
    total_tokens: Count,
    #[serde(default)]
    search_units: Count,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
    #[serde(default)]
    completion_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Count,
    #[serde(default)]
    cache_write_tokens: Count,
    #[serde(default)]
    audio_tokens: Count,
    #[serde(default)]
    image_tokens: Count,
    #[serde(default)]
    reasoning_tokens: Count,
}

/// A count in whatever form: `7`, `7.0`, null; anything else counts as absent.
#[derive(Default)]
struct Count(Option<u64>);

impl Count {
    fn or_zero(&self) -> u64 {
        self.0.unwrap_or(0)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyCount).map(Count)
    }
}

struct AnyCount;

impl<'de> Visitor<'de> for AnyCount {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count")
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Self::Value, E> {
        Ok(Some(count))
    }

    fn visit_i64<E: Error>(self, _negative: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, count: f64) -> Result<Self::Value, E> {
        // `as` saturates; beyond 2^53 it is no count anyway.
        Ok((count >= 0.0).then_some(count as u64))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
