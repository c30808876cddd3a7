//! Causes as HTTP: statuses, OpenAI's error types and the envelope.

use std::time::Duration;

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    },
    response::Response,
};

use crate::{
    api::{ErrorBody, ErrorEnvelope},
    refusal::{Cause, Refusal},
};

/// The official SDKs try a 429 again; a budget that begins anew later than this is not worth it.
const WORTH_WAITING: Duration = Duration::from_secs(60);

/// The status that the OpenAI SDKs map to the right exception, and OpenAI's name for the kind of error.
pub(super) fn status(cause: Cause) -> (StatusCode, &'static str) {
    match cause {
        Cause::Invalid => (StatusCode::BAD_REQUEST, "invalid_request_error"),
        Cause::Unauthenticated => (StatusCode::UNAUTHORIZED, "authentication_error"),
        Cause::Forbidden => (StatusCode::FORBIDDEN, "permission_error"),
        Cause::NotFound => (StatusCode::NOT_FOUND, "not_found_error"),
        Cause::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "invalid_request_error"),
        Cause::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "timeout_error"),
        Cause::Conflict => (StatusCode::CONFLICT, "conflict_error"),
        Cause::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "conflict_error"),
        Cause::PreconditionRequired => (StatusCode::PRECONDITION_REQUIRED, "invalid_request_error"),
        Cause::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error"),
        Cause::UnsupportedMedia => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request_error"),
        Cause::Unprocessable => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_request_error"),
        Cause::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error"),
        Cause::BudgetSpent => (StatusCode::TOO_MANY_REQUESTS, "insufficient_quota"),
        Cause::Credential => (StatusCode::BAD_GATEWAY, "provider_credential_error"),
        Cause::Upstream | Cause::Unreachable => (StatusCode::BAD_GATEWAY, "upstream_error"),
        Cause::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "upstream_error"),
        Cause::Overloaded | Cause::NoRoom => (StatusCode::SERVICE_UNAVAILABLE, "overloaded_error"),
        Cause::UpstreamTimeout => (StatusCode::GATEWAY_TIMEOUT, "timeout_error"),
        Cause::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
    }
}

/// The status and the envelope that a caller gets.
pub fn error_answer(refusal: &Refusal) -> (StatusCode, ErrorEnvelope) {
    let (status, kind) = status(refusal.cause);
    let error = ErrorBody {
        message: refusal.message.to_string(),
        kind: kind.to_owned(),
        param: refusal.param.as_ref().map(ToString::to_string),
        code: refusal.code.as_ref().map(ToString::to_string),
    };
    (status, ErrorEnvelope { error })
}

/// The envelope as JSON; also the `data` of an error event in a stream.
pub(super) fn envelope(refusal: &Refusal) -> Vec<u8> {
    serde_json::to_vec(&error_answer(refusal).1).expect("strings always serialise")
}

/// An error answer without the headers of a model call.
pub(super) fn page(refusal: &Refusal) -> Response {
    let mut response = Response::new(Body::from(envelope(refusal)));
    *response.status_mut() = status(refusal.cause).0;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    retry_after(headers, refusal.retry_after);
    if refusal.cause == Cause::BudgetSpent && refusal.retry_after.is_none_or(|wait| wait > WORTH_WAITING) {
        headers.insert("x-should-retry", HeaderValue::from_static("false"));
    }
    response
}

/// `Retry-After` in whole seconds, rounded up, and in milliseconds as the OpenAI SDKs prefer it.
pub(super) fn retry_after(headers: &mut HeaderMap, wait: Option<Duration>) {
    if let Some(wait) = wait {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        headers.insert(RETRY_AFTER, HeaderValue::from(millis.div_ceil(1000)));
        headers.insert("retry-after-ms", HeaderValue::from(millis));
    }
}
