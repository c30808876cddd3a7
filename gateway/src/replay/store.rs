//! Where recordings are found again: bounded in bytes and time, and each only by whom it belongs to.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use super::Recording;
use crate::memory::BodyMemory;

/// Finished answers are kept up to here, all together; then the oldest goes.
const MAX_BYTES: usize = 128 << 20;
/// Names that are known at once, those of unfinished recordings included; of finished ones the oldest makes room.
pub(super) const MAX_RECORDINGS: usize = 10_000;

/// How a recording is asked for. `owner` is the client key's name; nobody finds what belongs to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    Idempotency { owner: Option<Arc<str>>, key: Box<str> },
    Stream { owner: Option<Arc<str>>, id: Box<str> },
}

/// What a request says, so that the same key with another request is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub fn of(path: &str, body: &[u8]) -> Self {
        Self(Sha256::new().chain_update(path).chain_update([0]).chain_update(body).finalize().into())
    }
}

/// What came of a claim to a name.
pub enum Claim {
    /// Nobody had it: the caller writes the recording.
    New(Arc<Recording>),
    /// Somebody has made the same request.
    Known(Arc<Recording>),
    /// Somebody has made another request by this name.
    Other,
    /// More are remembered than there is room for.
    Full,
}

pub struct Replays {
    entries: Mutex<Entries>,
    memory: Arc<BodyMemory>,
}

#[derive(Default)]
struct Entries {
    by_name: HashMap<Name, Entry>,
    /// Finished ones in the order in which they expire, with what they weigh.
    finished: VecDeque<(Instant, Vec<Name>, usize)>,
    bytes: usize,
}

struct Entry {
    recording: Arc<Recording>,
    fingerprint: Fingerprint,
}

impl Replays {
    /// What is still being recorded draws on that memory; what is finished has a bound of its own.
    pub fn new(memory: Arc<BodyMemory>) -> Self {
        Self { entries: Mutex::default(), memory }
    }

    /// Finds what has that name, or makes it. Other names of the same recording are added with it.
    pub fn claim(&self, names: &[Name], fingerprint: Fingerprint, now: Instant) -> Claim {
        let mut entries = self.lock();
        entries.expire(now);
        if let Some(entry) = names.iter().find_map(|name| entries.by_name.get(name)) {
            return if entry.fingerprint == fingerprint { Claim::Known(entry.recording.clone()) } else { Claim::Other };
        }
        while entries.by_name.len() + names.len() > MAX_RECORDINGS && entries.drop_first() {}
        if entries.by_name.len() + names.len() > MAX_RECORDINGS {
            return Claim::Full;
        }
        let recording = Recording::new(self.memory.clone());
        for name in names {
            entries.by_name.insert(name.clone(), Entry { recording: recording.clone(), fingerprint });
        }
        Claim::New(recording)
    }

    /// What has that name.
    pub fn find(&self, name: &Name, now: Instant) -> Option<Arc<Recording>> {
        let mut entries = self.lock();
        entries.expire(now);
        entries.by_name.get(name).map(|entry| entry.recording.clone())
    }

    /// The answer is complete and worth keeping for so long.
    pub fn keep(&self, names: Vec<Name>, recording: &Recording, now: Instant, time: Duration) {
        let mut entries = self.lock();
        let weight = recording.bytes();
        entries.bytes += weight;
        let until = now + time;
        let at = entries.finished.partition_point(|(other, ..)| *other <= until);
        entries.finished.insert(at, (until, names, weight));
        entries.expire(now);
        while entries.bytes > MAX_BYTES && entries.drop_first() {}
    }

    /// The answer is not worth keeping: the next request starts anew.
    pub fn forget(&self, names: &[Name]) {
        let mut entries = self.lock();
        names.iter().for_each(|name| drop(entries.by_name.remove(name)));
    }

    /// Lets go of what is too old, for when no request comes that would do it.
    pub fn sweep(&self, now: Instant) {
        self.lock().expire(now);
    }

    /// Bytes of finished answers.
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn expire(&mut self, now: Instant) {
        while self.finished.front().is_some_and(|(until, ..)| *until <= now) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) -> bool {
        let Some((_, names, weight)) = self.finished.pop_front() else { return false };
        names.iter().for_each(|name| drop(self.by_name.remove(name)));
        self.bytes -= weight;
        true
    }
}
