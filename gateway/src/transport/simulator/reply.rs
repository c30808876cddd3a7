//! An answer on its way: the wait before it, its head, and the fault that it may suffer.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde::Serialize;

use super::{
    body::{Ending, Paced},
    id, json,
    options::{Fault, Options},
    rejection::Rejection,
    stream::Event,
};
use crate::transport::{TransportError, UpstreamBody};

/// What is answered when nothing goes wrong.
pub(super) enum Reply {
    Whole(Bytes),
    Stream(Box<dyn Iterator<Item = Event> + Send>),
}

impl Reply {
    pub fn whole<T: Serialize>(value: &T) -> Self {
        Self::Whole(json(value))
    }

    /// Answers, after the latency, with the fault if it happens this time.
    pub async fn perform(self, options: &Options) -> Result<Response<UpstreamBody>, TransportError> {
        if !options.latency.is_zero() {
            tokio::time::sleep(options.latency).await;
        }
        let fault = match (options.draw_fault(), &self) {
            (Some(Fault::Status { status, retry_after }), _) => {
                return Ok(Rejection::wanted(status, retry_after).response());
            }
            (Some(Fault::Error(_)), Self::Whole(_)) => {
                return Ok(Rejection::wanted(StatusCode::INTERNAL_SERVER_ERROR, None).response());
            }
            (Some(Fault::Reset(0)), _) => return Err(Ending::broken()),
            (Some(Fault::Panic(0)), _) => std::panic::panic_any(Ending::DEFECT),
            (Some(Fault::Stall(chunks)), _) => Some((chunks, Ending::Silent)),
            (Some(Fault::Cut(chunks)), _) => Some((chunks, Ending::Clean)),
            (Some(Fault::Reset(chunks)), _) => Some((chunks, Ending::Broken)),
            (Some(Fault::Error(chunks)), _) => Some((chunks, Ending::Error)),
            (Some(Fault::Panic(chunks)), _) => Some((chunks, Ending::Panic)),
            (None, _) => None,
        };
        let (media_type, body) = match (self, fault) {
            (Self::Whole(bytes), None) => ("application/json", whole_body(bytes)),
            (Self::Whole(bytes), Some((chunks, ending))) => ("application/json", half_body(&bytes, chunks, ending)),
            (Self::Stream(events), fault) => {
                let body = Paced::new(events, options.pace, fault);
                ("text/event-stream; charset=utf-8", UpstreamBody::Made(Box::pin(body)))
            }
        };
        Ok(head(StatusCode::OK, media_type, body))
    }
}

/// A body in one frame.
pub(super) fn whole_body(bytes: Bytes) -> UpstreamBody {
    UpstreamBody::Made(Box::pin(Full::new(bytes).map_err(|never| match never {})))
}

/// What a fault leaves of a body in one piece.
fn half_body(bytes: &Bytes, chunks: u32, ending: Ending) -> UpstreamBody {
    let sent = if chunks == 0 || ending == Ending::Silent { 0 } else { bytes.len() / 2 };
    let event = Event { bytes: bytes.slice(..sent), content: true };
    let events = std::iter::once(event).filter(|event| !event.bytes.is_empty());
    UpstreamBody::Made(Box::pin(Paced::ending(Box::new(events), ending)))
}

/// The headers that OpenAI's servers send and that clients look at.
pub(super) fn head(status: StatusCode, media_type: &'static str, body: UpstreamBody) -> Response<UpstreamBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let request_id = HeaderValue::try_from(id("req_sim_")).expect("hexadecimal digits are printable");
    let remaining = if status == StatusCode::TOO_MANY_REQUESTS { "0" } else { "9999" };
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert("x-request-id", request_id);
    headers.insert("openai-version", HeaderValue::from_static("2020-10-01"));
    headers.insert("openai-organization", HeaderValue::from_static("simulator"));
    headers.insert("x-ratelimit-limit-requests", HeaderValue::from_static("10000"));
    headers.insert("x-ratelimit-remaining-requests", HeaderValue::from_static(remaining));
    headers.insert("x-ratelimit-reset-requests", HeaderValue::from_static("6ms"));
    response
}
