//! Where things stand inside a piece of JSON: members and elements as byte ranges, nothing decoded.
//!
//! Values are skipped, not descended into, so nesting costs no stack.

use std::{borrow::Cow, fmt, ops::Range};

use serde::{
    Deserializer as _,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// One member of an object.
#[derive(Debug)]
pub struct Member<'a> {
    /// Unescaped.
    pub name: Cow<'a, str>,
    /// The key with its quotes.
    pub key: Range<usize>,
    pub value: Range<usize>,
}

impl Member<'_> {
    /// From the key's opening quote to the value's end.
    pub fn span(&self) -> Range<usize> {
        self.key.start..self.value.end
    }
}

/// The members of the object that stands at `within`; empty when no object stands there.
pub fn members(text: &[u8], within: Range<usize>) -> Vec<Member<'_>> {
    let mut deserializer = serde_json::Deserializer::from_slice(&text[within]);
    deserializer.deserialize_map(Members(text)).unwrap_or_default()
}

/// The elements of the array that stands at `within`; empty when no array stands there.
pub fn elements(text: &[u8], within: Range<usize>) -> Vec<Range<usize>> {
    let raws: Vec<&RawValue> = serde_json::from_slice(&text[within]).unwrap_or_default();
    raws.into_iter().map(|raw| range_of(text, raw.get())).collect()
}

/// The range of `part`, which must be a slice of `text`.
pub fn range_of(text: &[u8], part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

/// The text of a JSON string as it stands in the source; borrowed when it has no escapes. `None` for any other value.
pub fn unquote(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_some() {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

struct Members<'a>(&'a [u8]);

impl<'de> Visitor<'de> for Members<'de> {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key::<&'de RawValue>()? {
            // A lone surrogate is no name that anybody looks for; it stays as it is written.
            let name = unquote(key.get()).unwrap_or(Cow::Borrowed(key.get()));
            let value = map.next_value::<&'de RawValue>()?;
            members.push(Member { name, key: range_of(self.0, key.get()), value: range_of(self.0, value.get()) });
        }
        Ok(members)
    }
}
