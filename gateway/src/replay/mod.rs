//! Answers that are kept for a while: for a request that comes again with the same `Idempotency-Key`, and for a client that
//! lost its connection in the middle of a stream.
//!
//! A [`Recording`] is one upstream call, read by any number of clients; [`Replays`] finds it again.

mod numbered;
mod recording;
mod store;
#[cfg(test)]
mod tests;

pub use numbered::Numbered;
pub use recording::{Head, Reader, Recording};
pub use store::{Claim, Fingerprint, Name, Replays};
