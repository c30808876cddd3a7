//! What is left of a request's body when its answer is there already: a refusal for want of a key, of room or of memory.
//!
//! Were the connection closed with the rest unread, it would be reset, and many clients would never read the answer: no
//! `Retry-After`, and they come again at once. So the rest is read for a while and thrown away.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{runtime::Handle, time::timeout};

/// Reading goes on for this long; then the connection is closed all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// A request's body that is read to its end, by whom it is for or for nothing.
pub(super) struct ReadToItsEnd {
    /// `None` once it has ended.
    body: Option<Incoming>,
}

impl ReadToItsEnd {
    pub fn new(body: Incoming) -> Self {
        Self { body: Some(body).filter(|body| !body.is_end_stream()) }
    }
}

impl Body for ReadToItsEnd {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        if body.is_end_stream() || !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for ReadToItsEnd {
    fn drop(&mut self) {
        // a runtime that is ending has no time for it
        if let (Some(mut body), Ok(runtime)) = (self.body.take(), Handle::try_current()) {
            let discard = async move { while let Some(Ok(_)) = body.frame().await {} };
            runtime.spawn(timeout(PATIENCE, discard));
        }
    }
}
