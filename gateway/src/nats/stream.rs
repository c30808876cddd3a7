//! What is asked of JetStream: a stream that is there and takes the subjects, what it has acknowledged, and its tail.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};

use super::{Connection, Message, Trouble};

/// `stream not found`.
pub(super) const NOT_FOUND: u64 = 10059;
/// Messages asked for at once when the tail is read back.
const PULL: usize = 2048;

/// A stream as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSettings {
    pub name: String,
    pub subjects: Vec<&'static str>,
    /// Copies in the cluster.
    pub replicas: usize,
    /// For how long a repeated message id is recognised.
    pub dedup_window: Duration,
    /// What is older is deleted.
    pub max_age: Duration,
}

/// A stream as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    pub dedup_window: Duration,
    /// In what it differs from what is wanted, for people.
    pub differences: Vec<String>,
    pub is_new: bool,
}

/// How far a stream goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// When it was made, in the server's words: another one of the same name has another time.
    pub created: String,
    /// The last sequence it has given.
    pub last: u64,
    pub messages: u64,
}

/// A stream as JetStream describes it.
#[derive(Debug, Deserialize)]
pub(super) struct Described<C> {
    pub config: C,
    created: String,
    state: State,
}

#[derive(Debug, Deserialize)]
struct State {
    messages: u64,
    last_seq: u64,
}

impl<C> Described<C> {
    pub fn extent(self) -> Extent {
        Extent { created: self.created, last: self.state.last_seq, messages: self.state.messages }
    }
}

#[derive(Debug, Deserialize)]
struct ApiError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        Self::JetStream { code: error.err_code, description: error.description }
    }
}

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    subjects: Vec<String>,
    #[serde(default)]
    num_replicas: usize,
    /// Nanoseconds.
    #[serde(default)]
    duplicate_window: u64,
    /// Nanoseconds; 0 for ever.
    #[serde(default)]
    max_age: u64,
    #[serde(default)]
    no_ack: bool,
    #[serde(default)]
    sealed: bool,
    #[serde(default)]
    mirror: Option<Json>,
}

/// The stream, made where it does not exist. One that is there is used as it is, if it can be.
///
/// # Errors
/// When there is none and none can be made, or it cannot be used.
pub async fn stream(connection: &mut Connection, wanted: &StreamSettings) -> Result<StreamInfo, Trouble> {
    let found = ask(connection, &format!("$JS.API.STREAM.INFO.{}", wanted.name), &json!({})).await;
    match found {
        Ok(Described { config, .. }) => suitable(&config, wanted),
        Err(Trouble::JetStream { code: NOT_FOUND, .. }) => {
            let create = format!("$JS.API.STREAM.CREATE.{}", wanted.name);
            let Described { config, .. } = ask(connection, &create, &creation(wanted)).await?;
            Ok(StreamInfo { is_new: true, ..suitable(&config, wanted)? })
        }
        Err(trouble) => Err(trouble),
    }
}

/// # Errors
/// When there is no such stream.
pub async fn extent(connection: &mut Connection, stream: &str) -> Result<Extent, Trouble> {
    let described: Described<Json> = ask(connection, &format!("$JS.API.STREAM.INFO.{stream}"), &json!({})).await?;
    Ok(described.extent())
}

/// What the answer to a question after the stream says.
///
/// # Errors
/// When it is not there.
pub fn extent_in(message: &Message) -> Result<Extent, Trouble> {
    if message.status() == Some(503) {
        return Err(Trouble::NobodyAnswers);
    }
    answer::<Described<Json>>(message).map(Described::extent)
}

/// Asks JetStream's API.
///
/// # Errors
/// What it has against it, or when it answers something else.
pub(super) async fn ask<T: DeserializeOwned>(
    connection: &mut Connection,
    subject: &str,
    question: &Json,
) -> Result<T, Trouble> {
    answer(&connection.request(subject, question.to_string().as_bytes()).await?)
}

fn answer<T: DeserializeOwned>(message: &Message) -> Result<T, Trouble> {
    #[derive(Deserialize)]
    struct Refused {
        error: ApiError,
    }
    if let Ok(Refused { error }) = serde_json::from_slice(&message.payload) {
        return Err(error.into());
    }
    serde_json::from_slice(&message.payload)
        .map_err(|_| Trouble::Foreign("JetStream's answer is not what was asked for"))
}

/// `discard: new`: where somebody has set a limit, the stream says that it is full, and events wait in the spool; with `old`
/// they would be deleted in silence.
fn creation(wanted: &StreamSettings) -> Json {
    json!({
        "name": wanted.name,
        "description": "What Prism gateways have done: one event for each request",
        "subjects": wanted.subjects,
        "retention": "limits",
        "discard": "new",
        "storage": "file",
        "num_replicas": wanted.replicas,
        "max_age": nanos(wanted.max_age),
        // JetStream takes no window that is longer than what it keeps
        "duplicate_window": nanos(wanted.dedup_window.min(wanted.max_age)),
        "allow_direct": true,
    })
}

fn suitable(config: &Config, wanted: &StreamSettings) -> Result<StreamInfo, Trouble> {
    let unsuitable = |reason: String| Err(Trouble::Unsuitable { stream: wanted.name.clone(), reason });
    let missing = wanted.subjects.iter().find(|subject| !config.subjects.iter().any(|known| covers(known, subject)));
    if let Some(subject) = missing {
        return unsuitable(format!("it does not take `{subject}` (its subjects: {})", config.subjects.join(", ")));
    }
    if config.mirror.is_some() {
        return unsuitable("it is a mirror".to_owned());
    }
    if config.no_ack {
        return unsuitable("it acknowledges nothing (`no_ack`)".to_owned());
    }
    if config.sealed {
        return unsuitable("it is sealed".to_owned());
    }
    let mut differences = Vec::new();
    let (window, age) = (Duration::from_nanos(config.duplicate_window), Duration::from_nanos(config.max_age));
    if window != wanted.dedup_window.min(wanted.max_age) {
        differences.push(format!("its dedup window is {} s", window.as_secs_f64()));
    }
    if age != wanted.max_age {
        differences.push(if age.is_zero() {
            "it keeps everything for ever".to_owned()
        } else {
            format!("it keeps everything for {} s", age.as_secs_f64())
        });
    }
    if config.num_replicas != wanted.replicas {
        differences.push(format!("it has {} replicas", config.num_replicas));
    }
    Ok(StreamInfo { dedup_window: window, differences, is_new: false })
}

/// Whether a pattern takes everything that another takes.
fn covers(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern.split('.'), subject.split('.'));
    loop {
        match (pattern.next(), subject.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(token)) if token != ">" => {}
            (Some(known), Some(token)) if known == token => {}
            _ => return false,
        }
    }
}

/// What JetStream says to one published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The stream had it already.
    pub duplicate: bool,
    /// Its place in the stream.
    pub sequence: u64,
}

/// Reads an acknowledgement.
///
/// # Errors
/// When the message was not stored.
pub fn acknowledged(message: &Message) -> Result<Ack, Trouble> {
    #[derive(Deserialize)]
    struct Published {
        error: Option<ApiError>,
        seq: Option<u64>,
        #[serde(default)]
        duplicate: bool,
    }
    if message.status().is_some() {
        return Err(Trouble::NobodyAnswers);
    }
    match serde_json::from_slice(&message.payload) {
        Ok(Published { error: Some(error), .. }) => Err(error.into()),
        Ok(Published { seq: Some(sequence), duplicate, .. }) => Ok(Ack { duplicate, sequence }),
        _ => Err(Trouble::Foreign("an acknowledgement that says nothing")),
    }
}

/// A consumer that was made.
#[derive(Debug, Deserialize)]
pub(super) struct Consumer {
    pub name: String,
    #[serde(default)]
    pub num_pending: u64,
}

/// Reads the ids of the messages that the stream holds of those subjects since a moment; their heads, not their bodies. Ends
/// when `seen` says `false`, or at the end of the stream.
///
/// # Errors
/// When it cannot be read to the end.
pub async fn read_back(
    connection: &mut Connection,
    stream: &str,
    subjects: &[String],
    since: DateTime<Utc>,
    mut seen: impl FnMut(&str) -> bool,
) -> Result<(), Trouble> {
    let question = json!({
        "stream_name": stream,
        "config": {
            "deliver_policy": "by_start_time",
            "opt_start_time": since.to_rfc3339_opts(SecondsFormat::Nanos, true),
            "ack_policy": "none",
            "filter_subjects": subjects,
            "headers_only": true,
            "mem_storage": true,
            "num_replicas": 1,
            "inactive_threshold": nanos(Duration::from_secs(30)),
        },
    });
    let create = format!("$JS.API.CONSUMER.CREATE.{stream}");
    let Consumer { name, num_pending: mut left } = ask(connection, &create, &question).await?;
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}");
    'pulls: while left > 0 {
        let many = left.min(PULL as u64);
        let pull = connection.ask(&next, json!({ "batch": many, "no_wait": true }).to_string().as_bytes());
        for _ in 0..many {
            // a message comes under its own subject, the end of a pull as an answer to it
            let message = connection.soon().await?;
            if connection.number(&message) == Some(pull) {
                break 'pulls; // what was pending has been deleted meanwhile
            }
            left -= 1;
            if message.header("Nats-Msg-Id").is_some_and(|id| !seen(id)) {
                break 'pulls;
            }
        }
    }
    let _ = connection.request(&format!("$JS.API.CONSUMER.DELETE.{stream}.{name}"), b"").await?;
    Ok(())
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> StreamSettings {
        StreamSettings {
            name: "S".into(),
            subjects: vec!["prism.usage.v1.>"],
            replicas: 1,
            dedup_window: Duration::from_secs(120),
            max_age: Duration::from_secs(3600),
        }
    }

    fn config(config: Json) -> Config {
        let mut ours = creation(&wanted());
        ours.as_object_mut().unwrap().extend(config.as_object().cloned().unwrap());
        serde_json::from_value(ours).unwrap()
    }

    #[test]
    fn a_pattern_covers_what_is_narrower() {
        for pattern in [">", "prism.>", "prism.usage.>", "prism.*.v1.>", "prism.usage.v1.>"] {
            assert!(covers(pattern, "prism.usage.v1.>"), "{pattern}");
        }
        for pattern in ["prism.usage.v1.*", "prism.usage.v1", "prism.usage.v1.a.>", "*", "prism", ""] {
            assert!(!covers(pattern, "prism.usage.v1.>"), "{pattern}");
        }
        assert!(covers("a.*", "a.b") && !covers("a.*", "a.b.c") && !covers("a.*", "a.>"));
    }

    #[test]
    fn a_stream_that_is_there_is_used_if_it_can_be() {
        let info = suitable(&config(json!({})), &wanted()).unwrap();
        assert!(info.differences.is_empty() && info.dedup_window == Duration::from_secs(120));
        let other = json!({"num_replicas": 3, "duplicate_window": 5_000_000_000_u64, "max_age": 0, "subjects": [">"]});
        let info = suitable(&config(other), &wanted()).unwrap();
        assert_eq!((info.differences.len(), info.dedup_window), (3, Duration::from_secs(5)));
        for bad in [
            json!({"subjects": ["a"]}),
            json!({"no_ack": true}),
            json!({"sealed": true}),
            json!({"mirror": {"name": "x"}}),
        ] {
            assert!(matches!(suitable(&config(bad), &wanted()), Err(Trouble::Unsuitable { .. })));
        }
    }

    #[test]
    fn a_dedup_window_is_no_longer_than_what_is_kept() {
        let wanted = StreamSettings { max_age: Duration::from_secs(60), ..wanted() };
        assert_eq!(creation(&wanted)["duplicate_window"], 60_000_000_000_u64);
    }
}
