//! Azure's errors: OpenAI's envelope with codes of Azure's own, its gateway's `{statusCode,message}`, and the content
//! filter, whose reason is in `innererror`.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    refusal::{Cause, Refusal},
    wire::errors,
};

pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    let mut refusal = errors::refusal(status, headers, body);
    let text = |pointer: &str| {
        let body: Value = serde_json::from_slice(body).ok()?;
        body.pointer(pointer)?.as_str().map(str::to_owned)
    };
    if text("/error/innererror/code").as_deref() == Some("ResponsibleAIPolicyViolation") {
        refusal.cause = Cause::Invalid;
        refusal.code = Some("content_filter".into());
    }
    let known = match (refusal.cause, refusal.code.as_deref()) {
        (Cause::NotFound, Some("DeploymentNotFound" | "ModelNotFound")) => Some("model_not_found"),
        (Cause::RateLimited, Some("RateLimitReached")) => Some("rate_limit_exceeded"),
        _ => None,
    };
    if let Some(code) = known {
        refusal.code = Some(code.into());
    }
    refusal
}
