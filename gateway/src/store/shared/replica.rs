//! What this gateway has seen of the bucket, in a file of its own: everything is read here, whether NATS is there or not.
//!
//! One side writes (what `follow` takes over), the other reads; each has its connection. What is taken over together is seen
//! together.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::super::{Change, Expects, Mark, Record, Revision, Store, StoreError, sqlite};

const FILE: &str = "replica.db";

/// Steps are never edited: what is to change is a new one. A deleted record stays as a row without a value: its deletion is told, and
/// its place in the stream is needed to make it again. `sequence` 0 is of a row that the present bucket does not have.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE records (
        key TEXT PRIMARY KEY, value BLOB, revision INTEGER NOT NULL, sequence INTEGER NOT NULL, tick INTEGER NOT NULL
    );
    CREATE INDEX records_by_tick ON records (tick);
    CREATE INDEX records_by_sequence ON records (sequence);
    CREATE TABLE place (
        only INTEGER PRIMARY KEY CHECK (only = 1), created TEXT, sequence INTEGER NOT NULL, contact INTEGER NOT NULL,
        tick INTEGER NOT NULL
    );
    INSERT INTO place VALUES (1, NULL, 0, 0, 0);
"];

pub(in crate::store) struct Replica {
    connection: Connection,
    /// Of the transaction that is open.
    tick: Option<i64>,
}

/// How far the bucket has been taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Place {
    /// When the bucket was made, as its server says it: another one has another time. `None` before the first.
    pub created: Option<String>,
    /// Of the last message that was taken over.
    pub sequence: u64,
    /// When everything that there was had been taken over, in milliseconds since 1970; 0 for never.
    pub contact: u64,
}

/// A message of the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Taken<'a> {
    pub key: &'a str,
    /// `None` deletes it.
    pub value: Option<&'a [u8]>,
    pub revision: Revision,
    pub sequence: u64,
}

impl Replica {
    /// Whether there is one in a folder.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// # Errors
    /// When the file cannot be opened, or was written by a later version.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let connection = sqlite::open(folder, FILE, MIGRATIONS)?;
        // what a power cut takes of it is in the bucket, and its place goes back together with it
        connection.pragma_update(None, "synchronous", "normal")?;
        Ok(Self { connection, tick: None })
    }

    pub fn place(&self) -> Result<Place, StoreError> {
        let place = self.connection.query_row("SELECT created, sequence, contact FROM place", [], |row| {
            let (sequence, contact) = (sqlite::unsigned(row.get(1)?), sqlite::unsigned(row.get(2)?));
            Ok(Place { created: row.get(0)?, sequence, contact })
        });
        Ok(place?)
    }

    /// How many messages the bucket must have, after all that was taken over.
    pub fn messages(&self) -> Result<u64, StoreError> {
        let count = "SELECT count(*) FROM records WHERE sequence > 0";
        Ok(sqlite::unsigned(self.connection.query_row(count, [], |row| row.get(0))?))
    }

    /// The sequence that the last message under a change's key must have; `None` for whichever.
    ///
    /// # Errors
    /// When there is something else here already than the change expects.
    pub fn expected(&self, change: &Change) -> Result<Option<u64>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT value IS NOT NULL, revision, sequence FROM records WHERE key = ?1")?;
        let row = query.query_row([&change.key], |row| {
            Ok((row.get::<_, bool>(0)?, sqlite::unsigned(row.get(1)?), sqlite::unsigned(row.get(2)?)))
        });
        match (change.expects, row.optional()?) {
            (Expects::Anything, _) => Ok(None),
            (Expects::Nothing, None) => Ok(Some(0)),
            (Expects::Nothing, Some((false, _, sequence))) => Ok(Some(sequence)),
            (Expects::Revision(wanted), Some((true, revision, sequence))) if revision == wanted => Ok(Some(sequence)),
            _ => Err(StoreError::Conflict { key: change.key.clone() }),
        }
    }

    /// What follows is seen by nobody until [`Replica::settle`].
    pub fn begin(&mut self) -> Result<(), StoreError> {
        if self.tick.is_none() {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            let tick = "UPDATE place SET tick = tick + 1 RETURNING tick";
            self.tick = Some(self.connection.query_row(tick, [], |row| row.get(0))?);
        }
        Ok(())
    }

    /// Another bucket: everything is gone that it does not bring again.
    pub fn forget(&mut self, created: &str) -> Result<(), StoreError> {
        self.begin()?;
        let gone = "UPDATE records SET value = NULL, revision = 0, sequence = 0, tick = ?1";
        self.connection.execute(gone, [self.tick])?;
        self.connection.execute("UPDATE place SET created = ?1, sequence = 0", [created])?;
        Ok(())
    }

    pub fn take(&mut self, taken: &Taken<'_>) -> Result<(), StoreError> {
        self.begin()?;
        // another process may have taken it over into the same file
        self.connection
            .prepare_cached(
                "INSERT INTO records (key, value, revision, sequence, tick) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision,
                     sequence = excluded.sequence, tick = excluded.tick
                 WHERE excluded.sequence > sequence",
            )?
            .execute(params![
                taken.key,
                taken.value,
                sqlite::signed(taken.revision),
                sqlite::signed(taken.sequence),
                self.tick
            ])?;
        Ok(())
    }

    /// Everything up to that sequence is here.
    pub fn settle(&mut self, created: &str, sequence: u64) -> Result<(), StoreError> {
        self.begin()?;
        self.connection.execute(
            "UPDATE place SET sequence = CASE WHEN created = ?1 THEN max(sequence, ?2) ELSE ?2 END, created = ?1",
            params![created, sqlite::signed(sequence)],
        )?;
        self.connection.execute_batch("COMMIT")?;
        self.tick = None;
        Ok(())
    }

    /// What was not settled is not taken over.
    pub fn abandon(&mut self) {
        if self.tick.take().is_some() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    pub fn note_contact(&self, millis: u64) -> Result<(), StoreError> {
        self.connection.execute("UPDATE place SET contact = max(contact, ?1)", [sqlite::signed(millis)])?;
        Ok(())
    }
}

/// For those who only read.
impl Store for Replica {
    fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        sqlite::get(&self.connection, key)
    }

    fn scan(&self, prefix: &str, after: &str, see: &mut dyn FnMut(Record) -> bool) -> Result<(), StoreError> {
        sqlite::scan(&self.connection, prefix, after, see)
    }

    fn changed_since(&self, mark: Mark) -> Result<(Vec<String>, Mark), StoreError> {
        let transaction = self.connection.unchecked_transaction()?; // both answers from one state
        let now: i64 = transaction.query_row("SELECT tick FROM place", [], |row| row.get(0))?;
        let mut query =
            transaction.prepare_cached("SELECT key FROM records WHERE tick > ?1 ORDER BY tick, sequence")?;
        let keys = query.query_map([sqlite::signed(mark)], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok((keys, sqlite::unsigned(now)))
    }

    fn commit(&mut self, _changes: &[Change]) -> Result<Revision, StoreError> {
        Err(StoreError::Unusable("this is a copy of it".to_owned()))
    }

    fn reader(&self) -> Result<Box<dyn Store>, StoreError> {
        let folder = self.connection.path().and_then(|path| Path::new(path).parent());
        Ok(Box::new(Self::open(folder.unwrap_or(Path::new("")))?))
    }
}
