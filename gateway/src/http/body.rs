//! Reading a request's body: bounded in bytes and time.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, header::CONTENT_LENGTH, header::CONTENT_TYPE},
};
use bytes::{Bytes, BytesMut};
use http_body::Body as _;

use crate::refusal::{Cause, Refusal};

/// Memory set aside on the word of a `Content-Length` alone.
const TRUSTED: u64 = 1 << 20;

/// The whole body. A body that has arrived with its head costs no timer and no copy.
///
/// # Errors
/// 413 beyond `limit` bytes, 408 after `patience`, 400 when the connection breaks in the middle.
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: u64, patience: Duration) -> Result<Bytes, Refusal> {
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut reading = pin!(collect(body, limit, announced.unwrap_or(0)));
    let first = poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await;
    match first {
        Poll::Ready(done) => done,
        Poll::Pending => tokio::time::timeout(patience, reading).await.unwrap_or_else(|_| {
            let message = format!("the request's body did not arrive within {} s", patience.as_secs_f64());
            Err(Refusal::new(Cause::RequestTimeout, message).code("request_timeout"))
        }),
    }
}

async fn collect(mut body: Body, limit: u64, announced: u64) -> Result<Bytes, Refusal> {
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame =
            frame.map_err(|_| Refusal::new(Cause::Invalid, "the request's body broke off or is not valid HTTP"))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len() as u64;
        if length > limit {
            return Err(too_large(limit));
        }
        if first.is_empty() {
            first = data;
            continue;
        }
        if more.is_empty() {
            more.reserve(announced.min(TRUSTED).max((first.len() + data.len()) as u64) as usize);
            more.extend_from_slice(&first);
        }
        more.extend_from_slice(&data);
    }
    Ok(if more.is_empty() { first } else { more.freeze() })
}

fn too_large(limit: u64) -> Refusal {
    let message = format!("the request's body is larger than {limit} bytes (`server.max_request_body_size`)");
    Refusal::new(Cause::TooLarge, message).code("request_too_large")
}

/// A page in a browser can send anything but JSON to a local address without asking; so only JSON is read.
///
/// # Errors
/// 415 for another media type, or none.
pub(super) fn must_be_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let kind = kind.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    if kind.eq_ignore_ascii_case(b"application/json") || kind.to_ascii_lowercase().ends_with(b"+json") {
        return Ok(());
    }
    let message = "send the body as JSON, with the header `content-type: application/json`";
    Err(Refusal::new(Cause::UnsupportedMedia, message).code("unsupported_media_type"))
}
