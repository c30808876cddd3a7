//! AWS's errors: their type is in a header, in `__type`, or in a frame of a stream.

use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::{
    refusal::{Cause, Refusal},
    wire::errors,
};

/// (the error's type, the status that it stands for). WIRE §5; compared without regard to case.
const TYPES: &[(&str, u16)] = &[
    ("ValidationException", 400),
    ("SerializationException", 400),
    ("AccessDeniedException", 403),
    ("ResourceNotFoundException", 404),
    ("ModelTimeoutException", 408),
    ("ThrottlingException", 429),
    ("TooManyRequestsException", 429),
    // a quota of the account: another provider or region has its own
    ("ServiceQuotaExceededException", 429),
    ("ModelNotReadyException", 503),
    ("InternalServerException", 500),
    ("InternalFailure", 500),
    ("ServiceUnavailableException", 503),
    ("UnrecognizedClientException", 403),
    ("InvalidSignatureException", 403),
    ("SignatureDoesNotMatch", 403),
    ("ExpiredTokenException", 403),
    ("IncompleteSignature", 403),
    ("MissingAuthenticationToken", 403),
    ("MissingAuthenticationTokenException", 403),
    ("InvalidClientTokenId", 403),
    ("OptInRequired", 403),
];

/// Errors of the model itself: the status is the model's own, if it says one.
const OF_THE_MODEL: &[&str] = &["ModelErrorException", "ModelStreamErrorException"];

const CONTEXT_WORDS: &[&str] = &["input tokens exceeded", "input is too long", "exceeds the maximum number of tokens"];
const UNKNOWN_MODEL: &[&str] = &["model identifier is invalid", "could not resolve the foundation model"];

/// A non-2xx answer.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let named = headers.get("x-amzn-errortype").and_then(|kind: &HeaderValue| kind.to_str().ok());
    let kind = named.or_else(|| value.get("__type").or(value.get("code"))?.as_str()).unwrap_or_default();
    if !value.is_object() {
        // what a proxy says
        return errors::refusal(status_of(kind, &value).unwrap_or(status), headers, body);
    }
    read(kind, &value, Some(status), headers).upstream_status(status.as_u16())
}

/// An exception frame in a stream: `throttlingException`, ….
pub(super) fn exception(kind: &str, payload: &[u8]) -> Refusal {
    let value: Value = serde_json::from_slice(payload).unwrap_or_default();
    read(kind, &value, None, &HeaderMap::new())
}

/// A frame of the kind `error`.
pub(super) fn frame(code: &str, message: &str) -> Refusal {
    read(code, &json!({ "message": message }), None, &HeaderMap::new())
}

fn read(kind: &str, value: &Value, status: Option<StatusCode>, headers: &HeaderMap) -> Refusal {
    let of_model = is_one_of(kind, OF_THE_MODEL);
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let message = text("message").or_else(|| text("Message")).or_else(|| text("originalMessage")).unwrap_or_default();
    let says = |words: &[&str]| {
        let message = message.to_ascii_lowercase();
        words.iter().any(|word| message.contains(word))
    };
    let meant = status_of(kind, value).or(status.filter(|_| !of_model)).unwrap_or(StatusCode::BAD_GATEWAY);
    let is_invalid = meant == StatusCode::BAD_REQUEST;
    let (meant, code) = match () {
        () if is_invalid && says(UNKNOWN_MODEL) => (StatusCode::NOT_FOUND, Some("model_not_found")),
        () if is_invalid && says(CONTEXT_WORDS) => (meant, Some("context_length_exceeded")),
        () => (meant, None),
    };
    let plain = match message {
        "" => json!({}),
        message => json!({ "message": message }),
    };
    let mut refusal = errors::refusal(meant, headers, plain.to_string().as_bytes());
    if message.is_empty() && refusal.cause != Cause::Credential {
        let name = name(kind);
        if errors::is_plain(name) {
            refusal.message = format!("the provider reported `{name}` without a message").into();
        }
    }
    if let Some(code) = code {
        refusal = refusal.code(code);
    }
    if status.is_none() {
        // a frame has no status of its own: the stream's was 200
        refusal.upstream_status = None;
    }
    refusal
}

fn status_of(kind: &str, value: &Value) -> Option<StatusCode> {
    if is_one_of(kind, OF_THE_MODEL) {
        let origin = value.get("originalStatusCode").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        // the model's 401 or 403 is no matter of ours
        let origin = origin.filter(|code| (400..600).contains(code) && !matches!(code, 401 | 403));
        return StatusCode::from_u16(origin.unwrap_or(502)).ok();
    }
    let row = TYPES.iter().find(|(own, _)| own.eq_ignore_ascii_case(name(kind)));
    row.and_then(|(_, status)| StatusCode::from_u16(*status).ok())
}

fn is_one_of(kind: &str, names: &[&str]) -> bool {
    names.iter().any(|own| own.eq_ignore_ascii_case(name(kind)))
}

/// `ThrottlingException:http://…` and `com.amazon.coral.service#ThrottlingException` are `ThrottlingException`.
fn name(kind: &str) -> &str {
    let kind = kind.split(':').next().unwrap_or_default();
    kind.rsplit('#').next().unwrap_or_default().trim()
}
