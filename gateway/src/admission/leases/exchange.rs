//! The task that changes the values of the bucket, and hears what others have changed.

use std::{
    collections::HashMap,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chrono::Utc;
use tokio::{
    sync::mpsc,
    task::spawn_blocking,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    LeaseSettings, Question, Told,
    record::{Change, LEASE_MILLIS, Now, Record},
};
use crate::{
    admission::{Account, Accounts, budgets::Spend},
    config::NatsServer,
    money::Usd,
    nats::{self, Connection, Heard, Message, Pauses, Playback, Servers, Stored, Trouble},
};

/// Between two attempts to connect: the first, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// A change is stored in this time, or there is trouble.
const ANSWER: Duration = Duration::from_secs(2);
/// Leases are renewed this often, or given back where nothing was to be paid.
const RENEWAL: Duration = Duration::from_millis(LEASE_MILLIS / 4);
/// Changes under way at once.
const MOST: usize = 512;

pub(super) struct Exchange {
    settings: LeaseSettings,
    accounts: Arc<Accounts>,
    questions: mpsc::Receiver<Question>,
    /// Whether they are answered.
    listens: Arc<AtomicBool>,
    stop: CancellationToken,
    /// This process, as long as it lives.
    gateway: String,
    /// The bucket, as far as it has come.
    known: HashMap<String, Known>,
    /// Whether it counts here: not before it has what was spent here alone.
    counts: bool,
}

/// A value, and the sequence it was stored with.
#[derive(Default)]
struct Known {
    sequence: u64,
    /// `None` when somebody has deleted it, or it cannot be read.
    record: Option<Record>,
}

/// A change of one value that is to be stored.
struct Wanted {
    who: String,
    change: Change,
    account: Option<Arc<Account>>,
    told: bool,
    attempt: Option<Attempt>,
    /// What was stored.
    stored: Option<Spend>,
}

struct Attempt {
    number: u64,
    /// What it replaces.
    expected: u64,
    record: Record,
    granted: Usd,
    /// Something else has been stored there.
    refused: bool,
}

impl Exchange {
    pub fn new(
        settings: LeaseSettings,
        accounts: Arc<Accounts>,
        (questions, listens): (mpsc::Receiver<Question>, Arc<AtomicBool>),
        stop: CancellationToken,
    ) -> Self {
        let gateway = format!("{}-{:016x}", settings.name, fastrand::u64(..));
        Self { settings, accounts, questions, listens, stop, gateway, known: HashMap::new(), counts: false }
    }

    /// Runs until it is told to stop; then it gives back what it has leased.
    pub async fn run(mut self) {
        let mut servers = Servers::new(&self.settings.nats.servers);
        let mut pauses = Pauses::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let began = Instant::now();
            let ended = self.session(&mut servers).await;
            self.listens.store(false, SeqCst);
            match ended {
                Ok(()) => return,
                Err(trouble) => self.part(&servers, &trouble),
            }
            servers.next();
            let later = Instant::now() + pauses.after(began.elapsed() > LONGEST_PAUSE);
            loop {
                tokio::select! {
                    () = sleep_until(later) => break,
                    () = self.stop.cancelled() => return,
                    // whoever has something to tell meanwhile keeps it
                    Some(_) = self.questions.recv() => {}
                }
            }
        }
    }

    fn part(&self, servers: &Servers, trouble: &Trouble) {
        let NatsServer { host, port } = servers.present();
        let server = format_args!("{host}:{port}");
        if self.accounts.part() {
            tracing::warn!(%server, error = %trouble, "budgets: the other gateways are out of reach; this one counts alone");
        } else {
            tracing::debug!(%server, error = %trouble, "budgets: the other gateways are still out of reach");
        }
    }

    /// One connection, from its beginning to its end.
    async fn session(&mut self, servers: &mut Servers) -> Result<(), Trouble> {
        let bucket = &self.settings.bucket;
        let mut connection = Connection::open(servers.present(), &self.settings.nats, &self.settings.name).await?;
        servers.learn(connection.others());
        nats::bucket(&mut connection, bucket).await?;
        self.known.clear();
        self.counts = false;
        let mut playback = Playback::begin(&mut connection, &bucket.stream(), &bucket.subject(">"), 1).await?;
        for _ in 0..playback.pending() {
            let stored = timeout_at(Instant::now() + ANSWER, playback.next(&mut connection)).await;
            let stored = stored.unwrap_or(Err(Trouble::Silent))?;
            self.take(&stored);
            if stored.pending == 0 {
                break;
            }
        }
        self.listens.store(true, SeqCst);
        self.tell_first(&mut connection, &mut playback).await?;
        self.counts = true;
        for (who, known) in &self.known {
            known.record.iter().for_each(|record| self.accounts.heard(who, record.spend));
        }
        self.accounts.join();
        tracing::info!(bucket = %self.settings.bucket.name, "budgets are shared with the other gateways");
        let mut renewal = interval(RENEWAL);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewed = Vec::new();
        let stop = self.stop.clone();
        loop {
            if connection.is_leaving() {
                return Err(Trouble::Leaving);
            }
            let mut wanted = tokio::select! {
                biased;
                heard = playback.hear(&mut connection) => {
                    if let Heard::Stored(stored) = heard? {
                        self.take(&stored);
                    }
                    continue;
                }
                Some(question) = self.questions.recv() => {
                    self.tell(&mut connection, &mut playback, question).await?;
                    self.accounts.join(); // a request may have lost its patience
                    continue;
                }
                () = self.accounts.wanting() => Self::asking(self.accounts.who_want(), false),
                () = stop.cancelled() => {
                    let mut last = Self::asking(self.accounts.spenders(), true);
                    last.iter_mut().for_each(|one| one.change.want = None);
                    return self.settle(&mut connection, &mut playback, &mut last).await;
                }
                _ = renewal.tick() => {
                    renewed = self.accounts.spenders();
                    continue;
                }
                // some at a time: who waits for a lease goes in between
                () = ready(()), if !renewed.is_empty() => {
                    Self::asking(renewed.split_off(renewed.len().saturating_sub(MOST)), true)
                }
            };
            self.settle(&mut connection, &mut playback, &mut wanted).await?;
            self.accounts.join();
            self.accounts.exchanged();
        }
    }

    /// What was spent here alone is in no value of the bucket: the others hear of it before anything is leased of their rest.
    async fn tell_first(&mut self, connection: &mut Connection, playback: &mut Playback) -> Result<(), Trouble> {
        let accounts = self.accounts.clone();
        let mut writing = spawn_blocking(move || accounts.write_down());
        loop {
            tokio::select! {
                biased;
                Some(question) = self.questions.recv() => self.tell(connection, playback, question).await?,
                heard = playback.hear(connection) => {
                    if let Heard::Stored(stored) = heard? {
                        self.take(&stored);
                    }
                }
                _ = &mut writing => return Ok(()),
            }
        }
    }

    async fn tell(
        &mut self,
        connection: &mut Connection,
        playback: &mut Playback,
        Question { told, gone, answer }: Question,
    ) -> Result<(), Trouble> {
        // every gateway does so: whether this one has is nothing to wait for
        for who in gone.into_iter().filter(|who| self.known.get(who).is_some_and(|known| known.record.is_some())) {
            let subject = self.settings.bucket.subject(&nats::escaped(&who));
            connection.publish(&subject, &[nats::DELETED], &[]);
        }
        let mut wanted: Vec<_> = told.into_iter().map(|told| self.telling(told)).collect();
        self.settle(connection, playback, &mut wanted).await?;
        let _ = answer.send(wanted.into_iter().map(|one| one.stored.unwrap_or_default()).collect());
        Ok(())
    }

    /// What somebody has stored.
    fn take(&mut self, Stored { sequence, message, .. }: &Stored) {
        let subject = String::from_utf8_lossy(&message.subject);
        let prefix = self.settings.bucket.subject("");
        let who = nats::unescaped(subject.strip_prefix(&prefix).unwrap_or(&subject));
        let record = serde_json::from_slice::<Record>(&message.payload).ok();
        match &record {
            _ if !self.counts => {}
            Some(record) if record.by != self.gateway => self.accounts.heard(&who, record.spend),
            None if message.payload.is_empty() => self.accounts.forgotten(&who),
            _ => {}
        }
        self.learn(who, *sequence, record);
    }

    fn learn(&mut self, who: String, sequence: u64, record: Option<Record>) {
        let known = self.known.entry(who).or_default();
        if sequence > known.sequence {
            *known = Known { sequence, record };
        }
    }

    fn telling(&self, Told { who, known, spent }: Told) -> Wanted {
        let account = self.accounts.spender(&who);
        let want = account.as_ref().and_then(|account| account.want(true));
        Wanted { change: Change { known, spent, want }, who, account, told: true, attempt: None, stored: None }
    }

    /// What the accounts want; `renews` those that have something, too.
    fn asking(accounts: Vec<Arc<Account>>, renews: bool) -> Vec<Wanted> {
        let wanted = accounts.into_iter().filter(|account| account.asks(renews)).map(|account| {
            let change = Change { known: account.known(), spent: Spend::default(), want: account.want(false) };
            Wanted { who: account.who(), change, account: Some(account), told: false, attempt: None, stored: None }
        });
        wanted.collect()
    }

    /// Stores all of it, each on top of what the others have stored.
    async fn settle(
        &mut self,
        connection: &mut Connection,
        playback: &mut Playback,
        wanted: &mut [Wanted],
    ) -> Result<(), Trouble> {
        for some in wanted.chunks_mut(MOST) {
            let until = Instant::now() + ANSWER;
            let mut left = some.len();
            while left > 0 {
                for one in some.iter_mut().filter(|one| one.stored.is_none() && one.attempt.is_none()) {
                    self.attempt(connection, one);
                }
                let heard = timeout_at(until, playback.hear(connection)).await.unwrap_or(Err(Trouble::Silent))?;
                match heard {
                    Heard::Stored(stored) => self.take(&stored),
                    Heard::Answer(message) => left -= usize::from(self.answered(connection, &message, some)?),
                }
                some.iter_mut().for_each(|one| self.reconsider(one));
            }
        }
        Ok(())
    }

    fn attempt(&self, connection: &mut Connection, one: &mut Wanted) {
        let known = self.known.get(&one.who);
        let expected = known.map_or(0, |known| known.sequence);
        let before = known.and_then(|known| known.record.as_ref());
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = Now { millis: u64::try_from(millis).unwrap_or(u64::MAX), day: Utc::now().date_naive() };
        let (record, granted) = Record::changed(before, &one.who, &self.gateway, &one.change, now);
        let subject = self.settings.bucket.subject(&nats::escaped(&one.who));
        let payload = serde_json::to_vec(&record).expect("texts and numbers");
        let sequence = expected.to_string();
        let number = connection.publish(&subject, &[(nats::EXPECTED_SEQUENCE, &sequence)], &payload);
        one.attempt = Some(Attempt { number, expected, record, granted, refused: false });
    }

    /// Whether it is an answer to one of them that ends it.
    fn answered(&mut self, connection: &Connection, message: &Message, some: &mut [Wanted]) -> Result<bool, Trouble> {
        let number = connection.number(message);
        let is_it = |one: &&mut Wanted| one.attempt.as_ref().is_some_and(|attempt| Some(attempt.number) == number);
        let Some(one) = some.iter_mut().find(is_it) else { return Ok(false) };
        let sequence = match nats::acknowledged(message) {
            Ok(ack) => ack.sequence,
            Err(Trouble::JetStream { code, .. }) if nats::is_conflict(code) => {
                one.attempt.iter_mut().for_each(|attempt| attempt.refused = true);
                return Ok(false);
            }
            Err(trouble) => return Err(trouble),
        };
        let Some(Attempt { record, granted, .. }) = one.attempt.take() else { return Ok(false) };
        self.learn(one.who.clone(), sequence, Some(record));
        let latest = self.known.get(&one.who).and_then(|known| known.record.as_ref());
        let total = latest.map(|record| record.spend).unwrap_or_default();
        if let Some(account) = &one.account {
            account.leased(total, granted, one.told);
        }
        one.stored = Some(total);
        Ok(true)
    }

    /// What was refused is tried again as soon as it is known what has come in between.
    fn reconsider(&self, one: &mut Wanted) {
        let latest = self.known.get(&one.who).map_or(0, |known| known.sequence);
        one.attempt.take_if(|attempt| attempt.refused && attempt.expected < latest);
    }
}
