//! How events come from the spool to the sums: in batches, a moment after they were written, on a thread that serves no
//! requests. What cannot be counted waits in the spool.

use std::{future::pending, io, sync::Arc, time::Duration};

use futures_util::future::select_all;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Analytics,
    counter::Counter,
    database::DatabaseError,
    ledger::{Batch, Entry, Ledger, Position},
};
use crate::spool::{Kind, Log, Reader, Spool};

const CONSUMER: &str = "analytics";
/// Events that come within it are counted together.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes that are read at a time.
const BATCH: usize = 512 << 10;
/// The file is closed after so long without an event, for what it keeps in memory.
const IDLE: Duration = Duration::from_secs(60);
/// How often it is asked whether a process has gone and left something.
const INHERIT: Duration = Duration::from_secs(60);
/// After a failure it is tried again so much later, then after twice as long, up to a minute.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Counts what the spool has until it is told to stop, and then once more.
pub struct Feed {
    spool: Arc<Spool>,
    counter: Counter,
    readers: Vec<Source>,
}

/// One log, and how far it has been counted.
struct Source {
    reader: Reader,
    /// Whether what the ledger says of it has been looked up.
    is_placed: bool,
    /// Everything before it is in the sums.
    counted: u64,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("cannot read the usage spool: {0}")]
    Spool(#[from] io::Error),
    #[error("counting has panicked")]
    Defect,
}

impl Feed {
    /// From now on the spool keeps what has not been counted.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn new(analytics: Arc<Analytics>, spool: Arc<Spool>) -> io::Result<Self> {
        let mut feed = Self { spool, counter: Counter::new(analytics), readers: Vec::new() };
        feed.look_for_logs()?;
        Ok(feed)
    }

    pub async fn run(mut self, stop: CancellationToken) {
        let mut pause = PAUSE;
        let mut inherited = Instant::now();
        while !stop.is_cancelled() {
            let found = tokio::select! {
                found = timeout(if self.counter.is_open() { IDLE } else { INHERIT }, self.ready()) => found.is_ok(),
                () = stop.cancelled() => break,
            };
            if !found {
                self.counter.close();
            }
            if found {
                self.counter.analytics().waits(true);
                tokio::select! { () = sleep(LINGER) => {}, () = stop.cancelled() => {} }
            }
            let inherit = inherited.elapsed() >= INHERIT;
            if inherit {
                inherited = Instant::now();
            }
            let outcome;
            (self, outcome) = self.step(inherit).await;
            match outcome {
                Ok(()) => {
                    if std::mem::replace(&mut pause, PAUSE) > PAUSE {
                        tracing::info!("usage is counted again");
                    }
                }
                Err(error) => {
                    if pause == PAUSE {
                        tracing::error!(%error, "usage is not counted at the moment; it waits in the spool");
                    }
                    tokio::select! { () = sleep(pause) => {}, () = stop.cancelled() => {} }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        if let (_, Err(error)) = self.step(false).await {
            tracing::warn!(%error, "the last usage is counted after the next start");
        }
    }

    /// Waits until a log has something to read.
    async fn ready(&mut self) {
        if self.readers.is_empty() {
            pending::<()>().await; // they could not be opened; that is tried again
        }
        select_all(self.readers.iter_mut().map(|source| Box::pin(source.reader.ready()))).await;
    }

    async fn step(mut self, inherit: bool) -> (Self, Result<(), Failure>) {
        let (analytics, spool) = (self.counter.analytics().clone(), self.spool.clone());
        let done = tokio::task::spawn_blocking(move || {
            let outcome = self.count(inherit);
            (self, outcome)
        });
        match done.await {
            Ok(done) => done,
            Err(_) => {
                let mut anew = Self { spool, counter: Counter::new(analytics), readers: Vec::new() };
                let outcome = anew.look_for_logs().map_err(Failure::from).and(Err(Failure::Defect));
                (anew, outcome)
            }
        }
    }

    fn count(&mut self, inherit: bool) -> Result<(), Failure> {
        if inherit {
            self.spool.inherit()?;
        }
        self.look_for_logs()?;
        let counted = self.count_all();
        if counted.is_err() {
            // whatever was read and not counted is read again
            self.readers.iter_mut().for_each(Source::again);
        }
        if let Err(Failure::Database(error)) = &counted {
            self.counter.failed(error);
        }
        counted
    }

    fn count_all(&mut self) -> Result<(), Failure> {
        let Self { counter, readers, .. } = self;
        for source in readers.iter_mut().filter(|source| !source.reader.is_at_end()) {
            let ledger = counter.ledger()?;
            source.place(ledger)?;
            while source.count_some(ledger)? {}
        }
        counter.trim()?;
        counter.analytics().waits(false);
        Ok(())
    }

    /// Reads every log from here on, and none any more that has nothing left.
    fn look_for_logs(&mut self) -> io::Result<()> {
        let logs = self.spool.logs();
        self.readers.retain(|source| logs.iter().any(|log| Arc::ptr_eq(log, source.reader.log())));
        let is_new = |log: &&Arc<Log>| !self.readers.iter().any(|source| Arc::ptr_eq(log, source.reader.log()));
        let new: Result<Vec<_>, _> = logs.iter().filter(is_new).map(|log| log.reader(CONSUMER)).collect();
        let source = |reader: Reader| Source { counted: reader.position(), reader, is_placed: false };
        self.readers.extend(new?.into_iter().map(source));
        Ok(())
    }
}

impl Source {
    /// Begins again behind what has surely been counted; the ledger may know of more.
    fn again(&mut self) {
        self.reader.seek(self.counted);
        self.is_placed = false;
    }

    /// Goes on behind what has been counted: after a kill the spool may not have heard of the last batch.
    fn place(&mut self, ledger: &Ledger) -> Result<(), Failure> {
        if self.is_placed {
            return Ok(());
        }
        if let Some(Position { until, millis }) = ledger.position(self.reader.log().name())?
            && self.counted < until
        {
            // what is not found is read again, and the events themselves say whether they have been counted
            let mut is_found = false;
            while !is_found && self.reader.position() < until && !self.reader.is_at_end() {
                let records = self.reader.read(BATCH)?;
                is_found = records.iter().any(|record| record.end == until && record.millis == millis);
            }
            self.counted = if is_found { until } else { self.counted };
            self.reader.seek(self.counted);
        }
        self.is_placed = true;
        Ok(())
    }

    /// Counts a batch; `false` at the end.
    fn count_some(&mut self, ledger: &mut Ledger) -> Result<bool, Failure> {
        let records = self.reader.read(BATCH)?;
        if records.is_empty() && self.reader.is_at_end() {
            return Ok(false);
        }
        let until = self.reader.position();
        let usage = records.iter().filter(|record| record.kind == Kind::Usage);
        let entries: Vec<_> = usage.map(|record| Entry { end: record.end, event: &record.bytes }).collect();
        let millis = records.last().map_or(0, |last| last.millis);
        let source = self.reader.log().name();
        let batch = Batch { entries: &entries, source, is_shared: false, until, millis };
        let counted = ledger.count(&batch)?;
        if counted.unreadable > 0 {
            tracing::error!(events = counted.unreadable, "usage events that cannot be read are not counted");
        }
        self.counted = until;
        self.reader.release(until)?;
        Ok(true)
    }
}
