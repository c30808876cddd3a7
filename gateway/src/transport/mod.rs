//! How bytes reach a provider: pooled connections for real ones, the simulator for none; and how they prove who sends
//! them. What a stranger's URL leads to is fetched by [`MediaFetcher`], past a guard.

mod connections;
mod connector;
pub mod credentials;
pub mod guard;
mod media;
mod pool;
pub mod simulator;

use std::{error::Error, future::Future, pin::Pin, task::Context, task::Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

pub use connections::SocketBody;
pub use media::MediaFetcher;
pub use pool::{HttpTransport, TransportSetupError, certificates, enter_core, roots, tls_builder, trusting};

use crate::wire::Payload;

/// Sends one request. Implementations own their connections and time out connecting by themselves; every other
/// timeout is the caller's.
pub trait Transport: Send + Sync + 'static {
    fn send(&self, request: http::Request<Payload>) -> SendFuture;
}

pub type SendFuture = Pin<Box<dyn Future<Output = Result<http::Response<UpstreamBody>, TransportError>> + Send>>;

/// Why a connection could not be made.
type BoxError = Box<dyn Error + Send + Sync>;

/// Why no answer, or no more of it, arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    #[error("could not connect: {0}")]
    Connect(String),
    #[error("connecting took too long")]
    ConnectTimeout,
    /// The connection broke, or what arrived on it was not HTTP.
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl TransportError {
    /// From a client library's error, which may name addresses: for logs and health, not for callers.
    pub(crate) fn broken(error: &(dyn Error + 'static)) -> Self {
        Self::Broken(chain(error))
    }
}

/// An error with its sources, outermost first.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

/// The body of an upstream answer.
pub enum UpstreamBody {
    Socket(SocketBody),
    /// Made inside the process, by the simulator or a test.
    Made(Pin<Box<dyn Body<Data = Bytes, Error = TransportError> + Send>>),
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        match self.get_mut() {
            Self::Socket(body) => Pin::new(body).poll_frame(cx).map_err(|error| TransportError::broken(&error)),
            Self::Made(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Socket(body) => body.is_end_stream(),
            Self::Made(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Socket(body) => body.size_hint(),
            Self::Made(body) => body.size_hint(),
        }
    }
}
