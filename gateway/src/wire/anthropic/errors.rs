//! Anthropic's errors: `{type: "error", error: {type, message}}`, by status or, in a stream, by type.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    refusal::{Cause, Refusal},
    wire::errors,
};

/// Types of errors (WIRE §3) that come without a status.
const TYPES: &[(&str, Cause)] = &[
    ("invalid_request_error", Cause::Invalid),
    ("authentication_error", Cause::Credential),
    ("permission_error", Cause::Credential),
    ("billing_error", Cause::RateLimited),
    ("not_found_error", Cause::NotFound),
    ("conflict_error", Cause::Conflict),
    ("request_too_large", Cause::TooLarge),
    ("rate_limit_error", Cause::RateLimited),
    ("timeout_error", Cause::UpstreamTimeout),
    ("gateway_timeout_error", Cause::UpstreamTimeout),
    ("overloaded_error", Cause::Unavailable),
    ("api_error", Cause::Upstream),
];

/// Accounts without credit are told so with 400.
const SPENT: &[&str] = &["credit balance is too low", "reached your specified api usage limits", "spend limit"];
const FILTERED: &str = "content filtering policy";

/// A non-2xx answer.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    refine(errors::refusal(status, headers, body))
}

/// An error in a 2xx answer or a stream.
pub(super) fn disguised(json: &[u8]) -> Refusal {
    let mut refusal = errors::disguised(json);
    let body: Value = serde_json::from_slice(json).unwrap_or_default();
    let kind = body.pointer("/error/type").and_then(Value::as_str);
    if let Some((_, cause)) = TYPES.iter().find(|(name, _)| Some(*name) == kind) {
        refusal.cause = *cause;
    }
    match refusal.cause {
        Cause::Credential => refusal.message = "the provider refused the gateway's credential".into(),
        Cause::RateLimited if kind == Some("billing_error") => {
            refusal.message = "the provider account has no credit left".into();
            refusal.code = Some("insufficient_quota".into());
        }
        _ => {}
    }
    refine(refusal)
}

/// What a body that is no answer means.
pub(super) fn disguised_or(body: &[u8], otherwise: &'static str) -> Refusal {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_error = value.get("error").is_some_and(|error| !error.is_null());
    if is_error { disguised(body) } else { Refusal::new(Cause::Upstream, otherwise) }
}

/// What only the message tells.
fn refine(mut refusal: Refusal) -> Refusal {
    let message = refusal.message.to_ascii_lowercase();
    if refusal.cause == Cause::Invalid && SPENT.iter().any(|words| message.contains(words)) {
        refusal.cause = Cause::RateLimited;
        refusal.message = "the provider account has no credit left".into();
        refusal.code = Some("insufficient_quota".into());
    } else if message.contains(FILTERED) {
        refusal.cause = Cause::Invalid;
        refusal.code = Some("content_filter".into());
    }
    refusal
}
