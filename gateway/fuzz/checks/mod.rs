//! What holds whatever comes: one check for each fuzz target. `gateway/tests/rubbish.rs` makes the same checks of the seeds
//! and of what small changes make of them.
//!
//! An input begins with a byte for the target of `tests/wire`, one for the request that was asked ([`question`]), and, for
//! streams, one for the size of the pieces that arrive; the rest is what arrives.

mod answers;
mod frames;
mod question;
mod requests;
mod seeds;
mod sse;
mod streams;

pub use answers::check as answers;
pub use frames::check as frames;
pub use requests::check as requests;
pub use seeds::{Seed, seeds};
pub use sse::check as sse;
pub use streams::check as streams;

/// A check panics where something does not hold.
pub type Check = fn(&[u8]);

/// Every check, under the name of its fuzz target.
pub const CHECKS: [(&str, Check); 5] =
    [("sse", sse), ("answers", answers), ("streams", streams), ("frames", frames), ("requests", requests)];
