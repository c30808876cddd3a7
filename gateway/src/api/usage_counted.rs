//! What counting reads of a usage event's record, and what it passes over.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

use super::{
    EventTokens, UsageSource, UsageStatus, Word,
    usage_record::{VERSION, attodollars, counts},
};
use crate::money::Usd;

/// What is counted of a record: an [`Opening`](super::Opening) and an [`Ending`](super::Ending), each in the order of its fields, without what nobody counts.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Counted<'a> {
    pub request_id: &'a str,
    pub mirror_of: Option<Passed>,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub started_at: DateTime<Utc>,
    _gateway: Passed,
    pub org: &'a str,
    pub key_id: Option<&'a str>,
    #[serde(borrow)]
    pub endpoint: Word<'a>,
    _stream: bool,
    pub model: &'a str,
    pub user_id: Option<&'a str>,
    _session_id: Option<Passed>,
    _session_name: Option<Passed>,
    _session_path: Option<Passed>,
    _client_request_id: Option<Passed>,
    _trace_id: Option<Passed>,
    pub metadata: Option<&'a str>,
    #[serde(deserialize_with = "pass_all")]
    _properties: (),
    pub status: UsageStatus,
    _http_status: Option<u16>,
    pub complete: bool,
    pub provider: Option<&'a str>,
    _region: Option<Passed>,
    pub model_served: Option<&'a str>,
    #[serde(borrow)]
    _finish_reason: Option<Word<'a>>,
    #[serde(with = "counts")]
    pub tokens: Option<EventTokens>,
    pub usage_source: Option<UsageSource>,
    #[serde(with = "attodollars")]
    pub cost_usd: Option<Usd>,
    _price_version: Option<Passed>,
    _tier: Option<Passed>,
    pub duration_ms: Option<u64>,
    pub first_token_ms: Option<u64>,
    #[serde(borrow)]
    _routing_strategy: Option<Word<'a>>,
    _fallback_used: bool,
    pub attempt_count: u32,
}

/// A text that is not looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passed;

impl<'de> Deserialize<'de> for Passed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pass;
        impl Visitor<'_> for Pass {
            type Value = Passed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E>(self, _: &[u8]) -> Result<Passed, E> {
                Ok(Passed)
            }
        }
        // texts are written as bytes are
        from.deserialize_bytes(Pass)
    }
}

fn pass_all<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    struct PassAll;
    impl<'de> Visitor<'de> for PassAll {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("pairs of texts")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut pairs: A) -> Result<(), A::Error> {
            while pairs.next_element::<(Passed, Passed)>()?.is_some() {}
            Ok(())
        }
    }
    from.deserialize_seq(PassAll)
}

/// `None` when it is no record.
pub fn counted(record: &[u8]) -> Option<Counted<'_>> {
    let rest = record.strip_prefix(&[VERSION])?;
    Some(postcard::take_from_bytes(rest).ok()?.0)
}
