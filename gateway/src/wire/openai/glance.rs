//! One pass over an answer or a chunk, for the few things that the gateway wants to know of it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::usage;
use crate::api::{BilledTier, TokenUsage};

/// The members of an answer that matter here; the last of a name counts, as it does for every client.
#[derive(Debug, Default)]
pub(super) struct Glance<'a> {
    choices: Option<&'a str>,
    error: Option<&'a str>,
    usage: Option<&'a str>,
    x_groq: Option<&'a str>,
    service_tier: Option<&'a str>,
}

impl<'a> Glance<'a> {
    /// `None` when it is not a JSON object.
    pub(super) fn at(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// The object is, or contains, an error.
    pub(super) fn is_error(&self) -> bool {
        self.error.is_some_and(|error| !matches!(error, "null" | "false" | "\"\""))
    }

    pub(super) fn usage(&self) -> Option<TokenUsage> {
        #[derive(Deserialize)]
        struct Groq<'a> {
            #[serde(borrow)]
            usage: Option<&'a RawValue>,
        }
        let own = self.usage.and_then(usage::read);
        let read = own.or_else(|| usage::read(serde_json::from_str::<Groq>(self.x_groq?).ok()?.usage?.get()))?;
        Some(TokenUsage { tier: self.tier(), ..read })
    }

    fn tier(&self) -> BilledTier {
        let name = self.service_tier.and_then(|raw| raw.strip_prefix('"')?.strip_suffix('"'));
        BilledTier::named(name.unwrap_or_default())
    }

    /// The chunk exists for its usage alone: `choices: []` and a usage object.
    pub(super) fn is_usage_chunk(&self) -> bool {
        let no_choices =
            |choices: &str| choices.strip_prefix('[').is_some_and(|rest| rest.trim_ascii_start().starts_with(']'));
        self.choices.is_some_and(no_choices) && self.usage.is_some_and(|usage| usage.starts_with('{'))
    }
}

impl<'de> Deserialize<'de> for Glance<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Glance<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Glance<'de>, A::Error> {
        let mut glance = Glance::default();
        while let Some(key) = map.next_key::<Key>()? {
            let place = match key {
                Key::Choices => &mut glance.choices,
                Key::Error => &mut glance.error,
                Key::Usage => &mut glance.usage,
                Key::XGroq => &mut glance.x_groq,
                Key::BilledTier => &mut glance.service_tier,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = Some(map.next_value::<&'de RawValue>()?.get());
        }
        Ok(glance)
    }
}

enum Key {
    Choices,
    Error,
    Usage,
    XGroq,
    BilledTier,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                Ok(match name {
                    "choices" => Key::Choices,
                    "error" => Key::Error,
                    "usage" => Key::Usage,
                    "x_groq" => Key::XGroq,
                    "service_tier" => Key::BilledTier,
                    _ => Key::Other,
                })
            }
        }
        deserializer.deserialize_str(Name)
    }
}
