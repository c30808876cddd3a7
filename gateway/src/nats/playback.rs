//! A stream read in its order, from a sequence on, and then for as long as it goes on.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::timeout;

use super::{
    Connection, Message, Trouble,
    stream::{Consumer, ask},
};

/// Messages asked for at once.
const PULL: usize = 512;
/// The server waits so long for the next one; then it is asked again.
const WAIT: Duration = Duration::from_secs(20);
/// While it waits it says so this often: whoever leads the stream may be another server than the one of the connection.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// What has been silent for so long does not come.
const PATIENCE: Duration = Duration::from_secs(5);
/// A reader that has gone is forgotten by the server after so long.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// A message as the stream has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub sequence: u64,
    /// When it was stored, in milliseconds since 1970.
    pub millis: u64,
    /// So many come after it.
    pub pending: u64,
    pub message: Message,
}

/// What comes while a stream is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Stored(Stored),
    /// The answer to something else that was asked on the connection.
    Answer(Message),
}

/// A place in a stream. It lives on its connection, and ends with it.
#[derive(Debug)]
pub struct Playback {
    next: String,
    pull: Option<Pull>,
    pending: u64,
}

#[derive(Debug)]
struct Pull {
    number: u64,
    left: usize,
    heard: Instant,
}

impl Playback {
    /// Begins with the first message of that subject at or after a sequence.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub async fn begin(connection: &mut Connection, stream: &str, subject: &str, from: u64) -> Result<Self, Trouble> {
        let question = json!({
            "stream_name": stream,
            "config": {
                "deliver_policy": "by_start_sequence",
                "opt_start_seq": from.max(1),
                "ack_policy": "none",
                "filter_subject": subject,
                "mem_storage": true,
                "num_replicas": 1,
                "inactive_threshold": nanos(FORGOTTEN),
            },
        });
        let create = format!("$JS.API.CONSUMER.CREATE.{stream}");
        let Consumer { name, num_pending: pending } = ask(connection, &create, &question).await?;
        Ok(Self { next: format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"), pull: None, pending })
    }

    /// So many there were when it began.
    pub fn pending(&self) -> u64 {
        self.pending
    }

    /// The next message, however long it takes. Cancel safe.
    ///
    /// # Errors
    /// When the connection has ended, or the server has forgotten who reads.
    pub async fn next(&mut self, connection: &mut Connection) -> Result<Stored, Trouble> {
        loop {
            if let Heard::Stored(stored) = self.hear(connection).await? {
                return Ok(stored);
            }
        }
    }

    /// The next message, or an answer that comes before it. Cancel safe.
    ///
    /// # Errors
    /// When the connection has ended, or the server has forgotten who reads.
    pub async fn hear(&mut self, connection: &mut Connection) -> Result<Heard, Trouble> {
        let called = Instant::now();
        loop {
            let pull = self.pull.get_or_insert_with(|| {
                let question = json!({ "batch": PULL, "expires": nanos(WAIT), "idle_heartbeat": nanos(HEARTBEAT) });
                let number = connection.ask(&self.next, question.to_string().as_bytes());
                Pull { number, left: PULL, heard: Instant::now() }
            });
            let patience = (pull.heard.max(called) + PATIENCE).saturating_duration_since(Instant::now());
            let message = timeout(patience, connection.next()).await.unwrap_or(Err(Trouble::Silent))?;
            pull.heard = Instant::now();
            if connection.number(&message) == Some(pull.number) {
                // 100 says that it is there, 404 and 408 that nothing has come, 409 that the reader is gone
                match message.status() {
                    Some(100) => {}
                    Some(404 | 408) => self.pull = None,
                    Some(503) => return Err(Trouble::NobodyAnswers),
                    _ => return Err(Trouble::Setup("the stream is read no further".to_owned())),
                }
                continue;
            }
            if connection.number(&message).is_some() {
                return Ok(Heard::Answer(message));
            }
            let Some(stored) = stored(message) else { continue };
            pull.left -= 1;
            if pull.left == 0 {
                self.pull = None;
            }
            return Ok(Heard::Stored(stored));
        }
    }
}

/// What the subject for its acknowledgement says of a message: `$JS.ACK.stream.consumer.delivered.sequence.number.time.pending`,
/// with a domain and an account before the stream's name where there are some.
fn stored(message: Message) -> Option<Stored> {
    let reply = std::str::from_utf8(&message.reply).ok()?.strip_prefix("$JS.ACK.")?;
    let words: Vec<&str> = reply.split('.').collect();
    let at = if words.len() == 7 { 0 } else { 2 };
    let number = |of: usize| words.get(at + of)?.parse::<u64>().ok();
    let (sequence, nanos, pending) = (number(3)?, number(5)?, number(6)?);
    Some(Stored { sequence, millis: nanos / 1_000_000, pending, message })
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
