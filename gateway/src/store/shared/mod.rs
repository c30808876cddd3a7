//! The store that several gateways have together: a key-value bucket of NATS JetStream.
//!
//! Every gateway has a copy of it in a file (`replica`), reads that alone, and so serves without NATS what it has seen last.
//! `follow` takes over what anybody commits, `commit` sends what is to be changed, `standing` says how the gateway stands to
//! the bucket.
//!
//! A record's revision is the sequence of its commit's first message in the stream, the same for every gateway.

mod commit;
mod follow;
mod replica;
mod standing;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use self::{
    commit::{Outcome, Publisher, Wanted},
    follow::Follower,
};
use super::{Change, Mark, Record, Revision, Store, StoreError, Wake};
use crate::{config::Nats, nats::BucketSettings};

pub(super) use replica::Replica;
pub use standing::Standing;

/// Who has never seen the bucket waits for it so long.
const FIRST_CONTACT: Duration = Duration::from_secs(15);
/// Who has seen it starts with that, when it does not come in this time.
const CONTACT: Duration = Duration::from_secs(2);
/// What was stored is here in this time, or is read later.
const ARRIVAL: Duration = Duration::from_secs(2);

/// Which bucket, and how it is followed.
#[derive(Debug, Clone)]
pub struct SharedSettings {
    pub nats: Nats,
    pub bucket: BucketSettings,
    /// The gateway's name, as the server lists it.
    pub name: String,
    /// For longer nobody knows which keys have been revoked.
    pub max_staleness: Duration,
    /// The record that tells one control plane from another.
    pub identity: &'static str,
}

/// The bucket, and this gateway's copy of it.
pub struct Shared {
    folder: PathBuf,
    settings: Arc<SharedSettings>,
    replica: Replica,
    standing: Arc<Standing>,
    wake: Arc<OnceLock<Wake>>,
    publisher: Publisher,
    runtime: Runtime,
    stop: CancellationToken,
    follower: Option<JoinHandle<()>>,
}

impl Shared {
    /// Opens the copy in a folder and begins to follow the bucket. Waits for it; not for long where there is a copy to begin
    /// with. Not to be called, nor dropped, where a task runs.
    ///
    /// # Errors
    /// When the copy cannot be opened, or the bucket cannot be had and was never seen.
    pub fn open(folder: &Path, settings: SharedSettings) -> Result<Self, StoreError> {
        let settings = Arc::new(settings);
        let replica = Replica::open(folder)?;
        let place = replica.place()?;
        let standing = Arc::new(Standing::new(settings.max_staleness, place.contact, place.sequence));
        let (wake, stop) = (Arc::default(), CancellationToken::new());
        let follower = Follower {
            settings: settings.clone(),
            replica: Replica::open(folder)?,
            standing: standing.clone(),
            wake: Arc::clone(&wake),
            stop: stop.clone(),
            noted: place.contact,
        };
        let failed = |source| StoreError::Open { path: folder.to_owned(), source };
        let follower = thread_of(follower).map_err(failed)?;
        let shared = Self {
            folder: folder.to_owned(),
            publisher: Publisher::new(&settings),
            runtime: Builder::new_current_thread().enable_all().build().map_err(failed)?,
            settings,
            replica,
            standing,
            wake,
            stop,
            follower: Some(follower),
        };
        let was_seen = place.created.is_some();
        if !shared.standing.wait_for_contact(if was_seen { CONTACT } else { FIRST_CONTACT }) {
            if !was_seen {
                return Err(shared.away());
            }
            tracing::warn!(
                bucket = %shared.settings.bucket.name, reason = %shared.standing.said(),
                "starting without the control plane, with what was seen last of it"
            );
        }
        Ok(shared)
    }

    pub fn standing(&self) -> Arc<Standing> {
        self.standing.clone()
    }

    fn away(&self) -> StoreError {
        match self.standing.needs_help() {
            Some(said) => StoreError::Unusable(said),
            None => StoreError::Away(self.standing.said()),
        }
    }
}

fn thread_of(follower: Follower) -> io::Result<JoinHandle<()>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("control-replica".to_owned()).spawn(move || runtime.block_on(follower.run()))
}

impl Store for Shared {
    fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.replica.get(key)
    }

    fn scan(&self, prefix: &str, after: &str, see: &mut dyn FnMut(Record) -> bool) -> Result<(), StoreError> {
        self.replica.scan(prefix, after, see)
    }

    fn commit(&mut self, changes: &[Change]) -> Result<Revision, StoreError> {
        if !self.standing.is_connected() {
            return Err(self.away());
        }
        let wanted = changes.iter().map(|change| {
            Ok(Wanted { key: &change.key, value: change.value.as_deref(), expected: self.replica.expected(change)? })
        });
        let wanted = wanted.collect::<Result<Vec<_>, StoreError>>()?;
        let token = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let outcome = self.runtime.block_on(self.publisher.store(&self.settings, &token, &wanted))?;
        match outcome {
            Outcome::Stored { first, last } => {
                if !self.standing.wait_for(last, ARRIVAL) {
                    tracing::warn!(
                        "a change of the control plane was stored and has not come back yet: it is read late here"
                    );
                }
                Ok(first)
            }
            Outcome::Conflict { key, sequence } => {
                self.standing.wait_for(sequence, ARRIVAL);
                Err(StoreError::Conflict { key })
            }
        }
    }

    fn changed_since(&self, mark: Mark) -> Result<(Vec<String>, Mark), StoreError> {
        self.replica.changed_since(mark)
    }

    fn reader(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(Replica::open(&self.folder)?))
    }

    fn on_change(&mut self, wake: Wake) {
        let _ = self.wake.set(wake);
    }

    fn most_changes(&self) -> usize {
        commit::MOST
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(follower) = self.follower.take() {
            let _ = follower.join();
        }
    }
}
