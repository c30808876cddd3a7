//! How a usage event is kept, in two parts: [`Opening`] before anything is sent upstream and [`Ending`] when the request is over.
//! Together they are a record, an eighth as long as the JSON object that consumers read
//! ([`UsageEvent`](super::UsageEvent)), which [`json`] makes of it.
//!
//! [Postcard](https://postcard.jamesmunns.com/wire-format) writes the parts: values in the order of the fields below, without names,
//! and a number for a text that is one of a few ([`Word`]). Who counts reads them in the same order ([`Counted`](super::Counted)). A
//! record begins with [`VERSION`]; whoever changes a field's place or kind raises it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};
use smallvec::SmallVec;

use super::{EventTokens, USAGE_SCHEMA, UsageSource, UsageStatus, Word, members::Members};
use crate::money::Usd;

/// The first byte of a record.
pub(super) const VERSION: u8 = 2;
/// Bytes of JSON that most records become.
const USUAL_JSON: usize = 1 << 10;

/// What is known before anything is sent upstream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Opening<'a> {
    pub request_id: &'a str,
    pub mirror_of: Option<&'a str>,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub started_at: DateTime<Utc>,
    pub gateway: &'a str,
    pub org: &'a str,
    pub key_id: Option<&'a str>,
    #[serde(borrow)]
    pub endpoint: Word<'a>,
    pub stream: bool,
    pub model: &'a str,
    pub user_id: Option<&'a str>,
    pub session_id: Option<&'a str>,
    pub session_name: Option<&'a str>,
    pub session_path: Option<&'a str>,
    pub client_request_id: Option<&'a str>,
    pub trace_id: Option<&'a str>,
    /// A JSON object.
    pub metadata: Option<&'a str>,
    /// Written behind the others.
    #[serde(skip)]
    pub properties: &'a [(&'a str, &'a str)],
}

/// What is known when it is over; by default, that nobody ended it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Ending<'a> {
    pub status: UsageStatus,
    pub http_status: Option<u16>,
    pub complete: bool,
    pub provider: Option<&'a str>,
    pub region: Option<&'a str>,
    pub model_served: Option<&'a str>,
    #[serde(borrow)]
    pub finish_reason: Option<Word<'a>>,
    #[serde(with = "counts")]
    pub tokens: Option<EventTokens>,
    pub usage_source: Option<UsageSource>,
    #[serde(with = "attodollars")]
    pub cost_usd: Option<Usd>,
    pub price_version: Option<&'a str>,
    pub tier: Option<&'a str>,
    pub duration_ms: Option<u64>,
    pub first_token_ms: Option<u64>,
    #[serde(borrow)]
    pub routing_strategy: Option<Word<'a>>,
    pub fallback_used: bool,
    pub attempt_count: u32,
    /// Written behind the others, the error too: who counts does not read them.
    #[serde(skip)]
    pub attempts: &'a [AttemptEnding<'a>],
    #[serde(skip)]
    pub error: Option<&'a str>,
}

/// One upstream call, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AttemptEnding<'a> {
    /// Written as an empty text where it is the one that answered, and so is the model.
    pub provider: &'a str,
    pub region: Option<&'a str>,
    pub model: &'a str,
    #[serde(borrow)]
    pub kind: Word<'a>,
    #[serde(borrow)]
    pub outcome: Option<Word<'a>>,
    pub cause: Option<&'a str>,
    pub http_status: Option<u16>,
    pub duration_ms: Option<u64>,
}

/// Most of a request's upstream calls that its event lists.
pub const MOST_ATTEMPTS: usize = 8;

impl Opening<'_> {
    /// Writes it as the beginning of a record; `None` when it does not fit.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        write(&(VERSION, self, self.properties), out)
    }

    fn json(&self, to: &mut Members<'_>) {
        to.text(r#"{"schema":"#, USAGE_SCHEMA)
            .text(r#","request_id":"#, self.request_id)
            .text_if(r#","mirror_of":"#, self.mirror_of)
            .moment(r#","started_at":"#, self.started_at)
            .text(r#","gateway":"#, self.gateway)
            .text(r#","org":"#, self.org)
            .text_if(r#","key_id":"#, self.key_id)
            .text(r#","endpoint":"#, self.endpoint.text())
            .flag(r#","stream":"#, self.stream)
            .text(r#","model":"#, self.model)
            .text_if(r#","user_id":"#, self.user_id)
            .text_if(r#","session_id":"#, self.session_id)
            .text_if(r#","session_name":"#, self.session_name)
            .text_if(r#","session_path":"#, self.session_path)
            .text_if(r#","client_request_id":"#, self.client_request_id)
            .text_if(r#","trace_id":"#, self.trace_id);
        if let Some(metadata) = self.metadata {
            to.raw(br#","metadata":"#).raw(metadata.as_bytes());
        }
        if let [(name, value), more @ ..] = self.properties {
            to.raw(br#","properties":{"#).value(name).text(":", value);
            for (name, value) in more {
                to.raw(b",").value(name).text(":", value);
            }
            to.raw(b"}");
        }
    }
}

impl Ending<'_> {
    /// Writes it so that it continues an [`Opening`]; `None` when it does not fit.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        write(&(self, Attempts(self), self.error), out)
    }

    /// Where it was answered, and by what.
    fn place(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        (self.provider, self.region, self.model_served)
    }

    /// The end of a record whose request nobody ended.
    pub fn interrupted() -> Vec<u8> {
        let mut out = vec![0; 256];
        let length = Ending::default().write(&mut out).expect("it has no texts");
        out.truncate(length);
        out
    }

    fn json(&self, to: &mut Members<'_>) {
        to.text(r#","status":"#, self.status.name())
            .number_if(r#","http_status":"#, self.http_status.map(u64::from))
            .flag(r#","complete":"#, self.complete)
            .text_if(r#","provider":"#, self.provider)
            .text_if(r#","region":"#, self.region)
            .text_if(r#","model_served":"#, self.model_served)
            .text_if(r#","finish_reason":"#, self.finish_reason.map(Word::text));
        if let Some(tokens) = &self.tokens {
            tokens.json(to);
        }
        to.text_if(r#","usage_source":"#, self.usage_source.map(UsageSource::name));
        if let Some(cost) = &self.cost_usd {
            to.display(r#","cost_usd":"#, cost);
        }
        to.text_if(r#","price_version":"#, self.price_version)
            .text_if(r#","tier":"#, self.tier)
            .number_if(r#","duration_ms":"#, self.duration_ms)
            .number_if(r#","first_token_ms":"#, self.first_token_ms)
            .text_if(r#","routing_strategy":"#, self.routing_strategy.map(Word::text));
        if self.fallback_used {
            to.flag(r#","fallback_used":"#, true);
        }
        to.number(r#","attempt_count":"#, self.attempt_count.into());
        if let [first, more @ ..] = self.attempts {
            to.raw(br#","attempts":["#);
            first.json(to);
            for attempt in more {
                to.raw(b",");
                attempt.json(to);
            }
            to.raw(b"]");
        }
        to.text_if(r#","error":"#, self.error).raw(b"}");
    }
}

impl<'a> AttemptEnding<'a> {
    fn place(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        (Some(self.provider), self.region, Some(self.model))
    }

    /// As it is written beside an ending.
    fn within(self, ending: &Ending<'_>) -> Self {
        let is_same = self.place() == ending.place();
        if is_same { Self { provider: "", region: None, model: "", ..self } } else { self }
    }

    /// As it was before.
    fn outside(self, ending: &Ending<'a>) -> Self {
        match (self.provider, ending.provider, ending.model_served) {
            ("", Some(provider), Some(model)) => Self { provider, region: ending.region, model, ..self },
            _ => self,
        }
    }

    fn json(&self, to: &mut Members<'_>) {
        to.text(r#"{"provider":"#, self.provider)
            .text_if(r#","region":"#, self.region)
            .text(r#","model":"#, self.model)
            .text(r#","kind":"#, self.kind.text())
            .text_if(r#","outcome":"#, self.outcome.map(Word::text))
            .text_if(r#","cause":"#, self.cause)
            .number_if(r#","http_status":"#, self.http_status.map(u64::from))
            .number_if(r#","duration_ms":"#, self.duration_ms)
            .raw(b"}");
    }
}

impl EventTokens {
    fn json(&self, to: &mut Members<'_>) {
        to.number(r#","tokens":{"input":"#, self.input).number(r#","output":"#, self.output);
        // the others are parts of these two, and absent where there is nothing of them
        for (name, count) in Self::NAMES.into_iter().zip(self.counts()).skip(2).filter(|(_, count)| *count > 0) {
            to.raw(b",\"").raw(name.as_bytes()).number("\":", count);
        }
        to.raw(b"}");
    }
}

/// The attempts of an ending, as they are written behind it.
struct Attempts<'a>(&'a Ending<'a>);

impl Serialize for Attempts<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.attempts.iter().map(|attempt| attempt.within(self.0)))
    }
}

fn write(value: &impl Serialize, out: &mut [u8]) -> Option<usize> {
    postcard::to_slice(value, out).ok().map(|written| written.len())
}

type Properties<'a> = SmallVec<[(&'a str, &'a str); 4]>;

/// An opening, its properties, and what stands behind it.
fn opening(record: &[u8]) -> Option<(Opening<'_>, Properties<'_>, &[u8])> {
    let rest = record.strip_prefix(&[VERSION])?;
    let (opening, rest) = postcard::take_from_bytes(rest).ok()?;
    let (properties, rest) = postcard::take_from_bytes(rest).ok()?;
    Some((opening, properties, rest))
}

/// A record as the JSON object that consumers read; `None` when it is none.
pub fn json(record: &[u8]) -> Option<Vec<u8>> {
    let (mut opening, properties, rest) = opening(record)?;
    let (ending, rest): (Ending<'_>, _) = postcard::take_from_bytes(rest).ok()?;
    let (mut attempts, rest): (SmallVec<[AttemptEnding<'_>; 2]>, _) = postcard::take_from_bytes(rest).ok()?;
    attempts.iter_mut().for_each(|attempt| *attempt = attempt.outside(&ending));
    let ending = Ending { attempts: &attempts, error: postcard::from_bytes(rest).ok()?, ..ending };
    opening.properties = &properties;
    let mut out = vec![0; USUAL_JSON];
    loop {
        let mut to = Members::new(&mut out);
        opening.json(&mut to);
        ending.json(&mut to);
        match to.length() {
            Some(length) => {
                out.truncate(length);
                return Some(out);
            }
            None => out.resize(out.len() * 4, 0),
        }
    }
}

/// Money as a whole number.
pub(super) mod attodollars {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::money::Usd;

    pub fn serialize<S: Serializer>(cost: &Option<Usd>, to: S) -> Result<S::Ok, S::Error> {
        cost.map(Usd::attodollars).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Usd>, D::Error> {
        Ok(Option::deserialize(from)?.map(Usd::from_attodollars))
    }
}

/// A bit for each of them that is not 0, and those.
pub(super) mod counts {
    use std::fmt;

    use serde::{
        Deserializer, Serializer,
        de::{Error, SeqAccess, Visitor},
        ser::SerializeTuple,
    };

    use crate::api::EventTokens;

    const MANY: usize = EventTokens::NAMES.len();
    /// Something was counted, be it nothing.
    const COUNTED: u16 = 1 << 15;
    const _: () = assert!(MANY < 16, "their bits and that one are 16");

    pub fn serialize<S: Serializer>(tokens: &Option<EventTokens>, to: S) -> Result<S::Ok, S::Error> {
        let counts = tokens.map(|tokens| tokens.counts());
        let present = || counts.iter().flatten().enumerate().filter(|(_, count)| **count > 0);
        let bits = present().fold(0, |bits, (at, _)| bits | 1_u16 << at);
        let mut tuple = to.serialize_tuple(1 + present().count())?;
        tuple.serialize_element(&(bits | if counts.is_some() { COUNTED } else { 0 }))?;
        present().try_for_each(|(_, count)| tuple.serialize_element(count))?;
        tuple.end()
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<EventTokens>, D::Error> {
        struct Counts;
        impl<'de> Visitor<'de> for Counts {
            type Value = Option<EventTokens>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("counts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                let missing = |at| A::Error::invalid_length(at, &"a count for each bit");
                let bits: u16 = elements.next_element()?.ok_or_else(|| missing(0))?;
                let mut counts = [0; MANY];
                for (at, count) in counts.iter_mut().enumerate().filter(|(at, _)| bits >> at & 1 == 1) {
                    *count = elements.next_element()?.ok_or_else(|| missing(at))?;
                }
                Ok((bits & COUNTED != 0).then(|| EventTokens::of(counts)))
            }
        }
        from.deserialize_tuple(1 + MANY, Counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{Passed, UsageEvent, counted},
        spool::{MOST_BEGINNING, MOST_RECORD},
    };

    fn opening<'a>(text: &'a str, metadata: &'a str, properties: &'a [(&'a str, &'a str)]) -> Opening<'a> {
        Opening {
            request_id: text,
            mirror_of: Some(text),
            started_at: DateTime::UNIX_EPOCH,
            gateway: text,
            org: text,
            key_id: Some(text),
            endpoint: Word(text),
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
            kind: Word("failover"),
            outcome: Some(Word("answered")),
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
            finish_reason: Some(Word(text)),
            tokens: Some(tokens),
            usage_source: Some(UsageSource::Estimated),
            cost_usd: Some(crate::money::Rate::per_million("17999999.999999999999").unwrap().of(most)),
            price_version: Some("2026-01-01"),
            tier: Some("priority"),
            duration_ms: Some(most),
            first_token_ms: Some(most),
            routing_strategy: Some(Word("cost-optimized")),
            fallback_used: true,
            attempt_count: u32::MAX,
            attempts,
            error: Some(error),
        }
    }

    fn record(opening: &Opening<'_>, end: impl FnOnce(&mut [u8]) -> Option<usize>) -> Vec<u8> {
        let mut page = vec![0; MOST_RECORD];
        let beginning = opening.write(&mut page[..MOST_BEGINNING]).unwrap();
        let whole = beginning + end(&mut page[beginning..]).unwrap();
        page.truncate(whole);
        page
    }

    fn published(record: &[u8]) -> serde_json::Value {
        serde_json::from_slice(&json(record).unwrap()).unwrap()
    }

    #[test]
    fn what_is_written_is_what_the_schema_says() {
        let metadata = r#"{"team":"search","tier":3,"beta":true,"none":null}"#;
        let properties = [("feature", "summary")];
        let attempts = [attempt("p")];
        let record = record(&opening("x", metadata, &properties), |out| ending("y", "z", &attempts).write(out));
        let event = published(&record);
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
        let end = |out: &mut [u8]| {
            let interrupted = Ending::interrupted();
            out[..interrupted.len()].copy_from_slice(&interrupted);
            Some(interrupted.len())
        };
        let read: UsageEvent = serde_json::from_value(published(&record(&opening("x", "{}", &[]), end))).unwrap();
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

    #[test]
    fn what_most_records_say_takes_few_bytes() {
        let opening = Opening {
            request_id: "req_01KB8Y3V5T9ZQ4M7N2P6R8S0WX",
            gateway: "gateway-1",
            org: "default",
            key_id: Some("web"),
            endpoint: Word("chat.completions"),
            model: "gpt-4o-mini",
            ..Opening::default()
        };
        let (provider, model) = ("openai", "gpt-4o-mini");
        let (kind, outcome) = (Word("first"), Some(Word("answered")));
        let attempt = AttemptEnding { provider, region: None, model, kind, outcome, cause: None, ..attempt("") };
        let tokens = EventTokens { input: 1_200, output: 300, ..EventTokens::default() };
        let ending = Ending {
            provider: Some(provider),
            model_served: Some(model),
            finish_reason: Some(Word("stop")),
            tokens: Some(tokens),
            cost_usd: crate::money::Usd::parse("0.00036"),
            routing_strategy: Some(Word("round-robin")),
            attempts: &[attempt, AttemptEnding { kind: Word("odd"), ..attempt }],
            ..Ending::default()
        };
        let record = record(&opening, |out| ending.write(out));
        assert!(record.len() < 170, "{}", record.len());
        let read: UsageEvent = serde_json::from_value(published(&record)).unwrap();
        let [first, second] = &read.attempts[..] else { panic!("{:?}", read.attempts) };
        assert_eq!((&*first.provider, &*first.model, &*first.kind), (provider, model, "first"));
        assert_eq!((&*second.provider, &*second.kind, second.outcome.as_deref()), (provider, "odd", Some("answered")));
        assert_eq!((&*read.endpoint, read.routing_strategy.as_deref()), ("chat.completions", Some("round-robin")));
        assert_eq!(read.tokens, Some(tokens));
    }

    #[test]
    fn what_is_counted_of_a_record_is_what_was_written() {
        let (opening, ending) = (opening("x", "{}", &[("a", "b")]), ending("y", "z", &[]));
        let record = record(&opening, |out| ending.write(out));
        let counted = counted(&record).unwrap();
        let Opening { request_id, started_at, org, key_id, endpoint, model, user_id, metadata, .. } = opening;
        assert_eq!((counted.request_id, counted.mirror_of, counted.started_at), (request_id, Some(Passed), started_at));
        assert_eq!((counted.org, counted.key_id, counted.endpoint), (org, key_id, endpoint));
        assert_eq!((counted.model, counted.user_id, counted.metadata), (model, user_id, metadata));
        let Ending { status, complete, provider, model_served, tokens, usage_source, cost_usd, .. } = ending;
        assert_eq!((counted.status, counted.complete, counted.provider), (status, complete, provider));
        assert_eq!((counted.model_served, counted.tokens), (model_served, tokens));
        assert_eq!((counted.usage_source, counted.cost_usd), (usage_source, cost_usd));
        let Ending { duration_ms, first_token_ms, attempt_count, .. } = ending;
        assert_eq!((counted.duration_ms, counted.first_token_ms), (duration_ms, first_token_ms));
        assert_eq!(counted.attempt_count, attempt_count);
    }

    #[test]
    fn what_is_no_record_is_neither_counted_nor_published() {
        let whole = record(&opening("x", "{}", &[("a", "b")]), |out| ending("y", "z", &[attempt("p")]).write(out));
        for length in 0..whole.len() {
            assert_eq!(json(&whole[..length]), None, "{length} bytes");
        }
        assert!(counted(br#"{"schema":"prism.usage.v1"}"#).is_none() && json(b"{}").is_none());
        let later = [&[VERSION + 1], &whole[1..]].concat();
        assert!(counted(&later).is_none() && json(&later).is_none());
    }

    proptest::proptest! {
        #[test]
        fn damage_is_no_panic(place in 0_usize..400, byte: u8) {
            let mut damaged = record(&opening("x", "{}", &[("a", "b")]), |out| ending("y", "z", &[attempt("p")]).write(out));
            let place = place % damaged.len();
            damaged[place] = byte;
            let _ = (counted(&damaged), json(&damaged));
        }
    }
}
