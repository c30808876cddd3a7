//! How the gateway stands to the bucket, for requests, metrics, readiness and people.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::telemetry::Gauges;

/// Written by whoever follows the bucket, read by everybody.
#[derive(Debug)]
pub struct Standing {
    /// Everything that the bucket has is here.
    connected: AtomicBool,
    /// When that was so the last time, in milliseconds since 1970; 0 for never.
    contact: AtomicU64,
    /// That is longer ago than `max_staleness`.
    stale: Arc<AtomicBool>,
    max_staleness: Duration,
    place: Mutex<Reached>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Reached {
    sequence: u64,
    /// With whom it is connected, or why it is not.
    said: String,
    /// Somebody has to see to it.
    needs_help: bool,
}

impl Standing {
    pub(super) fn new(max_staleness: Duration, contact: u64, sequence: u64) -> Self {
        let reached = Reached { sequence, said: "not connected yet".to_owned(), needs_help: false };
        let standing = Self {
            connected: false.into(),
            contact: contact.into(),
            stale: Arc::default(),
            max_staleness,
            place: Mutex::new(reached),
            moved: Condvar::new(),
        };
        standing.judge();
        standing
    }

    /// Whether everything that the bucket has is here, and more can be written.
    pub fn is_connected(&self) -> bool {
        self.connected.load(Relaxed)
    }

    /// How long ago everything was here that the bucket had; `None` for never.
    pub fn staleness(&self) -> Option<Duration> {
        let contact = self.contact.load(Relaxed);
        (contact > 0).then(|| Duration::from_millis(now().saturating_sub(contact)))
    }

    /// `true` once that is longer ago than `max_staleness`: then nobody knows which keys have been revoked.
    pub fn stale(&self) -> Arc<AtomicBool> {
        self.stale.clone()
    }

    /// With whom it is connected, or why it is not.
    pub fn said(&self) -> String {
        self.reached().said.clone()
    }

    /// What is not as it should be, for people.
    pub fn worries(&self) -> Vec<String> {
        if self.is_connected() {
            return Vec::new();
        }
        let since = self.staleness().map(|staleness| format!(" for {} s", staleness.as_secs())).unwrap_or_default();
        let effect = if self.stale.load(Relaxed) {
            "keys of organisations are refused"
        } else {
            "organisations are served with what was seen last"
        };
        vec![format!("the control plane is out of reach{since}, {effect}: {}", self.said())]
    }

    /// Shows what a scrape wants to know.
    pub fn show(&self, gauges: &Gauges) {
        let help = "Whether the control plane that several gateways share is followed.";
        gauges.show_level("prism_control_plane_connected", help, u64::from(self.is_connected()));
        let help = "How long ago everything was here that the control plane had.";
        let staleness = self.staleness().map_or(f64::INFINITY, |staleness| staleness.as_secs_f64());
        gauges.show_seconds("prism_control_plane_staleness_seconds", help, staleness);
    }

    pub(super) fn needs_help(&self) -> Option<String> {
        let reached = self.reached();
        reached.needs_help.then(|| reached.said.clone())
    }

    /// Everything was here that there was at that moment. Answers whether this is news.
    pub(super) fn in_contact(&self, millis: u64, server: &str) -> bool {
        self.contact.fetch_max(millis, Relaxed);
        self.judge();
        let was = self.connected.swap(true, Relaxed);
        if !was {
            let mut reached = self.reached();
            server.clone_into(&mut reached.said);
            reached.needs_help = false;
            drop(reached);
            self.moved.notify_all();
        }
        !was
    }

    /// Answers whether this is news.
    pub(super) fn troubled(&self, why: String, needs_help: bool) -> bool {
        let was = self.connected.swap(false, Relaxed);
        let mut reached = self.reached();
        let is_news = was || reached.said != why;
        (reached.said, reached.needs_help) = (why, needs_help);
        drop(reached);
        self.moved.notify_all();
        is_news
    }

    /// Looks at the clock.
    pub(super) fn judge(&self) {
        let is_stale = self.staleness().is_none_or(|staleness| staleness > self.max_staleness);
        if self.stale.swap(is_stale, Relaxed) != is_stale && is_stale && self.contact.load(Relaxed) > 0 {
            tracing::error!(
                max_staleness_s = self.max_staleness.as_secs_f64(),
                "the control plane has been out of reach for too long: keys of organisations are refused"
            );
        }
    }

    pub(super) fn reached_sequence(&self, sequence: u64) {
        self.reached().sequence = sequence;
        self.moved.notify_all();
    }

    /// Waits until everything up to a sequence is here; `false` when that takes too long.
    pub(super) fn wait_for(&self, sequence: u64, patience: Duration) -> bool {
        self.wait(patience, |reached| reached.sequence >= sequence)
    }

    /// Waits until everything is here; `false` when that takes too long, or somebody has to see to it first.
    pub(super) fn wait_for_contact(&self, patience: Duration) -> bool {
        self.wait(patience, |reached| self.is_connected() || reached.needs_help) && self.is_connected()
    }

    fn wait(&self, patience: Duration, is_so: impl Fn(&Reached) -> bool) -> bool {
        let until = Instant::now() + patience;
        let mut reached = self.reached();
        loop {
            if is_so(&reached) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            reached = self.moved.wait_timeout(reached, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn reached(&self) -> MutexGuard<'_, Reached> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In milliseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
