//! The thread that takes over what the bucket has: all of it at first, then each commit as it comes.
//!
//! A commit is taken over whole. It ends with the message that says so; that one may have been replaced by a later commit
//! meanwhile, so that a commit also ends where another begins, or where nothing more comes.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{
    SharedSettings,
    replica::{Replica, Taken},
    standing::{Standing, now},
};
use crate::{
    config::NatsServer,
    nats::{self, Connection, Extent, Heard, Message, Pauses, Playback, Servers, Stored, Trouble},
    store::{Store, StoreError, Wake},
};

/// Between two attempts to connect: the first, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How often the stream's leader is asked how far it is.
const QUESTION: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(5);
/// Whoever is behind for longer begins anew.
const BEHIND: Duration = Duration::from_secs(3);
/// When nothing more comes for so long, what has come is shown; and the stream's leader is asked whether a commit that has not
/// ended is all there is.
const SILENCE: Duration = Duration::from_millis(50);
/// Under a constant stream of commits they are shown this often.
const SHOWN: Duration = Duration::from_millis(50);
/// For so long at most nothing is shown because commits overtake each other.
const TORN: Duration = Duration::from_secs(1);
/// How often the clock is looked at while nothing comes.
const CLOCK: Duration = Duration::from_millis(250);
/// How often the last contact is written down: after a restart without NATS it counts from there.
const NOTED: u64 = 5_000;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error(transparent)]
    Trouble(#[from] Trouble),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody has to see to it.
    #[error("{0}")]
    Lost(String),
}

pub(super) struct Follower {
    pub settings: Arc<SharedSettings>,
    pub replica: Replica,
    pub standing: Arc<Standing>,
    pub wake: Arc<OnceLock<Wake>>,
    pub stop: CancellationToken,
    /// The last contact that was written down.
    pub noted: u64,
}

impl Follower {
    /// Runs until it is told to stop.
    pub async fn run(mut self) {
        let (stop, standing) = (self.stop.clone(), self.standing.clone());
        let clock = async {
            loop {
                standing.judge();
                sleep(CLOCK).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.follow() => {}
            () = clock => {}
        }
        self.replica.abandon();
    }

    async fn follow(&mut self) {
        let mut servers = Servers::new(&self.settings.nats.servers);
        let mut pauses = Pauses::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let was_connected = Instant::now();
            let Err(interrupted) = self.session(&mut servers).await;
            self.replica.abandon();
            self.tell(&servers, &interrupted);
            servers.next();
            sleep(pauses.after(was_connected.elapsed() > LONGEST_PAUSE)).await;
        }
    }

    fn tell(&self, servers: &Servers, interrupted: &Interrupted) {
        let NatsServer { host, port } = servers.present();
        let needs_help = matches!(interrupted, Interrupted::Lost(_) | Interrupted::Trouble(Trouble::Unsuitable { .. }));
        if !self.standing.troubled(format!("{host}:{port}: {interrupted}"), needs_help) {
            return;
        }
        let bucket = &self.settings.bucket.name;
        if needs_help {
            tracing::error!(%bucket, error = %interrupted, "the control plane cannot be followed; what was seen last is served");
        } else {
            tracing::warn!(%bucket, server = %format_args!("{host}:{port}"), error = %interrupted, "the control plane is out of reach");
        }
    }

    /// One connection, from its beginning to its end.
    async fn session(&mut self, servers: &mut Servers) -> Result<Infallible, Interrupted> {
        let settings = self.settings.clone();
        let mut connection = Connection::open(servers.present(), &settings.nats, &settings.name).await?;
        servers.learn(connection.others());
        let found = nats::bucket(&mut connection, &settings.bucket).await?;
        let from = self.recognise(&mut connection, &found).await?;
        let stream = settings.bucket.stream();
        let playback = Playback::begin(&mut connection, &stream, &settings.bucket.subject(">"), from).await?;
        let mut reading = Reading {
            server: connection.server(),
            question: format!("$JS.API.STREAM.INFO.{stream}"),
            subjects: settings.bucket.subject(""),
            created: found.created,
            target: found.last,
            at: from.saturating_sub(1),
            unfinished: None,
            torn: None,
            since: None,
            asked: None,
            next_question: Instant::now(),
            owed: None,
            counted: (0, 0),
            follower: self,
        };
        reading.run(connection, playback).await
    }

    /// From which sequence on the bucket is taken over.
    async fn recognise(&mut self, connection: &mut Connection, found: &Extent) -> Result<u64, Interrupted> {
        let (place, had) = (self.replica.place()?, self.replica.messages()?);
        let bucket = &self.settings.bucket;
        let Some(created) = place.created else { return Ok(1) };
        if found.messages == 0 && had > 0 {
            return Err(Interrupted::Lost(format!(
                "the bucket `{}` is empty, and it had {had} records: restore a backup into it (`prism store restore`)",
                bucket.name
            )));
        }
        if created == found.created && found.last >= place.sequence {
            return Ok(place.sequence + 1);
        }
        if had > 0 {
            let identity = self.settings.identity;
            let ours = self.replica.get(identity)?.map(|record| record.value);
            let theirs = nats::last(connection, &bucket.stream(), &bucket.subject(&nats::escaped(identity))).await?;
            if ours != theirs.map(|last| last.payload) {
                return Err(Interrupted::Lost(format!(
                    "the bucket `{}` is another one, with organisations that are not those of before: restore a backup into it, \
                     or begin anew by removing `replica.db` of every gateway",
                    bucket.name
                )));
            }
            tracing::warn!(bucket = %bucket.name, "the bucket was made anew, from a backup of the same organisations: it is taken over");
        }
        self.replica.forget(&found.created)?;
        Ok(1)
    }
}

/// What one connection brings.
struct Reading<'a> {
    follower: &'a mut Follower,
    server: String,
    /// Where the stream's leader is asked.
    question: String,
    /// How the subjects of keys begin.
    subjects: String,
    created: String,
    /// What there was at the beginning ends here; nothing is shown before.
    target: u64,
    /// The last message that came.
    at: u64,
    /// The commit whose end has not come, and which of its messages is next.
    unfinished: Option<(String, u64)>,
    torn: Option<Torn>,
    /// Something has been taken over since then, and is not shown yet.
    since: Option<Instant>,
    asked: Option<Question>,
    next_question: Instant,
    owed: Option<Owed>,
    /// Up to that message there are as many as there have to be.
    counted: (u64, u64),
}

/// Of a commit that has come some messages are missing: later commits have written the same keys. It is whole again when those have
/// come, which are not after what there was when that was seen.
struct Torn {
    /// So many messages are still to come of those.
    left: u64,
    since: Instant,
}

/// What the stream's leader had at a moment.
struct Owed {
    last: u64,
    messages: u64,
    /// Since 1970.
    millis: u64,
    since: Instant,
}

struct Question {
    number: u64,
    at: Instant,
    millis: u64,
}

impl Torn {
    /// Nothing is shown in halves, but where commits never cease to overtake each other.
    fn is_over(&self) -> bool {
        self.left == 0 || self.since.elapsed() >= TORN
    }
}

impl Reading<'_> {
    async fn run(&mut self, mut connection: Connection, mut playback: Playback) -> Result<Infallible, Interrupted> {
        if playback.pending() == 0 {
            self.at = self.target;
            self.settle()?;
        }
        let mut heard = Instant::now();
        loop {
            if connection.is_leaving() {
                return Err(Trouble::Leaving.into());
            }
            let question = self.asked.as_ref().map_or(self.next_question, |asked| asked.at + ANSWER);
            tokio::select! {
                biased;
                message = playback.hear(&mut connection) => {
                    heard = Instant::now();
                    match message? {
                        Heard::Stored(stored) => self.take(&stored)?,
                        Heard::Answer(message) => {
                            if let Some(asked) = self.asked.take_if(|asked| connection.number(&message) == Some(asked.number)) {
                                self.told(&asked, &message)?;
                            }
                        }
                    }
                }
                () = sleep_until((heard + SILENCE).into()), if self.is_whole() => self.settle()?,
                () = sleep_until(question.into()) => {
                    if self.asked.is_some() {
                        return Err(Trouble::NobodyAnswers.into());
                    }
                    let number = connection.ask(&self.question, b"");
                    self.asked = Some(Question { number, at: Instant::now(), millis: now() });
                }
            }
        }
    }

    fn take(&mut self, stored: &Stored) -> Result<(), Interrupted> {
        let Stored { sequence, pending, message, .. } = stored;
        let batch = message.header("Nats-Batch-Id");
        let place = message.header("Nats-Batch-Sequence").and_then(|number| number.parse().ok()).unwrap_or(1);
        let is_deletion = message.header("KV-Operation").is_some_and(|operation| matches!(operation, "DEL" | "PURGE"));
        let subject = String::from_utf8_lossy(&message.subject);
        let key = nats::unescaped(subject.strip_prefix(&self.subjects).unwrap_or(&subject));
        self.follower.replica.take(&Taken {
            key: &key,
            value: (!is_deletion).then_some(&message.payload[..]),
            // the first sequence of its commit
            revision: sequence.saturating_sub(place - 1),
            sequence: *sequence,
        })?;
        self.at = *sequence;
        if *pending == 0 {
            self.target = self.target.min(*sequence);
        }
        self.account(batch, place, *pending);
        self.unfinished =
            batch.filter(|_| message.header("Nats-Batch-Commit").is_none()).map(|batch| (batch.to_owned(), place + 1));
        let now = Instant::now();
        let since = *self.since.get_or_insert(now);
        if self.unfinished.is_some() || self.torn.is_some() {
            self.next_question = self.next_question.min(now + SILENCE);
        }
        let is_due = since.elapsed() >= SHOWN && self.torn.as_ref().is_none_or(Torn::is_over);
        if self.unfinished.is_none() && self.is_shown() && (*pending == 0 || is_due) {
            self.settle()?;
        }
        Ok(())
    }

    /// Whether a message follows the one before, or something between them is missing.
    fn account(&mut self, batch: Option<&str>, place: u64, pending: u64) {
        if let Some(torn) = &mut self.torn {
            torn.left = torn.left.saturating_sub(1);
        }
        let follows = match &self.unfinished {
            None => place == 1,
            Some((open, next)) => Some(open.as_str()) == batch && *next == place,
        };
        if !follows {
            let since = self.torn.as_ref().map_or_else(Instant::now, |torn| torn.since);
            self.torn = Some(Torn { left: pending, since });
        }
    }

    /// Whether what has come and is not shown ends with the end of a commit.
    fn is_whole(&self) -> bool {
        self.since.is_some() && self.unfinished.is_none() && self.torn.is_none() && self.is_shown()
    }

    /// Whether what was there at the beginning has come.
    fn is_shown(&self) -> bool {
        self.at >= self.target
    }

    /// Everything that has come is seen from now on.
    fn settle(&mut self) -> Result<(), Interrupted> {
        self.follower.replica.settle(&self.created, self.at)?;
        (self.since, self.unfinished, self.torn) = (None, None, None);
        self.follower.standing.reached_sequence(self.at);
        if let Some(wake) = self.follower.wake.get() {
            wake();
        }
        self.compare()
    }

    /// The stream's leader has said how far it is.
    fn told(&mut self, asked: &Question, answer: &Message) -> Result<(), Interrupted> {
        let there = nats::extent_in(answer)?;
        if there.created != self.created {
            return Err(Trouble::Setup("the bucket has been made anew".to_owned()).into());
        }
        self.next_question = Instant::now() + QUESTION;
        // commits are stored as a whole: what is missing of them is not there any more
        if self.since.is_some() && self.is_shown() && self.at == there.last {
            self.settle()?;
        }
        let (last, messages, millis) = (there.last, there.messages, asked.millis);
        let owed = self.owed.get_or_insert_with(|| Owed { last, messages, millis, since: Instant::now() });
        if owed.since.elapsed() > BEHIND {
            return Err(Trouble::Setup("it does not give what the stream has".to_owned()).into());
        }
        self.compare()
    }

    /// Holds what the stream's leader had against what has come.
    fn compare(&mut self) -> Result<(), Interrupted> {
        let (at, is_settled) = (self.at, self.since.is_none());
        let Some(owed) = self.owed.take_if(|owed| is_settled && at >= owed.last) else { return Ok(()) };
        let Follower { replica, standing, settings, noted, .. } = &mut *self.follower;
        if at == owed.last && self.counted != (at, owed.messages) {
            let had = replica.messages()?;
            if owed.messages < had {
                return Err(Interrupted::Lost(format!(
                    "the bucket `{}` has {} records, and it had {had}: somebody has purged it; restore a backup into it",
                    settings.bucket.name, owed.messages
                )));
            }
            self.counted = (at, owed.messages);
        }
        if owed.millis.saturating_sub(*noted) > NOTED {
            replica.note_contact(owed.millis)?;
            *noted = owed.millis;
        }
        if standing.in_contact(owed.millis, &self.server) {
            let (bucket, server) = (&settings.bucket.name, &self.server);
            tracing::info!(%bucket, %server, "the control plane is followed");
        }
        Ok(())
    }
}
