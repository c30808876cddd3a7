//! Counting: a batch of events becomes sums, and the sums, the position behind the batch and the events' ids are committed in
//! one transaction. Whatever kills the process, a batch has been counted whole or not at all, and it is known which.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use indexmap::IndexMap;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params, params_from_iter};

use super::{
    database::{self, DatabaseError},
    event::Event,
    recent::Recent,
    series::Series,
    sums::Sums,
};
use crate::{api::EventTokens, money::Usd};

/// Series told apart within an hour. Beyond it new users and metadata are counted as `other`, beyond twice that new models too.
pub(super) const MOST_SERIES: u64 = 10_000;

/// The file, open for counting.
pub(super) struct Ledger {
    folder: PathBuf,
    connection: Connection,
    recent: Recent,
    most_series: u64,
}

/// Some records in their order, and where they are from.
pub(super) struct Batch<'a> {
    pub entries: &'a [Entry<'a>],
    /// What they are from; its positions only grow.
    pub source: &'a str,
    /// See [`Origin`].
    pub is_shared: bool,
    /// The position behind the last of them.
    pub until: u64,
    /// When the last of them was written, in milliseconds since 1970.
    pub millis: u64,
}

/// What records come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub name: &'a str,
    /// Other processes count it too: what is before its position is not counted again.
    pub is_shared: bool,
    /// What ends behind it is surely counted for the first time.
    pub doubtful: u64,
}

pub(super) struct Entry<'a> {
    /// The position behind it.
    pub end: u64,
    pub event: &'a [u8],
}

/// Where a source has been counted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub until: u64,
    /// When the record before it was written: another one there is from another source of the same name.
    pub millis: u64,
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub events: u64,
    /// Had been counted before.
    pub again: u64,
    pub unreadable: u64,
}

impl Ledger {
    pub fn open(folder: &Path) -> Result<Self, DatabaseError> {
        let connection = database::open(folder)?;
        Ok(Self { folder: folder.to_owned(), connection, recent: Recent::default(), most_series: MOST_SERIES })
    }

    #[cfg(test)]
    pub fn with_most_series(self, most_series: u64) -> Self {
        Self { most_series, ..self }
    }

    #[cfg(test)]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    pub fn position(&self, source: &str) -> Result<Option<Position>, DatabaseError> {
        position(&self.connection, source).map_err(|error| self.named(error))
    }

    /// Counts a batch, or nothing of it.
    pub fn count(&mut self, batch: &Batch<'_>) -> Result<Counted, DatabaseError> {
        let Batch { source: name, is_shared, .. } = *batch;
        let mut tally = self.begin(Origin { name, is_shared, doubtful: u64::MAX })?;
        tally.add(batch.entries)?;
        tally.commit(batch.until, batch.millis)
    }

    /// A batch whose records come one after the other. Until it is committed, nothing of it has been counted.
    pub fn begin<'a>(&'a mut self, origin: Origin<'a>) -> Result<Tally<'a>, DatabaseError> {
        let Self { folder, connection, recent, most_series } = self;
        let tally = Tally::begin(folder, connection, recent, *most_series, origin);
        tally.map_err(|source| named(folder, source))
    }

    /// These events have been counted, and will come once more from a source that is shared: they are not counted then.
    pub fn expect(&mut self, ids: &[u64], millis: u64) -> Result<(), DatabaseError> {
        let expect = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for id in ids {
                let statement = "INSERT OR IGNORE INTO expected (id, millis) VALUES (?, ?)";
                transaction.prepare_cached(statement)?.execute([id.cast_signed(), signed(millis)])?;
            }
            transaction.commit()
        };
        expect(&mut self.connection).map_err(|error| self.named(error))
    }

    /// A shared source has lost its end, and gives what it had given there once more, to other events.
    pub fn step_back(&self, source: &str, until: u64) -> Result<(), DatabaseError> {
        let statement = "UPDATE position SET until = min(until, ?) WHERE source = ?";
        let done = self.connection.execute(statement, params![signed(until), source]);
        done.map(drop).map_err(|error| self.named(error))
    }

    /// Forgets what is older than that.
    pub fn trim(&mut self, now: chrono::DateTime<chrono::Utc>, max_age: Duration) -> Result<(), DatabaseError> {
        let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        let oldest = now.timestamp().saturating_sub(seconds).div_euclid(3600);
        self.trim_to(oldest).map_err(|error| self.named(error))
    }

    fn trim_to(&mut self, oldest: i64) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if transaction.execute("DELETE FROM hourly WHERE hour < ?", [oldest])? > 0 {
            transaction.execute("DELETE FROM series WHERE id NOT IN (SELECT series FROM hourly)", [])?;
        }
        transaction.execute("DELETE FROM expected WHERE millis < ?", [oldest.saturating_mul(3_600_000)])?;
        transaction.commit()
    }

    fn named(&self, source: rusqlite::Error) -> DatabaseError {
        named(&self.folder, source)
    }
}

fn named(folder: &Path, source: rusqlite::Error) -> DatabaseError {
    DatabaseError::Sqlite { path: database::path(folder), source }
}

/// A batch that is being counted.
pub(super) struct Tally<'a> {
    folder: &'a Path,
    transaction: Transaction<'a>,
    recent: &'a mut Recent,
    most_series: u64,
    origin: Origin<'a>,
    /// Others have counted up to there.
    passed: u64,
    is_any_expected: bool,
    hours: IndexMap<(i64, Series<'static>), Sums>,
    /// Where in it the last event was.
    last: usize,
    ids: Vec<u64>,
    counted: Counted,
}

impl<'a> Tally<'a> {
    fn begin(
        folder: &'a Path,
        connection: &'a mut Connection,
        recent: &'a mut Recent,
        most_series: u64,
        origin: Origin<'a>,
    ) -> rusqlite::Result<Self> {
        let Origin { name, is_shared, .. } = origin;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        recent.begin(&transaction)?;
        let passed = if is_shared { position(&transaction, name)?.map_or(0, |known| known.until) } else { 0 };
        let is_any_expected = is_shared
            && transaction.query_row("SELECT EXISTS (SELECT 1 FROM expected)", [], |row| row.get::<_, bool>(0))?;
        Ok(Self {
            folder,
            transaction,
            recent,
            most_series,
            origin,
            passed,
            is_any_expected,
            hours: IndexMap::new(),
            last: 0,
            ids: Vec::new(),
            counted: Counted::default(),
        })
    }

    /// Adds the next records.
    pub fn add(&mut self, entries: &[Entry<'_>]) -> Result<(), DatabaseError> {
        entries.iter().try_for_each(|entry| self.add_one(entry)).map_err(|source| named(self.folder, source))
    }

    fn add_one(&mut self, entry: &Entry<'_>) -> rusqlite::Result<()> {
        if entry.end <= self.passed {
            self.counted.again += 1;
            return Ok(());
        }
        let Ok(event) = Event::read(entry.event) else {
            self.counted.unreadable += 1;
            return Ok(());
        };
        let id = event.id();
        if entry.end > self.origin.doubtful {
            self.recent.leave_out();
        } else if (self.is_any_expected && is_expected(&self.transaction, id)?) || !self.recent.is_new(id) {
            self.counted.again += 1;
            return Ok(());
        }
        self.ids.push(id);
        self.count(&event);
        Ok(())
    }

    fn count(&mut self, event: &Event<'_>) {
        let place = (event.hour(), event.series());
        // many in a row are often of one series, and to look it up costs more than to see that
        let hours: &IndexMap<(i64, Series<'_>), Sums> = &self.hours;
        if hours.get_index(self.last).is_none_or(|(same, _)| *same != place) {
            self.last = match hours.get_index_of(&place) {
                Some(at) => at,
                None => self.hours.insert_full((place.0, place.1.into_owned()), Sums::default()).0,
            };
        }
        event.count(&mut self.hours[self.last]);
        self.counted.events += 1;
    }

    /// The source has been counted up to there; `millis` is when the last of it was written, since 1970.
    pub fn commit(self, until: u64, millis: u64) -> Result<Counted, DatabaseError> {
        let (folder, unreadable) = (self.folder, self.counted.unreadable);
        let counted = self.commit_all(until, millis).map_err(|source| named(folder, source))?;
        if unreadable > 0 {
            tracing::error!(events = unreadable, "usage events that cannot be read are not counted");
        }
        Ok(counted)
    }

    fn commit_all(self, until: u64, millis: u64) -> rusqlite::Result<Counted> {
        let Self { transaction, recent, ids, .. } = self;
        add(&transaction, &self.hours, self.most_series)?;
        transaction.execute(
            "INSERT OR REPLACE INTO position (source, until, millis) VALUES (?, ?, ?)",
            params![self.origin.name, signed(until.max(self.passed)), signed(millis)],
        )?;
        if !ids.is_empty() {
            recent.write(&transaction, ids, signed(millis))?;
        }
        transaction.commit()?;
        recent.committed();
        Ok(self.counted)
    }
}

fn position(connection: &Connection, source: &str) -> rusqlite::Result<Option<Position>> {
    let mut statement = connection.prepare_cached("SELECT until, millis FROM position WHERE source = ?")?;
    let read = |row: &Row<'_>| Ok(Position { until: unsigned(row, 0)?, millis: unsigned(row, 1)? });
    statement.query_row([source], read).optional()
}

fn is_expected(transaction: &Transaction<'_>, id: u64) -> rusqlite::Result<bool> {
    transaction.prepare_cached("SELECT 1 FROM expected WHERE id = ?")?.exists([id.cast_signed()])
}

/// Adds sums to those that are there.
fn add(
    transaction: &Transaction<'_>,
    hours: &IndexMap<(i64, Series<'_>), Sums>,
    most_series: u64,
) -> rusqlite::Result<()> {
    let mut many: HashMap<i64, u64> = HashMap::new();
    for ((hour, series), sums) in hours {
        let known = find(transaction, series)?;
        if let Some(id) = known
            && let Some(mut there) = there(transaction, *hour, id)?
        {
            there.merge(sums);
            write(transaction, *hour, id, &mut there)?;
            continue;
        }
        let many = match many.get_mut(hour) {
            Some(many) => many,
            None => {
                let counted = transaction
                    .query_row("SELECT count(*) FROM hourly WHERE hour = ?", [hour], |row| unsigned(row, 0))?;
                many.entry(*hour).or_insert(counted)
            }
        };
        let id = match (*many < most_series, known) {
            (true, Some(id)) => id,
            (true, None) => make(transaction, series)?,
            (false, _) => {
                let folded = series.folded(*many >= 2 * most_series);
                find(transaction, &folded)?.map_or_else(|| make(transaction, &folded), Ok)?
            }
        };
        let mut sum = there(transaction, *hour, id)?.unwrap_or_else(|| {
            *many += 1;
            Sums::default()
        });
        sum.merge(sums);
        write(transaction, *hour, id, &mut sum)?;
    }
    Ok(())
}

fn find(transaction: &Transaction<'_>, series: &Series<'_>) -> rusqlite::Result<Option<i64>> {
    let mut statement = transaction.prepare_cached(
        "SELECT id FROM series WHERE org = ? AND key = ? AND user = ? AND model = ? AND provider = ? AND endpoint = ? \
         AND status = ? AND metadata = ?",
    )?;
    statement.query_row(columns(series), |row| row.get(0)).optional()
}

fn make(transaction: &Transaction<'_>, series: &Series<'_>) -> rusqlite::Result<i64> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO series (org, key, user, model, provider, endpoint, status, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.insert(columns(series))
}

fn columns<'a>(series: &'a Series<'_>) -> [&'a str; 8] {
    let Series { org, key, user, model, provider, endpoint, status, metadata } = series;
    [org, key, user, model, provider, endpoint, status.name(), metadata]
}

/// The columns of [`Sums`] in `hourly`, in the order in which [`read`] wants them.
pub(super) fn sums_columns() -> String {
    let plain =
        "requests, attempts, incomplete, estimated, unpriced, cost_dollars, cost_attodollars, latency, first_token";
    format!("{plain}, {}", EventTokens::NAMES.join(", "))
}

/// Adds a row whose columns from the `first` on are [`sums_columns`].
pub(super) fn read(row: &Row<'_>, first: usize, into: &mut Sums) -> rusqlite::Result<()> {
    into.requests += unsigned(row, first)?;
    into.attempts += unsigned(row, first + 1)?;
    into.incomplete += unsigned(row, first + 2)?;
    into.estimated += unsigned(row, first + 3)?;
    into.unpriced += unsigned(row, first + 4)?;
    into.cost = into.cost + Usd::joined(unsigned(row, first + 5)?, unsigned(row, first + 6)?);
    into.latency.merge_encoded(row.get_ref(first + 7)?.as_blob()?);
    into.first_token.merge_encoded(row.get_ref(first + 8)?.as_blob()?);
    let mut tokens = [0; EventTokens::NAMES.len()];
    for (at, count) in tokens.iter_mut().enumerate() {
        *count = unsigned(row, first + 9 + at)?;
    }
    into.add_tokens(&EventTokens::of(tokens));
    Ok(())
}

fn there(transaction: &Transaction<'_>, hour: i64, series: i64) -> rusqlite::Result<Option<Sums>> {
    let statement = format!("SELECT {} FROM hourly WHERE hour = ? AND series = ?", sums_columns());
    let mut statement = transaction.prepare_cached(&statement)?;
    let found = statement.query_row([hour, series], |row| {
        let mut sums = Sums::default();
        read(row, 0, &mut sums).map(|()| sums)
    });
    found.optional()
}

fn write(transaction: &Transaction<'_>, hour: i64, series: i64, sums: &mut Sums) -> rusqlite::Result<()> {
    let places = vec!["?"; 11 + EventTokens::NAMES.len()].join(", ");
    let statement = format!("INSERT OR REPLACE INTO hourly (hour, series, {}) VALUES ({places})", sums_columns());
    let mut statement = transaction.prepare_cached(&statement)?;
    let (dollars, attodollars) = sums.cost.split();
    let (latency, first_token) = (sums.latency.encode(), sums.first_token.encode());
    let Sums { requests, attempts, incomplete, estimated, unpriced, .. } = *sums;
    let before = [requests, attempts, incomplete, estimated, unpriced, dollars, attodollars];
    let number = |number: u64| rusqlite::types::Value::Integer(signed(number));
    let values = [hour, series].into_iter().map(rusqlite::types::Value::Integer);
    let values = values.chain(before.into_iter().map(number));
    let values = values.chain([latency, first_token].map(rusqlite::types::Value::Blob));
    let values = values.chain(sums.tokens.counts().into_iter().map(number));
    statement.execute(params_from_iter(values)).map(drop)
}

/// SQLite's integers have a sign; what would not fit has been counted for longer than anybody lives.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}
