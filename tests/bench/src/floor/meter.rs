//! Usage: an answer on its way back, watched for the tokens it reports.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use memchr::{memchr, memmem};
use serde::Deserialize;

#[derive(Default)]
pub struct Meter {
    pub requests: AtomicU64,
    tokens: AtomicU64,
}

#[derive(Deserialize)]
struct HasUsage {
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl Meter {
    fn count(&self, json: &[u8]) {
        if let Ok(HasUsage { usage: Some(usage) }) = serde_json::from_slice(json) {
            self.tokens.fetch_add(usage.prompt_tokens + usage.completion_tokens, Relaxed);
        }
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (requests, tokens) = (self.requests.load(Relaxed), self.tokens.load(Relaxed));
        write!(f, "{{\"requests\":{requests},\"tokens\":{tokens}}}")
    }
}

/// A body that passes through unchanged; with a meter it is read along the way.
pub struct Metered {
    inner: Incoming,
    /// The meter, and whether the body is a stream of events.
    watch: Option<(Arc<Meter>, bool)>,
    kept: Vec<u8>,
}

impl Metered {
    pub fn new(inner: Incoming, watch: Option<(Arc<Meter>, bool)>) -> Self {
        Metered { inner, watch, kept: Vec::new() }
    }

    fn look(&mut self, data: &[u8]) {
        let Some((meter, events)) = &self.watch else { return };
        self.kept.extend_from_slice(data);
        if *events {
            while let Some(end) = memchr(b'\n', &self.kept) {
                let json = self.kept[..end].strip_prefix(b"data: ");
                if let Some(json) = json.filter(|json| memmem::find(json, b"\"usage\"").is_some()) {
                    meter.count(json);
                }
                self.kept.drain(..=end);
            }
        }
    }

    fn finish(&mut self) {
        if let Some((meter, false)) = self.watch.take() {
            meter.count(&self.kept);
        }
    }
}

impl Body for Metered {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref().cloned() {
                    self.look(&data);
                }
                if self.inner.is_end_stream() {
                    self.finish();
                }
            }
            Poll::Ready(None) => self.finish(),
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
