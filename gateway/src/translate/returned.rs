//! The way back: what a client would get of a provider's answer or stream. For the tests of translation, which say what
//! the provider answers.

use std::{
    collections::{HashMap, VecDeque},
    iter,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Value, json};

use crate::{
    http::error_answer,
    refusal::Refusal,
    wire::{Reading, StreamDecoder, WireFormat, sse},
};

/// Streams cut at random: how often, and the longest piece in bytes.
const CUTTINGS: u64 = 3;
const LONGEST_PIECE: usize = 64;

/// What a provider answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Returned {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default, deserialize_with = "named")]
    headers: HeaderMap,
    /// In base64, for streams that are no text.
    #[serde(deserialize_with = "decoded")]
    body: Bytes,
}

fn ok() -> u16 {
    200
}

fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderMap, D::Error> {
    let headers: HashMap<String, String> = HashMap::deserialize(deserializer)?;
    HeaderMap::try_from(&headers).map_err(D::Error::custom)
}

fn decoded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64_STANDARD.decode(text).map(Bytes::from).map_err(D::Error::custom)
}

impl Returned {
    /// The whole answer: `{"status","body","usage"}`, or an error.
    pub(super) fn answer(&self, format: &dyn WireFormat, reading: &Reading) -> Value {
        if let Some(error) = self.error(format) {
            return error;
        }
        repeat_ids();
        match format.answer(reading, &self.headers, self.body.clone()) {
            Err(refusal) => failed(&refusal),
            Ok(answer) => {
                let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                json!({ "status": 200, "body": body, "usage": answer.usage })
            }
        }
    }

    /// The stream: `{"status","begun","events","complete","usage","error"}`. It is read whole, byte by byte, and cut at
    /// random, and has to come out the same: `{"cut","gives","whole"}` is what did not.
    pub(super) fn stream(&self, format: &dyn WireFormat, reading: &Reading) -> Value {
        if let Some(error) = self.error(format) {
            return error;
        }
        let read = |pieces: &mut dyn FnMut() -> usize| {
            repeat_ids();
            self.read(format.stream(reading), pieces)
        };
        let whole = read(&mut || usize::MAX);
        let in_bytes = iter::once(("byte by byte".to_owned(), read(&mut || 1)));
        let at_random = (0..CUTTINGS).map(|seed| {
            let mut random = fastrand::Rng::with_seed(seed);
            (format!("seed {seed}"), read(&mut || random.usize(1..=LONGEST_PIECE)))
        });
        match in_bytes.chain(at_random).find(|(_, given)| *given != whole) {
            Some((cut, given)) => json!({ "cut": cut, "gives": given, "whole": whole }),
            None => whole,
        }
    }

    /// What a status other than 2xx means.
    fn error(&self, format: &dyn WireFormat) -> Option<Value> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        (!status.is_success()).then(|| failed(&format.refusal(status, &self.headers, &self.body)))
    }

    fn read(&self, mut decoder: Box<dyn StreamDecoder>, piece: &mut dyn FnMut() -> usize) -> Value {
        let (mut out, mut rest) = (VecDeque::new(), self.body.clone());
        while !rest.is_empty() {
            decoder.feed(rest.split_to(piece().min(rest.len())), &mut out);
        }
        decoder.end(&mut out);
        let (mut given, mut events) = (sse::Events::default(), Vec::new());
        for bytes in out {
            // What is left of an event that was cut is no event.
            let _ = given.feed(&bytes, |event| {
                let data = event.data.as_deref().map(String::from_utf8_lossy);
                events.extend(data.map(|data| serde_json::from_str(&data).unwrap_or_else(|_| json!(data))));
            });
        }
        let events: Vec<Value> = events;
        let seen = decoder.seen();
        json!({
            "status": 200,
            "begun": seen.event,
            "events": events,
            "complete": seen.complete && !seen.failed(),
            "usage": seen.usage,
            "error": seen.error.as_ref().map(failed),
        })
    }
}

/// Ids that the gateway makes itself are the same in every run.
fn repeat_ids() {
    fastrand::seed(0);
}

fn failed(refusal: &Refusal) -> Value {
    let (status, envelope) = error_answer(refusal);
    let mut error = json!({ "status": status.as_u16(), "body": envelope });
    if let Some(wait) = refusal.retry_after {
        error["retry_after"] = wait.as_secs_f64().into();
    }
    error
}
