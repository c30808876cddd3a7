//! The file: how it is opened, and what is in it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::api::EventTokens;

/// What somebody else who writes is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of the tables below; another one is not touched.
const VERSION: i64 = 1;

/// `series` says once what is told apart; `hourly` has its sums for each hour in which there were any. `position` and
/// `recent` change in the same transactions, so that what has been counted is known exactly.
const TABLES: &str = "
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    org TEXT NOT NULL,
    key TEXT NOT NULL,
    user TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    status TEXT NOT NULL,
    metadata TEXT NOT NULL,
    UNIQUE (org, key, user, model, provider, endpoint, status, metadata)
) STRICT;
CREATE TABLE hourly (
    hour INTEGER NOT NULL, -- since 1970
    series INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    incomplete INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    cost_dollars INTEGER NOT NULL,
    cost_attodollars INTEGER NOT NULL,
    latency BLOB NOT NULL,
    first_token BLOB NOT NULL,
    {tokens}
    PRIMARY KEY (hour, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE position (
    source TEXT PRIMARY KEY,
    until INTEGER NOT NULL, -- everything before it has been counted
    millis INTEGER NOT NULL -- when the last of it was written, since 1970
) STRICT;
CREATE TABLE recent (
    batch INTEGER PRIMARY KEY AUTOINCREMENT,
    millis INTEGER NOT NULL, -- when the last event of the batch was written, since 1970
    ids BLOB NOT NULL -- eight bytes each
) STRICT;
";

/// Came later. A file without it is one in which nothing is expected, and who does not know it loses nothing by it.
const LATER: &str = "
CREATE TABLE IF NOT EXISTS expected (
    id INTEGER PRIMARY KEY, -- of an event that is in the sums, and comes once more from a source that is shared
    millis INTEGER NOT NULL -- when that was known, since 1970
) STRICT;
";

/// What went wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("cannot use `{}`: {source}", path.display())]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error("cannot use `{}`: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("`{}` was made by another version of Prism (its tables are {found}, these are {VERSION})", path.display())]
    Version { path: PathBuf, found: i64 },
}

impl DatabaseError {
    /// The file holds nothing that can be read any more.
    pub(super) fn is_damage(&self) -> bool {
        let Self::Sqlite { source: rusqlite::Error::SqliteFailure(error, _), .. } = self else { return false };
        matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    }
}

pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("usage.db")
}

/// For counting. Several processes may do so at the same time.
pub(super) fn open(folder: &Path) -> Result<Connection, DatabaseError> {
    let path = path(folder);
    make(folder, &path).map_err(|source| DatabaseError::Io { path: path.clone(), source })?;
    let opened = Connection::open_with_flags(
        &path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    );
    let tables = |mut connection: Connection| {
        // the spool lets go of what is committed here: it has to be on the disk by then
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        if version(&transaction)? == 0 {
            let tokens: String =
                EventTokens::NAMES.iter().map(|name| format!("{name} INTEGER NOT NULL,\n    ")).collect();
            transaction.execute_batch(&TABLES.replace("{tokens}", &tokens))?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.execute_batch(LATER)?;
        transaction.commit()?;
        Ok(connection)
    };
    let made = opened.and_then(settle).and_then(tables);
    known(made.map_err(|source| DatabaseError::Sqlite { path: path.clone(), source })?, path)
}

/// For questions; `None` when nothing has been counted yet.
pub(super) fn open_to_read(folder: &Path) -> Result<Option<Connection>, DatabaseError> {
    let path = path(folder);
    if !path.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(&path, flags).and_then(settle);
    let connection = opened.map_err(|source| DatabaseError::Sqlite { path: path.clone(), source })?;
    match version(&connection) {
        Ok(0) => Ok(None), // it is just being made
        _ => known(connection, path).map(Some),
    }
}

/// An empty file that only its owner can read, where there is none: it names users.
fn make(folder: &Path, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::File::options().create(true).append(true).mode(0o600).open(path).map(drop)
}

fn settle(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "cache_size", -512)?; // KiB
    Ok(connection)
}

fn known(connection: Connection, path: PathBuf) -> Result<Connection, DatabaseError> {
    match version(&connection) {
        Ok(VERSION) => Ok(connection),
        Ok(found) => Err(DatabaseError::Version { path, found }),
        Err(source) => Err(DatabaseError::Sqlite { path, source }),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Puts a file that holds nothing readable out of the way, where it can be looked at.
pub(super) fn put_aside(folder: &Path) -> std::io::Result<PathBuf> {
    let path = path(folder);
    let aside = folder.join(format!("usage.db.damaged-{}", chrono::Utc::now().format("%Y%m%dT%H%M%SZ")));
    for left in ["usage.db-wal", "usage.db-shm"] {
        match fs::remove_file(folder.join(left)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}
