use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::*;

fn refusal(status: u16, body: &str) -> Refusal {
    Gemini.refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
}

fn error(code: u16, status: &str, message: &str, details: &str) -> String {
    format!(r#"{{"error":{{"code":{code},"message":"{message}","status":"{status}","details":[{details}]}}}}"#)
}

#[test]
fn every_status_has_its_cause() {
    for (code, status, cause, name) in [
        (400, "INVALID_ARGUMENT", Cause::Invalid, None),
        (400, "FAILED_PRECONDITION", Cause::Invalid, None),
        (401, "UNAUTHENTICATED", Cause::Credential, None),
        (403, "PERMISSION_DENIED", Cause::Credential, None),
        (404, "NOT_FOUND", Cause::NotFound, Some("model_not_found")),
        (429, "RESOURCE_EXHAUSTED", Cause::RateLimited, Some("rate_limit_exceeded")),
        (499, "CANCELLED", Cause::Upstream, None),
        (500, "INTERNAL", Cause::Upstream, None),
        (503, "UNAVAILABLE", Cause::Unavailable, None),
        (504, "DEADLINE_EXCEEDED", Cause::UpstreamTimeout, None),
    ] {
        let body = error(code, status, "models/x said no", "");
        for body in [body.clone(), format!("[{body}\n]")] {
            let refusal = refusal(code, &body);
            assert_eq!((refusal.cause, refusal.code.as_deref()), (cause, name), "{status}");
            assert_eq!(refusal.upstream_status, Some(code));
        }
    }
}

#[test]
fn a_bad_key_is_a_credential_although_the_status_is_400() {
    let info =
        r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}"#;
    for body in [
        error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", info),
        error(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", ""),
        error(400, "INVALID_ARGUMENT", "bad", info),
    ] {
        let refusal = refusal(400, &body);
        assert_eq!((refusal.cause, refusal.code.as_deref()), (Cause::Credential, Some("invalid_api_key")));
        assert_eq!(refusal.message, "the provider refused the gateway's credential");
    }
}

#[test]
fn the_delay_is_in_the_details() {
    let retry =
        |delay: &str| format!(r#"{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{delay}"}}"#);
    let wait = |delay: &str| refusal(429, &error(429, "RESOURCE_EXHAUSTED", "m", &retry(delay))).retry_after;
    assert_eq!(wait("7s"), Some(Duration::from_secs(7)));
    assert_eq!(wait("0.25s"), Some(Duration::from_millis(250)));
    assert_eq!(wait("soon"), None);
    assert_eq!(wait("1e30s"), None);
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", "3".parse().unwrap());
    let body = error(429, "RESOURCE_EXHAUSTED", "m", &retry("7s"));
    let refusal = Gemini.refusal(StatusCode::TOO_MANY_REQUESTS, &headers, body.as_bytes());
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(3)));
}

#[test]
fn a_daily_quota_is_insufficient_and_a_minutes_is_a_rate() {
    let quota = |id: &str| {
        format!(r#"{{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaId":"{id}"}}]}}"#)
    };
    for (id, code) in [
        ("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "insufficient_quota"),
        ("GenerateRequestsPerMinutePerProjectPerModel", "rate_limit_exceeded"),
    ] {
        assert_eq!(refusal(429, &error(429, "RESOURCE_EXHAUSTED", "m", &quota(id))).code.as_deref(), Some(code));
    }
}

#[test]
fn a_prompt_too_long_has_openais_code() {
    let message = "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).";
    let refusal = refusal(400, &error(400, "INVALID_ARGUMENT", message, ""));
    assert_eq!((refusal.cause, refusal.code.as_deref()), (Cause::Invalid, Some("context_length_exceeded")));
}

#[test]
fn no_key_is_repeated_and_anything_is_readable() {
    let refusal = refusal(400, &error(400, "INVALID_ARGUMENT", "bad key AIzaSyCanaryCanaryCanaryCanary", ""));
    assert!(!refusal.message.contains("Canary"), "{}", refusal.message);
    for body in ["", "<html>", "[]", "{}", "[1]", r#"{"error":7}"#, r#"{"error":{"details":null}}"#] {
        assert_eq!(self::refusal(502, body).cause, Cause::Upstream, "{body}");
    }
}

#[test]
fn model_lists_have_pages() {
    let page = Gemini
        .models(br#"{"models":[{"name":"models/a","supportedGenerationMethods":["generateContent"]},{"name":"models/b","supportedGenerationMethods":["embedContent"]},{"name":"models/c","supportedGenerationMethods":["predict"]},{"name":"models/a"},{}],"nextPageToken":"x/="}"#)
        .unwrap();
    assert_eq!(page.ids, ["a", "b"]);
    assert_eq!(page.next.as_deref(), Some("?pageSize=1000&pageToken=x%2F%3D"));
    let page = Gemini.models(br#"{"publisherModels":[{"name":"publishers/google/models/g"}]}"#).unwrap();
    assert_eq!((page.ids.as_slice(), page.next), (&["g".to_owned()][..], None));
    assert_eq!(
        Gemini.models(br#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#).unwrap_err().cause,
        Cause::Credential
    );
    assert_eq!(Gemini.models(b"x").unwrap_err().cause, Cause::Upstream);
}
