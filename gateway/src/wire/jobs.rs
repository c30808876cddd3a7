//! Formats whose answers are jobs: created, asked after until they are over, cancelled when nobody waits for them.

use bytes::Bytes;

use crate::refusal::Refusal;

/// What a format of jobs knows beyond what every format does. `provider::follow` makes ordinary answers of them.
pub trait Jobs: Send + Sync {
    /// Where a job stands, by the answer to its creation or to a question about it.
    ///
    /// # Errors
    /// When the body is about no job.
    fn job(&self, body: &[u8]) -> Result<Job, Refusal>;

    /// The domain of which every host belongs to the provider: streams may be at another one than the API.
    fn domain(&self) -> &'static str;

    /// The name of the event after which nothing comes.
    fn last_event(&self) -> &'static [u8];
}

/// A job at the provider. It costs money until it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// It has its result, or never will.
    pub over: bool,
    /// Where to ask after it with GET: below the base URL.
    pub path: String,
    /// Where to cancel it with an empty POST: below the base URL.
    pub cancel: String,
    /// Where its output is told as it comes: a whole URL, as the provider gave it.
    pub events: Option<String>,
}

/// The name of events that a provider does not send: they hold a job as its answers show it.
pub(super) const EVENT: &[u8] = b"prism.job";

/// A job's answer as an event, for the decoder of its stream.
pub fn event(body: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(body.len() + 64);
    event.extend_from_slice(b"event: ");
    event.extend_from_slice(EVENT);
    for line in body.split(|byte| matches!(byte, b'\n' | b'\r')) {
        event.extend_from_slice(b"\ndata: ");
        event.extend_from_slice(line);
    }
    event.extend_from_slice(b"\n\n");
    event.into()
}

#[cfg(test)]
mod tests {
    use super::{EVENT, event};
    use crate::wire::sse::Event;

    #[test]
    fn a_body_of_several_lines_is_one_event() {
        let event = event(b"{\n  \"id\": 1\r\n}");
        let read = Event::read(&event);
        assert_eq!(read.kind, EVENT);
        assert_eq!(&read.data.unwrap()[..], b"{\n  \"id\": 1\n\n}");
    }
}
