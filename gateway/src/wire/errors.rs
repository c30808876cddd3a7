//! Every error body there is, made one [`Refusal`].
//!
//! Compatible servers write `{error:{…}}`, `{error:"…"}`, `{message}`, `{detail}`, `{object:"error",message}`,
//! `[{error:…}]`, `{error,error_type}`; the proxies before them write HTML, or nothing.

use std::{borrow::Cow, time::Duration};

use chrono::DateTime;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::redact;
use crate::refusal::{Cause, Refusal};

/// Larger error bodies are not read.
const MAX_BODY: usize = 1 << 20;
/// A plain text longer than this is not an error message.
const MAX_PLAIN: usize = 500;
/// No provider means it when it asks for more.
const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Words in messages that tell what the code should have been.
const CONTEXT_WORDS: &[&str] = &[
    "maximum context length",
    "context_length_exceeded",
    "context length exceeded",
    "context window",
    "prompt is too long",
    "input is too long",
    "exceeds the model's context",
    "exceeds the available context",
    "maximum prompt length",
    "exceed context limit",
    "too many tokens",
    "prompt too long",
];
const FILTER_WORDS: &[&str] = &["content management policy", "content_filter", "content filter", "content_policy"];
const KEY_WORDS: &[&str] = &[
    "invalid api key",
    "incorrect api key",
    "api key not valid",
    "invalid_api_key",
    "invalid api token",
    "no api key supplied",
];

const KEY_CODES: &[&str] = &["invalid_api_key", "API_KEY_INVALID", "authentication_error"];

/// A non-2xx answer.
pub(in crate::wire) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    // What is no JSON in a 5xx comes from a proxy, and is about the provider's inside.
    let is_json = body.trim_ascii_start().starts_with(b"{") || body.trim_ascii_start().starts_with(b"[");
    let report = if is_json || !status.is_server_error() { Report::read(body) } else { Report::default() };
    let cause = report.overrides().unwrap_or_else(|| of_status(status.as_u16()));
    let wait = retry_after(headers);
    report.refusal(cause, status.as_u16()).retry_after(wait).upstream_status(status.as_u16())
}

/// An error inside a 2xx answer or a stream. A status of its own, if it gives one, is in `error.code` or `error.status`.
pub(in crate::wire) fn disguised(json: &[u8]) -> Refusal {
    let report = Report::read(json);
    let status = report.status.filter(|status| (400..600).contains(status));
    let cause = report.overrides().or(status.map(of_status)).unwrap_or_else(|| report.of_words());
    let refusal = report.refusal(cause, status.unwrap_or(200));
    match status {
        Some(status) => refusal.upstream_status(status),
        None => refusal,
    }
}

/// Used-up credit (402) is a quota state: the caller can do nothing about it, another provider can. OpenAI itself
/// answers 429 `insufficient_quota`.
pub(in crate::wire) fn of_status(status: u16) -> Cause {
    match status {
        401 | 403 => Cause::Credential,
        402 | 429 => Cause::RateLimited,
        404 => Cause::NotFound,
        408 | 504 => Cause::UpstreamTimeout,
        409 => Cause::Conflict,
        413 => Cause::TooLarge,
        422 => Cause::Unprocessable,
        503 | 529 => Cause::Unavailable,
        400..=499 => Cause::Invalid,
        _ => Cause::Upstream,
    }
}

/// What an error body says.
#[derive(Debug, Default)]
struct Report {
    message: Option<String>,
    code: Option<String>,
    kind: Option<String>,
    param: Option<String>,
    status: Option<u16>,
    /// OpenRouter's moderation, which answers 403.
    moderated: bool,
}

impl Report {
    fn read(body: &[u8]) -> Self {
        if body.len() > MAX_BODY {
            return Self::default();
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Array(list)) => list.first().map(Self::of_value).unwrap_or_default(),
            Ok(value) => Self::of_value(&value),
            Err(_) => Self { message: plain_text(body), ..Self::default() },
        }
    }

    fn of_value(value: &Value) -> Self {
        let mut report = Self::default();
        match value.get("error") {
            Some(error @ Value::Object(_)) => report.take(error),
            Some(Value::String(error)) => report.message = Some(error.clone()),
            _ => {}
        }
        report.take(value);
        report
    }

    /// Takes what is not known yet.
    fn take(&mut self, object: &Value) {
        let text = |name: &str| match object.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let fill = |slot: &mut Option<String>, found: Option<String>| *slot = slot.take().or(found);
        let number = |name: &str| text(name).and_then(|text| text.parse().ok());
        self.status = self.status.or_else(|| number("code")).or_else(|| number("status"));
        fill(&mut self.code, text("code"));
        fill(&mut self.kind, text("type").or_else(|| text("error_type")));
        fill(&mut self.param, object.get("param").and_then(Value::as_str).map(str::to_owned));
        self.moderated |= object.pointer("/metadata/reasons").is_some_and(Value::is_array);
        let detail = object.pointer("/message/detail").or_else(|| object.get("detail"));
        if let Some(Value::Array(list)) = detail {
            fill(&mut self.param, list.first().map(location));
            let items: Vec<String> = list.iter().take(5).filter_map(complaint).collect();
            fill(&mut self.message, (!items.is_empty()).then(|| items.join("; ")));
        }
        let detail = detail.and_then(Value::as_str).map(str::to_owned);
        let first = object.pointer("/errors/0/message").and_then(Value::as_str).map(str::to_owned);
        fill(&mut self.message, text("message").or(detail).or(first));
    }

    /// What the body knows better than its status.
    fn overrides(&self) -> Option<Cause> {
        if self.moderated || self.says(&[], &["content_filter", "content_policy_violation"]) {
            return Some(Cause::Invalid);
        }
        self.says(KEY_WORDS, &["invalid_api_key", "API_KEY_INVALID", "authentication_error"])
            .then_some(Cause::Credential)
    }

    /// The cause of an error that has no status.
    fn of_words(&self) -> Cause {
        if self.says(&["rate limit"], &["rate_limit_exceeded", "rate_limit_error", "insufficient_quota"]) {
            Cause::RateLimited
        } else if self.says(CONTEXT_WORDS, &["invalid_request_error", "BadRequestError"]) {
            Cause::Invalid
        } else if self.says(&["overloaded"], &["overloaded_error", "service_unavailable"]) {
            Cause::Unavailable
        } else if self.says(&["timed out"], &["timeout", "timeout_error"]) {
            Cause::UpstreamTimeout
        } else {
            Cause::Upstream
        }
    }

    /// One of these words is in the message, or one of these names is the code or type.
    fn says(&self, words: &[&str], names: &[&str]) -> bool {
        let message = self.message.as_deref().unwrap_or_default().to_ascii_lowercase();
        let named = |name: &Option<String>| name.as_deref().is_some_and(|name| names.contains(&name));
        words.iter().any(|word| message.contains(word)) || named(&self.code) || named(&self.kind)
    }

    fn refusal(self, cause: Cause, status: u16) -> Refusal {
        let code = self.known_code(cause, status);
        let message: Cow<'static, str> = match (cause, &self.message) {
            (Cause::Credential, _) => "the provider refused the gateway's credential".into(),
            _ if status == 402 => "the provider account has no credit left".into(),
            (_, Some(message)) if !message.trim().is_empty() => redact::clean(message.trim()).into(),
            _ if status == 200 => "the provider reported an error without a message".into(),
            _ => format!("the provider answered with status {status} and no readable message").into(),
        };
        let mut refusal = Refusal::new(cause, message);
        refusal.code = code;
        let speakable = |param: &String| {
            param.len() <= 128 && !redact::is_sensitive(param) && param.bytes().all(|byte| byte.is_ascii_graphic())
        };
        refusal.param = self.param.filter(speakable).filter(|_| cause != Cause::Credential).map(Cow::Owned);
        refusal
    }

    /// A code that programs test for: inferred where the provider is not specific, else the provider's own.
    fn known_code(&self, cause: Cause, status: u16) -> Option<Cow<'static, str>> {
        let own = self.code.as_deref().filter(|code| is_plain(code) && !redact::is_sensitive(code));
        let specific = own.filter(|code| code.parse() != Ok(status));
        let is_named = specific.is_some_and(|code| code.contains(|c: char| c.is_ascii_alphabetic()));
        let inferred = match cause {
            Cause::Credential => return self.says(KEY_WORDS, KEY_CODES).then_some("invalid_api_key".into()),
            _ if status == 402 => Some("insufficient_quota"),
            Cause::RateLimited if self.says(&[], &["insufficient_quota"]) => Some("insufficient_quota"),
            Cause::RateLimited => Some("rate_limit_exceeded"),
            Cause::Invalid if self.moderated => Some("content_filter"),
            Cause::Invalid | Cause::TooLarge | Cause::Unprocessable if self.says(CONTEXT_WORDS, &[]) => {
                Some("context_length_exceeded")
            }
            Cause::Invalid if self.says(FILTER_WORDS, &[]) => Some("content_filter"),
            Cause::NotFound if self.says(&["model"], &[]) => Some("model_not_found"),
            _ => None,
        };
        match inferred {
            Some(code) if !is_named || status == 402 => Some(code.into()),
            _ => specific.map(|code| Cow::Owned(code.to_owned())),
        }
    }
}

/// Text that is not a page: what small servers answer.
fn plain_text(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let is_message = (1..=MAX_PLAIN).contains(&text.len()) && !text.contains('<') && !text.starts_with(['{', '[']);
    is_message.then(|| text.to_owned())
}

/// Where a validation error of FastAPI lies: `body.messages.0.role`. Its `input` is the prompt, and is not read.
fn location(item: &Value) -> String {
    let part = |part: &Value| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
    let parts = item.get("loc").and_then(Value::as_array).into_iter().flatten().take(16).map(part);
    parts.filter(|part| part != "body").collect::<Vec<_>>().join(".")
}

fn complaint(item: &Value) -> Option<String> {
    let complaint = item.get("msg").or_else(|| item.get("message"))?.as_str()?;
    let place = location(item);
    Some(if place.is_empty() { complaint.to_owned() } else { format!("{place}: {complaint}") })
}

/// How long the provider wants to be left alone. A date counts from the answer's own `Date`, so that no clock is asked.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    // asked of every answer, and hardly any has one: a look at each name is less than a search for three
    if !headers.keys().any(|name| name.as_str().contains("retry-after")) {
        return None;
    }
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let seconds = |text: &str| text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    // the second is what some of Azure's services write
    let millis = ["retry-after-ms", "x-ms-retry-after-ms"].iter().find_map(|name| text(name).and_then(seconds));
    if let Some(wait) = millis {
        return Some((wait / 1000).min(MAX_WAIT));
    }
    let after = text(header::RETRY_AFTER.as_str())?;
    let until = || {
        let until = DateTime::parse_from_rfc2822(after).ok()?;
        let now = DateTime::parse_from_rfc2822(text(header::DATE.as_str())?).ok()?;
        Some((until - now).to_std().unwrap_or_default())
    };
    seconds(after).or_else(until).map(|wait| wait.min(MAX_WAIT))
}

/// A word that programs use: short enough and plain enough to be repeated in headers and messages.
pub(in crate::wire) fn is_plain(word: &str) -> bool {
    (1..=64).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}
