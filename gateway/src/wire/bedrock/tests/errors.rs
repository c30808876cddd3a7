//! Errors.

use http::{HeaderMap, StatusCode};

use super::*;
use crate::refusal::Cause;

fn error(status: u16, header: Option<&str>, body: &str) -> Refusal {
    let mut headers = HeaderMap::new();
    if let Some(kind) = header {
        headers.insert("x-amzn-errortype", kind.parse().unwrap());
    }
    Bedrock.refusal(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
}

#[test]
fn every_type_has_its_cause() {
    for (status, kind, cause) in [
        (400, "ValidationException", Cause::Invalid),
        (403, "AccessDeniedException", Cause::Credential),
        (404, "ResourceNotFoundException", Cause::NotFound),
        (408, "ModelTimeoutException", Cause::UpstreamTimeout),
        (424, "ModelErrorException", Cause::Upstream),
        (429, "ThrottlingException", Cause::RateLimited),
        (400, "ThrottlingException", Cause::RateLimited),
        (429, "ModelNotReadyException", Cause::Unavailable),
        (400, "ServiceQuotaExceededException", Cause::RateLimited),
        (500, "InternalServerException", Cause::Upstream),
        (503, "ServiceUnavailableException", Cause::Unavailable),
        (403, "UnrecognizedClientException", Cause::Credential),
        (403, "InvalidSignatureException", Cause::Credential),
        (403, "ExpiredTokenException", Cause::Credential),
        (400, "ExpiredTokenException", Cause::Credential),
        (418, "NewException", Cause::Invalid),
    ] {
        let by_header = error(status, Some(&format!("{kind}:http://internal.amazon.com/x/")), r#"{"message":"m"}"#);
        let by_body = error(status, None, &format!(r#"{{"__type":"com.amazon.coral.service#{kind}","Message":"m"}}"#));
        assert_eq!((by_header.cause, by_body.cause), (cause, cause), "{kind}");
        assert_eq!(by_header.upstream_status, Some(status));
        if cause != Cause::Credential {
            assert_eq!(by_body.message, "m");
        }
    }
    let origin = |status: u16| {
        error(424, Some("ModelErrorException"), &format!(r#"{{"message":"m","originalStatusCode":{status}}}"#)).cause
    };
    assert_eq!(
        (origin(400), origin(429), origin(500), origin(403)),
        (Cause::Invalid, Cause::RateLimited, Cause::Upstream, Cause::Upstream)
    );
}

#[test]
fn what_programs_test_for_is_told() {
    let invalid = |message: &str| error(400, Some("ValidationException"), &json!({ "message": message }).to_string());
    for message in [
        "Input is too long for requested model.",
        "The model returned the following errors: prompt is too long: 200001 tokens > 200000 maximum",
        "The model returned the following errors: Input Tokens Exceeded: Number of input tokens exceeds maximum length.",
    ] {
        assert_eq!(invalid(message).code.as_deref(), Some("context_length_exceeded"), "{message}");
    }
    let unknown = invalid("The provided model identifier is invalid.");
    assert_eq!((unknown.cause, unknown.code.as_deref()), (Cause::NotFound, Some("model_not_found")));
    let tokens =
        error(429, Some("ThrottlingException"), r#"{"message":"Too many tokens, please wait before trying again."}"#);
    assert_eq!((tokens.cause, tokens.code.as_deref()), (Cause::RateLimited, Some("rate_limit_exceeded")));
}

#[test]
fn no_credential_and_no_page_reaches_the_client() {
    let denied = error(
        403,
        Some("UnrecognizedClientException"),
        r#"{"message":"The security token AKIAIOSFODNN7EXAMPLE is invalid."}"#,
    );
    assert!(!denied.message.contains("AKIA"));
    assert_eq!(error(502, None, "<html>bad gateway</html>").cause, Cause::Upstream);
    assert_eq!(error(503, None, "").cause, Cause::Unavailable);
    assert_eq!(error(400, None, "[1]").cause, Cause::Invalid);
    assert_eq!(
        error(500, Some("InternalServerException"), "{}").message,
        "the provider reported `InternalServerException` without a message"
    );
}
