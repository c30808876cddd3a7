//! What is said of a request when it is over: the usage event, version 1.
//!
//! A record is written in two parts, [`Opening`] before anything is sent upstream and [`Ending`] when the request is over;
//! together they are one JSON object, the [`UsageEvent`] that consumers read. Names and meanings do not change within
//! a version; members are only added.

use std::io::Cursor;

use chrono::{DateTime, Datelike, Timelike, Utc};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::TokenUsage;
use crate::money::Usd;

/// What `schema` says in this version.
pub const USAGE_SCHEMA: &str = "prism.usage.v1";

/// The end of a record whose request nobody ended.
pub const INTERRUPTED: &[u8] = br#","status":"interrupted","complete":false,"attempt_count":0}"#;

/// One request, from its admission to its end. Members that do not apply are absent.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(title = "Prism usage event, version 1")]
pub struct UsageEvent {
    /// `prism.usage.v1`.
    pub schema: String,
    /// The request's id, as `x-prism-request-id` says it: unique over all gateways, also the message's `Nats-Msg-Id`. Two
    /// events with the same id are the same event.
    pub request_id: String,
    /// When the request's head had arrived, in UTC with milliseconds (RFC 3339).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: DateTime<Utc>,
    /// The gateway that served it.
    pub gateway: String,
    /// The organisation that the key belongs to.
    pub org: String,
    /// Which client key; never the key itself. Absent where the gateway is open.
    pub key_id: Option<String>,
    /// `chat.completions`, `completions`, `embeddings`, `rerank`, …
    pub endpoint: String,
    /// The client asked for a stream.
    pub stream: bool,
    /// The model as the client named it.
    pub model: String,
    /// `x-prism-user-id`, else the body's `user`.
    pub user_id: Option<String>,
    pub session_id: Option<String>,
    pub session_name: Option<String>,
    pub session_path: Option<String>,
    /// The client's own name for the request (`x-prism-request-id` of the request).
    pub client_request_id: Option<String>,
    pub trace_id: Option<String>,
    /// `x-prism-metadata`: scalars by name.
    #[serde(default)]
    pub metadata: IndexMap<String, Json>,
    /// `x-prism-property-NAME`, by name.
    #[serde(default)]
    pub properties: IndexMap<String, String>,
    /// How it ended.
    pub status: UsageStatus,
    /// What the client was answered with; 499 when it left before there was an answer. Absent when interrupted.
    pub http_status: Option<u16>,
    /// The answer reached its end, and the token counts are those of the whole.
    pub complete: bool,
    /// Who answered, or was asked last.
    pub provider: Option<String>,
    pub region: Option<String>,
    /// The model as that provider knows it.
    pub model_served: Option<String>,
    /// OpenAI's word for why the answer ended: `stop`, `length`, `tool_calls`, `content_filter`.
    pub finish_reason: Option<String>,
    pub tokens: Option<EventTokens>,
    /// Who counted the tokens.
    pub usage_source: Option<UsageSource>,
    /// US dollars as a plain decimal. Absent when the price is not known: unknown is never 0.
    pub cost_usd: Option<String>,
    /// The price catalogue that the cost comes from: the bundled one's version, or `custom`.
    pub price_version: Option<String>,
    /// The provider's tier where it is not the ordinary one: `batch`, `flex`, `priority`, `other`.
    pub tier: Option<String>,
    /// From the request's head to the end of its answer.
    pub duration_ms: Option<u64>,
    /// From the request's head to a stream's first content.
    pub first_token_ms: Option<u64>,
    /// How candidates were ordered.
    pub routing_strategy: Option<String>,
    /// Somebody else than the first choice was asked.
    #[serde(default)]
    pub fallback_used: bool,
    /// Upstream calls that were made.
    pub attempt_count: u32,
    /// The last of them, at most eight, in their order.
    #[serde(default)]
    pub attempts: Vec<UsageAttempt>,
    /// What the client was told went wrong, shortened.
    pub error: Option<String>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageStatus {
    /// The client has the whole answer.
    Answered,
    /// The client was answered with an error.
    Failed,
    /// The client left.
    Cancelled,
    /// The provider's stream broke after its head had been sent.
    Cut,
    /// A kept answer was sent again: nothing was asked upstream, nothing is charged.
    Replayed,
    /// The gateway was killed, or failed, while the request was under way.
    Interrupted,
}

impl UsageStatus {
    pub const ALL: [Self; 6] =
        [Self::Answered, Self::Failed, Self::Cancelled, Self::Cut, Self::Replayed, Self::Interrupted];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Cut => "cut",
            Self::Replayed => "replayed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Who counted the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    Provider,
    /// The gateway, from the text's length, because the provider had not said.
    Estimated,
}

/// Token counts. `input` and `output` are totals, the others are parts of them; a part of 0 is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct EventTokens {
    pub input: u64,
    pub output: u64,
    /// Part of `input` read from the provider's prompt cache.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_read: u64,
    /// Part of `input` written to the provider's prompt cache.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_write: u64,
    /// Part of `cached_write` that is kept for an hour.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_write_1h: u64,
    /// Part of `output`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reasoning: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_input: u64,
    /// Part of both `audio_input` and `cached_read`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_cached: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_output: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub image_input: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub image_output: u64,
    /// Part of `input` that the provider does not charge for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub free_input: u64,
    /// What a reranker counts in place of tokens.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub search_units: u64,
}

impl From<TokenUsage> for EventTokens {
    fn from(usage: TokenUsage) -> Self {
        let TokenUsage { input, output, cached_read, cached_write, cached_write_1h, reasoning, .. } = usage;
        let TokenUsage { audio_input, audio_cached, audio_output, image_input, image_output, free_input, .. } = usage;
        Self {
            input,
            output,
            cached_read,
            cached_write,
            cached_write_1h,
            reasoning,
            audio_input,
            audio_cached,
            audio_output,
            image_input,
            image_output,
            free_input,
            search_units: usage.searches,
        }
    }
}

/// One upstream call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct UsageAttempt {
    pub provider: String,
    pub region: Option<String>,
    /// The model as that provider knows it.
    pub model: String,
    /// `first`, `failover`, `next_key`, `retry`, `hedge`.
    pub kind: String,
    /// `answered`, `failed`, `outrun` (the other request of a hedge was quicker), or absent when it was cancelled with its request.
    pub outcome: Option<String>,
    /// Why it failed.
    pub cause: Option<String>,
    /// What the provider answered with.
    pub http_status: Option<u16>,
    /// Until its answer began, or it failed.
    pub duration_ms: Option<u64>,
}

/// What is known before anything is sent upstream.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Opening<'a> {
    pub schema: &'static str,
    pub request_id: &'a str,
    #[serde(serialize_with = "moment")]
    pub started_at: DateTime<Utc>,
    pub gateway: &'a str,
    pub org: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<&'a str>,
    pub endpoint: &'static str,
    pub stream: bool,
    pub model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<&'a serde_json::Map<String, Json>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "by_name")]
    pub properties: &'a [(&'a str, &'a str)],
}

/// What is known when it is over.
#[derive(Debug, Clone, Serialize)]
pub struct Ending<'a> {
    pub status: UsageStatus,
    pub http_status: u16,
    pub complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_served: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<EventTokens>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_source: Option<UsageSource>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "dollars")]
    pub cost_usd: Option<Usd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<&'static str>,
    pub duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_strategy: Option<&'static str>,
    #[serde(skip_serializing_if = "is_false")]
    pub fallback_used: bool,
    pub attempt_count: u32,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub attempts: &'a [AttemptEnding<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

/// One upstream call, as it is written.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct AttemptEnding<'a> {
    pub provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<&'a str>,
    pub model: &'a str,
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// Most of a request's upstream calls that its event lists.
pub const MOST_ATTEMPTS: usize = 8;

impl Opening<'_> {
    /// Writes it without its closing brace; `None` when it does not fit.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        json(self, out).map(|length| length - 1)
    }
}

impl Ending<'_> {
    /// Writes it so that it continues an [`Opening`]; `None` when it does not fit.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = json(self, out)?;
        out[0] = b',';
        Some(length)
    }
}

fn json(value: &impl Serialize, out: &mut [u8]) -> Option<usize> {
    let mut out = Cursor::new(out);
    serde_json::to_writer(&mut out, value).ok()?;
    usize::try_from(out.position()).ok()
}

fn moment<S: Serializer>(moment: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    let (date, time) = (moment.date_naive(), moment.time());
    let (year, month, day) = (date.year(), date.month(), date.day());
    let (hour, minute, second, milli) = (time.hour(), time.minute(), time.second(), time.nanosecond() / 1_000_000);
    // `format` would read its pattern again for every request; a leap second has more than 999 milliseconds
    let milli = milli.min(999);
    to.collect_str(&format_args!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"))
}

fn dollars<S: Serializer>(cost: &Option<Usd>, to: S) -> Result<S::Ok, S::Error> {
    match cost {
        Some(cost) => to.collect_str(cost),
        None => to.serialize_none(),
    }
}

fn by_name<S: Serializer>(properties: &&[(&str, &str)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(properties.iter().copied())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::{MOST_BEGINNING, MOST_RECORD};

    fn opening<'a>(
        text: &'a str,
        metadata: &'a serde_json::Map<String, Json>,
        properties: &'a [(&'a str, &'a str)],
    ) -> Opening<'a> {
        Opening {
            schema: USAGE_SCHEMA,
            request_id: text,
            started_at: DateTime::UNIX_EPOCH,
            gateway: text,
            org: text,
            key_id: Some(text),
            endpoint: "chat.completions",
            stream: true,
            model: text,
            user_id: Some(text),
            session_id: Some(text),
            session_name: Some(text),
            session_path: Some(text),
            client_request_id: Some(text),
            trace_id: Some(text),
            metadata: Some(metadata),
            properties,
        }
    }

    fn attempt(text: &str) -> AttemptEnding<'_> {
        AttemptEnding {
            provider: text,
            region: Some(text),
            model: text,
            kind: "failover",
            outcome: Some("answered"),
            cause: Some("upstream_timeout"),
            http_status: Some(504),
            duration_ms: Some(600_000),
        }
    }

    fn ending<'a>(text: &'a str, error: &'a str, attempts: &'a [AttemptEnding<'a>]) -> Ending<'a> {
        let most = u64::MAX;
        let tokens = EventTokens {
            input: most,
            output: most,
            cached_read: most,
            cached_write: most,
            cached_write_1h: most,
            reasoning: most,
            audio_input: most,
            audio_cached: most,
            audio_output: most,
            image_input: most,
            image_output: most,
            free_input: most,
            search_units: most,
        };
        Ending {
            status: UsageStatus::Interrupted,
            http_status: 200,
            complete: false,
            provider: Some(text),
            region: Some(text),
            model_served: Some(text),
            finish_reason: Some("content_filter"),
            tokens: Some(tokens),
            usage_source: Some(UsageSource::Estimated),
            cost_usd: Some(crate::money::Rate::per_million("17999999.999999999999").unwrap().of(most)),
            price_version: Some("2026-01-01"),
            tier: Some("priority"),
            duration_ms: most,
            first_token_ms: Some(most),
            routing_strategy: Some("cost-optimized"),
            fallback_used: true,
            attempt_count: u32::MAX,
            attempts,
            error: Some(error),
        }
    }

    fn written(opening: &Opening<'_>, end: impl FnOnce(&mut [u8]) -> Option<usize>) -> Json {
        let mut page = vec![0; MOST_RECORD];
        let beginning = opening.write(&mut page[..MOST_BEGINNING]).unwrap();
        let whole = beginning + end(&mut page[beginning..]).unwrap();
        serde_json::from_slice(&page[..whole]).unwrap()
    }

    #[test]
    fn what_is_written_is_what_the_schema_says() {
        let metadata = serde_json::from_str(r#"{"team":"search","tier":3,"beta":true,"none":null}"#).unwrap();
        let properties = [("feature", "summary")];
        let attempts = [attempt("p")];
        let event = written(&opening("x", &metadata, &properties), |out| ending("y", "z", &attempts).write(out));
        let read: UsageEvent = serde_json::from_value(event.clone()).unwrap();
        assert_eq!((read.metadata.len(), &*read.properties["feature"], &*read.model), (4, "summary", "x"));
        assert_eq!(read.started_at, DateTime::UNIX_EPOCH);
        let schema = schemars::schema_for!(UsageEvent).to_value();
        let described: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        let written: Vec<_> = event.as_object().unwrap().keys().collect();
        assert_eq!(written, described, "the same members in the same order");
    }

    #[test]
    fn an_interrupted_record_is_an_event() {
        let nothing = serde_json::Map::new();
        let end = |out: &mut [u8]| {
            out[..INTERRUPTED.len()].copy_from_slice(INTERRUPTED);
            Some(INTERRUPTED.len())
        };
        let read: UsageEvent = serde_json::from_value(written(&opening("x", &nothing, &[]), end)).unwrap();
        assert_eq!((read.status, read.http_status, read.tokens), (UsageStatus::Interrupted, None, None));
    }

    /// Behind the longest beginning there is room for every end without its attempts, and with them where names are ordinary.
    #[test]
    fn every_end_fits() {
        let mut rest = vec![0; MOST_RECORD - MOST_BEGINNING];
        let worst = "\"".repeat(192); // two bytes each
        assert!(ending(&worst, "", &[]).write(&mut rest).is_some());
        let (name, error) = ("a".repeat(24), "e".repeat(200));
        assert!(ending(&name, &error, &[attempt(&name); MOST_ATTEMPTS]).write(&mut rest).is_some());
    }
}
