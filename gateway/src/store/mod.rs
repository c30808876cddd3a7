//! What has to outlive the process: records by key, each with a revision, changed all at once or not at all.
//!
//! [`Store`] is what every kind of store can do; [`Embedded`] is the one in a file of this machine, [`Shared`] the one that
//! several gateways have together in a bucket of NATS. A store waits for its disk, or for the others: whoever holds one lives
//! on a thread of their own. `archive` is a store as a file.

mod archive;
mod embedded;
mod shared;
mod sqlite;
#[cfg(test)]
pub(crate) mod tests;

use std::{io, path::PathBuf};

pub use archive::{ArchiveError, backup, backup_copy, restore};
pub use embedded::Embedded;
pub use shared::{Shared, SharedSettings, Standing};

/// Counts every commit of a store: of two revisions the larger is the later.
pub type Revision = u64;

/// How far somebody has read in what has changed; of one store that is held open, and no other.
pub type Mark = u64;

/// Called from another thread when somebody else has changed something. Must not wait.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// Records by key. Keys are paths such as `key/acme/01J…`; values are bytes that a store does not look into.
pub trait Store: Send {
    /// The record under a key.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get(&self, key: &str) -> Result<Option<Record>, StoreError>;

    /// Shows the records whose key begins so and comes after another one, in the order of the keys, for as long as the answer
    /// is `true`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn scan(&self, prefix: &str, after: &str, see: &mut dyn FnMut(Record) -> bool) -> Result<(), StoreError>;

    /// Makes every change or none. When this returns, it has reached the disk, or everybody else.
    ///
    /// # Errors
    /// When a record is not as a change expects it (and then [`Store::get`] gives it as it is), or the store cannot be written.
    fn commit(&mut self, changes: &[Change]) -> Result<Revision, StoreError>;

    /// The keys that were changed after a mark, and the mark of the state that this is.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn changed_since(&self, mark: Mark) -> Result<(Vec<String>, Mark), StoreError>;

    /// The same store for somebody who only reads, and waits for nobody who writes.
    ///
    /// # Errors
    /// When it cannot be opened once more.
    fn reader(&self) -> Result<Box<dyn Store>, StoreError>;

    /// Has somebody woken when others have changed something. A store that cannot is looked at from time to time.
    fn on_change(&mut self, _wake: Wake) {}

    /// The most changes that one commit takes.
    fn most_changes(&self) -> usize {
        usize::MAX
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub key: String,
    pub value: Vec<u8>,
    /// Of the commit that wrote it.
    pub revision: Revision,
}

/// One change of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub key: String,
    /// `None` deletes it.
    pub value: Option<Vec<u8>>,
    pub expects: Expects,
}

/// What has to be under a key before it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expects {
    Anything,
    Nothing,
    /// The record that this commit wrote.
    Revision(Revision),
}

impl Change {
    pub fn put(key: impl Into<String>, value: Vec<u8>, expects: Expects) -> Self {
        Self { key: key.into(), value: Some(value), expects }
    }

    pub fn delete(key: impl Into<String>, expects: Expects) -> Self {
        Self { key: key.into(), value: None, expects }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("`{key}` was changed by somebody else")]
    Conflict { key: String },
    #[error("cannot open `{path}`: {source}")]
    Open { path: PathBuf, source: io::Error },
    /// A later version of Prism has written it.
    #[error(
        "`{path}` has version {found} of the store's tables, and this Prism knows {known}: start the version that wrote it"
    )]
    TooNew { path: PathBuf, found: u32, known: u32 },
    /// Nothing was changed.
    #[error("the control plane's bucket is out of reach: {0}")]
    Away(String),
    /// It was sent, and the answer is lost.
    #[error("whether the change was stored is not known: {0}")]
    Unconfirmed(String),
    #[error("the change is too large: {0}")]
    TooLarge(String),
    /// Somebody has to see to it.
    #[error("the control plane's bucket cannot be used: {0}")]
    Unusable(String),
    #[error("the store failed: {0}")]
    Database(#[from] rusqlite::Error),
}
