//! One upstream call: send, read the answer, account for it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, response::Parts};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::{
    Lease, ProviderCore, UpstreamStream,
    attempt::Attempt,
    defect,
    follow::{Due, follow},
    media, parts,
};
use crate::{
    api::ClientRequest,
    body::{Partial, collect},
    memory::{Full, Share},
    refusal::{Cause, Refusal},
    telemetry::SpanContext,
    transport::{MediaFetcher, TransportError, UpstreamBody},
    wire::{Answer, Loss, Payload, Target, Upstream},
};

/// A whole answer is held in memory; 2,048 embeddings of 3,072 dimensions are about 130 MB of JSON.
pub(super) const MAX_ANSWER: u64 = 256 << 20;
/// Error bodies are read this far.
const MAX_ERROR: usize = 64 << 10;
/// <https://www.w3.org/TR/trace-context/>
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const ERROR_TIMEOUT: Duration = Duration::from_secs(5);

/// What an answer is when its head has arrived and its body may.
pub enum Reply {
    Whole { answer: Answer, headers: HeaderMap, losses: Vec<Loss> },
    Stream { stream: Box<UpstreamStream>, headers: HeaderMap, losses: Vec<Loss> },
}

/// How long one attempt may take.
#[derive(Clone, Copy)]
pub struct Bounds<'a> {
    /// Until the whole answer, or a stream's first content.
    pub deadline: Instant,
    /// The caller chose that deadline: missing it need not be the provider's fault.
    pub hurried: bool,
    /// The request accepts no loss (`x-prism-strict`).
    pub strict: bool,
    /// What may fetch the media that the request names by address; `None` when nothing may.
    pub media: Option<&'a MediaFetcher>,
    /// The attempt's span; `None` when it is not traced.
    pub span: Option<SpanContext>,
}

/// Calls the provider once. Dropping the future ends the upstream call.
///
/// # Errors
/// Why there is no answer; [`Cause::fails_over`] says whether another provider may have one.
pub async fn attempt(lease: Lease, request: &ClientRequest, model: &str, bounds: Bounds<'_>) -> Result<Reply, Refusal> {
    let core = lease.core.clone();
    media::gather(&lease, request, bounds).await?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let target = Target { model, quirks: core.config.quirks, settings: &core.config.settings, now };
    let upstream = defect::contained(&core, || core.format.request(request, target))?;
    if bounds.strict && !upstream.losses.is_empty() {
        return Err(lossy(&upstream.losses));
    }
    // what is translated, in memory until the answer begins
    let mut translated = Share::default();
    let made = upstream.made_beside(&request.body);
    translated.grow(&core.memory, made).map_err(|Full| Refusal::no_room("the request in the provider's format"))?;
    let mut attempt = Attempt::begin(lease, request.envelope.stream);
    let result = defect::contained_in(&core, call(&core, request, upstream, bounds, &mut attempt)).await;
    match result {
        Ok(Called::Whole { answer, headers, losses }) => {
            attempt.succeed(answer.usage);
            Ok(Reply::Whole { answer, headers, losses })
        }
        Ok(Called::Stream { stream, headers, losses }) => {
            let mut stream = stream.carrying(attempt);
            stream.open().await?;
            Ok(Reply::Stream { stream: Box::new(stream), headers, losses })
        }
        Err(refusal) => {
            attempt.fail(&refusal);
            Err(refusal)
        }
    }
}

enum Called {
    Whole { answer: Answer, headers: HeaderMap, losses: Vec<Loss> },
    Stream { stream: super::stream::Unopened, headers: HeaderMap, losses: Vec<Loss> },
}

async fn call(
    core: &Arc<ProviderCore>,
    request: &ClientRequest,
    upstream: Upstream,
    bounds: Bounds<'_>,
    attempt: &mut Attempt,
) -> Result<Called, Refusal> {
    let timeouts = &core.config.timeouts;
    let patience = if request.envelope.stream { timeouts.first_byte } else { timeouts.request };
    let sending = Sending { key: attempt.lease.key, deadline: attempt.bound(&bounds, patience), span: bounds.span };
    if !upstream.more.is_empty() {
        let losses = upstream.losses.clone();
        // what is rare is kept out of every other request's memory, here and below
        let (answer, headers) = Box::pin(parts::send(core, upstream, sending, attempt)).await?;
        return Ok(Called::Whole { answer, headers, losses });
    }
    let Upstream { path, headers, body, losses, reading, .. } = upstream;
    let (head, body) = match core.format.jobs() {
        None => send(core, &path, headers, body, sending).await?,
        Some(jobs) => {
            let whole = bounds.deadline.min(attempt.began + timeouts.request);
            let due = Due { stream: request.envelope.stream, first: sending.deadline, whole };
            let followed = async {
                let outgoing = prepared(core, &path, headers, body, sending).await?;
                follow(core, jobs, outgoing, due).await
            };
            Box::pin(followed).await?
        }
    };
    attempt.answered(&head.headers);

    if !head.status.is_success() {
        return Err(refused(core, head, body, sending.deadline).await);
    }
    if request.envelope.stream && is_event_stream(&head) {
        let decoder = core.format.stream(&reading);
        let stream = super::stream::Unopened { body, decoder, first_content: sending.deadline, idle: timeouts.idle };
        return Ok(Called::Stream { stream, headers: head.headers, losses });
    }
    let (body, share) = timeout_at(sending.deadline, whole(core, body)).await.map_err(|_| too_slow())??;
    let mut answer = core.format.answer(&reading, &head.headers, body)?;
    answer.body = share.around(answer.body);
    if request.envelope.stream {
        // a 200 that is no stream was asked for as one: unreadable for a client that waits for events
        return Err(Refusal::new(Cause::Upstream, "the provider answered a stream request without a stream"));
    }
    Ok(Called::Whole { answer, headers: head.headers, losses })
}

/// Server-sent events, or AWS's binary ones.
pub(super) fn is_event_stream(head: &Parts) -> bool {
    const KINDS: [&[u8]; 2] = [b"text/event-stream", b"application/vnd.amazon.eventstream"];
    let kind = head.headers.get(http::header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    KINDS.iter().any(|wanted| kind.get(..wanted.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(wanted)))
}

/// With which of the provider's keys a request goes, and when its answer is too late.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending {
    pub key: usize,
    pub deadline: Instant,
    pub span: Option<SpanContext>,
}

/// A request with its credential, ready to go.
async fn prepared(
    core: &ProviderCore,
    path: &str,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Payload,
    Sending { key, deadline, span }: Sending,
) -> Result<http::Request<Payload>, Refusal> {
    let mut outgoing = http::Request::new(body);
    *outgoing.method_mut() = Method::POST;
    *outgoing.uri_mut() = core.uri(path)?;
    *outgoing.headers_mut() = core.headers(key);
    outgoing.headers_mut().extend(headers);
    if let Some(span) = span {
        outgoing.headers_mut().insert(TRACEPARENT, span.traceparent());
    }
    timeout_at(deadline, core.authorise(&mut outgoing)).await.map_err(|_| too_slow())??;
    Ok(outgoing)
}

/// Sends one request and waits for the head of its answer.
///
/// # Errors
/// When none arrives.
pub(super) async fn send(
    core: &ProviderCore,
    path: &str,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Payload,
    sending: Sending,
) -> Result<(Parts, UpstreamBody), Refusal> {
    let outgoing = prepared(core, path, headers, body, sending).await?;
    let response = timeout_at(sending.deadline, core.transport.send(outgoing)).await.map_err(|_| too_slow())?;
    Ok(response.map_err(|error| unreachable(&error))?.into_parts())
}

/// The whole answer, and the memory that it takes.
pub(super) async fn whole(core: &ProviderCore, body: UpstreamBody) -> Result<(Bytes, Share), Refusal> {
    collect(body, MAX_ANSWER, &core.memory).await.map_err(|partial| match partial {
        Partial::TooLarge => too_large(),
        Partial::NoRoom(_) => Refusal::no_room("the provider's answer"),
        Partial::Broken(error) => broken(&error),
    })
}

pub(super) fn too_large() -> Refusal {
    Refusal::new(Cause::Upstream, "the provider's answer is too large")
}

/// Reads as much of an error body as it takes to name the cause; a slow one is judged by its status alone.
pub(super) async fn refused(core: &ProviderCore, head: Parts, mut body: UpstreamBody, deadline: Instant) -> Refusal {
    let mut text = BytesMut::new();
    let until = deadline.min(Instant::now() + ERROR_TIMEOUT);
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(data) = frame.into_data() {
                text.extend_from_slice(&data[..data.len().min(MAX_ERROR - text.len())]);
            }
            if text.len() >= MAX_ERROR {
                break;
            }
        }
    };
    let _ = timeout_at(until, reading).await;
    let status = match head.status {
        // no redirect is followed: its target was not configured
        moved if moved.is_redirection() => StatusCode::BAD_GATEWAY,
        other => other,
    };
    let refusal = core.format.refusal(status, &head.headers, &text);
    refusal.upstream_status(head.status.as_u16()).upstream_headers(head.headers)
}

/// What the caller is told; the addresses that an error may name go to the log only.
pub(super) fn unreachable(error: &TransportError) -> Refusal {
    match error {
        TransportError::Connect(_) => Refusal::new(Cause::Unreachable, "could not connect to the provider"),
        TransportError::ConnectTimeout => {
            Refusal::new(Cause::UpstreamTimeout, "connecting to the provider took too long")
        }
        TransportError::Broken(_) => broken(error),
    }
}

pub(super) fn broken(_: &TransportError) -> Refusal {
    Refusal::new(Cause::Unreachable, "the connection to the provider broke")
}

pub(super) fn too_slow() -> Refusal {
    Refusal::new(Cause::UpstreamTimeout, "the provider did not answer in time")
}

fn lossy(losses: &[Loss]) -> Refusal {
    let fields: Vec<_> = losses.iter().map(|loss| format!("`{}`", loss.field)).collect();
    let message = format!("strict: the provider that serves this model does not take {}", fields.join(", "));
    let param = losses[0].field.clone();
    Refusal::invalid(param, message).code("lossy_translation")
}
