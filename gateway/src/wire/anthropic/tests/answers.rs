//! Whole answers, errors and model lists.

use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{Anthropic, reading};
use crate::{
    refusal::Cause,
    wire::{WireFormat, hub::golden},
};

#[test]
fn every_answer_gives_its_golden_completion() {
    golden::check(&Anthropic, "answers", include_str!("answers.json"), |case| {
        golden::answer(&Anthropic, case, &reading())
    });
}

#[test]
fn errors_have_the_cause_of_their_type() {
    for (status, kind, message, cause, code) in [
        (
            400,
            "invalid_request_error",
            "prompt is too long: 9 tokens > 8 maximum",
            Cause::Invalid,
            Some("context_length_exceeded"),
        ),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            Cause::RateLimited,
            Some("insufficient_quota"),
        ),
        (401, "authentication_error", "invalid x-api-key", Cause::Credential, Some("invalid_api_key")),
        (402, "billing_error", "pay", Cause::RateLimited, Some("insufficient_quota")),
        (403, "permission_error", "no", Cause::Credential, None),
        (404, "not_found_error", "model: claude-9", Cause::NotFound, Some("model_not_found")),
        (413, "request_too_large", "big", Cause::TooLarge, None),
        (429, "rate_limit_error", "slow down", Cause::RateLimited, Some("rate_limit_exceeded")),
        (500, "api_error", "oops", Cause::Upstream, None),
        (504, "timeout_error", "late", Cause::UpstreamTimeout, None),
        (529, "overloaded_error", "Overloaded", Cause::Unavailable, None),
    ] {
        let body = json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"}).to_string();
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "7".parse().unwrap());
        let refusal = Anthropic.refusal(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes());
        assert_eq!((refusal.cause, refusal.code.as_deref()), (cause, code), "{status} {kind}");
        assert_eq!(refusal.retry_after.unwrap().as_secs(), 7);
        let streamed = super::super::errors::disguised(body.as_bytes());
        assert_eq!(streamed.cause, cause, "{kind} in a stream");
    }
}

#[test]
fn model_pages_follow_one_another() {
    let page =
        Anthropic.models(br#"{"data":[{"id":"a","type":"model"},{"id":"b"}],"has_more":true,"last_id":"b"}"#).unwrap();
    assert_eq!(page.ids, ["a", "b"]);
    assert_eq!(page.next.as_deref(), Some("?limit=1000&after_id=b"));
    assert_eq!(Anthropic.models(br#"{"data":[],"has_more":false,"last_id":"b"}"#).unwrap().next, None);
    assert_eq!(Anthropic.models(b"<html>").unwrap_err().cause, Cause::Upstream);
}
