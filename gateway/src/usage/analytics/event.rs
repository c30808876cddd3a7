//! What analytics reads of a usage event: the few members that it counts by and counts up, borrowed from the record.

use std::{borrow::Cow, collections::BTreeMap, hash::Hasher, ops::Range};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Value, value::RawValue};

use super::{
    scan,
    series::{OTHER, Series},
    sums::Sums,
};
use crate::{
    api::{Counted, EventTokens, UsageSource, UsageStatus, counted},
    money::Usd,
};

/// Stands in place of the endpoint of copies, which answer nobody.
const MIRROR: &str = "mirror";
/// Metadata longer than this is not told apart.
const LONGEST_METADATA: usize = 1 << 10;

#[derive(Debug, Default, PartialEq, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub request_id: Cow<'a, str>,
    #[serde(borrow)]
    pub mirror_of: Option<Text<'a>>,
    /// When it began, in whole hours since 1970.
    #[serde(rename = "started_at", deserialize_with = "hour")]
    pub hour: i64,
    #[serde(borrow)]
    pub org: Cow<'a, str>,
    #[serde(borrow)]
    pub key_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub endpoint: Cow<'a, str>,
    #[serde(borrow)]
    pub model: Cow<'a, str>,
    #[serde(borrow)]
    pub user_id: Option<Text<'a>>,
    /// As it is written.
    #[serde(borrow, default, deserialize_with = "as_written")]
    pub metadata: Option<&'a str>,
    pub status: UsageStatus,
    pub complete: bool,
    #[serde(borrow)]
    pub provider: Option<Text<'a>>,
    #[serde(borrow)]
    pub model_served: Option<Text<'a>>,
    pub tokens: Option<EventTokens>,
    pub usage_source: Option<UsageSource>,
    /// Absent where it cannot be read.
    #[serde(default, deserialize_with = "dollars")]
    pub cost_usd: Option<Usd>,
    pub duration_ms: Option<u64>,
    pub first_token_ms: Option<u64>,
    pub attempt_count: u32,
}

/// serde borrows a text in an `Option` only where the text is a type of its own.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.into())
    }
}

impl<'a> Event<'a> {
    /// Reads a record of the spool, or the JSON that is published of it.
    ///
    /// # Errors
    /// When it is no usage event.
    pub fn read(record: &'a [u8]) -> serde_json::Result<Self> {
        if let Some(counted) = counted(record) {
            return Ok(Self::of(&counted));
        }
        // validated once, and not again for each of its texts
        let text = str::from_utf8(record).map_err(serde_json::Error::custom)?;
        scan::event(text).map_or_else(|| serde_json::from_str(text), Ok)
    }

    fn of(counted: &Counted<'a>) -> Self {
        Self {
            request_id: counted.request_id.into(),
            mirror_of: counted.mirror_of.map(|_| Text::from("")),
            hour: counted.started_at.timestamp().div_euclid(3600),
            org: counted.org.into(),
            key_id: counted.key_id.map(Text::from),
            endpoint: counted.endpoint.text().into(),
            model: counted.model.into(),
            user_id: counted.user_id.map(Text::from),
            metadata: counted.metadata,
            status: counted.status,
            complete: counted.complete,
            provider: counted.provider.map(Text::from),
            model_served: counted.model_served.map(Text::from),
            tokens: counted.tokens,
            usage_source: counted.usage_source,
            cost_usd: counted.cost_usd,
            duration_ms: counted.duration_ms,
            first_token_ms: counted.first_token_ms,
            attempt_count: counted.attempt_count,
        }
    }

    /// Two events with the same one are the same event. It is written down: it has to be the same in every version.
    pub fn id(&self) -> u64 {
        let mut hash = fnv::FnvHasher::default();
        hash.write(self.request_id.as_bytes());
        hash.finish()
    }

    /// In whole hours since 1970.
    pub fn hour(&self) -> i64 {
        self.hour
    }

    pub fn count(&self, sums: &mut Sums) {
        let cost = self.cost_usd;
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

fn as_written<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<&'a str>, D::Error> {
    Ok(Option::<&RawValue>::deserialize(from)?.map(RawValue::get))
}

fn dollars<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Usd>, D::Error> {
    Ok(Option::<Text<'_>>::deserialize(from)?.and_then(|Text(cost)| Usd::parse(&cost)))
}

fn hour<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let Text(moment) = Text::deserialize(from)?;
    let known = match hour_as_written(&moment) {
        Some(hour) => Ok(hour),
        None => moment.parse::<DateTime<Utc>>().map(|moment| moment.timestamp().div_euclid(3600)),
    };
    known.map_err(D::Error::custom)
}

/// The hour of a moment that is written as the gateway writes it; `None` leaves it to who knows all of RFC 3339, at ten times
/// the cost.
pub(super) fn hour_as_written(moment: &str) -> Option<i64> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.000Z";
    let fits = |(byte, shape): (u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape };
    if moment.len() != SHAPE.len() || !moment.bytes().zip(SHAPE).all(fits) {
        return None;
    }
    let number =
        |place: Range<usize>| moment[place].bytes().fold(0, |number, digit| 10 * number + u32::from(digit - b'0'));
    let date = NaiveDate::from_ymd_opt(number(0..4).cast_signed(), number(5..7), number(8..10))?;
    let moment = date.and_hms_opt(number(11..13), number(14..16), number(17..19))?;
    Some(moment.and_utc().timestamp().div_euclid(3600))
}

/// The same names and values are the same text.
fn settled(metadata: &str) -> Cow<'static, str> {
    if metadata.len() > LONGEST_METADATA {
        return Cow::Borrowed(OTHER);
    }
    match serde_json::from_str::<BTreeMap<String, Value>>(metadata) {
        Ok(members) if !members.is_empty() => {
            Cow::Owned(serde_json::to_string(&members).expect("what was JSON is JSON"))
        }
        _ => Cow::Borrowed(""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hours_are_those_of_rfc_3339() {
        let of = |moment: &str| hour(Value::from(moment)).ok();
        for (moment, hour) in [
            ("1970-01-01T05:59:59.999Z", Some(5)),
            ("1970-01-01T05:59:59Z", Some(5)),
            ("1970-01-01T05:59:59.999+02:00", Some(3)),
            ("1969-12-31T23:00:00.000Z", Some(-1)),
            ("2016-12-31T23:59:60.000Z", Some(412_007)), // a leap second
            ("1970-01-01T24:00:00.000Z", None),
            ("1970-02-30T05:00:00.000Z", None),
            ("1970-01-01T05:60:00.000Z", None),
            ("yesterday", None),
        ] {
            assert_eq!(of(moment), hour, "{moment}");
        }
    }

    proptest! {
        #[test]
        fn what_the_gateway_writes_is_read_as_chrono_reads_it(millis in 0_i64..253_402_300_800_000) {
            let moment = DateTime::from_timestamp_millis(millis).unwrap();
            let written = moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            prop_assert_eq!(hour_as_written(&written), Some(millis.div_euclid(3_600_000)));
        }
    }
}
