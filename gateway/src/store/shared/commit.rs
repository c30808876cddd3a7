//! A commit: its changes are stored by the bucket's stream all at once or not at all, each only if the record is as it was
//! seen.
//!
//! When the answer does not come, the same commit is sent again. If the first one has been stored, the second meets what it
//! wrote, and knows it by its token; if not, the second takes its place, and the first can come no more: what it expects
//! is no longer there.

use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::time::{sleep, timeout, timeout_at};

use super::SharedSettings;
use crate::{
    nats::{self, Connection, Servers, Trouble},
    store::StoreError,
};

/// A commit has so long for all its attempts.
const PATIENCE: Duration = Duration::from_secs(8);
const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(100);
/// What JetStream has refused so often it will refuse again: the bucket is full, say.
const MOST_REFUSALS: u32 = 5;
/// A connection that was not used for longer may be gone without a word.
const FRESH: Duration = Duration::from_secs(10);
/// JetStream takes so many messages at once.
pub(super) const MOST: usize = 1000;
/// So many bytes wait for the socket at most.
const LARGEST: usize = 32 << 20;
/// Room for the headers of a message.
const HEADERS: usize = 1 << 10;
/// Which commit has written a message.
const TOKEN: &str = "Prism-Commit";

/// A change, as the bucket is asked for it.
pub(super) struct Wanted<'a> {
    pub key: &'a str,
    /// `None` deletes it.
    pub value: Option<&'a [u8]>,
    /// The sequence that the last message under the key must have, 0 for none; `None` for whichever.
    pub expected: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Under these sequences.
    Stored { first: u64, last: u64 },
    /// Nothing was changed: the last message under that key has this sequence.
    Conflict { key: String, sequence: u64 },
}

/// Commits, one after the other, on a connection of their own.
pub(super) struct Publisher {
    servers: Servers,
    kept: Option<(Connection, Instant)>,
}

impl Publisher {
    pub fn new(settings: &SharedSettings) -> Self {
        Self { servers: Servers::new(&settings.nats.servers), kept: None }
    }

    /// # Errors
    /// When nothing was changed, or it is not known.
    pub async fn store(
        &mut self,
        settings: &SharedSettings,
        token: &str,
        wanted: &[Wanted<'_>],
    ) -> Result<Outcome, StoreError> {
        let bytes: usize = wanted.iter().map(|one| one.value.map_or(0, <[u8]>::len) + HEADERS).sum();
        if wanted.len() > MOST || bytes > LARGEST {
            return Err(StoreError::TooLarge(format!("{} records with {bytes} bytes", wanted.len())));
        }
        let until = tokio::time::Instant::now() + PATIENCE;
        let mut unsure = false;
        let mut said = "it does not answer".to_owned();
        let mut refusals = 0;
        loop {
            let attempt = timeout_at(until, self.attempt(settings, token, wanted, &mut unsure)).await;
            match attempt {
                Ok(Ok(outcome)) => return Ok(outcome),
                Ok(Err(Trouble::Unsuitable { reason, .. })) => return Err(StoreError::TooLarge(reason)),
                Ok(Err(trouble)) => {
                    said = trouble.to_string();
                    refusals += u32::from(matches!(trouble, Trouble::JetStream { .. }));
                    if refusals >= MOST_REFUSALS && !unsure {
                        return Err(StoreError::Away(said));
                    }
                }
                Err(_) if unsure => return Err(StoreError::Unconfirmed(said)),
                Err(_) => return Err(StoreError::Away(said)),
            }
            self.kept = None;
            self.servers.next();
            sleep(PAUSE).await;
        }
    }

    async fn attempt(
        &mut self,
        settings: &SharedSettings,
        token: &str,
        wanted: &[Wanted<'_>],
        unsure: &mut bool,
    ) -> Result<Outcome, Trouble> {
        let mut connection = match self.kept.take().filter(|(_, used)| used.elapsed() < FRESH) {
            Some((connection, _)) if !connection.is_leaving() => connection,
            _ => {
                let opening = Connection::open(self.servers.present(), &settings.nats, &settings.name);
                timeout(CONNECT, opening).await.unwrap_or(Err(Trouble::Silent))?
            }
        };
        self.servers.learn(connection.others());
        let largest = wanted.iter().map(|one| one.value.map_or(0, <[u8]>::len) + HEADERS).max().unwrap_or(0);
        if largest > connection.max_payload() {
            let reason =
                format!("{largest} bytes in one record, and NATS takes {} (`max_payload`)", connection.max_payload());
            return Err(Trouble::Unsuitable { stream: settings.bucket.stream(), reason });
        }
        let was_unsure = std::mem::replace(unsure, true);
        let answer = send(&mut connection, settings, token, wanted).await?;
        *unsure = was_unsure && !matches!(answer, Answer::Stored { .. });
        let outcome = match answer {
            Answer::Stored { seq: last, count } => Outcome::Stored { first: last + 1 - count, last },
            Answer::Conflict => {
                *unsure = was_unsure;
                whose(&mut connection, settings, token, wanted).await?
            }
            Answer::Refused(trouble) => return Err(trouble),
        };
        self.kept = Some((connection, Instant::now()));
        Ok(outcome)
    }
}

/// What the stream says to a commit.
enum Answer {
    Stored {
        seq: u64,
        count: u64,
    },
    Conflict,
    /// Nothing was stored, for another reason.
    Refused(Trouble),
}

async fn send(
    connection: &mut Connection,
    settings: &SharedSettings,
    token: &str,
    wanted: &[Wanted<'_>],
) -> Result<Answer, Trouble> {
    #[derive(Deserialize)]
    struct Published {
        error: Option<Failed>,
        #[serde(default)]
        seq: u64,
        #[serde(default)]
        count: u64,
    }
    #[derive(Deserialize)]
    struct Failed {
        #[serde(default)]
        err_code: u64,
        #[serde(default)]
        description: String,
    }
    // of an attempt, where the token is of the commit
    let batch = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
    let (mut first, mut last) = (u64::MAX, 0);
    for (at, one) in wanted.iter().enumerate() {
        let (place, expected) = ((at + 1).to_string(), one.expected.map(|sequence| sequence.to_string()));
        let mut headers = vec![("Nats-Batch-Id", &*batch), ("Nats-Batch-Sequence", &*place), (TOKEN, token)];
        headers.extend(expected.as_deref().map(|sequence| (nats::EXPECTED_SEQUENCE, sequence)));
        headers.extend(one.value.is_none().then_some(nats::DELETED));
        headers.extend((at + 1 == wanted.len()).then_some(("Nats-Batch-Commit", "1")));
        let subject = settings.bucket.subject(&nats::escaped(one.key));
        let number = connection.publish(&subject, &headers, one.value.unwrap_or_default());
        (first, last) = (first.min(number), number);
    }
    let until = tokio::time::Instant::now() + ANSWER;
    loop {
        let message = timeout_at(until, connection.next()).await.unwrap_or(Err(Trouble::Silent))?;
        let Some(number) = connection.number(&message).filter(|number| (first..=last).contains(number)) else {
            continue;
        };
        if message.status() == Some(503) {
            return Ok(Answer::Refused(Trouble::NobodyAnswers));
        }
        if message.payload.is_empty() {
            continue;
        }
        return match serde_json::from_slice(&message.payload) {
            Ok(Published { error: Some(error), .. }) if nats::is_conflict(error.err_code) => Ok(Answer::Conflict),
            Ok(Published { error: Some(Failed { err_code: code, description }), .. }) => {
                Ok(Answer::Refused(Trouble::JetStream { code, description }))
            }
            Ok(Published { seq, count, .. }) if number == last && count == wanted.len() as u64 => {
                Ok(Answer::Stored { seq, count })
            }
            // of a server that stores each message by itself, `nats::bucket` has made sure that there is none
            _ => Err(Trouble::Foreign("an acknowledgement that says nothing")),
        };
    }
}

/// Who has written what a commit met: an earlier attempt of its own, or somebody else.
async fn whose(
    connection: &mut Connection,
    settings: &SharedSettings,
    token: &str,
    wanted: &[Wanted<'_>],
) -> Result<Outcome, Trouble> {
    let mut conflict = None;
    for (at, one) in (0..).zip(wanted) {
        let subject = settings.bucket.subject(&nats::escaped(one.key));
        let last = nats::last(connection, &settings.bucket.stream(), &subject).await?;
        if let Some(last) = last.as_ref().filter(|last| last.header(TOKEN) == Some(token)) {
            let first = last.sequence - at;
            return Ok(Outcome::Stored { first, last: first + wanted.len() as u64 - 1 });
        }
        let sequence = last.map_or(0, |last| last.sequence);
        if one.expected.is_some_and(|expected| expected != sequence) && conflict.is_none() {
            conflict = Some(Outcome::Conflict { key: one.key.to_owned(), sequence });
        }
    }
    // when nobody has, another commit that was under way has been given up
    conflict.ok_or(Trouble::NobodyAnswers)
}
