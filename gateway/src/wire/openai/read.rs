//! The one pass over the client's request: it must be JSON that means what it seems to mean, and where its fields stand.
//!
//! Duplicate names are refused: the gateway would route and bill by one `model` and the provider answer for another.
//! Nothing that is refused is repeated in the message, since it may be part of a prompt.

use std::{borrow::Cow, collections::HashSet, fmt, ops::Range};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer as _,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    fields::{self, Known},
    is_plain,
    messages::Messages,
    spans::{range_of, unquote},
};
use crate::{
    api::{ClientRequest, Endpoint, Envelope, Fetched, Field},
    refusal::{Cause, Refusal},
};

/// More top-level fields than any real request has.
const MAX_FIELDS: usize = 1_000;
const USUAL_FIELDS: usize = 16;
/// Up to here names are compared one by one.
const FEW_FIELDS: usize = 32;
const MAX_MODEL_BYTES: usize = 512;

/// Reads a request.
///
/// # Errors
/// When it is not a request for this endpoint; the refusal names the field.
pub fn read(endpoint: Endpoint, body: Bytes) -> Result<ClientRequest, Refusal> {
    let envelope = envelope(endpoint, &body)?;
    Ok(ClientRequest { endpoint, body, envelope, fetched: Fetched::default() })
}

fn envelope(endpoint: Endpoint, body: &[u8]) -> Result<Envelope, Refusal> {
    // Once for the whole: pieces of it are skipped below without being looked at.
    let text = std::str::from_utf8(body)
        .map_err(|error| not_json(format!("the body is not valid UTF-8 (byte {})", error.valid_up_to())))?;
    match text.trim_ascii_start().as_bytes().first() {
        None => return Err(not_json("the body is empty: a JSON object is needed")),
        Some(b'{') => {}
        Some(_) => return Err(not_json("the body must be a JSON object")),
    }
    let mut pass = Pass::new(endpoint, text);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match deserializer.deserialize_map(&mut pass).and_then(|()| deserializer.end()) {
        Ok(()) => pass.finish(),
        Err(error) => Err(pass.refusal(&error)),
    }
}

struct Pass<'a> {
    endpoint: Endpoint,
    text: &'a str,
    fields: Vec<Field>,
    seen: fields::SeenFields,
    /// All names that are not known ones, once there are many.
    names: Option<HashSet<Cow<'a, str>>>,
    model: Option<Box<str>>,
    stream: bool,
    include_usage: bool,
    has_essential: bool,
    messages: Messages,
    /// The field whose value's end is only known when the next one begins.
    open: Option<usize>,
    refused: Option<Refusal>,
}

impl<'a> Pass<'a> {
    fn new(endpoint: Endpoint, text: &'a str) -> Self {
        Self {
            endpoint,
            text,
            fields: Vec::with_capacity(USUAL_FIELDS),
            seen: fields::SeenFields::default(),
            names: None,
            model: None,
            stream: false,
            include_usage: false,
            has_essential: false,
            messages: Messages::default(),
            open: None,
            refused: None,
        }
    }

    /// Records a field and says whether its name is new.
    fn enter(&mut self, name: Cow<'a, str>, known: Option<(usize, &Known)>, key: Range<usize>) -> bool {
        let new = match known {
            Some((at, _)) => self.seen.insert(at),
            None if self.fields.len() < FEW_FIELDS => self.fields.iter().all(|field| field.name != name),
            None => self.all_names().insert(name.clone()),
        };
        let name = match known {
            Some((_, known)) => known.name(),
            None => Cow::Owned(name.into_owned()),
        };
        self.fields.push(Field { name, member: key.clone(), value: key });
        new
    }

    fn all_names(&mut self) -> &mut HashSet<Cow<'a, str>> {
        let owned = |field: &Field| Cow::Owned(field.name.to_string());
        self.names.get_or_insert_with(|| self.fields.iter().map(owned).collect())
    }

    /// Takes the value of a field that must have a certain kind, or means something to routing.
    fn value(&mut self, known: &Known, raw: &'a str) -> Result<(), Refusal> {
        let name = known.name();
        if name == "model" {
            return self.model(raw);
        }
        if let Some(complaint) = known.complaint(raw) {
            return Err(Refusal::invalid(name.clone(), format!("`{name}` {complaint}")));
        }
        match &*name {
            "stream" => self.stream = raw == "true",
            "stream_options" if raw != "null" => self.include_usage = include_usage(raw)?,
            name if name == self.endpoint.essential_field() => self.has_essential = raw != "null",
            _ => {}
        }
        Ok(())
    }

    fn model(&mut self, raw: &str) -> Result<(), Refusal> {
        if raw == "null" {
            return Err(no_model());
        }
        let model = unquote(raw).ok_or_else(|| Refusal::invalid("model", "`model` must be a string"))?;
        if model.trim().is_empty() {
            return Err(no_model());
        }
        if model.len() > MAX_MODEL_BYTES {
            return Err(Refusal::invalid("model", format!("`model` is longer than {MAX_MODEL_BYTES} bytes")));
        }
        self.model = Some(model.into());
        Ok(())
    }

    /// Ends the field that was left open: `until` is where the next key, or the object's brace, stands.
    fn close(&mut self, until: usize) {
        if let Some(open) = self.open.take() {
            let before = trim_end(&self.text[..until]);
            let end = trim_end(before.strip_suffix(',').unwrap_or(before)).len();
            let field = &mut self.fields[open];
            field.value.end = end;
            field.member.end = end;
        }
    }

    fn refuse<E: Error>(&mut self, refusal: Refusal) -> E {
        self.refused = Some(refusal);
        E::custom("refused")
    }

    /// The refusal behind an error of the JSON reader.
    fn refusal(&mut self, error: &serde_json::Error) -> Refusal {
        if let Some(refusal) = self.refused.take().or_else(|| self.messages.refused.take()) {
            return refusal;
        }
        if error.is_data() {
            return self.messages.wrong_type();
        }
        not_json(format!("the body is not valid JSON: {error}"))
    }

    fn finish(mut self) -> Result<Envelope, Refusal> {
        self.close(trim_end(self.text).len() - 1);
        let model = self.model.ok_or_else(no_model)?;
        if !self.has_essential {
            let name = self.endpoint.essential_field();
            return Err(Refusal::invalid(name, format!("`{name}` is required")));
        }
        Ok(Envelope {
            model,
            stream: self.stream,
            include_usage: self.include_usage,
            fields: self.fields,
            facts: self.messages.facts,
        })
    }
}

impl<'de> Visitor<'de> for &mut Pass<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<&'de RawValue>()? {
            let key_span = range_of(self.text.as_bytes(), key.get());
            self.close(key_span.start);
            let Some(name) = unquote(key.get()) else {
                return Err(self.refuse(not_json("the body is not valid JSON: a name has an invalid escape")));
            };
            if self.fields.len() == MAX_FIELDS {
                return Err(self.refuse(not_json(format!("the body has more than {MAX_FIELDS} fields"))));
            }
            let known = fields::find(&name);
            if !self.enter(name.clone(), known, key_span.clone()) {
                return Err(self.refuse(duplicate(&name)));
            }
            let entered = self.fields.len() - 1;
            if name == "messages" && self.endpoint == Endpoint::ChatCompletions {
                let start = value_start(self.text, key_span.end);
                if self.text.as_bytes().get(start) == Some(&b'[') {
                    self.open = Some(entered);
                    self.fields[entered].value.start = start;
                    map.next_value_seed(&mut self.messages)?;
                    self.has_essential = true;
                    continue;
                }
            }
            let raw = map.next_value::<&'de RawValue>()?.get();
            let value = range_of(self.text.as_bytes(), raw);
            let field = &mut self.fields[entered];
            field.member.end = value.end;
            field.value = value;
            if let Some((_, known)) = known
                && let Err(refusal) = self.value(known, raw)
            {
                return Err(self.refuse(refusal));
            }
        }
        Ok(())
    }
}

/// Where the value begins whose key ends at `key_end`. In JSON that is wrong here, anywhere.
fn value_start(text: &str, key_end: usize) -> usize {
    let rest = &text.as_bytes()[key_end..];
    key_end + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b':')).count()
}

fn trim_end(text: &str) -> &str {
    text.trim_end_matches([' ', '\t', '\n', '\r'])
}

/// `include_usage` of `stream_options`.
fn include_usage(raw: &str) -> Result<bool, Refusal> {
    #[derive(Deserialize)]
    struct StreamOptions {
        #[serde(default)]
        include_usage: Option<bool>,
    }
    let options: StreamOptions = serde_json::from_str(raw).map_err(|_| {
        let param = "stream_options.include_usage";
        Refusal::invalid(param, "`stream_options.include_usage` must be a boolean, given once")
    })?;
    Ok(options.include_usage.unwrap_or(false))
}

fn not_json(message: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(Cause::Invalid, message)
}

fn no_model() -> Refusal {
    Refusal::invalid("model", "you must provide a model parameter")
}

fn duplicate(name: &str) -> Refusal {
    if is_plain(name) {
        Refusal::invalid(name.to_owned(), format!("`{name}` is given more than once"))
    } else {
        not_json("a field of the body is given more than once")
    }
}
