//! Who may call, what, and how much.

mod budgets;
mod door;
mod keys;
mod limits;
mod tools;

pub use budgets::{PurseView, SpendBook, SpendFile};
pub use door::{Door, Entries, Entry};
pub use keys::{Caller, KeyRing};
pub use limits::{
    Account, Accounts, Demand, Estimate, Exceeded, Limiter, Reservation, Scope, Shown, Terms, input_tokens,
};

/// The organisation of the configuration file's keys, and of everybody where there are none.
pub const DEFAULT_ORG: &str = "default";
