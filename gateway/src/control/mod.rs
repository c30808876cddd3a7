//! The control plane: organisations with what they have configured, their client keys, and the log of every change.
//!
//! [`Control`] is the logic, on a store and with the master keys; it waits for its disk, so that it has a thread of its own,
//! which others ask through the [`Desk`]; what requests need is read beside it, by `reading`; [`Place`] is where it is kept. `author` says who may do what, `organisations`, `policies` and `keys` do it, `audit` writes it
//! down. A configuration is a `document` with its secrets sealed: `seal` does that, under a `master_key`; a secret that is
//! kept elsewhere is a `reference`.

mod audit;
mod author;
mod desk;
mod document;
mod keys;
mod master_key;
mod merge;
mod organisations;
mod owner;
mod place;
mod policies;
mod reading;
mod reference;
mod rotation;
mod seal;
mod state;
#[cfg(test)]
mod tests;

pub use audit::{Broken, Head, note_restored, verify};
pub use author::{Author, Wish};
pub use desk::Desk;
pub use master_key::{MasterKeyError, MasterKeys};
pub use organisations::Edit;
pub use place::{Place, Placed};
pub use state::{Control, Opening, OpeningError, Rules};

/// The record that tells one control plane from another; the first start makes it.
pub const IDENTITY: &str = owner::MINTED;
