//! Provider formats: how a request is written, how answers, streams and errors are read.
//!
//! Pure: bytes in, bytes out; no socket, no clock. A format is one folder and one word in [`FORMATS`].

pub mod anthropic;
pub mod azure;
pub mod bedrock;
pub mod cohere;
mod edits;
mod errors;
mod event_stream;
pub mod gemini;
pub mod hub;
mod jobs;
mod magic;
pub mod openai;
mod payload;
mod redact;
pub mod replicate;
mod spans;
pub mod sse;

use std::{borrow::Cow, collections::VecDeque};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

pub use errors::retry_after;
pub use hub::{
    dispositions::{Disposition, Dispositions},
    embeddings::merge,
};
pub use jobs::{Job, Jobs, event as job_event};
pub use magic::media_type;
pub use payload::Payload;
pub use sse::Boundary;

use crate::{
    api::{ClientRequest, Endpoint, RerankDocument, TokenUsage, Wanted},
    config::{self, Quirks, Settings},
    refusal::Refusal,
};

/// Every format that is built. `config` accepts these names for `api_format`.
pub static FORMATS: &[&dyn WireFormat] = &[
    &openai::OpenAi,
    &anthropic::Anthropic,
    &cohere::Cohere,
    &azure::Azure,
    &gemini::Gemini,
    &bedrock::Bedrock,
    &replicate::Replicate,
];

/// The format of that name, if it is built.
pub fn format(name: &str) -> Option<&'static dyn WireFormat> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// One provider format.
pub trait WireFormat: Send + Sync + 'static {
    /// The name in configuration (`api_format`).
    fn name(&self) -> &'static str;

    /// The upstream request for one attempt, always made from what the client sent.
    ///
    /// # Errors
    /// When the request cannot be expressed for this target.
    fn request(&self, request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal>;

    /// What the request names by its address and this format sends as bytes: it is fetched, where the operator allows
    /// that, before [`WireFormat::request`] looks for it in [`ClientRequest::fetched`].
    ///
    /// # Errors
    /// When the request cannot be read.
    fn media(&self, _request: &ClientRequest) -> Result<Vec<Wanted>, Refusal> {
        Ok(Vec::new())
    }

    /// A whole 2xx answer, as the client gets it.
    ///
    /// # Errors
    /// When the body is not an answer: unreadable, or an error in disguise.
    fn answer(&self, reading: &Reading, headers: &HeaderMap, body: Bytes) -> Result<Answer, Refusal>;

    /// A decoder for one 2xx stream.
    fn stream(&self, reading: &Reading) -> Box<dyn StreamDecoder>;

    /// What a non-2xx answer means. Nothing of the body that could be a key or an internal address is kept.
    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal;

    /// Model ids out of a model listing.
    ///
    /// # Errors
    /// When the body is not a listing.
    fn models(&self, body: &[u8]) -> Result<ModelPage, Refusal>;

    /// Where the model list is: a path below the base URL, or a whole URL.
    fn models_path(&self, provider: &config::Provider) -> Cow<'static, str> {
        provider.models_path.into()
    }

    /// Headers that every request to this provider carries besides its credential (a version, for instance).
    fn headers(&self, _provider: &config::Provider) -> Vec<(HeaderName, HeaderValue)> {
        Vec::new()
    }

    /// What becomes of every field of the chat request; `None` when all of them pass untouched.
    fn dispositions(&self) -> Option<Dispositions> {
        None
    }

    /// How its jobs are followed; `None` where the answer to a request is its answer.
    fn jobs(&self) -> Option<&'static dyn Jobs> {
        None
    }
}

/// One page of a model list.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ModelPage {
    pub ids: Vec<String>,
    /// What follows the list's path (`?after_id=…`) to get the next page, or another list beside this one (`/models`).
    pub next: Option<String>,
}

/// Where an attempt goes.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The model's name as the provider knows it.
    pub model: &'a str,
    pub quirks: &'static Quirks,
    pub settings: &'a Settings,
    /// Seconds since 1970, for the answer's `created`.
    pub now: u64,
}

/// A request ready for the provider.
#[derive(Debug)]
pub struct Upstream {
    /// Appended to the provider's base URL; starts with `/`.
    pub path: Cow<'static, str>,
    /// Headers of this request alone; they replace the provider's own.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Payload,
    /// What was dropped or approximated on the way, for `x-prism-translation`.
    pub losses: Vec<Loss>,
    /// What the answer's reader has to know of this request.
    pub reading: Reading,
    /// The rest of a request that the provider takes in parts only; [`merge`] makes one answer out of theirs.
    pub more: Vec<Upstream>,
}

impl Upstream {
    /// Bytes that have been made for the provider, of all parts.
    pub fn made_beside(&self, body: &Bytes) -> u64 {
        let parts = std::iter::once(self).chain(&self.more);
        parts.map(|part| part.body.made_beside(body)).sum()
    }
}

/// A field that does not reach the provider as the client sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    pub field: Cow<'static, str>,
    pub fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Dropped,
    Approximated,
}

/// What the reader of an answer has to know of its request.
#[derive(Debug, Clone)]
pub struct Reading {
    pub endpoint: Endpoint,
    pub quirks: &'static Quirks,
    /// The client did not ask for the usage chunk: it is read and not passed on.
    pub hide_usage: bool,
    /// Tool call ids that were rewritten for the provider: (theirs, the client's).
    pub tool_ids: Vec<(String, String)>,
    /// Seconds since 1970, for answers that a format writes itself.
    pub created: u64,
    /// The model as the provider knows it, for answers that do not name it.
    pub model: Box<str>,
    /// The tool that stands for a JSON schema where the provider has no other way: its input is the content.
    pub json_tool: Option<Box<str>>,
    /// The client wants its vectors as base64.
    pub base64: bool,
    /// How many inputs a part has; 0 where the request is no part.
    pub inputs: usize,
    /// What was ranked, where the answer repeats it.
    pub documents: Vec<RerankDocument>,
}

impl Reading {
    /// What every format knows of its request; the rest is added where there is something to add.
    pub fn of(request: &ClientRequest, target: Target<'_>) -> Self {
        let envelope = &request.envelope;
        let streams = matches!(request.endpoint, Endpoint::ChatCompletions | Endpoint::Completions) && envelope.stream;
        Self {
            hide_usage: streams && !envelope.include_usage,
            created: target.now,
            model: target.model.into(),
            ..Self::plain(request.endpoint, target.quirks)
        }
    }

    /// For answers that go on as they come.
    pub fn plain(endpoint: Endpoint, quirks: &'static Quirks) -> Self {
        Self {
            endpoint,
            quirks,
            hide_usage: false,
            tool_ids: Vec::new(),
            created: 0,
            model: Box::default(),
            json_tool: None,
            base64: false,
            inputs: 0,
            documents: Vec::new(),
        }
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub body: Bytes,
    pub usage: Option<TokenUsage>,
}

/// Reads one upstream stream and writes the client's: frames may be cut anywhere.
pub trait StreamDecoder: Send {
    /// Takes the bytes that arrived and appends to `out` what the client gets now.
    fn feed(&mut self, frame: Bytes, out: &mut VecDeque<Bytes>);

    /// The upstream body ended without an error on the connection. Appends what was held back, unless it is a data
    /// event cut in the middle.
    fn end(&mut self, out: &mut VecDeque<Bytes>);

    /// What was seen so far.
    fn seen(&self) -> &Seen;
}

/// What a stream has shown so far.
#[derive(Debug, Default)]
pub struct Seen {
    /// At least one event that is not an error, a comment or empty has passed: the head may be committed.
    pub event: bool,
    /// The stream said that it is complete (`[DONE]`, or a finish reason followed by a clean end).
    pub complete: bool,
    pub usage: Option<TokenUsage>,
    /// An error event: the stream has failed and nothing after it counts. It is not in `out`.
    pub error: Option<Refusal>,
    /// What was given out so far ends inside an event: no comment may be written now, and an error event only after a
    /// blank line.
    pub midway: bool,
}

impl Seen {
    /// An error event has ended the stream.
    pub fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// Nothing that comes now counts.
    pub fn is_over(&self) -> bool {
        self.failed() || self.complete
    }
}
