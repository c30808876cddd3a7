//! The store in one file: SQLite, with every commit on the disk before it is acknowledged.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Change, Expects, Record, Revision, Store, StoreError};

/// Another process (a second gateway, a command) may be writing: this long its commit is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pages (of 4 KiB) that are kept in memory.
const CACHE_PAGES: i64 = 512;

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
}

impl Embedded {
    /// Opens the store in a folder; both are made, for their owner alone, where they are not there.
    ///
    /// # Errors
    /// When the file cannot be opened, is no store, or was written by a later version.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("prism.db");
        let failed = |source| StoreError::Open { path: path.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        // SQLite gives its log the mode of the database
        OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(failed)?;
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "cache_size", CACHE_PAGES)?;
        migrate(&mut connection, path)?;
        Ok(Self { connection })
    }
}

/// Brings the tables to the present version.
fn migrate(connection: &mut Connection, path: PathBuf) -> Result<(), StoreError> {
    // two processes may start at once: the second waits here and finds nothing to do
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = u32::try_from(MIGRATIONS.len()).expect("there are few");
    if found > known {
        return Err(StoreError::TooNew { path, found, known });
    }
    for step in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

impl Store for Embedded {
    fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT value, revision FROM records WHERE key = ?1 AND value IS NOT NULL")?;
        let found = query.query_row([key], |row| {
            Ok(Record { key: key.to_owned(), value: row.get(0)?, revision: unsigned(row.get(1)?) })
        });
        Ok(found.optional()?)
    }

    fn scan(&self, prefix: &str, after: &str, see: &mut dyn FnMut(Record) -> bool) -> Result<(), StoreError> {
        // keys are ASCII: what begins with the prefix lies between it and itself with the last character there is
        let mut query = self.connection.prepare_cached(
            "SELECT key, value, revision FROM records
             WHERE key >= ?1 AND key < ?1 || char(1114111) AND key > ?2 AND value IS NOT NULL ORDER BY key",
        )?;
        let mut rows = query.query([prefix, after])?;
        while let Some(row) = rows.next()? {
            if !see(Record { key: row.get(0)?, value: row.get(1)?, revision: unsigned(row.get(2)?) }) {
                break;
            }
        }
        Ok(())
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
        Ok(unsigned(revision))
    }

    fn changed_since(&self, revision: Revision) -> Result<(Vec<String>, Revision), StoreError> {
        let transaction = self.connection.unchecked_transaction()?; // both answers from one state
        let now: i64 = transaction.query_row("SELECT revision FROM clock", [], |row| row.get(0))?;
        let since = i64::try_from(revision).unwrap_or(i64::MAX);
        let mut query =
            transaction.prepare_cached("SELECT key FROM records WHERE revision > ?1 ORDER BY revision, rowid")?;
        let keys = query.query_map([since], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok((keys, unsigned(now)))
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
        Expects::Revision(revision) => present.map(unsigned) == Some(revision),
    };
    if as_expected { Ok(()) } else { Err(StoreError::Conflict { key: change.key.clone() }) }
}

/// SQLite's integers have a sign, ours only count.
fn unsigned(number: i64) -> u64 {
    number.unsigned_abs()
}
