//! How the publishing is getting on, for metrics, readiness and people.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

/// Written by the publisher, read by whoever asks.
#[derive(Debug)]
pub struct Standing {
    connected: AtomicBool,
    pub(super) published: AtomicU64,
    pub(super) acknowledged: AtomicU64,
    pub(super) resent: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) unreadable: AtomicU64,
    /// When the oldest record that is not acknowledged was written, in milliseconds since 1970; 0 when there is none.
    pub(super) oldest: AtomicU64,
    said: Mutex<String>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            connected: false.into(),
            published: 0.into(),
            acknowledged: 0.into(),
            resent: 0.into(),
            duplicates: 0.into(),
            unreadable: 0.into(),
            oldest: 0.into(),
            said: Mutex::new("not connected yet".to_owned()),
        }
    }
}

impl Standing {
    /// Connected, and the stream takes events.
    pub fn is_connected(&self) -> bool {
        self.connected.load(Relaxed)
    }

    /// Why not, or with whom.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records sent, those that were sent again included.
    pub fn published(&self) -> u64 {
        self.published.load(Relaxed)
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Relaxed)
    }

    /// Records that were sent once more, because it was not known whether they had arrived.
    pub fn resent(&self) -> u64 {
        self.resent.load(Relaxed)
    }

    /// Records that the stream had already.
    pub fn duplicates(&self) -> u64 {
        self.duplicates.load(Relaxed)
    }

    /// Records that were no events.
    pub fn unreadable(&self) -> u64 {
        self.unreadable.load(Relaxed)
    }

    /// When the oldest record that is not acknowledged was written, in milliseconds since 1970.
    pub fn oldest(&self) -> Option<u64> {
        Some(self.oldest.load(Relaxed)).filter(|millis| *millis > 0)
    }

    pub(super) fn connected(&self, server: String) {
        self.connected.store(true, Relaxed);
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// Answers whether this is news.
    pub(super) fn troubled(&self, why: String) -> bool {
        let was = self.connected.swap(false, Relaxed);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = was || *said != why;
        *said = why;
        is_news
    }
}
