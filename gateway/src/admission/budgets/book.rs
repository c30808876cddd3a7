//! Where spending is written down.

use std::io;

use serde::{Deserialize, Serialize};

use super::Spend;

/// What somebody has spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `key app`, `user ann`, `organisation default`.
    pub who: String,
    pub spend: Spend,
}

/// Several gateways may share one. Its methods wait for disks and the like.
pub trait SpendBook: Send + Sync {
    /// All that has been written down, what the other gateways have not been told included.
    ///
    /// # Errors
    /// When it cannot be read.
    fn load(&self) -> io::Result<Vec<Entry>>;

    /// Adds to what is written down, and answers how it stands then, in the order of what was added. Who comes twice counts
    /// twice. Of those who are `gone` nothing is kept, unless something of them is added.
    ///
    /// # Errors
    /// When it cannot be written; then nothing was added.
    fn record(&self, added: &[Entry], gone: &[String]) -> io::Result<Vec<Spend>>;
}
