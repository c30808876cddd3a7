//! How much may be asked for: requests and tokens a minute, and dollars, of an organisation, its keys, users and models.
//!
//! [`Bucket`] is one limit, pure. An [`Account`] is one of those who are limited, with all that limits it behind one lock: a
//! request passes it at once or not at all, and a reload changes it under those that are in progress. [`Limiter`] knows the
//! accounts of one organisation, [`Estimate`] guesses what a request will take, and a [`Reservation`] is the guard that
//! gives back what it did not. Who has no limits has no account, and pays for none.
//!
//! A lock and not atomics: requests and tokens are taken together, and both are held for some nanoseconds of a request of
//! tens of microseconds.

mod account;
mod accounts;
mod bucket;
mod contact;
mod estimate;
mod exceeded;
mod gossip;
mod limiter;
mod reservation;
mod shown;
mod spenders;
#[cfg(test)]
mod tests;
mod users;

pub use account::{Account, Scope, Terms};
pub use accounts::Accounts;
pub use bucket::{Bucket, Held};
pub use contact::Contact;
pub use estimate::{Estimate, input_tokens};
pub use exceeded::Exceeded;
pub use gossip::{Gossip, Said};
pub use limiter::{Books, Demand, Limiter};
pub use reservation::Reservation;
pub use shown::Shown;
