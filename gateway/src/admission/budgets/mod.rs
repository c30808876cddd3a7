//! How much may be spent: US dollars by the day, the week, the month, or in all.
//!
//! [`Spend`] is what somebody has spent in all of these at once, a [`Purse`] what may still be spent of it, pure; a
//! [`SpendBook`] remembers it beyond the life of the process, [`SpendFile`] in a file.

mod book;
mod file;
mod purse;
mod spend;

pub use book::{Entry, SpendBook};
pub use file::SpendFile;
pub use purse::{Purse, PurseView, Short, Want};
pub use spend::Spend;
