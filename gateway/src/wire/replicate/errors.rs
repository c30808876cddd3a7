//! Replicate's errors: problem details (`{title, detail, status}`), and predictions that failed.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::{
    refusal::{Cause, Refusal},
    wire::errors,
};

/// No throttling lasts longer; the number is text meant for people.
const MAX_WAIT: f64 = 3600.0;

/// A non-2xx answer.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    let mut refusal = errors::refusal(status, headers, body);
    match status {
        StatusCode::UNPROCESSABLE_ENTITY => refusal.param = refusal.param.or_else(|| culprit(body).map(Into::into)),
        StatusCode::TOO_MANY_REQUESTS if refusal.retry_after.is_none() => refusal.retry_after = wait(body),
        // Creating a prediction fails so only when its model or version is not there.
        StatusCode::NOT_FOUND => refusal = refusal.code("model_not_found"),
        _ => {}
    }
    refusal
}

/// A prediction that failed, and what its model said of it.
pub(super) fn failed(error: &str) -> Refusal {
    match error.trim() {
        "" => Refusal::new(Cause::Upstream, "the model failed and did not say why"),
        error => errors::disguised(json!({ "error": error }).to_string().as_bytes()),
    }
}

pub(super) fn canceled() -> Refusal {
    Refusal::new(Cause::Upstream, "the prediction was cancelled at the provider")
}

/// The `error` event of a stream: `{detail}`, or a text.
pub(super) fn told(data: &[u8]) -> Refusal {
    match serde_json::from_slice::<Value>(data) {
        Ok(Value::Object(_)) => errors::disguised(data),
        Ok(Value::String(text)) => failed(&text),
        _ => failed(&String::from_utf8_lossy(data)),
    }
}

/// What a 2xx body that is no prediction means.
pub(super) fn disguised_or(body: &[u8], otherwise: &'static str) -> Refusal {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_problem = ["detail", "title", "error"].iter().any(|name| value.get(name).is_some_and(Value::is_string));
    if is_problem { errors::disguised(body) } else { Refusal::new(Cause::Upstream, otherwise) }
}

/// The field that `- input.max_tokens: Must be greater than or equal to 1024` is about, as the client calls it.
fn culprit(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let (_, rest) = value.get("detail")?.as_str()?.split_once("- input.")?;
    let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    Some(match name.as_str() {
        "" => return None,
        "prompt" | "system_prompt" | "system_instruction" | "image" | "images" | "image_input" => "messages".to_owned(),
        "max_output_tokens" => "max_tokens".to_owned(),
        "stop_sequences" => "stop".to_owned(),
        _ => name,
    })
}

/// `Request was throttled. Expected available in 1 second.`, or `retry_after` beside it.
fn wait(body: &[u8]) -> Option<Duration> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let said = || {
        let detail = value.get("detail")?.as_str()?;
        detail.split([' ', '~']).find_map(|word| word.trim_end_matches(['.', 's']).parse().ok())
    };
    let seconds: f64 = value.get("retry_after").and_then(Value::as_f64).or_else(said)?;
    Duration::try_from_secs_f64(seconds.min(MAX_WAIT)).ok()
}
