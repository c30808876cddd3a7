//! From where events are counted: from the spool, or, as soon as a stream takes them, from there with those of all gateways.
//!
//! A stream is read from its beginning and a log is published from its beginning, so that what was counted from a log comes a
//! second time. Which events those are is known when the log is handed over, before the first of them is published: nobody counts
//! from it any more, and the ledger is told what to expect.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    Analytics,
    counter::Counter,
    database::{self, DatabaseError},
    event::Event,
    failure::Failure,
    feed::{CHUNK, CONSUMER, Feed, Source},
    ledger::Ledger,
    subscription::Subscription,
};
use crate::{
    spool::{Kind, Log, Spool},
    usage::{Settings, lane},
};

/// Counts until it is told to stop, and then what is left.
pub struct Counting {
    analytics: Arc<Analytics>,
    spool: Arc<Spool>,
    taken: watch::Receiver<Option<Settings>>,
}

impl Counting {
    /// `taken` says which stream takes the events; while none does, they stay in the spool.
    pub fn new(analytics: Arc<Analytics>, spool: Arc<Spool>, taken: watch::Receiver<Option<Settings>>) -> Self {
        Self { analytics, spool, taken }
    }

    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let taken = self.taken.borrow_and_update().clone();
            let leave = stop.child_token();
            let (analytics, spool) = (self.analytics.clone(), self.spool.clone());
            let told = leave.clone();
            let counting = async move {
                match taken {
                    None => {
                        let _turn = analytics.from_spool.lock().await;
                        Feed::new(analytics.clone(), spool).run(told).await;
                    }
                    Some(settings) => Subscription::new(analytics, settings).run(told).await,
                }
            };
            let mut counting = std::pin::pin!(counting);
            tokio::select! {
                () = &mut counting => {}
                Ok(()) = self.taken.changed() => {
                    leave.cancel();
                    counting.await;
                }
            }
        }
    }
}

impl Analytics {
    /// From now on the events of that log are counted from the stream that takes them. What has been counted already is not
    /// counted there; what has been published already may be in the stream and not be counted yet. To be awaited before
    /// anything of the log is published; doing it again changes nothing.
    ///
    /// # Errors
    /// When it cannot be known, or not be written down.
    pub async fn hand_over(self: &Arc<Self>, log: &Arc<Log>) -> Result<(), Failure> {
        let _turn = self.from_spool.lock().await; // whoever counts from the spool has been told to leave
        let (this, log) = (self.clone(), log.clone());
        let done = tokio::task::spawn_blocking(move || {
            let told = this.tell_what_is_counted(&log);
            log.dismiss(CONSUMER);
            told
        });
        match done.await {
            // then nothing is counted at all, and that is said elsewhere
            Ok(Err(Failure::Database(DatabaseError::Version { .. }))) => Ok(()),
            Ok(told) => told,
            Err(_) => Err(Failure::Defect),
        }
    }

    fn tell_what_is_counted(self: &Arc<Self>, log: &Arc<Log>) -> Result<(), Failure> {
        if log.released(CONSUMER)?.is_none() && !database::path(&self.folder).exists() {
            return Ok(()); // the common case: it has never been otherwise
        }
        let mut counter = Counter::new(self.clone());
        let told = counter.ledger().map_err(Failure::from).and_then(|ledger| expect_again(ledger, log));
        if let Err(Failure::Database(error)) = &told {
            counter.failed(error);
        }
        told
    }
}

/// What of a log has been counted and not been published.
fn expect_again(ledger: &mut Ledger, log: &Arc<Log>) -> Result<(), Failure> {
    let mut source = Source::open(log)?;
    source.place(ledger)?;
    let mut reader = log.reader(CONSUMER)?;
    reader.seek(log.released(lane::CONSUMER)?.unwrap_or(0));
    let mut ids = Vec::new();
    while reader.position() < source.counted {
        let records = reader.read(CHUNK)?;
        if records.is_empty() && reader.is_at_end() {
            break;
        }
        let counted = records.iter().filter(|record| record.kind == Kind::Usage && record.end <= source.counted);
        ids.extend(counted.filter_map(|record| Event::read(&record.bytes).ok()).map(|event| event.id()));
    }
    if ids.is_empty() {
        return Ok(());
    }
    tracing::info!(
        events = ids.len(),
        log = log.name(),
        "usage that was counted here goes to NATS, and is not counted twice"
    );
    Ok(ledger.expect(&ids, super::now())?)
}
