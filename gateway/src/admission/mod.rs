//! Who may call, what, and how much.

mod budgets;
mod door;
mod gossip;
mod keys;
mod leases;
mod limits;
mod tools;
mod virtual_keys;

pub use budgets::{PurseView, SpendBook, SpendFile};
pub use door::{Door, Entries, Entry};
pub use gossip::share;
pub use keys::{Caller, KEY_PREFIX, KeyRing};
pub use leases::{LeaseSettings, Leases};
pub use limits::{
    Account, Accounts, Books, Contact, Demand, Estimate, Exceeded, Gossip, Limiter, Reservation, Scope, Shown, Terms,
    input_tokens,
};
pub use virtual_keys::{KeyHash, VirtualKeys};

/// The organisation of the configuration file's keys, and of everybody where there are none.
pub const DEFAULT_ORG: &str = "default";
