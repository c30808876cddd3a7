//! How events come from the stream that several gateways publish to: each of them counts all of it, and answers for all.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{
    Analytics,
    aside::aside,
    counter::Counter,
    database::DatabaseError,
    failure::Failure,
    feed::{IDLE, LINGER},
    ledger::{Batch, Entry},
};
use crate::{
    nats::{self, Connection, Pauses, Playback, Servers, Stored, Trouble},
    usage::{Settings, USAGE},
};

/// Between two attempts: the first, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Bytes of messages that are held to be counted in one transaction.
const BATCH: usize = 2 << 20;

/// Counts what a stream has.
pub(super) struct Subscription {
    analytics: Arc<Analytics>,
    /// Only ever locked on threads that may wait.
    counter: Arc<Mutex<Counter>>,
    settings: Settings,
}

/// A stream that is being read, and how far it has been counted.
struct Session<'a> {
    subscription: &'a Subscription,
    connection: Connection,
    /// What the ledger calls it.
    source: Arc<str>,
    until: u64,
}

impl Subscription {
    pub fn new(analytics: Arc<Analytics>, settings: Settings) -> Self {
        let counter = Arc::new(Mutex::new(Counter::new(analytics.clone())));
        Self { analytics, counter, settings }
    }

    /// Until it is told to stop, and then to the end of the stream as it is at that moment. What cannot be counted then is
    /// counted after the next start.
    pub async fn run(self, stop: CancellationToken) {
        self.analytics.waits(true); // nobody knows yet
        let mut servers = Servers::new(&self.settings.nats.servers);
        let mut pauses = Pauses::new(FIRST_PAUSE, LONGEST_PAUSE);
        while !stop.is_cancelled() {
            let began = Instant::now();
            let failure = match self.session(&mut servers, &stop).await {
                Ok(()) => return,
                Err(failure) => failure,
            };
            self.analytics.waits(true);
            let pause = pauses.after(began.elapsed() > LONGEST_PAUSE);
            if pauses.failures() == 2 {
                tracing::warn!(error = %failure, "usage is not counted at the moment; it waits in the stream");
            }
            servers.next();
            tokio::select! { () = sleep(pause) => {}, () = stop.cancelled() => {} }
        }
    }

    /// One connection, to its end.
    async fn session(&self, servers: &mut Servers, stop: &CancellationToken) -> Result<(), Failure> {
        let mut session = tokio::select! {
            session = self.begin(servers) => session?,
            () = stop.cancelled() => return Ok(()),
        };
        tokio::select! {
            ended = session.follow() => return ended,
            () = stop.cancelled() => {}
        }
        session.finish().await
    }

    async fn begin(&self, servers: &mut Servers) -> Result<Session<'_>, Failure> {
        let Settings { nats, stream, name } = &self.settings;
        let mut connection = Connection::open(servers.present(), nats, &format!("{name} analytics")).await?;
        servers.learn(connection.others());
        let extent = nats::extent(&mut connection, &stream.name).await?;
        // another stream of the same name has other sequences
        let made: DateTime<Utc> =
            extent.created.parse().map_err(|_| Trouble::Foreign("a stream without a beginning"))?;
        let source: Arc<str> = format!("{} {}", stream.name, made.timestamp_micros()).into();
        let asked = source.clone();
        let until = self.aside(move |counter| {
            let ledger = counter.ledger()?;
            let until = ledger.position(&asked)?.map_or(0, |known| known.until);
            if until > extent.last {
                ledger.step_back(&asked, extent.last)?; // a server without power has not kept what it had said to keep
            }
            Ok(until.min(extent.last))
        });
        Ok(Session { subscription: self, connection, source, until: until.await? })
    }

    /// On a thread that may wait.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Counter) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, Failure> {
        let counter = self.counter.clone();
        let done = aside(move || {
            let mut held = counter.lock().unwrap_or_else(|poisoned| {
                let mut held = PoisonError::into_inner(poisoned);
                held.close(); // what it knows may have been rolled back
                held
            });
            counter.clear_poison();
            let outcome = work(&mut held);
            if let Err(error) = &outcome {
                held.failed(error);
            }
            outcome
        });
        Ok(done.await.ok_or(Failure::Defect)??)
    }
}

impl Session<'_> {
    /// Counts what comes, for as long as the connection lasts. When it is dropped meanwhile, what it has read is read again.
    async fn follow(&mut self) -> Result<(), Failure> {
        let mut playback = self.playback().await?;
        let Self { subscription: Subscription { analytics, settings, .. }, until, .. } = self;
        tracing::info!(stream = settings.stream.name, from = *until + 1, "usage is counted from the stream");
        analytics.waits(playback.pending() > 0);
        loop {
            let Ok(first) = timeout(IDLE, playback.next(&mut self.connection)).await else {
                let close = |counter: &mut Counter| {
                    counter.close();
                    Ok(())
                };
                self.subscription.aside(close).await?;
                continue;
            };
            self.subscription.analytics.waits(true);
            let batch = self.gather(&mut playback, first?).await?;
            self.count(batch).await?;
            if self.connection.is_leaving() {
                return Err(Trouble::Leaving.into());
            }
        }
    }

    /// Counts what there is, and nothing that comes later.
    async fn finish(&mut self) -> Result<(), Failure> {
        let mut playback = self.playback().await?;
        let end = playback.pending();
        let mut seen = 0;
        while seen < end {
            let first = playback.next(&mut self.connection).await?;
            let batch = self.gather(&mut playback, first).await?;
            seen += batch.len() as u64;
            self.count(batch).await?;
        }
        Ok(())
    }

    async fn playback(&mut self) -> Result<Playback, Failure> {
        let stream = &self.subscription.settings.stream.name;
        Ok(Playback::begin(&mut self.connection, stream, USAGE, self.until + 1).await?)
    }

    /// A message, and those that come soon after it.
    async fn gather(&mut self, playback: &mut Playback, first: Stored) -> Result<Vec<Stored>, Failure> {
        let until = Instant::now() + LINGER;
        let (mut bytes, mut batch) = (first.message.payload.len(), vec![first]);
        while bytes < BATCH
            && let Ok(next) = timeout_at(until, playback.next(&mut self.connection)).await
        {
            let next = next?;
            bytes += next.message.payload.len();
            batch.push(next);
        }
        Ok(batch)
    }

    async fn count(&mut self, stored: Vec<Stored>) -> Result<(), Failure> {
        let Some(&Stored { sequence, millis, pending, .. }) = stored.last() else { return Ok(()) };
        let source = self.source.clone();
        let counted = self.subscription.aside(move |counter| {
            let entries: Vec<_> =
                stored.iter().map(|one| Entry { end: one.sequence, event: &one.message.payload }).collect();
            let batch = Batch { entries: &entries, source: &source, is_shared: true, until: sequence, millis };
            counter.ledger()?.count(&batch)?;
            counter.trim()
        });
        counted.await?;
        self.until = sequence;
        self.subscription.analytics.waits_since((pending > 0).then_some(millis));
        Ok(())
    }
}
