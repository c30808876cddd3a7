//! Requests that may come twice (`Idempotency-Key`) and streams that survive a lost connection (`x-prism-resumable`,
//! `Last-Event-ID`): one upstream call, recorded, and read by whoever asks for it again.
//!
//! Only such requests come here; all others go straight on.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE},
    response::Response,
};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;

use super::{
    Gateway,
    asked::{Asked, credential},
    body, call, recorded, reply,
};
use crate::{
    admission::{Caller, Entry},
    api::{ClientRequest, Endpoint},
    ids,
    refusal::{Cause, Refusal},
    replay::{Claim, Fingerprint, Head, Name, Numbered, Reader, Recording},
    telemetry::{Ending, Exchange},
    wire::openai,
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
static RESUMABLE: [HeaderName; 2] =
    [HeaderName::from_static("x-prism-resumable"), HeaderName::from_static("x-agentcc-resumable")];
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// An answer with a key of its own is kept this long after its end.
const KEEP: Duration = Duration::from_secs(600);
/// Longest time that a client may ask a stream to be kept for.
const MOST_RESUMABLE: u64 = 3600;
const MAX_KEY: usize = 255;

/// What a request asks of its answer's keeping.
struct Wish<'a> {
    key: Option<&'a str>,
    /// How long the upstream call outlives the last client, and the answer its end.
    resumable: Option<Duration>,
    /// The stream, and the last of its events that the client has.
    after: Option<(&'a str, usize)>,
}

/// Whether a request asks for any of it.
pub(super) fn is_asked(headers: &HeaderMap) -> bool {
    // few headers: to compare their names is less than to look four up
    headers.keys().any(|name| *name == IDEMPOTENCY_KEY || *name == LAST_EVENT_ID || RESUMABLE.contains(name))
}

/// Answers a request that does.
pub(super) async fn serve(gateway: &Arc<Gateway>, endpoint: Endpoint, request: Request) -> Response {
    match answer(gateway, endpoint, request).await {
        Ok(response) => response,
        Err(refusal) => reply::refusal(Exchange::begin(&gateway.metrics, endpoint), &refusal),
    }
}

async fn answer(gateway: &Arc<Gateway>, endpoint: Endpoint, request: Request) -> Result<Response, Refusal> {
    // while its body is read, and while it reads what others have asked for; a call of its own enters by itself
    let entry = gateway.door.enter().ok_or_else(call::overloaded)?;
    let (head, body) = request.into_parts();
    let wish = Wish::read(&head.headers)?;
    // who asks comes before what is kept; the call itself checks again, and all the rest
    let caller = call::admit(gateway, credential(&head.headers), call::peer(&head, gateway))?;
    let owner = caller.as_ref().map(|caller| caller.name.clone());
    let body = body::json(gateway, &head.headers, body).await?;
    let fingerprint = Fingerprint::of(endpoint.path(), &body);

    if let Some((stream, last)) = wish.after {
        let name = Name::Stream { owner, id: stream.into() };
        let recording = gateway.replays.find(&name, Instant::now());
        let reader = recording.and_then(|recording| recording.reader(last.checked_add(1)?)).ok_or_else(not_kept)?;
        return continued(gateway, reader, entry).await;
    }
    let stream = ids::request_id(SystemTime::now());
    let mut names = Vec::with_capacity(2);
    if let Some(key) = wish.key {
        names.push(Name::Idempotency { owner: owner.clone(), key: key.into() });
    }
    if wish.resumable.is_some() {
        names.push(Name::Stream { owner: owner.clone(), id: stream.as_str().into() });
    }
    let recording = match gateway.replays.claim(&names, fingerprint, Instant::now()) {
        Claim::New(recording) => recording,
        Claim::Known(recording) => match recording.reader(0) {
            Some(reader) => {
                let asked = Asked::read(&head.headers)?;
                let request = openai::read(endpoint, body)?;
                return replayed(gateway, Again { asked, request, caller }, reader, entry).await;
            }
            None => return Err(too_long()),
        },
        Claim::Other => return Err(another_request()),
        Claim::Full => return Err(full()),
    };
    let reader = recording.reader(0).ok_or_else(not_kept)?;
    let resumable = wish.resumable;
    let request = Request::from_parts(head, Body::from(body));
    drop(entry);
    let writer = Writer { gateway: gateway.clone(), recording, names, stream, resumable, kept: false };
    tokio::spawn(writer.write(endpoint, request));
    let head = reader.head().await.ok_or_else(not_kept)?;
    Ok(response(head, Body::new(reader)))
}

/// Makes the call and records its answer. Whatever ends it, nobody waits for it any longer.
struct Writer {
    gateway: Arc<Gateway>,
    recording: Arc<Recording>,
    names: Vec<Name>,
    stream: String,
    resumable: Option<Duration>,
    kept: bool,
}

impl Writer {
    async fn write(mut self, endpoint: Endpoint, request: Request) {
        let recording = self.recording.clone();
        let grace = self.resumable.unwrap_or(Duration::ZERO);
        tokio::select! {
            biased;
            () = self.record(endpoint, request) => {}
            // nobody is left who wants it: the upstream call ends with this future
            () = recording.deserted(grace) => return,
        }
        if !self.kept {
            return;
        }
        let keep = self.resumable.map_or(KEEP, |asked| asked.max(if self.names.len() > 1 { KEEP } else { asked }));
        self.gateway.replays.keep(self.names.clone(), &recording, Instant::now(), keep);
        tokio::time::sleep(keep).await;
        self.gateway.replays.sweep(Instant::now());
    }

    async fn record(&mut self, endpoint: Endpoint, request: Request) {
        let (head, mut body) = call::straight(&self.gateway, endpoint, request).await.into_parts();
        let status = head.status;
        let events =
            head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        self.recording.begin(Head { status, headers: head.headers });
        let mut numbered = (self.resumable.is_some() && events).then(|| Numbered::new(&self.stream));
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(data) = frame.into_data() else { continue };
            let Some(numbered) = &mut numbered else {
                // a copy: what is kept has a bound of its own, and must not hold the memory that others wait for
                self.recording.push(Bytes::copy_from_slice(&data)).await;
                continue;
            };
            let mut pieces = Vec::new();
            numbered.feed(&data, |event| pieces.push(event));
            for piece in pieces {
                self.recording.push(piece).await;
            }
        }
        if let Some(rest) = numbered.as_mut().and_then(Numbered::end) {
            self.recording.push(rest).await;
        }
        self.recording.finish();
        // a failure is not what the next request should get, and half of a long answer is no answer
        self.kept = status.is_success() && self.recording.is_whole();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.recording.abandon();
        if !self.kept {
            self.gateway.replays.forget(&self.names);
        }
    }
}

/// The rest of a stream whose connection was lost: the request goes on that has asked for it.
async fn continued(gateway: &Gateway, reader: Reader, entry: Entry) -> Result<Response, Refusal> {
    gateway.metrics.replays.inc();
    let head = replayed_head(&reader).await?;
    let held = reader.map_frame(move |frame| {
        let _ = &entry;
        frame
    });
    Ok(response(head, Body::new(held)))
}

/// A request whose answer there is already.
struct Again<'a> {
    asked: Asked<'a>,
    request: ClientRequest,
    caller: Option<Arc<Caller>>,
}

/// What somebody else has asked for; the place at the door is kept until it has been read. The request is one of its own: it
/// leaves an event that says that nothing was asked upstream.
async fn replayed(gateway: &Gateway, again: Again<'_>, reader: Reader, entry: Entry) -> Result<Response, Refusal> {
    gateway.metrics.replays.inc();
    let Again { asked, request, caller } = again;
    let head = replayed_head(&reader).await?;
    let mut exchange = Exchange::begin(&gateway.metrics, request.endpoint);
    exchange.key = caller.as_ref().map(|caller| caller.name.clone());
    exchange.organisation = caller.as_ref().map(|caller| caller.organisation.clone());
    exchange.model = Some(request.envelope.model.clone());
    exchange.stream = request.envelope.stream;
    if let Err(refusal) = recorded::admit(gateway, &mut exchange, &request, &asked) {
        return Ok(reply::refusal(exchange, &refusal));
    }
    exchange.status = head.status.as_u16();
    Ok(response(head, Body::new(Replay { reader, exchange, _entry: entry })))
}

async fn replayed_head(reader: &Reader) -> Result<Head, Refusal> {
    let mut head = reader.head().await.ok_or_else(not_kept)?;
    head.headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(head)
}

/// A kept answer on its way to a client.
struct Replay {
    reader: Reader,
    exchange: Box<Exchange>,
    _entry: Entry,
}

impl http_body::Body for Replay {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.reader).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) {
            self.exchange.end(Ending::Replayed);
        }
        polled
    }
}

fn response(head: Head, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    response
}

impl<'a> Wish<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        let text =
            |name: &HeaderName| headers.get(name).map(|value| value.to_str().map_err(|_| bad(name, "is not ASCII")));
        let key = text(&IDEMPOTENCY_KEY).transpose()?;
        if key.is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
            return Err(bad(&IDEMPOTENCY_KEY, "must be 1 to 255 characters"));
        }
        let asked = RESUMABLE.iter().find_map(|name| Some((name, text(name)?)));
        let resumable = match asked {
            None => None,
            Some((name, seconds)) => match seconds?.trim().parse::<u64>() {
                Ok(seconds @ 1..=MOST_RESUMABLE) => Some(Duration::from_secs(seconds)),
                _ => return Err(bad(name, "must be a whole number of seconds from 1 to 3600")),
            },
        };
        let after = match text(&LAST_EVENT_ID).transpose()? {
            None => None,
            Some(id) => {
                let parsed = id.rsplit_once(':').and_then(|(stream, last)| Some((stream, last.parse().ok()?)));
                Some(parsed.ok_or_else(|| bad(&LAST_EVENT_ID, "is not the id of an event of this gateway"))?)
            }
        };
        Ok(Self { key, resumable, after })
    }
}

fn bad(name: &HeaderName, what: &str) -> Refusal {
    Refusal::invalid(name.as_str().to_owned(), format!("header `{name}` {what}"))
}

fn another_request() -> Refusal {
    let message = "this `Idempotency-Key` was used with another request; a new request needs a new key";
    Refusal::new(Cause::Unprocessable, message).param("idempotency-key").code("idempotency_key_reused")
}

fn too_long() -> Refusal {
    let message = "the answer to this `Idempotency-Key` is under way and too long to be sent from its beginning again";
    Refusal::new(Cause::Conflict, message).param("idempotency-key").code("idempotency_conflict")
}

fn not_kept() -> Refusal {
    let message = "the answer is not kept any more: its time is over, its client left, or it was too long";
    Refusal::new(Cause::NotFound, message).param("last-event-id").code("stream_not_kept")
}

fn full() -> Refusal {
    Refusal::new(Cause::Overloaded, "too many answers are remembered at the moment")
        .code("gateway_full")
        .retry_after(Some(Duration::from_secs(1)))
}
