//! Cohere's errors: `{message}`, told apart by status; 498 is about the content's tokens.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    refusal::{Cause, Refusal},
    wire::errors,
};

const BLOCKED: &str = "content was blocked";

/// A non-2xx answer.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    refine(errors::refusal(status, headers, body))
}

/// An error in a 2xx answer or a stream.
pub(super) fn disguised(json: &[u8]) -> Refusal {
    refine(errors::disguised(json))
}

/// What a body that is no answer means.
pub(super) fn disguised_or(body: &[u8], otherwise: &'static str) -> Refusal {
    if is_error(body) { disguised(body) } else { Refusal::new(Cause::Upstream, otherwise) }
}

/// Cohere's errors are objects with a message that is text; answers have messages that are objects.
pub(super) fn is_error(body: &[u8]) -> bool {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    value.get("message").is_some_and(Value::is_string) || value.get("error").is_some_and(|error| !error.is_null())
}

/// What only the message tells.
fn refine(mut refusal: Refusal) -> Refusal {
    if refusal.cause == Cause::Invalid && refusal.message.to_ascii_lowercase().contains(BLOCKED) {
        refusal.code = Some("content_filter".into());
    }
    refusal
}
