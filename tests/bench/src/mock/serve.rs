//! One request: read its wishes, wait, fail if told to, answer.

use std::io::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use memchr::{memchr, memmem};
use tokio::time::sleep;

use crate::behaviour::{Behaviour, Fault};
use crate::canned::Canned;
use crate::control::control;
use crate::state::shared;
use crate::stream::{Answer, Events, Kind};

pub async fn serve(request: Request<Incoming>, socket: Arc<socket2::Socket>) -> Result<Response<Answer>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(Error::other)?.to_bytes();
    if let Some(what) = parts.uri.path().strip_prefix("/__mock/") {
        return Ok(control(what, &parts.method, &body));
    }
    shared().requests.fetch_add(1, Relaxed);
    shared().body_bytes.fetch_add(body.len() as u64, Relaxed);

    let (mut behaviour, mut canned) = shared().current();
    let before = behaviour.shape();
    if let Err(why) = obey(&mut behaviour, &parts, &body) {
        let error = format!(r#"{{"error":{{"message":"mock: {why}","type":"invalid_request_error"}}}}"#);
        return Ok(json(StatusCode::BAD_REQUEST, error));
    }
    if behaviour.shape() != before {
        canned = Arc::new(Canned::new(&behaviour));
    }

    let latency = shared().latency(&behaviour);
    if !latency.is_zero() {
        sleep(latency).await;
    }
    let mut cut_at = None;
    if behaviour.error_ratio > 0.0 && shared().uniform() < behaviour.error_ratio {
        shared().faults.fetch_add(1, Relaxed);
        match behaviour.error_kind {
            Fault::Cut => cut_at = Some(behaviour.chunks / 2),
            fault => return fail(fault, &behaviour, &socket).await,
        }
    }
    Ok(answer(&parts, &body, &behaviour, canned, cut_at))
}

/// Takes over what the model's suffix and the `x-mock` header ask for.
fn obey(behaviour: &mut Behaviour, parts: &Parts, body: &[u8]) -> std::result::Result<(), String> {
    let model = scan(body, "model").and_then(|value| value.get(1..));
    let model = model.and_then(|rest| memchr(b'"', rest).map(|end| &rest[..end]));
    let suffix = model.and_then(|name| memchr(b'@', name).map(|at| &name[at + 1..]));
    let suffix = suffix.map_or(Ok(()), |list| behaviour.set_list(&String::from_utf8_lossy(list)));
    let header = parts.headers.get("x-mock").and_then(|value| value.to_str().ok());
    suffix.and(header.map_or(Ok(()), |list| behaviour.set_list(list)))
}

async fn fail(fault: Fault, behaviour: &Behaviour, socket: &socket2::Socket) -> Result<Response<Answer>> {
    match fault {
        Fault::Status | Fault::Cut => {
            let status = StatusCode::from_u16(behaviour.error_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let fields = r#""message":"mock injected error","type":"mock_error","param":null"#;
            let mut response = json(status, format!(r#"{{"error":{{{fields},"code":"{}"}}}}"#, status.as_u16()));
            if behaviour.retry_after > 0 {
                response.headers_mut().insert(RETRY_AFTER, behaviour.retry_after.into());
            }
            Ok(response)
        }
        Fault::Reset => {
            let _ = socket.set_linger(Some(Duration::ZERO)); // close => RST
            Err(Error::other("mock reset"))
        }
        Fault::Hang => {
            sleep(Duration::from_millis(behaviour.hang_ms)).await;
            Err(Error::other("mock hang over"))
        }
    }
}

fn answer(
    parts: &Parts,
    body: &[u8],
    behaviour: &Behaviour,
    canned: Arc<Canned>,
    cut_at: Option<u32>,
) -> Response<Answer> {
    let path = parts.uri.path();
    if parts.method == Method::GET {
        return json(StatusCode::OK, if path.ends_with("/models") { MODELS } else { r#"{"status":"ok"}"# });
    }
    if path.ends_with("/embeddings") {
        return json(StatusCode::OK, canned.embeddings.clone());
    }
    let anthropic = path.ends_with("/messages");
    if !anthropic && !path.ends_with("/completions") {
        let error = r#"{"error":{"message":"mock: no such route","type":"invalid_request_error"}}"#;
        return json(StatusCode::NOT_FOUND, error);
    }
    if !says_true(body, "stream") {
        return json(StatusCode::OK, if anthropic { canned.messages.clone() } else { canned.chat.clone() });
    }
    shared().streams.fetch_add(1, Relaxed);
    let usage = says_true(body, "include_usage");
    let kind = if anthropic { Kind::Anthropic } else { Kind::OpenAi { usage } };
    let events = Events::new(canned, kind, behaviour.chunks, behaviour.interval_ms, cut_at);
    let mut response = Response::new(Answer::Events(Box::new(events)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

const MODELS: &str = concat!(
    r#"{"object":"list","data":["#,
    r#"{"id":"gpt-4o-mini","object":"model","created":1760000000,"owned_by":"mock"},"#,
    r#"{"id":"claude-3-5-haiku-latest","object":"model","created":1760000000,"owned_by":"mock"}]}"#
);

pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Full::new(body.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn says_true(body: &[u8], key: &str) -> bool {
    scan(body, key).is_some_and(|value| value.starts_with(b"true"))
}

/// What follows the first key that looks top-level: a raw scan that passes over escaped (`\"key\"`) hits.
fn scan<'a>(body: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let quoted = format!("\"{key}\"");
    memmem::find_iter(body, quoted.as_bytes()).filter(|&at| at == 0 || body[at - 1] != b'\\').find_map(|at| {
        let value = body[at + quoted.len()..].trim_ascii_start().strip_prefix(b":")?;
        Some(value.trim_ascii_start())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_passes_over_quoted_keys_and_values() {
        let body = br#"{"text":"say \"stream\": true","kind":"stream", "stream" : false}"#;
        assert!(scan(body, "stream").unwrap().starts_with(b"false"));
        assert!(scan(body, "model").is_none());
    }
}
