//! How a usage event is written, in two parts: [`Opening`] before anything is sent upstream and [`Ending`] when the request is
//! over. Together they are one JSON object, the [`UsageEvent`](super::UsageEvent) that consumers read.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::{EventTokens, UsageSource, UsageStatus, members::Members};
use crate::money::Usd;

/// The end of a record whose request nobody ended.
pub const INTERRUPTED: &[u8] = br#","status":"interrupted","complete":false,"attempt_count":0}"#;

/// What is known before anything is sent upstream.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    pub schema: &'static str,
    pub request_id: &'a str,
    pub mirror_of: Option<&'a str>,
    pub started_at: DateTime<Utc>,
    pub gateway: &'a str,
    pub org: &'a str,
    pub key_id: Option<&'a str>,
    pub endpoint: &'static str,
    pub stream: bool,
    pub model: &'a str,
    pub user_id: Option<&'a str>,
    pub session_id: Option<&'a str>,
    pub session_name: Option<&'a str>,
    pub session_path: Option<&'a str>,
    pub client_request_id: Option<&'a str>,
    pub trace_id: Option<&'a str>,
    pub metadata: Option<&'a serde_json::Map<String, Json>>,
    pub properties: &'a [(&'a str, &'a str)],
}

/// What is known when it is over.
#[derive(Debug, Clone)]
pub struct Ending<'a> {
    pub status: UsageStatus,
    pub http_status: Option<u16>,
    pub complete: bool,
    pub provider: Option<&'a str>,
    pub region: Option<&'a str>,
    pub model_served: Option<&'a str>,
    pub finish_reason: Option<&'a str>,
    pub tokens: Option<EventTokens>,
    pub usage_source: Option<UsageSource>,
    pub cost_usd: Option<Usd>,
    pub price_version: Option<&'a str>,
    pub tier: Option<&'static str>,
    pub duration_ms: u64,
    pub first_token_ms: Option<u64>,
    pub routing_strategy: Option<&'static str>,
    pub fallback_used: bool,
    pub attempt_count: u32,
    pub attempts: &'a [AttemptEnding<'a>],
    pub error: Option<&'a str>,
}

/// One upstream call, as it is written.
#[derive(Debug, Clone, Copy)]
pub struct AttemptEnding<'a> {
    pub provider: &'a str,
    pub region: Option<&'a str>,
    pub model: &'a str,
    pub kind: &'static str,
    pub outcome: Option<&'static str>,
    pub cause: Option<&'static str>,
    pub http_status: Option<u16>,
    pub duration_ms: Option<u64>,
}

/// Most of a request's upstream calls that its event lists.
pub const MOST_ATTEMPTS: usize = 8;

impl Opening<'_> {
    /// Writes it without its closing brace; `None` when it does not fit.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let mut to = Members::new(out);
        to.name(r#"{"schema":""#, self.schema)
            .text(r#","request_id":"#, self.request_id)
            .text_if(r#","mirror_of":"#, self.mirror_of)
            .moment(r#","started_at":"#, self.started_at)
            .text(r#","gateway":"#, self.gateway)
            .text(r#","org":"#, self.org)
            .text_if(r#","key_id":"#, self.key_id)
            .name(r#","endpoint":""#, self.endpoint)
            .flag(r#","stream":"#, self.stream)
            .text(r#","model":"#, self.model)
            .text_if(r#","user_id":"#, self.user_id)
            .text_if(r#","session_id":"#, self.session_id)
            .text_if(r#","session_name":"#, self.session_name)
            .text_if(r#","session_path":"#, self.session_path)
            .text_if(r#","client_request_id":"#, self.client_request_id)
            .text_if(r#","trace_id":"#, self.trace_id);
        if let Some(metadata) = self.metadata {
            to.raw(br#","metadata":"#).value(metadata);
        }
        if let [(name, value), more @ ..] = self.properties {
            to.raw(br#","properties":{"#).value(name).text(":", value);
            for (name, value) in more {
                to.raw(b",").value(name).text(":", value);
            }
            to.raw(b"}");
        }
        to.length()
    }
}

impl Ending<'_> {
    /// Writes it so that it continues an [`Opening`]; `None` when it does not fit.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let mut to = Members::new(out);
        to.name(r#","status":""#, self.status.name())
            .number_if(r#","http_status":"#, self.http_status.map(u64::from))
            .flag(r#","complete":"#, self.complete)
            .text_if(r#","provider":"#, self.provider)
            .text_if(r#","region":"#, self.region)
            .text_if(r#","model_served":"#, self.model_served)
            .text_if(r#","finish_reason":"#, self.finish_reason);
        if let Some(tokens) = &self.tokens {
            tokens.write(&mut to);
        }
        to.name_if(r#","usage_source":""#, self.usage_source.map(UsageSource::name));
        if let Some(cost) = &self.cost_usd {
            to.display(r#","cost_usd":"#, cost);
        }
        to.text_if(r#","price_version":"#, self.price_version)
            .name_if(r#","tier":""#, self.tier)
            .number(r#","duration_ms":"#, self.duration_ms)
            .number_if(r#","first_token_ms":"#, self.first_token_ms)
            .name_if(r#","routing_strategy":""#, self.routing_strategy);
        if self.fallback_used {
            to.flag(r#","fallback_used":"#, true);
        }
        to.number(r#","attempt_count":"#, self.attempt_count.into());
        if let [first, more @ ..] = self.attempts {
            to.raw(br#","attempts":["#);
            first.write(&mut to);
            for attempt in more {
                to.raw(b",");
                attempt.write(&mut to);
            }
            to.raw(b"]");
        }
        to.text_if(r#","error":"#, self.error).raw(b"}").length()
    }
}

impl AttemptEnding<'_> {
    fn write(&self, to: &mut Members<'_>) {
        to.text(r#"{"provider":"#, self.provider)
            .text_if(r#","region":"#, self.region)
            .text(r#","model":"#, self.model)
            .name(r#","kind":""#, self.kind)
            .name_if(r#","outcome":""#, self.outcome)
            .name_if(r#","cause":""#, self.cause)
            .number_if(r#","http_status":"#, self.http_status.map(u64::from))
            .number_if(r#","duration_ms":"#, self.duration_ms)
            .raw(b"}");
    }
}

impl EventTokens {
    fn write(&self, to: &mut Members<'_>) {
        to.number(r#","tokens":{"input":"#, self.input).number(r#","output":"#, self.output);
        for (name, count) in [
            (r#","cached_read":"#, self.cached_read),
            (r#","cached_write":"#, self.cached_write),
            (r#","cached_write_1h":"#, self.cached_write_1h),
            (r#","reasoning":"#, self.reasoning),
            (r#","audio_input":"#, self.audio_input),
            (r#","audio_cached":"#, self.audio_cached),
            (r#","audio_output":"#, self.audio_output),
            (r#","image_input":"#, self.image_input),
            (r#","image_output":"#, self.image_output),
            (r#","free_input":"#, self.free_input),
            (r#","search_units":"#, self.search_units),
        ] {
            to.number_if(name, (count > 0).then_some(count));
        }
        to.raw(b"}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{USAGE_SCHEMA, UsageEvent},
        spool::{MOST_BEGINNING, MOST_RECORD},
    };

    fn opening<'a>(
        text: &'a str,
        metadata: &'a serde_json::Map<String, Json>,
        properties: &'a [(&'a str, &'a str)],
    ) -> Opening<'a> {
        Opening {
            schema: USAGE_SCHEMA,
            request_id: text,
            mirror_of: Some(text),
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
            http_status: Some(200),
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
