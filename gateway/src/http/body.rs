//! Reading a request's body: bounded in bytes and time.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, header::CONTENT_LENGTH, header::CONTENT_TYPE},
};
use bytes::Bytes;

use super::Gateway;
use crate::{
    body::{Partial, collect},
    memory::BodyMemory,
    refusal::{Cause, Refusal},
};

/// The whole body of a model call, within the bounds of the configuration.
///
/// # Errors
/// 415 when it is not JSON, and those of [`read`].
pub(super) async fn json(gateway: &Gateway, headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    must_be_json(headers)?;
    let limits = gateway.limits.load();
    let (limit, patience) = (limits.server.max_request_body_size, limits.server.body_timeout);
    drop(limits);
    read(headers, body, limit, &gateway.memory, patience).await
}

/// The whole body. A body that has arrived with its head costs no timer and no copy.
///
/// # Errors
/// 413 beyond `limit` bytes, 503 when all bodies together have no room for it, 408 after `patience`, 400 when the connection
/// breaks in the middle.
async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: u64,
    memory: &Arc<BodyMemory>,
    patience: Duration,
) -> Result<Bytes, Refusal> {
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut reading = pin!(collect(body, limit, memory));
    let first = poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await;
    let whole = match first {
        Poll::Ready(done) => done,
        Poll::Pending => tokio::time::timeout(patience, reading).await.map_err(|_| {
            let message = format!("the request's body did not arrive within {} s", patience.as_secs_f64());
            Refusal::new(Cause::RequestTimeout, message).code("request_timeout")
        })?,
    };
    let (body, share) = whole.map_err(|partial| match partial {
        Partial::TooLarge => too_large(limit),
        Partial::NoRoom(_) => Refusal::no_room("the request's body"),
        Partial::Broken(_) => Refusal::new(Cause::Invalid, "the request's body broke off or is not valid HTTP"),
    })?;
    Ok(share.around(body))
}

fn too_large(limit: u64) -> Refusal {
    let message = format!("the request's body is larger than {limit} bytes (`server.max_request_body_size`)");
    Refusal::new(Cause::TooLarge, message).code("request_too_large")
}

/// A page in a browser can send anything but JSON to a local address without asking; so only JSON is read.
///
/// # Errors
/// 415 for another media type, or none.
fn must_be_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let kind = kind.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    if kind.eq_ignore_ascii_case(b"application/json") || kind.to_ascii_lowercase().ends_with(b"+json") {
        return Ok(());
    }
    let message = "send the body as JSON, with the header `content-type: application/json`";
    Err(Refusal::new(Cause::UnsupportedMedia, message).code("unsupported_media_type"))
}
