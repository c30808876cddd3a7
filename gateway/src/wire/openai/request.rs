//! The request for one provider: the client's bytes with a few spans replaced.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;
use smallvec::SmallVec;

use super::{
    edits::Edits,
    hub::embeddings::joined,
    is_plain, second_look,
    spans::{elements, members},
};
use crate::{
    api::{ClientRequest, Endpoint, Field},
    config::Quirks,
    wire::{Fate, Loss, Reading, Target, Upstream},
};

const ASK_FOR_USAGE: &[u8] = br#"{"include_usage":true}"#;

/// More losses than this are not listed one by one: the names of foreign fields are the client's choice.
const MAX_LOSSES: usize = 32;

pub(super) fn upstream(request: &ClientRequest, target: Target<'_>) -> Upstream {
    let portions = portions(request, target.quirks);
    if portions.is_empty() {
        return whole(request, target, None);
    }
    joined(portions.iter().map(|portion| whole(request, target, Some(portion))).collect())
}

/// Inputs that go out together.
struct Portion {
    /// From the first one's beginning to the last one's end.
    span: Range<usize>,
    inputs: usize,
}

/// The inputs to embed, where there are more than the provider takes at once.
fn portions(request: &ClientRequest, quirks: &Quirks) -> Vec<Portion> {
    let most = quirks.most_inputs;
    // an input and its comma are three bytes at least
    let many = |field: &&Field| request.endpoint == Endpoint::Embeddings && field.value.len() / 3 > most;
    let Some(input) = request.envelope.field("input").filter(many) else { return Vec::new() };
    let inputs = elements(&request.body, input.value.clone());
    let are_tokens = inputs.first().is_some_and(|first| request.body[first.start].is_ascii_digit());
    if inputs.len() <= most || are_tokens {
        return Vec::new();
    }
    let portion = |some: &[Range<usize>]| Portion { span: some[0].start..some[some.len() - 1].end, inputs: some.len() };
    inputs.chunks(most).map(portion).collect()
}

fn whole(request: &ClientRequest, target: Target<'_>, portion: Option<&Portion>) -> Upstream {
    let mut draft = Draft::new(request, target.quirks);
    if let Some(portion) = portion {
        draft.only(portion);
    }
    draft.model(target.model);
    draft.top_level();
    draft.usage();
    second_look::messages(&mut draft);
    second_look::tools(&mut draft);
    draft.finish()
}

/// A request being made.
pub(super) struct Draft<'a> {
    pub request: &'a ClientRequest,
    pub quirks: &'static Quirks,
    pub edits: Edits,
    pub tool_ids: Vec<(String, String)>,
    losses: Vec<Loss>,
    inputs: usize,
    /// Positions in the envelope's fields, of those that do not go out.
    cut: SmallVec<[usize; 4]>,
}

impl<'a> Draft<'a> {
    fn new(request: &'a ClientRequest, quirks: &'static Quirks) -> Self {
        let edits = Edits::default();
        Self { request, quirks, edits, tool_ids: Vec::new(), losses: Vec::new(), inputs: 0, cut: SmallVec::new() }
    }

    /// A field that goes out.
    pub(super) fn field(&self, name: &str) -> Option<&'a Field> {
        let fields = &self.request.envelope.fields;
        let at = fields.iter().position(|field| field.name == name)?;
        (!self.cut.contains(&at)).then(|| &fields[at])
    }

    pub(super) fn raw(&self, span: &Range<usize>) -> &'a [u8] {
        &self.request.body[span.clone()]
    }

    /// Reports a field once.
    pub(super) fn lose(&mut self, field: Cow<'static, str>, fate: Fate) {
        if self.losses.len() < MAX_LOSSES && !self.losses.iter().any(|loss| loss.field == field) {
            self.losses.push(Loss { field, fate });
        }
    }

    /// Leaves the other inputs out.
    fn only(&mut self, portion: &Portion) {
        if let Some(input) = self.field("input") {
            self.edits.replace(input.value.start + 1..portion.span.start, Bytes::new());
            self.edits.replace(portion.span.end..input.value.end - 1, Bytes::new());
            self.inputs = portion.inputs;
        }
    }

    fn model(&mut self, model: &str) {
        let prefix = if model.contains('/') { "" } else { self.quirks.model_prefix };
        if prefix.is_empty() && model == &*self.request.envelope.model {
            return;
        }
        if let Some(field) = self.field("model") {
            self.edits.replace(field.value.clone(), json_string(&format!("{prefix}{model}")));
        }
    }

    /// Fields that the provider refuses, spells differently, or knows under another name.
    fn top_level(&mut self) {
        let quirks = self.quirks;
        if quirks.refuses.is_empty() && quirks.renames.is_empty() && quirks.values.is_empty() && quirks.stream_options {
            return;
        }
        let fields = &self.request.envelope.fields;
        for (at, field) in fields.iter().enumerate() {
            let refused = quirks.refuses.contains(&&*field.name);
            if refused || (field.name == "stream_options" && !quirks.stream_options) {
                self.drop_field(at);
            }
        }
        for (from, to) in quirks.renames {
            self.rename(from, to);
        }
        for (name, theirs, ours) in quirks.values {
            if let Some(field) = self.field(name)
                && self.raw(&field.value) == theirs.as_bytes()
            {
                self.edits.replace(field.value.clone(), *ours);
            }
        }
        let members: SmallVec<[_; 12]> =
            fields.iter().enumerate().map(|(at, field)| (field.member.clone(), self.cut.contains(&at))).collect();
        self.edits.cut(&members);
    }

    /// Cuts a top-level field; what was null says nothing and is not missed.
    fn drop_field(&mut self, at: usize) {
        let field = &self.request.envelope.fields[at];
        self.cut.push(at);
        if self.raw(&field.value) != b"null" {
            let name = if is_plain(&field.name) { field.name.clone() } else { "*".into() };
            self.lose(name, Fate::Dropped);
        }
    }

    /// Where both names are given, the provider's own wins; it is the other one that the provider does not know.
    fn rename(&mut self, from: &str, to: &'static str) {
        let fields = &self.request.envelope.fields;
        let position = |name: &str| fields.iter().position(|field| field.name == name);
        let Some(source) = position(from).filter(|at| !self.cut.contains(at)) else { return };
        let value = self.raw(&fields[source].value);
        match position(to).filter(|at| !self.cut.contains(at)) {
            Some(target) if self.raw(&fields[target].value) == b"null" && value != b"null" => self.cut.push(target),
            Some(target) if self.raw(&fields[target].value) == value => return self.cut.push(source),
            Some(_) => return self.drop_field(source),
            None if value == b"null" => return self.cut.push(source),
            None => {}
        }
        let field = &fields[source];
        let key_end = key_end(self.raw(&(field.member.start..field.value.start)));
        self.edits.replace(field.member.start..field.member.start + key_end, json_string(to));
    }

    /// Asks for the usage of a stream: without it nothing says what a stream cost.
    fn usage(&mut self) {
        let envelope = &self.request.envelope;
        if !self.hides_usage() || !self.quirks.stream_options || self.quirks.refuses.contains(&"stream_options") {
            return;
        }
        let Some(options) = self.field("stream_options") else {
            if let Some(stream) = envelope.field("stream") {
                const MEMBER: &[u8] = br#","stream_options":{"include_usage":true}"#;
                self.edits.insert(stream.value.end, MEMBER);
            }
            return;
        };
        let inner = members(&self.request.body, options.value.clone());
        if let Some(asked) = inner.iter().find(|member| member.name == "include_usage") {
            self.edits.replace(asked.value.clone(), "true");
        } else if let Some(first) = inner.first() {
            self.edits.insert(first.key.start, r#""include_usage":true,"#);
        } else {
            self.edits.replace(options.value.clone(), ASK_FOR_USAGE);
        }
    }

    /// Whether the client gets a stream and did not ask for its usage.
    fn hides_usage(&self) -> bool {
        let envelope = &self.request.envelope;
        let may_stream = matches!(self.request.endpoint, Endpoint::ChatCompletions | Endpoint::Completions);
        may_stream && envelope.stream && !envelope.include_usage
    }

    fn finish(self) -> Upstream {
        let reading = Reading {
            hide_usage: self.hides_usage(),
            tool_ids: self.tool_ids,
            inputs: self.inputs,
            ..Reading::plain(self.request.endpoint, self.quirks)
        };
        Upstream {
            headers: Vec::new(),
            path: Cow::Borrowed(self.request.endpoint.path()),
            body: self.edits.apply(&self.request.body),
            losses: self.losses,
            reading,
            more: Vec::new(),
        }
    }
}

/// Text as a JSON string.
pub(super) fn json_string(text: &str) -> Bytes {
    serde_json::to_string(text).expect("a string is always JSON").into()
}

/// Where the key ends in `"key" : `, the part of a member before its value.
fn key_end(before_value: &[u8]) -> usize {
    let trimmed = before_value.trim_ascii_end();
    trimmed.strip_suffix(b":").unwrap_or(trimmed).trim_ascii_end().len()
}
