//! NATS, as far as the gateway speaks it: one connection, owned by whoever uses it.
//!
//! Why not a client library: what is published has to be stored once, over lost connections and restarts of either side. A
//! client that keeps a queue of its own, reconnects by itself and sends what was left in it sends it at a moment that nobody
//! who counts knows of. Here a connection is a value: when it ends, everything that was in it is gone, and its owner begins
//! anew from what was acknowledged. There is no task and no channel between an event and the
//! socket, one buffer serves for many events, and no crate comes in that is not there anyway.
//!
//! `protocol` is the text on the wire (pure), `login` who the gateway is, `connection` the socket with its beginning and its
//! end, `servers` which one is tried next and when, `stream` what is asked of JetStream, `bucket` what is asked of a key-value bucket
//! (`keys`: how keys are written there), `playback` a stream read in its order.
//!
//! Protocol: <https://docs.nats.io/reference/reference-protocols/nats-protocol>,
//! <https://docs.nats.io/reference/reference-protocols/nats_api_reference>.

mod bucket;
mod connection;
mod keys;
mod login;
mod playback;
mod protocol;
mod servers;
mod stream;
#[cfg(test)]
mod tests;

pub use bucket::{BucketSettings, DELETED, EXPECTED_SEQUENCE, Last, bucket, is_conflict, last};
pub use connection::Connection;
pub use keys::{escaped, unescaped};
pub use playback::{Heard, Playback, Stored};
pub use protocol::Message;
pub use servers::{Pauses, Servers};
pub use stream::{Ack, Extent, StreamInfo, StreamSettings, acknowledged, extent, extent_in, read_back, stream};

/// What ends a connection, or keeps it from beginning.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("cannot reach it: {0}")]
    Unreachable(#[source] std::io::Error),
    #[error("the connection has broken: {0}")]
    Broken(#[from] std::io::Error),
    #[error("it has closed the connection")]
    Closed,
    #[error("it does not answer")]
    Silent,
    #[error("it is about to stop")]
    Leaving,
    /// In its own words.
    #[error("it says: {0}")]
    Refused(String),
    #[error("it speaks something else than NATS: {0}")]
    Foreign(&'static str),
    #[error("it offers no TLS")]
    NoTls,
    #[error("{0}")]
    Setup(String),
    /// JetStream is off, or nobody leads the stream.
    #[error("nobody there answers for the stream: is JetStream on, and has it a leader?")]
    NobodyAnswers,
    /// JetStream's own words.
    #[error("JetStream says: {description} ({code})")]
    JetStream { code: u64, description: String },
    #[error("the stream `{stream}` cannot be used: {reason}")]
    Unsuitable { stream: String, reason: String },
}
