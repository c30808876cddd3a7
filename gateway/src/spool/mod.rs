//! The durable record of what must not be lost, and must not be kept twice.
//!
//! A request takes a [`Ticket`] before anything is sent upstream: a page of a memory-mapped file (`slots`, `page`) that holds the
//! beginning of its record, so that a killed process leaves a trace of it. When the request ends, the page is completed and
//! one thread (`writer`) copies it into an append-only log (`log`) of checksummed frames (`frame`), in batches. Consumers read
//! the log and say how far they have got; what all of them have read is deleted.
//!
//! Nothing a request does here waits for a disk: it writes into memory that the kernel keeps. A folder belongs to one process
//! (`folder`); what a process that is gone has left behind is finished by the next one.
//!
//! ```text
//! admit ─▶ page (intent) ─▶ finish ─▶ done list ─▶ writer ─▶ log ─▶ readers ─▶ release
//!             └── killed: the next process completes it as interrupted ──┘
//! ```

mod folder;
mod follow;
mod frame;
mod log;
mod map;
mod page;
mod recovery;
mod slots;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fmt, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

pub use follow::Follower;
pub use frame::Kind;
pub use log::{Log, Reader, Record};
pub use slots::Ticket;
pub use writer::State;

use tokio::sync::watch;

use folder::Folder;
use slots::Slots;
use writer::Writer;

/// What a request's record may take, beginning and end together.
pub const MOST_RECORD: usize = page::PAGE - page::HEADER;
/// What its beginning may take: the rest is for the end.
pub const MOST_BEGINNING: usize = 5 << 10;

/// Where the records are kept, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Holds one subfolder for each process that uses it at the same time.
    pub path: PathBuf,
    /// Bytes of log on disk.
    pub most: u64,
    pub when_full: WhenFull,
    /// Requests under way at once.
    pub most_open: usize,
}

/// What happens when the log has reached its size, or its disk is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// Nobody is admitted any more.
    #[default]
    Refuse,
    /// The oldest records go, and are counted.
    DropOldest,
}

/// Why no ticket is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTicket {
    /// The log has its full size, or cannot be written.
    Full,
    /// Too many requests are under way.
    Busy,
    /// The beginning of the record is longer than [`MOST_BEGINNING`].
    TooLong,
}

/// What kept the spool from being opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep usage events in `{}`: {source} (choose another folder with `store.path`, or turn them off with `usage: {{enabled: false}}`)", path.display())]
pub struct CannotOpen {
    path: PathBuf,
    source: io::Error,
}

/// The spool of this process.
pub struct Spool {
    slots: Arc<Slots>,
    state: Arc<State>,
    options: Options,
    own: Arc<Log>,
    /// Of processes that are gone.
    inherited: Mutex<Vec<Arc<Log>>>,
    /// Changes when there are more of them.
    more: watch::Sender<()>,
    writer: Writer,
    interrupted: Box<[u8]>,
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Spool {
    /// Takes a folder for this process and finishes what the processes before it have left; `interrupted` is the end of a
    /// record whose request nobody ended.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(options: Options, interrupted: &[u8]) -> Result<Self, CannotOpen> {
        let made = Self::make(&options, interrupted);
        made.map_err(|source| CannotOpen { path: options.path.clone(), source })
    }

    fn make(options: &Options, interrupted: &[u8]) -> io::Result<Self> {
        let mut folders = folder::claim(&options.path)?;
        let own = folders.remove(0);
        let log = recovery::recover(&own, interrupted)?;
        let slots = Arc::new(Slots::create(&own.slots(), options.most_open, interrupted)?);
        let log = Arc::new(log.kept_by(own));
        let state = Arc::new(State::default());
        let writer = Writer::start(log.clone(), slots.clone(), state.clone(), options)?;
        let spool = Self {
            slots,
            state,
            options: options.clone(),
            own: log,
            inherited: Mutex::default(),
            more: watch::Sender::new(()),
            writer,
            interrupted: interrupted.into(),
        };
        spool.inherit_all(folders)?;
        Ok(spool)
    }

    /// A place for one request's record, which begins with what `write` writes: it is given a buffer and says how much of
    /// it it has used, or that it is too small.
    ///
    /// # Errors
    /// Why there is none; then nothing is recorded.
    pub fn admit(&self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Result<Ticket, NoTicket> {
        if self.state.refuses() {
            return Err(NoTicket::Full);
        }
        self.slots.take(write)
    }

    /// Keeps a record that no request has reserved room for; dropped, and counted, when the writer is far behind.
    pub fn note(&self, kind: Kind, record: Vec<u8>) {
        self.writer.note(kind, record);
    }

    /// Every log that may have something to read; this process's own is the first.
    pub fn logs(&self) -> Vec<Arc<Log>> {
        let inherited = self.inherited.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(self.own.clone()).chain(inherited.iter().cloned()).collect()
    }

    /// Changes whenever there are logs that were not there before.
    pub fn more_logs(&self) -> watch::Receiver<()> {
        self.more.subscribe()
    }

    /// Looks whether a process has gone since and left something; answers the logs that are new.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn inherit(&self) -> io::Result<Vec<Arc<Log>>> {
        self.inherit_all(folder::claim_left(&self.options.path)?)
    }

    fn inherit_all(&self, folders: Vec<Folder>) -> io::Result<Vec<Arc<Log>>> {
        let mut found = Vec::new();
        for folder in folders {
            let log = recovery::recover(&folder, &self.interrupted)?;
            recovery::clear(&folder)?;
            if !log.is_empty() {
                found.push(Arc::new(log.kept_by(folder)));
            }
        }
        let mut inherited = self.inherited.lock().unwrap_or_else(PoisonError::into_inner);
        inherited.retain(|log| !log.is_empty());
        inherited.extend(found.iter().cloned());
        drop(inherited);
        if !found.is_empty() {
            self.more.send_replace(());
        }
        Ok(found)
    }

    /// How the writer is doing, for metrics and readiness.
    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Writes what is finished, syncs it and ends the writer; what is still under way is left to the next process.
    pub fn close(&self) {
        self.writer.close();
    }
}
