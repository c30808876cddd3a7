//! What is left of a call when its answer is a stream: pulled by the client, bounded by what one read brings.

use std::{
    collections::VecDeque,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::Body;
use tokio::time::{Instant, Sleep};

use super::{
    attempt::Attempt,
    call::{broken, too_slow},
    defect,
    pace::Pace,
};
use crate::{
    api::TokenUsage,
    refusal::{Cause, Refusal},
    transport::UpstreamBody,
    wire::StreamDecoder,
};

/// The head is held back this long for a first event that is not an error, so that failover stays possible; then it is
/// sent with a comment, so that no proxy on the way takes the silence for death.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const KEEP_ALIVE_COMMENT: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// A 2xx stream of which nothing has been read.
pub(super) struct Unopened {
    pub body: UpstreamBody,
    pub decoder: Box<dyn StreamDecoder>,
    /// When the first content must have arrived.
    pub first_content: Instant,
    pub idle: Duration,
}

impl Unopened {
    pub(super) fn carrying(self, attempt: Attempt) -> UpstreamStream {
        let now = Instant::now();
        UpstreamStream {
            body: self.body,
            decoder: self.decoder,
            out: VecDeque::with_capacity(4),
            attempt,
            first_content: self.first_content,
            idle: self.idle,
            last_read: now,
            next_comment: now + KEEP_ALIVE,
            pace: Pace::default(),
            resting: None,
            timer: None,
            upstream_ended: false,
            ended: false,
        }
    }
}

/// A running stream: what the client gets, one piece at a time.
pub struct UpstreamStream {
    body: UpstreamBody,
    decoder: Box<dyn StreamDecoder>,
    out: VecDeque<Bytes>,
    attempt: Attempt,
    first_content: Instant,
    idle: Duration,
    last_read: Instant,
    next_comment: Instant,
    pace: Pace,
    /// Until when others have their turn.
    resting: Option<Instant>,
    /// May fire early, never late: a read only notes its time, and the timer is moved when it fires.
    timer: Option<Pin<Box<Sleep>>>,
    upstream_ended: bool,
    ended: bool,
}

impl UpstreamStream {
    /// Reads until the first event, so that an error in its place is still an error answer. Returns early when the
    /// provider is silent for long.
    ///
    /// # Errors
    /// When the stream begins with an error, ends before it began, or is too slow.
    pub(super) async fn open(&mut self) -> Result<(), Refusal> {
        std::future::poll_fn(|cx| self.poll_open(cx)).await
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        loop {
            if let Some(refusal) = &self.decoder.seen().error {
                let refusal = refusal.clone();
                return Poll::Ready(Err(self.fail(refusal)));
            }
            if self.decoder.seen().event || self.decoder.seen().complete {
                return Poll::Ready(Ok(()));
            }
            if self.upstream_ended {
                let refusal = Refusal::new(Cause::Upstream, "the provider's stream ended before it began");
                return Poll::Ready(Err(self.fail(refusal)));
            }
            match self.poll_read(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(refusal)) => return Poll::Ready(Err(self.fail(refusal))),
                Poll::Pending if Instant::now() >= self.next_comment => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// The next piece for the client; `None` when the stream has ended well, an error when it has not.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Refusal>>> {
        loop {
            if let Some(piece) = self.out.pop_front() {
                self.pace.passed(piece.len());
                return Poll::Ready(Some(Ok(piece)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            if let Some(refusal) = &self.decoder.seen().error {
                let refusal = refusal.clone();
                return Poll::Ready(Some(Err(self.fail(refusal))));
            }
            if let Some(until) = self.resting {
                ready!(self.poll_rest(until, cx));
                self.resting = None;
            }
            if self.pace.is_over() {
                self.resting = self.pace.next_turn();
                if self.resting.is_some() {
                    continue;
                }
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.upstream_ended {
                if self.decoder.seen().complete {
                    self.ended = true;
                    self.attempt.succeed(self.decoder.seen().usage);
                    return Poll::Ready(None);
                }
                let refusal = Refusal::new(Cause::Upstream, "the provider's stream was cut short").code("stream_cut");
                return Poll::Ready(Some(Err(self.fail(refusal))));
            }
            match self.poll_read(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(refusal)) => return Poll::Ready(Some(Err(self.fail(refusal)))),
                Poll::Pending if self.comment_is_due() => return Poll::Ready(Some(Ok(KEEP_ALIVE_COMMENT))),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    pub fn usage(&self) -> Option<TokenUsage> {
        self.decoder.seen().usage
    }

    /// Whether the first event has arrived.
    pub fn has_begun(&self) -> bool {
        self.decoder.seen().event
    }

    /// Whether what was given out so far ends inside an event.
    pub fn is_midway(&self) -> bool {
        self.decoder.seen().midway
    }

    fn fail(&mut self, refusal: Refusal) -> Refusal {
        self.ended = true;
        self.attempt.fail(&refusal);
        refusal
    }

    /// Reads once from upstream and decodes what came.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        let read = catch_unwind(AssertUnwindSafe(|| self.read(cx)));
        read.unwrap_or_else(|_| Poll::Ready(Err(defect::found(&self.attempt.lease.core))))
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.last_read = Instant::now();
                let had_begun = self.has_begun();
                if let Ok(data) = frame.into_data() {
                    self.decoder.feed(data, &mut self.out);
                }
                if !had_begun && self.has_begun() {
                    self.attempt.flows();
                }
                if self.body.is_end_stream() {
                    self.upstream_end();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Some(Err(error))) => {
                // whatever was whole has been passed on; a stream that had said it was complete is not made a failure
                if self.decoder.seen().complete {
                    self.upstream_end();
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Err(broken(&error).code("stream_cut")))
            }
            Poll::Ready(None) => {
                self.upstream_end();
                Poll::Ready(Ok(()))
            }
            Poll::Pending => self.poll_patience(cx),
        }
    }

    fn upstream_end(&mut self) {
        if !self.upstream_ended {
            self.upstream_ended = true;
            self.decoder.end(&mut self.out);
        }
    }

    /// Nothing has arrived: waits for the earliest of what silence leads to.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        loop {
            let limit = self.limit();
            let wake = if self.has_begun() { limit } else { limit.min(self.next_comment) };
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(wake)));
            if timer.deadline() > wake {
                timer.as_mut().reset(wake);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if now >= limit {
                let silent =
                    Refusal::new(Cause::UpstreamTimeout, "the provider's stream fell silent").code("stream_idle");
                return Poll::Ready(Err(if self.has_begun() { silent } else { too_slow() }));
            }
            let fired_early = now < wake;
            let next = if fired_early { wake } else { now + KEEP_ALIVE.min(limit - now) };
            timer.as_mut().reset(next);
            if !fired_early {
                let _ = timer.as_mut().poll(cx);
                return Poll::Pending;
            }
        }
    }

    fn poll_rest(&mut self, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx)
    }

    /// When silence becomes a failure.
    fn limit(&self) -> Instant {
        if self.has_begun() { self.last_read + self.idle } else { self.first_content }
    }

    fn comment_is_due(&mut self) -> bool {
        let now = Instant::now();
        let due = !self.has_begun() && !self.is_midway() && now >= self.next_comment;
        if due {
            self.next_comment = now + KEEP_ALIVE;
        }
        due
    }
}
