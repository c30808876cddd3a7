//! Problem details, and what a model says when it fails.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::Replicate;
use crate::{
    refusal::{Cause, Refusal},
    wire::WireFormat,
};

fn refusal(status: u16, body: &Value) -> Refusal {
    Replicate.refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.to_string().as_bytes())
}

#[test]
fn errors_have_the_cause_of_their_status() {
    for (status, title, cause, code) in [
        (400, "Bad request", Cause::Invalid, None),
        (401, "Unauthenticated", Cause::Credential, None),
        (402, "Insufficient credit", Cause::RateLimited, Some("insufficient_quota")),
        (404, "Not found", Cause::NotFound, Some("model_not_found")),
        (422, "Invalid version or not permitted", Cause::Unprocessable, None),
        (429, "Too many requests", Cause::RateLimited, Some("rate_limit_exceeded")),
        (500, "Oops", Cause::Upstream, None),
        (503, "Later", Cause::Unavailable, None),
    ] {
        let refusal = refusal(status, &json!({"title": title, "detail": "Because.", "status": status}));
        assert_eq!((refusal.cause, refusal.code.as_deref()), (cause, code), "{status}");
    }
}

#[test]
fn what_an_input_lacks_is_told_of_the_clients_field() {
    let told = |detail: &str| {
        let refusal = refusal(422, &json!({"title": "Input validation failed", "detail": detail, "status": 422}));
        assert_eq!(refusal.message, detail.trim());
        refusal.param.map(std::borrow::Cow::into_owned)
    };
    let param = |detail: &str| told(detail).unwrap_or_default();
    assert_eq!(param("- input.max_tokens: Must be greater than or equal to 1024"), "max_tokens");
    assert_eq!(param("- input.max_output_tokens: Must be less than or equal to 65535"), "max_tokens");
    assert_eq!(param("- input.image: Does not match format 'uri'"), "messages");
    assert_eq!(param("- input: prompt is required"), "");
}

#[test]
fn throttling_tells_when_to_come_again() {
    for (body, seconds) in [
        (json!({"detail": "Request was throttled. Expected available in 1 second."}), Some(1)),
        (json!({"detail": "Request was throttled. Your rate limit resets in ~30s.", "retry_after": 29}), Some(29)),
        (json!({"detail": "Request was throttled. Your rate limit resets in ~30s."}), Some(30)),
        (json!({"detail": "Request was throttled."}), None),
    ] {
        assert_eq!(refusal(429, &body).retry_after, seconds.map(Duration::from_secs), "{body}");
    }
}
