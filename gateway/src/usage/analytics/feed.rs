//! How events come from the spool to the sums where no stream takes them: in batches, a moment after they were written, on a
//! thread that serves no requests. What cannot be counted waits in the spool.

use std::{future::pending, io, sync::Arc, time::Duration};

use futures_util::future::select_all;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Analytics,
    aside::aside,
    counter::Counter,
    failure::Failure,
    ledger::{Entry, Ledger, Origin, Position},
};
use crate::{
    spool::{Kind, Log, Reader, Spool},
    usage::lane,
};

pub(super) const CONSUMER: &str = "analytics";
/// Events that come within it are counted together.
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// Bytes of events that are counted in one transaction, whose price they share.
const BATCH: u64 = 2 << 20;
/// Bytes of them that are read at a time: what is in the processor's cache when it is looked at, and drives little else out.
pub(super) const CHUNK: usize = 128 << 10;
/// The file is closed after so long without an event, for what it keeps in memory.
pub(super) const IDLE: Duration = Duration::from_secs(60);
/// After a failure it is tried again so much later, then after twice as long, up to a minute.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Counts what the spool has until it is told to stop, and then once more.
pub(super) struct Feed {
    spool: Arc<Spool>,
    counter: Counter,
    readers: Vec<Source>,
}

/// One log, and how far it has been counted.
pub(super) struct Source {
    pub reader: Reader,
    /// Whether what the ledger says of it has been looked up.
    is_placed: bool,
    /// Everything before it is in the sums.
    pub counted: u64,
    /// Nothing behind it can be in the sums: it has been written since the place was looked up.
    doubtful: u64,
}

impl Feed {
    pub fn new(analytics: Arc<Analytics>, spool: Arc<Spool>) -> Self {
        Self { spool, counter: Counter::new(analytics), readers: Vec::new() }
    }

    /// From its first step on the spool keeps what has not been counted.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut pause = PAUSE;
        let mut more_logs = self.spool.more_logs();
        more_logs.mark_changed(); // none has been looked at yet
        while !stop.is_cancelled() {
            let found = tokio::select! {
                found = timeout(IDLE, self.ready()) => found.is_ok(),
                Ok(()) = more_logs.changed() => false,
                () = stop.cancelled() => break,
            };
            if found {
                self.counter.analytics().waits(true);
                tokio::select! { () = sleep(LINGER) => {}, () = stop.cancelled() => {} }
            } else {
                self.counter.close();
            }
            let outcome;
            (self, outcome) = self.step().await;
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
        if let (_, Err(error)) = self.step().await {
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

    async fn step(mut self) -> (Self, Result<(), Failure>) {
        let (analytics, spool) = (self.counter.analytics().clone(), self.spool.clone());
        let counted = aside(move || {
            let outcome = self.count();
            (self, outcome)
        });
        match counted.await {
            Some(counted) => counted,
            None => {
                let mut anew = Self::new(analytics, spool);
                let outcome = anew.look_for_logs().map_err(Failure::from).and(Err(Failure::Defect));
                (anew, outcome)
            }
        }
    }

    fn count(&mut self) -> Result<(), Failure> {
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
        let new: io::Result<Vec<_>> = logs.iter().filter(is_new).map(Source::after_what_is_published).collect();
        self.readers.extend(new?);
        Ok(())
    }
}

impl Source {
    /// # Errors
    /// When its cursor cannot be read.
    pub fn open(log: &Arc<Log>) -> io::Result<Self> {
        let reader = log.reader(CONSUMER)?;
        Ok(Self { counted: reader.position(), reader, is_placed: false, doubtful: u64::MAX })
    }

    /// What was published before a configuration without NATS came is counted where the stream is.
    fn after_what_is_published(log: &Arc<Log>) -> io::Result<Self> {
        let mut source = Self::open(log)?;
        if let Some(published) = log.released(lane::CONSUMER)?.filter(|published| *published > source.counted) {
            source.reader.seek(published);
            source.counted = published;
        }
        Ok(source)
    }

    /// Begins again behind what has surely been counted; the ledger may know of more.
    fn again(&mut self) {
        self.reader.seek(self.counted);
        self.is_placed = false;
    }

    /// Goes on behind what has been counted: after a kill the spool may not have heard of the last batch.
    pub fn place(&mut self, ledger: &Ledger) -> Result<(), Failure> {
        if self.is_placed {
            return Ok(());
        }
        if let Some(Position { until, millis }) = ledger.position(self.reader.log().name())?
            && self.counted < until
        {
            // what is not found is read again, and the events themselves say whether they have been counted
            let mut is_found = false;
            while !is_found && self.reader.position() < until && !self.reader.is_at_end() {
                let records = self.reader.read(CHUNK)?;
                is_found = records.iter().any(|record| record.end == until && record.millis == millis);
            }
            self.counted = if is_found { until } else { self.counted };
            self.reader.seek(self.counted);
        }
        self.doubtful = self.reader.end();
        self.is_placed = true;
        Ok(())
    }

    /// Counts a batch; `false` at the end.
    fn count_some(&mut self, ledger: &mut Ledger) -> Result<bool, Failure> {
        let mut records = self.reader.read(CHUNK)?;
        if records.is_empty() && self.reader.is_at_end() {
            return Ok(false);
        }
        let log = self.reader.log().clone();
        let mut tally = ledger.begin(Origin { name: log.name(), is_shared: false, doubtful: self.doubtful })?;
        let mut millis = 0;
        loop {
            let usage = records.iter().filter(|record| record.kind == Kind::Usage);
            let entries: Vec<_> = usage.map(|record| Entry { end: record.end, event: &record.bytes }).collect();
            tally.add(&entries)?;
            millis = records.last().map_or(millis, |last| last.millis);
            if self.reader.position() - self.counted >= BATCH || self.reader.is_at_end() {
                break;
            }
            drop(entries);
            drop(records); // what they were in is read into again
            records = self.reader.read(CHUNK)?;
        }
        let until = self.reader.position();
        tally.commit(until, millis)?;
        self.counted = until;
        self.reader.release(until)?;
        Ok(true)
    }
}
