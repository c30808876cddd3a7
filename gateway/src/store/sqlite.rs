//! What both kinds of store do with SQLite: a file for its owner alone, whose tables are brought to the present version, and
//! records read by key.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::{Record, StoreError};

/// Another process (a second gateway, a command) may be writing: this long its commit is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pages (of 4 KiB) that are kept in memory.
const CACHE_PAGES: i64 = 512;

/// Opens a file in a folder; both are made, for their owner alone, where they are not there. `migrations` are how its tables
/// came to be what they are, a step for each version.
///
/// # Errors
/// When the file cannot be opened, is no store, or was written by a later version.
pub(super) fn open(folder: &Path, name: &str, migrations: &[&str]) -> Result<Connection, StoreError> {
    let path = folder.join(name);
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
    migrate(&mut connection, path, migrations)?;
    Ok(connection)
}

/// Brings the tables to the present version.
fn migrate(connection: &mut Connection, path: PathBuf, migrations: &[&str]) -> Result<(), StoreError> {
    // two processes may start at once: the second waits here and finds nothing to do
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = u32::try_from(migrations.len()).expect("there are few");
    if found > known {
        return Err(StoreError::TooNew { path, found, known });
    }
    for step in &migrations[found as usize..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

/// The record under a key of the table `records`.
pub(super) fn get(connection: &Connection, key: &str) -> Result<Option<Record>, StoreError> {
    let mut query =
        connection.prepare_cached("SELECT value, revision FROM records WHERE key = ?1 AND value IS NOT NULL")?;
    let found = query.query_row([key], |row| {
        Ok(Record { key: key.to_owned(), value: row.get(0)?, revision: unsigned(row.get(1)?) })
    });
    Ok(found.optional()?)
}

/// See [`super::Store::scan`].
pub(super) fn scan(
    connection: &Connection,
    prefix: &str,
    after: &str,
    see: &mut dyn FnMut(Record) -> bool,
) -> Result<(), StoreError> {
    // keys are ASCII: what begins with the prefix lies between it and itself with the last character there is
    let mut query = connection.prepare_cached(
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

/// SQLite's integers have a sign, ours only count.
pub(super) fn unsigned(number: i64) -> u64 {
    number.unsigned_abs()
}

/// And back.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
