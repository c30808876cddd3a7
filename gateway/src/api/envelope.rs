//! The client's request, read once: the spans of its top-level fields, and what routing has to know.

use std::ops::Range;

use bytes::Bytes;

use super::{Endpoint, Fetched};

/// A request as the client sent it. Every attempt starts from these bytes.
#[derive(Debug)]
pub struct ClientRequest {
    pub endpoint: Endpoint,
    pub body: Bytes,
    pub envelope: Envelope,
    /// What it names by address, as far as it was fetched.
    pub fetched: Fetched,
}

/// What one pass over the body yields. All ranges are byte offsets into the body.
#[derive(Debug)]
pub struct Envelope {
    /// The model's name, unescaped.
    pub model: Box<str>,
    pub stream: bool,
    /// The client asked for the usage chunk itself (`stream_options.include_usage`).
    pub include_usage: bool,
    /// Top-level fields in the order they were sent; names are unique.
    pub fields: Vec<Field>,
    pub facts: MessageFacts,
}

impl Envelope {
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| &*field.name == name)
    }
}

/// One top-level member of the request object.
#[derive(Debug, Clone)]
pub struct Field {
    /// Unescaped.
    pub name: SmallName,
    /// From the key's opening quote to the value's end.
    pub member: Range<usize>,
    pub value: Range<usize>,
}

/// A field's name; static for the names that the gateway knows, so that reading a request allocates nothing for them.
pub type SmallName = std::borrow::Cow<'static, str>;

/// What the messages contain that some provider trips over; a quirk costs a second look only where its fact is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageFacts {
    /// A message has a `name`.
    pub named: bool,
    /// A message has the role `developer`.
    pub developer: bool,
    /// A message has `tool_calls` or `tool_call_id`.
    pub tool_ids: bool,
    /// A message has a field outside OpenAI's request format (`reasoning_content`, `annotations`, …), as clients send
    /// that replay an answer.
    pub foreign_fields: bool,
}
