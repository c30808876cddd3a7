//! What a request names by its address: what has to be fetched, and what was.

use std::sync::{Arc, Mutex, PoisonError};

use crate::memory::Share;

/// Something in a request whose bytes a format has to send itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub url: String,
    /// The field that names it, for refusals.
    pub param: String,
    /// Media types that can be sent.
    pub takes: &'static [&'static str],
}

/// What was at an address.
#[derive(Debug, PartialEq, Eq)]
pub struct Medium {
    pub url: String,
    /// One of those that were wanted.
    pub media_type: &'static str,
    pub base64: String,
}

/// What was fetched for one request, so that no further attempt fetches it again, and the memory that it takes.
#[derive(Debug, Default)]
pub struct Fetched(Mutex<Vec<(Arc<Medium>, Share)>>);

impl Fetched {
    pub fn all(&self) -> Vec<Arc<Medium>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(medium, _)| medium.clone()).collect()
    }

    pub fn add(&self, medium: Medium, share: Share) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((Arc::new(medium), share));
    }
}
