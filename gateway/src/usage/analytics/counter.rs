//! The ledger while there is something to count, and what keeps it in order.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use super::{
    Analytics,
    database::{self, DatabaseError},
    ledger::Ledger,
};

const TRIM: Duration = Duration::from_secs(3600);

/// Opens the file when it is needed. It waits for disks: not for a thread that must not wait.
pub(super) struct Counter {
    analytics: Arc<Analytics>,
    ledger: Option<Ledger>,
    trimmed: Option<Instant>,
}

impl Counter {
    pub fn new(analytics: Arc<Analytics>) -> Self {
        Self { analytics, ledger: None, trimmed: None }
    }

    pub fn analytics(&self) -> &Arc<Analytics> {
        &self.analytics
    }

    /// Gives back the memory that an open file takes.
    pub fn close(&mut self) {
        self.ledger = None;
    }

    pub fn ledger(&mut self) -> Result<&mut Ledger, DatabaseError> {
        match &mut self.ledger {
            Some(ledger) => Ok(ledger),
            none => Ok(none.insert(Ledger::open(&self.analytics.folder)?)),
        }
    }

    /// Forgets what is too old, from time to time.
    pub fn trim(&mut self) -> Result<(), DatabaseError> {
        if let Some(ledger) = &mut self.ledger
            && self.trimmed.is_none_or(|at| at.elapsed() >= TRIM)
        {
            ledger.trim(SystemTime::now().into(), self.analytics.max_age)?;
            self.trimmed = Some(Instant::now());
        }
        Ok(())
    }

    /// After a failure the file is opened anew; one that holds nothing readable is put aside.
    pub fn failed(&mut self, error: &DatabaseError) {
        self.close();
        if !error.is_damage() {
            return;
        }
        match database::put_aside(&self.analytics.folder) {
            Ok(aside) => tracing::error!(%error, aside = %aside.display(), "usage is counted into a new file"),
            Err(reason) => {
                tracing::error!(%error, %reason, "a file that cannot be read is in the way of counting usage")
            }
        }
    }
}
