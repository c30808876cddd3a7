//! Built-in analytics: what has been used, added up by the hour as events come (`ledger`), and told by group (`report`).
//!
//! No event is kept. A row of the file is one hour of one `series` (organisation, key, user, model, provider, endpoint, status,
//! metadata), so that the file grows with what is told apart and not with the number of requests. Money and tokens are exact;
//! durations are in mergeable `histogram`s whose quantiles are off by 2 % at most.
//!
//! Nothing is opened before there is an event or a question, and no request waits for any of it. `counting` says from where
//! events come: `feed` reads the spool, `subscription` the stream of all gateways where there is one. Several processes with one
//! `store.path` write one file, SQLite's write-ahead log between them, and each answers for all.

mod aside;
mod counter;
mod counting;
mod database;
mod event;
mod failure;
mod feed;
mod histogram;
mod ledger;
mod question;
mod recent;
mod report;
mod scan;
mod series;
mod subscription;
mod sums;
#[cfg(test)]
mod tests;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use tokio::sync::{Mutex, Semaphore};

pub use counting::Counting;
pub use database::DatabaseError;
pub use failure::Failure;
pub use histogram::RELATIVE_ERROR;
pub use question::{MOST_ROWS, Question};
pub use report::{NoReport, report};

use super::Standing;
use crate::api::UsageReport;

/// Questions that are answered at the same time; more of them wait.
const MOST_QUESTIONS: usize = 4;

/// What the gateway knows of its own analytics.
#[derive(Debug)]
pub struct Analytics {
    folder: PathBuf,
    max_age: Duration,
    /// Since when an event has been waiting, in milliseconds since 1970; 0 when none is.
    waiting_since: AtomicU64,
    /// How old is what has not even reached the stream.
    standing: Arc<Standing>,
    /// Held by who counts from the spool.
    from_spool: Mutex<()>,
    questions: Arc<Semaphore>,
}

impl Analytics {
    /// Sums are kept in that folder for so long. Nothing is opened yet.
    pub fn new(folder: PathBuf, max_age: Duration, standing: Arc<Standing>) -> Arc<Self> {
        let (waiting_since, questions) = (AtomicU64::new(0), Arc::new(Semaphore::new(MOST_QUESTIONS)));
        Arc::new(Self { folder, max_age, waiting_since, standing, from_spool: Mutex::default(), questions })
    }

    /// Answers a question on a thread that serves no requests.
    ///
    /// # Errors
    /// See [`report`].
    pub async fn report(self: &Arc<Self>, question: Question) -> Result<UsageReport, NoReport> {
        let turn = self.questions.clone().acquire_owned().await.expect("nobody closes it");
        let this = self.clone();
        let answered = tokio::task::spawn_blocking(move || {
            let _turn = turn; // whoever asked may have left
            report(&this.folder, &question)
        });
        let mut answer = answered.await.map_err(|_| NoReport::Defect)??;
        let waiting = Some(self.waiting_since.load(Relaxed)).filter(|since| *since > 0);
        let oldest = waiting.into_iter().chain(self.standing.oldest()).min();
        answer.freshness.behind_ms = Some(oldest.map_or(0, |since| now().saturating_sub(since)));
        Ok(answer)
    }

    /// Whether an event has been written and not been counted.
    fn waits(&self, waits: bool) {
        if waits {
            let _ = self.waiting_since.compare_exchange(0, now(), Relaxed, Relaxed);
        } else {
            self.waiting_since.store(0, Relaxed);
        }
    }

    /// Nothing that is older has been left uncounted; milliseconds since 1970.
    fn waits_since(&self, millis: Option<u64>) {
        self.waiting_since.store(millis.unwrap_or(0), Relaxed);
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
