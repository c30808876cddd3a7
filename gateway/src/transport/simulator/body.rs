//! The body of a stream: events in their time, and the end that was asked for. Dropping it stops everything.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep};

use super::{
    rejection::Rejection,
    stream::{Event, frame},
};
use crate::transport::TransportError;

/// Events, each a frame of its own.
pub(super) struct Paced {
    events: Box<dyn Iterator<Item = Event> + Send>,
    pace: Duration,
    /// Set by the first content event. Deadlines are counted from there, so that a stream keeps its pace on the whole.
    timer: Option<Pin<Box<Sleep>>>,
    /// How many more content events arrive before the end that was asked for.
    fault: Option<(u32, Ending)>,
    /// What follows the last event.
    last: Ending,
    /// Set when there are no more events.
    ended: Option<Ending>,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Clean,
    /// Never: nothing more arrives.
    Silent,
    Broken,
    /// With an error event.
    Error,
    /// With a defect of the gateway's own.
    Panic,
}

impl Ending {
    pub const DEFECT: &str = "the simulator panics, as it was asked to";

    pub fn broken() -> TransportError {
        TransportError::Broken("the simulator reset the connection".to_owned())
    }
}

impl Paced {
    /// `fault`: how many content events arrive, and what follows them.
    pub fn new(events: Box<dyn Iterator<Item = Event> + Send>, pace: Duration, fault: Option<(u32, Ending)>) -> Self {
        Self { events, pace, timer: None, fault, last: Ending::Clean, ended: None }
    }

    /// All events at once, and then this.
    pub fn ending(events: Box<dyn Iterator<Item = Event> + Send>, ending: Ending) -> Self {
        Self { last: ending, ..Self::new(events, Duration::ZERO, None) }
    }

    fn next_event(&mut self) -> Option<Bytes> {
        if let Some((0, ending)) = self.fault {
            self.ended = Some(ending);
            return None;
        }
        let Some(event) = self.events.next() else {
            self.ended = Some(self.last);
            return None;
        };
        if event.content {
            self.count_content();
        }
        Some(event.bytes)
    }

    fn count_content(&mut self) {
        if let Some((left, _)) = &mut self.fault {
            *left = left.saturating_sub(1);
        }
        if self.pace.is_zero() {
            return;
        }
        match &mut self.timer {
            Some(timer) => {
                let next = timer.deadline() + self.pace;
                timer.as_mut().reset(next);
            }
            None => self.timer = Some(Box::pin(tokio::time::sleep_until(Instant::now() + self.pace))),
        }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        if self.ended.is_none() {
            if let Some(timer) = &mut self.timer {
                ready!(timer.as_mut().poll(cx));
            }
            if let Some(bytes) = self.next_event() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
        match self.ended {
            Some(Ending::Silent) => Poll::Pending,
            Some(Ending::Broken) => {
                self.ended = Some(Ending::Clean);
                Poll::Ready(Some(Err(Ending::broken())))
            }
            Some(Ending::Error) => {
                self.ended = Some(Ending::Clean);
                let error = Rejection::wanted(StatusCode::INTERNAL_SERVER_ERROR, None).envelope();
                Poll::Ready(Some(Ok(Frame::data(frame(&error)))))
            }
            Some(Ending::Panic) => std::panic::panic_any(Ending::DEFECT),
            Some(Ending::Clean) | None => Poll::Ready(None),
        }
    }
}
