//! Bodies of answers: a whole one, or server-sent events at a pace.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep};

use crate::canned::{Canned, Stream};
use crate::state::shared;

pub enum Answer {
    Whole(Full<Bytes>),
    Events(Box<Events>),
}

/// A stream in the making. Every chunk goes out in a write of its own: a `Pending` between two makes hyper flush.
pub struct Events {
    canned: Arc<Canned>,
    kind: Kind,
    stage: Stage,
    left: u32,
    interval: Duration,
    due: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    yielded: bool,
    /// Break off when so many chunks are left.
    cut_at: Option<u32>,
}

#[derive(Clone, Copy)]
pub enum Kind {
    OpenAi { usage: bool },
    Anthropic,
}

enum Stage {
    First,
    Chunks,
    Last,
    Done,
}

type Polled = Poll<Option<Result<Frame<Bytes>, std::io::Error>>>;

impl Events {
    pub fn new(canned: Arc<Canned>, kind: Kind, chunks: u32, interval_ms: f64, cut_at: Option<u32>) -> Self {
        Events {
            canned,
            kind,
            stage: Stage::First,
            left: chunks,
            interval: Duration::from_secs_f64(interval_ms.max(0.0) / 1e3),
            due: Instant::now(),
            timer: None,
            yielded: false,
            cut_at,
        }
    }

    fn pieces(&self) -> &Stream {
        match self.kind {
            Kind::OpenAi { .. } => &self.canned.openai,
            Kind::Anthropic => &self.canned.anthropic,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Polled {
        match self.stage {
            Stage::First => {
                self.stage = Stage::Chunks;
                self.due = Instant::now(); // the first token follows the role chunk at once
                self.yielded = true;
                send(&self.pieces().first)
            }
            Stage::Chunks if self.left == 0 => {
                self.stage = Stage::Last;
                self.poll(cx)
            }
            Stage::Chunks if self.cut_at == Some(self.left) => {
                self.stage = Stage::Done;
                Poll::Ready(Some(Err(std::io::Error::other("mock cut"))))
            }
            Stage::Chunks => {
                if self.wait(cx).is_pending() {
                    return Poll::Pending;
                }
                self.due += self.interval;
                self.left -= 1;
                shared().chunks.fetch_add(1, Relaxed);
                send(&self.pieces().chunk)
            }
            Stage::Last => {
                self.stage = Stage::Done;
                match self.kind {
                    Kind::OpenAi { usage: false } => send(&self.pieces().last),
                    _ => send(&self.pieces().last_with_usage),
                }
            }
            Stage::Done => Poll::Ready(None),
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.interval.is_zero() {
            self.yielded = !self.yielded;
            if self.yielded {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        } else if Instant::now() < self.due {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(Duration::ZERO)));
            timer.as_mut().reset(self.due);
            return timer.as_mut().poll(cx);
        }
        Poll::Ready(())
    }
}

fn send(piece: &Bytes) -> Polled {
    Poll::Ready(Some(Ok(Frame::data(piece.clone()))))
}

impl Drop for Events {
    fn drop(&mut self) {
        if !matches!(self.stage, Stage::Done) {
            shared().aborted.fetch_add(1, Relaxed);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        match &mut *self {
            Answer::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never: Infallible| match never {}),
            Answer::Events(events) => events.poll(cx),
        }
    }
}
