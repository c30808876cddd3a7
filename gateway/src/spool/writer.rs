//! The one thread that writes the log: it copies finished pages in batches, gives them back, and syncs.
//!
//! It is not woken for every request. While requests finish it looks often enough to find some hundred of them; after a while
//! without any it sleeps until the next one. What is on its way is safe in its page meanwhile.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    Options, WhenFull,
    frame::{self, Frame, Kind},
    log::Log,
    page::PAGE,
    recovery::now,
    slots::{Done, Slots},
};

/// How often it looks, at the least and at the most, while there is something to do: each look holds somebody up, and pages that
/// wait for it are out of the processor's cache when they are used again.
const TICKS: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(20)];
/// As many as it would like to find.
const LIKED: u32 = 256;
/// Ticks without work before it sleeps.
const PATIENCE: u32 = 40;
/// What is written is on the disk so much later.
const SYNC: Duration = Duration::from_millis(100);
/// A disk that does not take it is tried again so much later.
const AGAIN: Duration = Duration::from_millis(250);
/// Records in one write: few enough for what is written to be in the processor's cache still.
const BATCH: usize = 256;
/// Notes that wait; they come one at a time, so that more than a few mean that nothing is being written.
const MOST_NOTES: usize = 1024;
/// The operator is told when the log has reached this share of its size.
const ALARM: f64 = 0.8;
const ALARM_PAUSE: Duration = Duration::from_secs(60);

/// How the writer is doing.
#[derive(Debug, Default)]
pub struct State {
    refuses: AtomicBool,
    full: AtomicBool,
    failing: AtomicBool,
    written: AtomicU64,
    dropped: AtomicU64,
    size: AtomicU64,
    stop: AtomicBool,
}

impl State {
    /// Nobody may be admitted.
    pub fn refuses(&self) -> bool {
        self.refuses.load(Relaxed)
    }

    /// The log has its full size.
    pub fn is_full(&self) -> bool {
        self.full.load(Relaxed)
    }

    /// The disk does not take what is to be written.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// Records written by this process.
    pub fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }

    /// Records that were given up for want of room.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Bytes of the log.
    pub fn size(&self) -> u64 {
        self.size.load(Relaxed)
    }
}

type Notes = Arc<Mutex<Vec<(Kind, Vec<u8>)>>>;

pub(super) struct Writer {
    slots: Arc<Slots>,
    state: Arc<State>,
    notes: Notes,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub fn start(log: Arc<Log>, slots: Arc<Slots>, state: Arc<State>, options: &Options) -> io::Result<Self> {
        let notes = Notes::default();
        let work = Work {
            log,
            slots: slots.clone(),
            state: state.clone(),
            notes: notes.clone(),
            most: options.most,
            when_full: options.when_full,
            waiting: Vec::new(),
            buffer: Vec::new(),
            tick: TICKS[0],
            synced: Instant::now(),
            is_dirty: false,
            alarmed: None,
        };
        let thread = thread::Builder::new().name("spool".into()).stack_size(128 << 10).spawn(move || work.run())?;
        Ok(Self { slots, state, notes, thread: Mutex::new(Some(thread)) })
    }

    pub fn note(&self, kind: Kind, record: Vec<u8>) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < MOST_NOTES {
            notes.push((kind, record));
            drop(notes);
            self.slots.wake();
        } else {
            self.state.dropped.fetch_add(1, Relaxed);
        }
    }

    pub fn close(&self) {
        self.state.stop.store(true, SeqCst); // before the look whether it sleeps, in everybody's eyes
        self.slots.wake();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(_)) = thread.map(JoinHandle::join) {
            tracing::error!("the writer of the usage spool has panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

struct Work {
    log: Arc<Log>,
    slots: Arc<Slots>,
    state: Arc<State>,
    notes: Notes,
    most: u64,
    when_full: WhenFull,
    /// Finished and not yet written.
    waiting: Vec<Done>,
    buffer: Vec<u8>,
    tick: Duration,
    synced: Instant,
    is_dirty: bool,
    alarmed: Option<Instant>,
}

impl Work {
    fn run(mut self) {
        let mut idle = 0;
        loop {
            let stop = self.state.stop.load(Relaxed); // before looking, so that what was finished before it is seen
            let found = self.collect();
            let written = if found { self.write() } else { Ok(()) };
            match written {
                Ok(()) => self.state.failing.store(false, Relaxed),
                Err(error) => self.failed(&error),
            }
            self.bound();
            self.sync();
            let failing = self.state.is_failing();
            if stop && (failing || !found) {
                break; // what a failing disk does not take stays in its pages, for the next process
            }
            idle = if found || self.is_dirty || stop { 0 } else { idle + 1 };
            match idle {
                _ if stop => {}
                0..PATIENCE => thread::sleep(if failing { AGAIN } else { self.tick }),
                _ => self.sleep(),
            }
        }
        let _ = self.log.sync();
    }

    fn sleep(&mut self) {
        self.buffer = Vec::new();
        self.slots.sleep(|| {
            self.state.stop.load(SeqCst) || !self.notes.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
        });
    }

    /// Whether there is something to write.
    fn collect(&mut self) -> bool {
        if self.waiting.is_empty() {
            self.slots.finished(&mut self.waiting);
            let found = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
            // finding nothing says nothing of how many come next
            let tick = (self.tick * LIKED).checked_div(found);
            self.tick = tick.map_or(self.tick, |tick| tick.clamp(TICKS[0], TICKS[1]));
        }
        !self.waiting.is_empty() || !self.notes.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn write(&mut self) -> io::Result<()> {
        let millis = now();
        let mut rest = std::mem::take(&mut self.waiting);
        while !rest.is_empty() {
            let mut batch = rest.split_off(rest.len().saturating_sub(BATCH));
            self.buffer.clear();
            let frames = batch.iter().map(|done| {
                let (kind, ticket, record) = (Kind::Usage, done.ticket, done.record());
                Frame { kind, ticket, millis, record }
            });
            frame::write_all(frames, &mut self.buffer);
            if let Err(error) = self.log.append(&self.buffer) {
                rest.append(&mut batch);
                self.waiting = rest;
                return Err(error);
            }
            self.is_dirty = true;
            let many = batch.len() as u64;
            // in this order: what is read and deleted is in no page any more, so that no crash can bring it back
            self.slots.give_back(&mut batch);
            self.log.announce();
            self.state.written.fetch_add(many, Relaxed); // whoever sees it can read them
        }
        self.waiting = rest; // its room serves again
        self.write_notes(millis)
    }

    fn write_notes(&mut self, millis: u64) -> io::Result<()> {
        let notes = std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner));
        if notes.is_empty() {
            return Ok(());
        }
        self.buffer.clear();
        for (kind, record) in &notes {
            Frame { kind: *kind, ticket: self.slots.number(), millis, record }.write(&mut self.buffer);
        }
        if let Err(error) = self.log.append(&self.buffer) {
            let mut later = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            later.splice(0..0, notes);
            return Err(error);
        }
        self.is_dirty = true;
        self.log.announce();
        Ok(())
    }

    fn failed(&mut self, error: &io::Error) {
        if !self.state.failing.swap(true, Relaxed) {
            tracing::error!(%error, "usage events cannot be written; they wait in memory that outlives the process");
        }
        if self.when_full == WhenFull::DropOldest && !self.drop_oldest() {
            // not even an old one is left to make room
            self.state.dropped.fetch_add(self.waiting.len() as u64, Relaxed);
            self.slots.give_back(&mut self.waiting);
        }
    }

    /// Keeps the log at its size, and says when it comes near.
    fn bound(&mut self) {
        let promised = self.promised();
        let mut size = self.log.size();
        while size + promised > self.most && (self.when_full == WhenFull::DropOldest || !self.log.is_read()) {
            if !self.drop_oldest() {
                break;
            }
            size = self.log.size();
        }
        let full = size + promised > self.most;
        self.state.size.store(size, Relaxed);
        self.state.full.store(full, Relaxed);
        let refuses = self.when_full == WhenFull::Refuse && (full || self.state.is_failing());
        if refuses != self.state.refuses.swap(refuses, Relaxed) {
            tracing::error!(size, most = self.most, refuses, "usage events: admitting requests has changed");
        }
        let recently = self.alarmed.is_some_and(|at| at.elapsed() < ALARM_PAUSE);
        if size as f64 > self.most as f64 * ALARM && !recently {
            self.alarmed = Some(Instant::now());
            tracing::warn!(size, most = self.most, "the usage spool is filling up: nobody takes the events away");
        }
    }

    /// What the log may have to take before a refusal shows: each page as it is now, and once more, since it is given back before
    /// the look that finds the log full. Many requests at once in the past do not close a small log: of it that is a quarter at
    /// most, or what is under way.
    fn promised(&self) -> u64 {
        let (open, made) = self.slots.open();
        let bytes = |pages| (pages * PAGE) as u64;
        bytes(2 * made).min(self.most / 4).max(bytes(open))
    }

    fn drop_oldest(&mut self) -> bool {
        let lost = self.log.drop_oldest();
        self.state.dropped.fetch_add(lost.unwrap_or(0), Relaxed);
        lost.is_some()
    }

    fn sync(&mut self) {
        if self.is_dirty && self.synced.elapsed() >= SYNC {
            self.is_dirty = self.log.sync().is_err();
            self.synced = Instant::now();
        }
    }
}
