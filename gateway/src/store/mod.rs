//! What has to outlive the process: records by key, each with a revision, changed all at once or not at all.
//!
//! [`Store`] is what every kind of store can do; [`Embedded`] is the one in a file of this machine. A store waits for its
//! disk: whoever holds one lives on a thread of their own.

mod embedded;
#[cfg(test)]
mod tests;

use std::{io, path::PathBuf};

pub use embedded::Embedded;

/// Counts every commit of a store: of two revisions the larger is the later.
pub type Revision = u64;

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

    /// Makes every change or none. When this returns, it has reached the disk.
    ///
    /// # Errors
    /// When a record is not as a change expects it, or the store cannot be written.
    fn commit(&mut self, changes: &[Change]) -> Result<Revision, StoreError>;

    /// The keys that were changed after a revision, in the order of their last changes, and the revision that this is the
    /// state of.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn changed_since(&self, revision: Revision) -> Result<(Vec<String>, Revision), StoreError>;
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
    #[error("the store failed: {0}")]
    Database(#[from] rusqlite::Error),
}
