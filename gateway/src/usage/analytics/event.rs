//! What analytics reads of a usage event: the few members that it counts by and counts up, borrowed from the record.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::Error};
use serde_json::{Value, value::RawValue};

use super::{
    series::{OTHER, Series},
    sums::Sums,
};
use crate::{
    api::{EventTokens, UsageSource, UsageStatus},
    money::Usd,
};

/// Stands in place of the endpoint of copies, which answer nobody.
const MIRROR: &str = "mirror";
/// Metadata longer than this is not told apart.
const LONGEST_METADATA: usize = 1 << 10;

#[derive(Debug, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    request_id: Cow<'a, str>,
    #[serde(borrow)]
    mirror_of: Option<Text<'a>>,
    #[serde(borrow)]
    started_at: Cow<'a, str>,
    #[serde(borrow)]
    org: Cow<'a, str>,
    #[serde(borrow)]
    key_id: Option<Text<'a>>,
    #[serde(borrow)]
    endpoint: Cow<'a, str>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    user_id: Option<Text<'a>>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    status: UsageStatus,
    complete: bool,
    #[serde(borrow)]
    provider: Option<Text<'a>>,
    #[serde(borrow)]
    model_served: Option<Text<'a>>,
    tokens: Option<EventTokens>,
    usage_source: Option<UsageSource>,
    #[serde(borrow)]
    cost_usd: Option<Text<'a>>,
    duration_ms: Option<u64>,
    first_token_ms: Option<u64>,
    attempt_count: u32,
}

/// serde borrows a text in an `Option` only where the text is a type of its own.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Event<'a> {
    /// # Errors
    /// When it is no usage event.
    pub fn read(record: &'a [u8]) -> serde_json::Result<Self> {
        // validated once, and not again for each of its texts
        serde_json::from_str(str::from_utf8(record).map_err(serde_json::Error::custom)?)
    }

    /// Two events with the same one are the same event. FNV-1a (<https://datatracker.ietf.org/doc/html/rfc9923>), since it is
    /// written down and has to be the same everywhere; nobody but gateways chooses a request's id.
    pub fn id(&self) -> u64 {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        self.request_id.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
    }

    /// When it began: `2026-01-31T12`, and what comes behind.
    pub fn started_at(&self) -> &str {
        &self.started_at
    }

    pub fn count(&self, sums: &mut Sums) {
        let cost = self.cost_usd.as_ref().and_then(|cost| Usd::parse(&cost.0));
        sums.requests += 1;
        sums.attempts += u64::from(self.attempt_count);
        sums.incomplete += u64::from(!self.complete && self.status != UsageStatus::Failed);
        sums.estimated += u64::from(self.usage_source == Some(UsageSource::Estimated));
        sums.unpriced += u64::from(cost.is_none() && self.may_be_charged());
        sums.cost = sums.cost + cost.unwrap_or_default();
        if let Some(tokens) = &self.tokens {
            sums.add_tokens(tokens);
        }
        if let Some(millis) = self.duration_ms {
            sums.latency.add(millis);
        }
        if let Some(millis) = self.first_token_ms {
            sums.first_token.add(millis);
        }
    }

    /// The provider may have put it on its bill.
    fn may_be_charged(&self) -> bool {
        match self.status {
            UsageStatus::Replayed => false,
            UsageStatus::Answered | UsageStatus::Cut | UsageStatus::Interrupted => true,
            UsageStatus::Cancelled => self.attempt_count > 0,
            UsageStatus::Failed => self.tokens.is_some(),
        }
    }

    pub fn series(&self) -> Series<'a> {
        let text = |text: &Option<Text<'a>>| text.as_ref().map_or(Cow::Borrowed(""), |text| text.0.clone());
        Series {
            org: self.org.clone(),
            key: text(&self.key_id),
            user: text(&self.user_id),
            model: self.model_served.as_ref().map_or_else(|| self.model.clone(), |served| served.0.clone()),
            provider: text(&self.provider),
            endpoint: if self.mirror_of.is_some() { Cow::Borrowed(MIRROR) } else { self.endpoint.clone() },
            status: self.status,
            metadata: self.metadata.map_or(Cow::Borrowed(""), settled),
        }
    }
}

/// Finds the hours of events, which are nearly always those of the event before.
#[derive(Debug, Default)]
pub(super) struct Hours {
    /// The beginning of a moment in UTC, and its hour.
    last: Option<([u8; HOUR], i64)>,
}

/// `2026-01-31T12`
const HOUR: usize = 13;

impl Hours {
    /// In whole hours since 1970; `None` when it is no moment as RFC 3339 writes them.
    pub fn of(&mut self, moment: &str) -> Option<i64> {
        let beginning = moment.as_bytes().first_chunk::<HOUR>().filter(|_| moment.ends_with('Z'));
        if let (Some(beginning), Some((last, hour))) = (beginning, &self.last)
            && beginning == last
        {
            return Some(*hour);
        }
        let hour = moment.parse::<DateTime<Utc>>().ok()?.timestamp().div_euclid(3600);
        self.last = beginning.map(|beginning| (*beginning, hour));
        Some(hour)
    }
}

/// The same names and values are the same text.
fn settled(metadata: &RawValue) -> Cow<'static, str> {
    if metadata.get().len() > LONGEST_METADATA {
        return Cow::Borrowed(OTHER);
    }
    match serde_json::from_str::<BTreeMap<String, Value>>(metadata.get()) {
        Ok(members) if !members.is_empty() => {
            Cow::Owned(serde_json::to_string(&members).expect("what was JSON is JSON"))
        }
        _ => Cow::Borrowed(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_that_of_its_moment_whatever_was_asked_before() {
        let mut hours = Hours::default();
        for (moment, hour) in [
            ("1970-01-01T05:00:00.000Z", Some(5)),
            ("1970-01-01T05:59:59.999Z", Some(5)),
            ("1970-01-01T05:59:59.999+02:00", Some(3)),
            ("1970-01-01T06:00:00Z", Some(6)),
            ("1970-01-01T05:00:00Z", Some(5)),
            ("yesterday", None),
        ] {
            assert_eq!(hours.of(moment), hour, "{moment}");
        }
    }
}
