//! The store in one file: SQLite, with every commit on the disk before it is acknowledged.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Change, Expects, Mark, Record, Revision, Store, StoreError, sqlite};

pub(super) const FILE: &str = "prism.db";

/// How the tables came to be what they are, a step for each version. Steps are never edited: what is to change is a new
/// one.
///
/// A deleted record stays as a row without a value, so that its deletion can be told to whoever asks what has changed.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE records (key TEXT PRIMARY KEY, value BLOB, revision INTEGER NOT NULL);
    CREATE INDEX records_by_revision ON records (revision);
    CREATE TABLE clock (only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL);
    INSERT INTO clock VALUES (1, 0);
"];

/// The file `prism.db` in the data directory.
pub struct Embedded {
    connection: Connection,
    folder: PathBuf,
}

impl Embedded {
    /// Opens the store in a folder; both are made, for their owner alone, where they are not there.
    ///
    /// # Errors
    /// When the file cannot be opened, is no store, or was written by a later version.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { connection: sqlite::open(folder, FILE, MIGRATIONS)?, folder: folder.to_owned() })
    }

    /// Whether there is one in a folder.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }
}

impl Store for Embedded {
    fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        sqlite::get(&self.connection, key)
    }

    fn scan(&self, prefix: &str, after: &str, see: &mut dyn FnMut(Record) -> bool) -> Result<(), StoreError> {
        sqlite::scan(&self.connection, prefix, after, see)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<Revision, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let revision: i64 =
            transaction
                .query_row("UPDATE clock SET revision = revision + 1 RETURNING revision", [], |row| row.get(0))?;
        for change in changes {
            check(&transaction, change)?;
            transaction
                .prepare_cached(
                    "INSERT INTO records (key, value, revision) VALUES (?1, ?2, ?3)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision",
                )?
                .execute(params![change.key, change.value, revision])?;
        }
        transaction.commit()?;
        Ok(sqlite::unsigned(revision))
    }

    fn changed_since(&self, mark: Mark) -> Result<(Vec<String>, Mark), StoreError> {
        let transaction = self.connection.unchecked_transaction()?; // both answers from one state
        let now: i64 = transaction.query_row("SELECT revision FROM clock", [], |row| row.get(0))?;
        let mut query =
            transaction.prepare_cached("SELECT key FROM records WHERE revision > ?1 ORDER BY revision, rowid")?;
        let keys = query.query_map([sqlite::signed(mark)], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok((keys, sqlite::unsigned(now)))
    }

    fn reader(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(Self::open(&self.folder)?))
    }
}

/// # Errors
/// When there is something else under the key than the change expects.
fn check(transaction: &Transaction<'_>, change: &Change) -> Result<(), StoreError> {
    if change.expects == Expects::Anything {
        return Ok(());
    }
    let mut query = transaction.prepare_cached("SELECT revision FROM records WHERE key = ?1 AND value IS NOT NULL")?;
    let present: Option<i64> = query.query_row([&change.key], |row| row.get(0)).optional()?;
    let as_expected = match change.expects {
        Expects::Anything => true,
        Expects::Nothing => present.is_none(),
        Expects::Revision(revision) => present.map(sqlite::unsigned) == Some(revision),
    };
    if as_expected { Ok(()) } else { Err(StoreError::Conflict { key: change.key.clone() }) }
}
