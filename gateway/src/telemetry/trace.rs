//! What is traced of a request: W3C's context in and out, and the request with its attempts when it is over.
//!
//! Nothing is made while a request runs but its ids. Its spans are written by the exporter (`traces`) from what the
//! drop of the exchange hands over; when the exporter is behind, they are dropped and counted.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use http::HeaderValue;
use prometheus::IntCounter;
use smallvec::SmallVec;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Attempted, Place};
use crate::{
    api::{Endpoint, TokenUsage},
    config::Strategy,
    money::Usd,
};

/// Traced requests that wait for the exporter; beyond it they are dropped.
const MOST_WAITING: usize = 4096;
/// Attempts of one request have ids that differ by this odd number, so that none has to be kept.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// One span among all traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanContext {
    pub trace_id: u128,
    pub span_id: u64,
}

impl SpanContext {
    /// The span of a request's attempt.
    #[must_use]
    pub fn attempt(self, number: usize) -> Self {
        let nth = (number as u64 + 1).wrapping_mul(STRIDE);
        Self { span_id: (self.span_id ^ nth).max(1), ..self }
    }

    /// `traceparent` for whoever is called. <https://www.w3.org/TR/trace-context/#traceparent-header>
    pub fn traceparent(self) -> HeaderValue {
        let text = format!("00-{:032x}-{:016x}-01", self.trace_id, self.span_id);
        HeaderValue::from_str(&text).expect("hexadecimal digits")
    }
}

/// What a caller's `traceparent` says: its span, and whether it is traced.
fn parent(traceparent: &HeaderValue) -> Option<(SpanContext, bool)> {
    let text = traceparent.to_str().ok()?.trim();
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let known = version.len() == 2 && version != "ff" && (version != "00" || parts.next().is_none());
    let sized = trace.len() == 32 && span.len() == 16 && flags.len() == 2;
    if !known || !sized || ![version, trace, span, flags].into_iter().all(is_hex) {
        return None;
    }
    let trace_id = u128::from_str_radix(trace, 16).ok().filter(|&id| id != 0)?;
    let span_id = u64::from_str_radix(span, 16).ok().filter(|&id| id != 0)?;
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some((SpanContext { trace_id, span_id }, flags & 1 == 1))
}

/// Decides what is traced and hands it to the exporter.
pub struct Tracer {
    queue: mpsc::Sender<Box<Traced>>,
    sample_rate: f64,
    dropped: IntCounter,
    closed: CancellationToken,
}

impl Tracer {
    /// The tracer, and what its exporter takes from. `dropped` counts the requests whose spans there was no room for.
    pub fn new(sample_rate: f64, dropped: IntCounter) -> (Arc<Self>, mpsc::Receiver<Box<Traced>>) {
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        (Arc::new(Self { queue, sample_rate, dropped, closed: CancellationToken::new() }), waiting)
    }

    /// The exporter sends what it has and ends.
    pub fn close(&self) {
        self.closed.cancel();
    }

    pub fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// The trace of a request that begins now; `None` when it is not to be traced. Who calls decides, as far as it says.
    pub fn begin(self: &Arc<Self>, traceparent: Option<&HeaderValue>) -> Option<Trace> {
        let parent = traceparent.and_then(parent);
        let sampled = parent.map_or_else(|| fastrand::f64() < self.sample_rate, |(_, sampled)| sampled);
        sampled.then(|| Trace {
            tracer: self.clone(),
            span: SpanContext {
                trace_id: parent.map_or_else(|| fastrand::u128(1..), |(parent, _)| parent.trace_id),
                span_id: fastrand::u64(1..),
            },
            parent: parent.map(|(parent, _)| parent.span_id),
            started: SystemTime::now(),
            conversation: None,
        })
    }
}

/// A request that is traced.
pub struct Trace {
    tracer: Arc<Tracer>,
    pub span: SpanContext,
    pub parent: Option<u64>,
    pub started: SystemTime,
    /// `gen_ai.conversation.id`: the session.
    pub conversation: Option<Box<str>>,
}

impl Trace {
    /// `x-prism-trace-id`, where the client has given none of its own.
    pub fn id(&self) -> Box<str> {
        format!("{:032x}", self.span.trace_id).into()
    }

    pub(super) fn finish(self, request: impl FnOnce(Self) -> Traced) {
        let tracer = self.tracer.clone();
        if tracer.queue.try_send(Box::new(request(self))).is_err() {
            tracer.dropped.inc();
        }
    }
}

/// A traced request that is over.
pub struct Traced {
    pub trace: Trace,
    /// `trace.started`, on the clock of its attempts.
    pub began: Instant,
    pub took: Duration,
    pub request_id: String,
    pub endpoint: Endpoint,
    pub stream: bool,
    pub status: u16,
    /// It did not end as it should.
    pub error: Option<Box<str>>,
    pub key: Option<Arc<str>>,
    pub model: Option<Box<str>>,
    pub served_by: Option<Arc<Place>>,
    pub strategy: Strategy,
    pub usage: Option<TokenUsage>,
    pub cost: Option<Usd>,
    pub finish_reason: Option<Box<str>>,
    pub first_content: Option<Duration>,
    pub attempts: SmallVec<[Attempted; 1]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Option<(SpanContext, bool)> {
        parent(&HeaderValue::from_static(text))
    }

    #[test]
    fn a_traceparent_is_read_as_w3c_says() {
        let span = SpanContext { trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, span_id: 0x00f0_67aa_0ba9_02b7 };
        assert_eq!(read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), Some((span, true)));
        assert_eq!(read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"), Some((span, false)));
        assert_eq!(read("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"), Some((span, true)));
        assert_eq!(span.traceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn who_calls_decides_and_else_the_rate() {
        let counter = || IntCounter::new("dropped", "x").unwrap();
        let (never, _waiting) = Tracer::new(0.0, counter());
        let (always, _waiting) = Tracer::new(1.0, counter());
        let sampled = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let not = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
        assert!(never.begin(None).is_none() && always.begin(Some(&not)).is_none());
        let trace = never.begin(Some(&sampled)).unwrap();
        assert_eq!((trace.parent, &*trace.id()), (Some(0x00f0_67aa_0ba9_02b7), "4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_ne!(trace.span.span_id, 0x00f0_67aa_0ba9_02b7);
        assert_ne!(trace.span.attempt(0), trace.span.attempt(1));
    }
}
