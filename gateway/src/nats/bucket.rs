//! A key-value bucket: a stream with one message for each key, as NATS's own tools make and read it.
//!
//! <https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-8.md>; commits of several keys are ADR-50, in servers
//! from 2.12 on.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    Connection, Extent, Trouble, protocol,
    stream::{Described, NOT_FOUND, ask},
};

/// The first server that stores several messages or none of them.
const ATOMIC: (u32, u32) = (2, 12);
/// `stream name already in use`: somebody else has just made it.
const IN_USE: u64 = 10058;
/// The header of a message that takes a value away.
pub const DELETED: (&str, &str) = ("KV-Operation", "DEL");
/// The sequence that the last message of a subject must have, 0 for none, for another one to be stored there.
pub const EXPECTED_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";
/// `wrong last sequence`, in its two forms.
const WRONG_SEQUENCE: [u64; 2] = [10071, 10164];
/// `no message found`.
const NO_MESSAGE: u64 = 10037;

/// Whether JetStream says that the last message of a subject is another one than was expected.
pub fn is_conflict(code: u64) -> bool {
    WRONG_SEQUENCE.contains(&code)
}

/// A bucket as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSettings {
    pub name: String,
    /// What is in it, for people.
    pub description: &'static str,
    /// Copies in the cluster, where it is not there yet.
    pub replicas: usize,
}

/// The last message under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    pub sequence: u64,
    headers: String,
    pub payload: Vec<u8>,
}

impl Last {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        protocol::header(&self.headers, name)
    }
}

impl BucketSettings {
    /// The stream that is behind it.
    pub fn stream(&self) -> String {
        format!("KV_{}", self.name)
    }

    pub fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name)
    }
}

/// The bucket, made where it does not exist.
///
/// # Errors
/// When there is none and none can be made, or it cannot be used.
pub async fn bucket(connection: &mut Connection, wanted: &BucketSettings) -> Result<Extent, Trouble> {
    let stream = wanted.stream();
    if connection.version() < ATOMIC {
        let reason = format!("it needs nats-server 2.12 or newer, and this is {}", connection.server());
        return Err(Trouble::Unsuitable { stream, reason });
    }
    let info = format!("$JS.API.STREAM.INFO.{stream}");
    let mut described: Result<Described<Json>, _> = ask(connection, &info, &json!({})).await;
    if let Err(Trouble::JetStream { code: NOT_FOUND, .. }) = described {
        described = ask(connection, &format!("$JS.API.STREAM.CREATE.{stream}"), &creation(wanted)).await;
        if let Err(Trouble::JetStream { code: IN_USE, .. }) = described {
            described = ask(connection, &info, &json!({})).await;
        }
    }
    let mut described = described?;
    suitable(&described.config, wanted)?;
    if described.config["allow_atomic"] != true {
        // made by somebody else's tool: this much is added to it
        described.config["allow_atomic"] = json!(true);
        described = ask(connection, &format!("$JS.API.STREAM.UPDATE.{stream}"), &described.config).await?;
    }
    if described.config["allow_atomic"] != true {
        let reason = "it does not take several messages at once (`allow_atomic`)".to_owned();
        return Err(Trouble::Unsuitable { stream, reason });
    }
    Ok(described.extent())
}

fn creation(wanted: &BucketSettings) -> Json {
    json!({
        "name": wanted.stream(),
        "description": wanted.description,
        "subjects": [wanted.subject(">")],
        "retention": "limits",
        "discard": "new",
        "storage": "file",
        "num_replicas": wanted.replicas,
        "max_msgs_per_subject": 1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "allow_rollup_hdrs": true,
        "deny_delete": true,
        "allow_direct": true,
        "allow_atomic": true,
    })
}

fn suitable(config: &Json, wanted: &BucketSettings) -> Result<(), Trouble> {
    let unsuitable = |reason: &str| Err(Trouble::Unsuitable { stream: wanted.stream(), reason: reason.to_owned() });
    if config["subjects"] != json!([wanted.subject(">")]) {
        return unsuitable("it is no key-value bucket of that name");
    }
    if config["max_msgs_per_subject"] != 1 {
        return unsuitable("it keeps several values of a key: `nats kv edit --history 1` mends that");
    }
    if config["max_age"].as_u64().unwrap_or(0) > 0 {
        return unsuitable("it forgets what is old (`max_age`)");
    }
    if config["mirror"].is_object() || config["sealed"] == true || config["no_ack"] == true {
        return unsuitable("it is a mirror, sealed, or acknowledges nothing");
    }
    Ok(())
}

/// The last message of a subject, as the stream's leader has it.
///
/// # Errors
/// When the leader does not say.
pub async fn last(connection: &mut Connection, stream: &str, subject: &str) -> Result<Option<Last>, Trouble> {
    #[derive(Deserialize)]
    struct Answer {
        message: Kept,
    }
    #[derive(Deserialize)]
    struct Kept {
        seq: u64,
        #[serde(default)]
        hdrs: String,
        #[serde(default)]
        data: String,
    }
    let question = json!({ "last_by_subj": subject });
    let answer = ask(connection, &format!("$JS.API.STREAM.MSG.GET.{stream}"), &question).await;
    let Kept { seq: sequence, hdrs, data } = match answer {
        Ok(Answer { message }) => message,
        Err(Trouble::JetStream { code: NO_MESSAGE, .. }) => return Ok(None),
        Err(trouble) => return Err(trouble),
    };
    let decoded = |text: &str| STANDARD.decode(text).map_err(|_| Trouble::Foreign("a message that is no base64"));
    let headers = String::from_utf8_lossy(&decoded(&hdrs)?).into_owned();
    Ok(Some(Last { sequence, headers, payload: decoded(&data)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_that_is_there_is_used_if_it_can_be() {
        let wanted = BucketSettings { name: "PRISM_CONFIG".into(), description: "", replicas: 1 };
        assert_eq!(
            (wanted.stream().as_str(), wanted.subject("a/b").as_str()),
            ("KV_PRISM_CONFIG", "$KV.PRISM_CONFIG.a/b")
        );
        assert!(suitable(&creation(&wanted), &wanted).is_ok());
        for (name, value) in [
            ("subjects", json!(["other.>"])),
            ("max_msgs_per_subject", json!(5)),
            ("max_age", json!(1_000_000)),
            ("sealed", json!(true)),
            ("mirror", json!({"name": "x"})),
        ] {
            let mut config = creation(&wanted);
            config[name] = value;
            assert!(matches!(suitable(&config, &wanted), Err(Trouble::Unsuitable { .. })), "{name}");
        }
    }
}
