//! Who may call, what, and how much.

mod budgets;
mod door;
mod keys;
mod limits;
mod tools;
mod virtual_keys;

pub use budgets::{PurseView, SpendBook, SpendFile};
pub use door::{Door, Entries, Entry};
pub use keys::{Caller, KEY_PREFIX, KeyRing};
pub use limits::{
    Account, Accounts, Books, Demand, Estimate, Exceeded, Limiter, Reservation, Scope, Shown, Terms, input_tokens,
};
pub use virtual_keys::{KeyHash, VirtualKeys};

/// The organisation of the configuration file's keys, and of everybody where there are none.
pub const DEFAULT_ORG: &str = "default";
