//! Google's errors: `{error:{code,message,status,details}}`, at times in an array.

use std::{borrow::Cow, time::Duration};

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    refusal::{Cause, Refusal},
    wire::errors,
};

/// No provider means it when it asks for more.
const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A non-2xx answer.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    sharpen(errors::refusal(status, headers, body), status.as_u16(), body)
}

/// An error inside a 2xx answer or a stream.
pub(super) fn disguised(json: &[u8]) -> Refusal {
    let refusal = errors::disguised(json);
    let status = refusal.upstream_status.unwrap_or_default();
    sharpen(refusal, status, json)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    message: String,
    status: String,
    details: Vec<Value>,
}

/// What Google's details know better than the status.
fn sharpen(mut refusal: Refusal, status: u16, body: &[u8]) -> Refusal {
    let Some(error) = read(body) else { return refusal };
    let reason =
        |known: &str| error.details.iter().any(|detail| detail.get("reason").is_some_and(|reason| reason == known));
    let key_words = ["API key not valid", "API key expired", "API Key not found"];
    let bad_key = reason("API_KEY_INVALID") || key_words.iter().any(|words| error.message.contains(words));
    if bad_key && refusal.cause != Cause::Credential {
        refusal.cause = Cause::Credential;
        refusal.message = "the provider refused the gateway's credential".into();
        refusal.param = None;
    }
    if bad_key {
        refusal.code = Some("invalid_api_key".into());
        return refusal;
    }
    if refusal.upstream_status.is_none_or(|status| status == 200)
        && let Some(cause) = of_status_word(&error.status)
    {
        refusal.cause = cause;
    }
    // The provider gave up on the request by itself.
    if status == 499 {
        refusal.cause = Cause::Upstream;
    }
    if refusal.retry_after.is_none() {
        refusal.retry_after = error.details.iter().find_map(retry_delay);
    }
    if let Some(code) = code(&refusal, &error) {
        refusal.code = Some(code);
    }
    refusal
}

/// In the vocabulary of OpenAI.
fn code(refusal: &Refusal, error: &Status) -> Option<Cow<'static, str>> {
    let says = |words: &str| error.message.contains(words);
    match refusal.cause {
        Cause::Invalid | Cause::TooLarge
            if says("input token count") || says("exceeds the maximum number of tokens") =>
        {
            Some("context_length_exceeded".into())
        }
        // A quota for the day is used up; one for the minute is a matter of waiting.
        Cause::RateLimited if violates(error, "PerDay") => Some("insufficient_quota".into()),
        Cause::RateLimited if refusal.code.is_none() => Some("rate_limit_exceeded".into()),
        Cause::NotFound if says("models/") || says("Model") => Some("model_not_found".into()),
        _ => None,
    }
}

fn violates(error: &Status, word: &str) -> bool {
    let violations = error.details.iter().filter_map(|detail| detail.get("violations")?.as_array()).flatten();
    let mut ids = violations.filter_map(|violation| violation.get("quotaId")?.as_str());
    ids.any(|id| id.contains(word))
}

/// `"retryDelay": "7s"` of a `google.rpc.RetryInfo`.
fn retry_delay(detail: &Value) -> Option<Duration> {
    let seconds = detail.get("retryDelay")?.as_str()?.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(MAX_WAIT))
}

fn of_status_word(word: &str) -> Option<Cause> {
    Some(match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => Cause::Invalid,
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => Cause::Credential,
        "NOT_FOUND" => Cause::NotFound,
        "RESOURCE_EXHAUSTED" => Cause::RateLimited,
        "CANCELLED" | "INTERNAL" | "UNKNOWN" => Cause::Upstream,
        "UNAVAILABLE" => Cause::Unavailable,
        "DEADLINE_EXCEEDED" => Cause::UpstreamTimeout,
        _ => return None,
    })
}

fn read(body: &[u8]) -> Option<Status> {
    #[derive(Deserialize)]
    struct Envelope {
        error: Status,
    }
    let one = |body| serde_json::from_slice::<Envelope>(body).ok();
    let listed = || serde_json::from_slice::<Vec<Envelope>>(body).ok()?.into_iter().next();
    one(body).or_else(listed).map(|envelope| envelope.error)
}
