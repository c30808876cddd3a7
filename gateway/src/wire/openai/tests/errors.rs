use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use proptest::prelude::*;

use super::*;
use crate::wire::redact::clean;

/// Status and body; cause, message, param and code.
type Case<'a> = (u16, String, Cause, &'a str, Option<&'a str>, Option<&'a str>);

fn refusal(status: u16, body: &str) -> Refusal {
    OpenAi.refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
}

#[test]
fn every_shape_of_error_body_is_understood() {
    let too_long = "This model's maximum context length is 8192 tokens. However, you requested 9000.";
    let cases: &[Case] = &[
        (400, r#"{"error":{"message":"bad","type":"invalid_request_error","param":"messages[0].role","code":"unknown_role"}}"#.into(),
            Cause::Invalid, "bad", Some("messages[0].role"), Some("unknown_role")),
        (400, format!(r#"{{"error":{{"message":"{too_long}","type":null,"param":null,"code":400}}}}"#),
            Cause::Invalid, too_long, None, Some("context_length_exceeded")),
        (400, format!(r#"{{"object":"error","message":"{too_long}","type":"BadRequestError","param":null,"code":400}}"#),
            Cause::Invalid, too_long, None, Some("context_length_exceeded")),
        (400, r#"{"error":{"message":"blocked by the content management policy","code":"content_filter","param":"prompt","type":null}}"#.into(),
            Cause::Invalid, "blocked by the content management policy", Some("prompt"), Some("content_filter")),
        (400, r#"{"error":"a string"}"#.into(), Cause::Invalid, "a string", None, None),
        (400, r#"{"message":"plain","id":"x"}"#.into(), Cause::Invalid, "plain", None, None),
        (400, r#"{"detail":"in detail"}"#.into(), Cause::Invalid, "in detail", None, None),
        (422, r#"{"detail":[{"loc":["body","messages",0,"name"],"msg":"Extra inputs are not permitted","type":"extra_forbidden","input":"PROMPT"},{"loc":["body"],"msg":"Other"}]}"#.into(),
            Cause::Unprocessable, "messages.0.name: Extra inputs are not permitted; Other", Some("messages.0.name"), None),
        (422, r#"{"object":"error","message":{"detail":[{"loc":["body","n"],"msg":"No"}]},"type":"invalid_request_error","code":null}"#.into(),
            Cause::Unprocessable, "n: No", Some("n"), None),
        (400, r#"{"object":"error","message":"bad id","type":"invalid_request_message_order","param":null,"code":"3280"}"#.into(),
            Cause::Invalid, "bad id", None, Some("3280")),
        (400, r#"[{"error":{"code":400,"message":"listed","status":"INVALID_ARGUMENT"}}]"#.into(), Cause::Invalid, "listed", None, None),
        (422, r#"{"error":"Input validation error","error_type":"validation"}"#.into(), Cause::Unprocessable, "Input validation error", None, None),
        (404, r#"{"error":{"message":"model \"x\" not found, try pulling it first","type":"not_found_error","param":null,"code":null}}"#.into(),
            Cause::NotFound, "model \"x\" not found, try pulling it first", None, Some("model_not_found")),
        (404, "404 page not found".into(), Cause::NotFound, "404 page not found", None, None),
        (429, r#"{"error":{"message":"slow","type":"tokens","code":"rate_limit_exceeded"}}"#.into(), Cause::RateLimited, "slow", None, Some("rate_limit_exceeded")),
        (402, r#"{"error":{"code":402,"message":"Add credits at https://x.y/z"}}"#.into(),
            Cause::RateLimited, "the provider account has no credit left", None, Some("insufficient_quota")),
        (401, r#"{"error":{"message":"Incorrect API key provided: abc***xyz","code":"invalid_api_key","param":"key"}}"#.into(),
            Cause::Credential, "the provider refused the gateway's credential", None, Some("invalid_api_key")),
        (403, "<html>no</html>".into(), Cause::Credential, "the provider refused the gateway's credential", None, None),
        (503, "no healthy upstream at llm-backend".into(), Cause::Unavailable, "the provider answered with status 503 and no readable message", None, None),
        (400, r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}"#.into(),
            Cause::Credential, "the provider refused the gateway's credential", None, Some("invalid_api_key")),
        (403, r#"{"error":{"code":403,"message":"flagged","metadata":{"reasons":["violence"],"flagged_input":"PROMPT"}}}"#.into(),
            Cause::Invalid, "flagged", None, Some("content_filter")),
        (502, "<html>Bad Gateway 10.0.0.1</html>".into(), Cause::Upstream, "the provider answered with status 502 and no readable message", None, None),
        (500, String::new(), Cause::Upstream, "the provider answered with status 500 and no readable message", None, None),
        (503, r#"{"error":{}}"#.into(), Cause::Unavailable, "the provider answered with status 503 and no readable message", None, None),
        (529, r#"{"error":{"message":"Overloaded"}}"#.into(), Cause::Unavailable, "Overloaded", None, None),
        (504, String::new(), Cause::UpstreamTimeout, "the provider answered with status 504 and no readable message", None, None),
        (408, "{}".into(), Cause::UpstreamTimeout, "the provider answered with status 408 and no readable message", None, None),
        (409, r#"{"error":{"message":"again","code":"bad code!"}}"#.into(), Cause::Conflict, "again", None, None),
        (413, r#"{"error":{"message":"big"}}"#.into(), Cause::TooLarge, "big", None, None),
    ];
    for (status, body, cause, message, param, code) in cases {
        let refusal = refusal(*status, body);
        assert_eq!((refusal.cause, &*refusal.message), (*cause, *message), "{status} {body}");
        assert_eq!((refusal.param.as_deref(), refusal.code.as_deref()), (*param, *code), "{status} {body}");
        assert_eq!(refusal.upstream_status, Some(*status));
    }
}

#[test]
fn retry_after_is_read_in_every_form() {
    let wait = |headers: &[(&'static str, &'static str)]| {
        let headers =
            headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
        OpenAi.refusal(StatusCode::TOO_MANY_REQUESTS, &headers.collect(), b"{}").retry_after
    };
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
    assert_eq!(wait(&[("retry-after", "0.5")]), Some(Duration::from_millis(500)));
    assert_eq!(wait(&[("retry-after", "7"), ("retry-after-ms", "1500")]), Some(Duration::from_millis(1500)));
    assert_eq!(wait(&[("x-ms-retry-after-ms", "250")]), Some(Duration::from_millis(250)));
    assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), date]), Some(Duration::from_secs(60)));
    assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), date]), Some(Duration::ZERO));
    assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")]), None);
    assert_eq!(wait(&[("retry-after", "99999999999")]), Some(Duration::from_secs(86_400)));
    for odd in ["-1", "nan", "inf", "soon", ""] {
        assert_eq!(wait(&[("retry-after", odd)]), None, "{odd}");
    }
    assert_eq!(wait(&[("x-ratelimit-reset-requests", "5")]), None);
}

#[test]
fn keys_and_addresses_are_taken_out_and_words_stay() {
    let cases = [
        ("see https://platform.openai.com/docs?x=1. Thanks", "see [redacted]. Thanks"),
        ("upstream (http://10.0.0.7:8000/v1) failed", "upstream ([redacted]) failed"),
        ("ws://a and wss://b", "[redacted] and [redacted]"),
        ("connect to 10.1.2.3:8080 failed", "connect to [redacted] failed"),
        ("connect to 10.1.2.3 failed", "connect to [redacted] failed"),
        ("connect to fe80::1 or [2001:db8::1]:443", "connect to [redacted] or [[redacted]]:443"),
        ("dial tcp llm.prod.internal:9000: refused", "dial tcp [redacted]: refused"),
        ("host vllm-0.vllm.default.svc is away", "host [redacted] is away"),
        ("localhost:8000 is away", "[redacted] is away"),
        ("Incorrect API key provided: abc***xyz.", "Incorrect API key provided: [redacted]."),
        ("Incorrect API key provided: plainword", "Incorrect API key provided: [redacted]"),
        ("your api_key=hunter22 is old", "your [redacted] is old"),
        ("Authorization: Bearer abcdefgh", "Authorization: [redacted] [redacted]"),
        ("the Bearer abcdefgh", "the Bearer [redacted]"),
        ("key 'sk-proj-abc_DEF-123'", "key '[redacted]'"),
        ("in organization org-AbCdEf123456 on tokens", "in organization [redacted] on tokens"),
        ("0123456789abcdef0123456789abcdef", "[redacted]"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id [redacted]"),
        ("The model `gpt-4o-mini-realtime-preview-2024-12-17` does not exist", "="),
        ("accounts/fireworks/models/llama-v3p1-405b-instruct-long is missing", "="),
        ("Invalid value: 'x'. Supported values are: 'low', 'high'.", "="),
        ("Unexpected token: } in JSON at position 3:12", "="),
        ("'messages.0.content' must be at most 10:30 long (got 1,234)", "="),
        ("Invalid type for 'tools[0].function.parameters': expected an object", "="),
        ("a\r\nb\u{0}c", "a  b c"),
    ];
    for (text, expected) in cases {
        assert_eq!(clean(text), if expected == "=" { text } else { expected });
    }
}

#[test]
fn messages_are_bounded() {
    let long = refusal(400, &format!(r#"{{"message":"{}"}}"#, "é x ".repeat(100_000)));
    assert_eq!(long.message.chars().count(), 2_001);
    let end = format!("{}sk-canary0123456789", "[".repeat((16 << 10) - 6));
    assert!(!clean(&end).contains("sk-"));
    assert!(refusal(400, &"x".repeat(2 << 20)).message.contains("no readable message"));
}

proptest! {
    #[test]
    fn a_key_in_an_error_body_never_survives(
        key in prop_oneof![
            "(sk-|sk-proj-|gsk_|hf_|AIza|xai-|pplx-|r8_)[A-Za-z0-9_]{12,48}",
            "[a-f0-9]{32,64}",
            "[A-Za-z][0-9][A-Za-z0-9]{38}",
        ],
        before in "[ -~é\u{2028}\n]{0,20}[ \n'\"(:=/（]",
        after in "([ \n'\").,:;&/）][ -~é]{0,20})?",
        status in prop::sample::select(vec![400u16, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 529]),
        shape in 0..8,
    ) {
        let text = format!("{before}{key}{after}");
        let json = serde_json::to_string(&text).unwrap();
        let body = match shape {
            0 => format!(r#"{{"error":{{"message":{json},"code":{json},"param":{json},"type":{json}}}}}"#),
            1 => format!(r#"{{"error":{json}}}"#),
            2 => format!(r#"{{"message":{json},"param":"{key}","code":"{key}"}}"#),
            3 => format!(r#"{{"detail":[{{"loc":["body",{json}],"msg":{json}}}]}}"#),
            4 => format!(r#"{{"detail":{json}}}"#),
            5 => format!(r#"[{{"error":{{"message":{json}}}}}]"#),
            6 => text.clone(),
            _ => format!("<html>{text}</html>"),
        };
        let refusal = refusal(status, &body);
        prop_assert!(!format!("{refusal:?}").contains(&key), "{refusal:?}");
        let disguised = super::super::errors::disguised(body.as_bytes());
        prop_assert!(!format!("{disguised:?}").contains(&key), "{disguised:?}");
    }
}
