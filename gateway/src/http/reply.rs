//! Answers on their way out: headers, whole bodies, streams.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::Response,
};
use bytes::Bytes;
use http_body::Frame;

use super::{call::elapsed, limited, status};
use crate::{
    admission::Entries,
    dispatch::Relayed,
    provider::{Reply, UpstreamStream},
    refusal::Refusal,
    telemetry::{Ending, Exchange},
    wire::{Fate, Loss, openai::with_cost},
};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(super) const PRISM_REQUEST_ID: HeaderName = HeaderName::from_static("x-prism-request-id");
const TRACE_ID: HeaderName = HeaderName::from_static("x-prism-trace-id");
const PROVIDER: HeaderName = HeaderName::from_static("x-prism-provider");
const MODEL_USED: HeaderName = HeaderName::from_static("x-prism-model-used");
const LATENCY: HeaderName = HeaderName::from_static("x-prism-latency-ms");
const TIMEOUT: HeaderName = HeaderName::from_static("x-prism-timeout-ms");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-prism-attempts");
const FALLBACK_USED: HeaderName = HeaderName::from_static("x-prism-fallback-used");
const COST: HeaderName = HeaderName::from_static("x-prism-cost");
const STRATEGY: HeaderName = HeaderName::from_static("x-prism-routing-strategy");
const TRANSLATION: HeaderName = HeaderName::from_static("x-prism-translation");

/// A provider's answer. Entries and exchange live as long as the body does.
pub(super) fn answer(mut exchange: Box<Exchange>, relayed: Relayed, entries: Entries) -> Response {
    let Relayed { reply, candidate } = relayed;
    exchange.status = StatusCode::OK.as_u16();
    if candidate.unlisted && candidate.core.config.organisation.is_none() {
        exchange.metrics().prove(&candidate.core.name, &candidate.upstream);
    }
    let (headers, losses, content) = match reply {
        Reply::Whole { answer, headers, losses } => {
            exchange.usage = answer.usage;
            match answer.usage {
                Some(_) => exchange.tap.see_end(&answer.body),
                None => exchange.tap.see(&answer.body),
            }
            exchange.end(Ending::Answered);
            exchange.settle();
            (headers, losses, Content::Whole(answer.body))
        }
        Reply::Stream { stream, headers, losses } => (headers, losses, Content::Stream(stream)),
    };
    let mut out = HeaderMap::with_capacity(16);
    from_upstream(&mut out, &headers);
    ours(&mut out, &exchange);
    if !losses.is_empty() {
        out.insert(TRANSLATION, translation(&losses));
    }
    let body = match content {
        Content::Whole(bytes) => {
            out.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Body::from(bytes)
        }
        Content::Stream(stream) => {
            out.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
            out.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            out.insert("x-accel-buffering", HeaderValue::from_static("no")); // nginx would hold events back
            if stream.has_begun() {
                exchange.content_began();
            }
            Body::new(StreamBody { stream, exchange, _entries: entries, ended: false })
        }
    };
    let mut response = Response::new(body);
    *response.headers_mut() = out;
    response
}

enum Content {
    Whole(Bytes),
    Stream(Box<UpstreamStream>),
}

/// A refusal, with the same headers that an answer has.
pub(super) fn refusal(mut exchange: Box<Exchange>, refusal: &Refusal) -> Response {
    let mut response = status::page(refusal);
    exchange.status = response.status().as_u16();
    exchange.error = Some(refusal.message.as_ref().into());
    exchange.end(Ending::Answered);
    exchange.settle();
    if let Some(headers) = &refusal.upstream_headers {
        from_upstream(response.headers_mut(), headers);
    }
    ours(response.headers_mut(), &exchange);
    response
}

fn ours(out: &mut HeaderMap, exchange: &Exchange) {
    let id = HeaderValue::from_str(&exchange.request_id).unwrap_or(HeaderValue::from_static(""));
    let trace = exchange.trace_id.as_deref().and_then(|trace| HeaderValue::from_str(trace).ok());
    out.insert(TRACE_ID, trace.unwrap_or_else(|| id.clone()));
    out.insert(REQUEST_ID, id.clone());
    out.insert(PRISM_REQUEST_ID, id);
    if let Some(destination) = &exchange.destination {
        out.insert(PROVIDER, destination.provider_header.clone());
        out.insert(MODEL_USED, destination.model_header.clone());
        out.insert(STRATEGY, HeaderValue::from_static(exchange.strategy.name()));
    }
    if let Some(cost) = exchange.cost().and_then(|cost| HeaderValue::try_from(cost.to_string()).ok()) {
        out.insert(COST, cost);
    }
    limited::show(out, &exchange.standing);
    out.insert(LATENCY, elapsed(exchange.began).into());
    if !exchange.timeout.is_zero() {
        out.insert(TIMEOUT, HeaderValue::from(u64::try_from(exchange.timeout.as_millis()).unwrap_or(u64::MAX)));
    }
    out.insert(ATTEMPTS, exchange.attempts().into());
    out.insert(FALLBACK_USED, HeaderValue::from_static(if exchange.fell_back { "true" } else { "false" }));
}

/// The few headers of a provider that mean something to a client; everything else stays behind.
fn from_upstream(out: &mut HeaderMap, upstream: &HeaderMap) {
    for (name, value) in upstream {
        if name.as_str().starts_with("x-ratelimit-") {
            out.insert(name, value.clone());
        }
    }
}

/// `logit_bias=dropped, messages[].name=dropped`.
fn translation(losses: &[Loss]) -> HeaderValue {
    let text: Vec<String> = losses
        .iter()
        .map(|loss| {
            let fate = match loss.fate {
                Fate::Dropped => "dropped",
                Fate::Approximated => "approximated",
            };
            format!("{}={fate}", loss.field)
        })
        .collect();
    HeaderValue::from_str(&text.join(", ")).unwrap_or(HeaderValue::from_static("lossy"))
}

/// A stream to the client: it is read from upstream only as fast as the client reads it.
struct StreamBody {
    stream: Box<UpstreamStream>,
    exchange: Box<Exchange>,
    _entries: Entries,
    ended: bool,
}

impl StreamBody {
    fn end(&mut self, ending: Ending) {
        self.ended = true;
        self.exchange.end(ending);
    }

    /// The cost goes into the one usage chunk; what has none passes as it is.
    fn with_cost(&mut self, piece: Bytes) -> Bytes {
        self.exchange.usage = self.stream.usage();
        match self.exchange.cost().and_then(|cost| with_cost(&piece, cost)) {
            Some(priced) => {
                self.exchange.include_cost = false;
                priced
            }
            None => piece,
        }
    }
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let polled = this.stream.poll_next(cx);
        if this.exchange.first_content.is_none() && this.stream.has_begun() {
            this.exchange.content_began();
        }
        let piece = match polled {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(piece))) if this.exchange.include_cost => this.with_cost(piece),
            Poll::Ready(Some(Ok(piece))) => piece,
            Poll::Ready(Some(Err(refusal))) => {
                this.exchange.usage = this.stream.usage();
                this.exchange.error = Some(refusal.message.as_ref().into());
                this.end(Ending::Cut);
                error_event(&refusal, this.stream.is_midway())
            }
            Poll::Ready(None) => {
                this.exchange.usage = this.stream.usage();
                this.end(Ending::Answered);
                return Poll::Ready(None);
            }
        };
        this.exchange.tap.see(&piece);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        if !self.ended {
            self.exchange.usage = self.stream.usage();
        }
    }
}

/// The official SDKs raise their `APIError` on a `data` object with `error`; no `[DONE]` follows it.
fn error_event(refusal: &Refusal, midway: bool) -> Bytes {
    let mut event = if midway { b"\n\ndata: ".to_vec() } else { b"data: ".to_vec() };
    event.extend_from_slice(&status::envelope(refusal));
    event.extend_from_slice(b"\n\n");
    event.into()
}
