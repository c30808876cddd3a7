//! What analytics reads of a usage event: the few members that it counts by and counts up, borrowed from the record.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

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
    started_at: DateTime<Utc>,
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
        serde_json::from_slice(record)
    }

    /// Two events with the same one are the same event.
    pub fn id(&self) -> u64 {
        let hash: [u8; 32] = Sha256::digest(self.request_id.as_bytes()).into();
        u64::from_le_bytes(*hash.first_chunk().expect("a hash has 32 bytes"))
    }

    /// In whole hours since 1970.
    pub fn hour(&self) -> i64 {
        self.started_at.timestamp().div_euclid(3600)
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
