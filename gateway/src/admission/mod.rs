//! Who may call, and what.

mod door;
mod keys;

pub use door::{Door, Entry};
pub use keys::{Caller, KeyRing};
