//! What a condition may ask of a request.

use crate::config::check::{nearest, suggestion};

/// What values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Truth,
    /// Whatever the client sent: a text, a number or a truth value.
    Scalar,
}

/// (name, what it has, what it is); `.*` stands for any one name.
pub(super) const FIELDS: &[(&str, Kind, &str)] = &[
    ("model", Kind::Text, "as the client names it"),
    ("stream", Kind::Truth, "whether the answer is streamed"),
    ("endpoint", Kind::Text, "path, such as `/v1/chat/completions`"),
    ("metadata.*", Kind::Scalar, "of the header `x-prism-metadata`"),
    ("property.*", Kind::Text, "of the headers `x-prism-property-*`"),
    ("user", Kind::Text, "the header `x-prism-user-id`, or the request's `user`"),
    ("session", Kind::Text, "the header `x-prism-session-id`"),
    ("key", Kind::Text, "name of the client's key"),
    ("key.metadata.*", Kind::Scalar, "of that key's `metadata`"),
    ("max_tokens", Kind::Number, "most tokens of the answer"),
    ("temperature", Kind::Number, "as sent"),
    ("message_count", Kind::Number, "messages of the request"),
    ("prompt_chars", Kind::Number, "characters of all its texts"),
    ("has_tools", Kind::Truth, "whether tools are given"),
    ("has_images", Kind::Truth, "whether a message holds an image"),
    ("hour", Kind::Number, "0 to 23, UTC"),
    ("weekday", Kind::Number, "1 (Monday) to 7, UTC"),
];

/// What values a field has; `None` when there is no such field.
pub(super) fn kind(path: &str) -> Option<Kind> {
    FIELDS.iter().find(|(name, ..)| is(name, path)).map(|(_, kind, _)| *kind)
}

fn is(name: &str, path: &str) -> bool {
    match name.strip_suffix('*') {
        Some(family) => path.strip_prefix(family).is_some_and(|rest| !rest.is_empty()),
        None => name == path,
    }
}

/// For the end of a message about an unknown field.
pub(super) fn meant(path: &str) -> String {
    let names = FIELDS.iter().map(|(name, ..)| *name);
    let family = path.split_once('.').and_then(|(family, _)| nearest(family, ["metadata", "property"]));
    match family {
        Some(family) => format!(" (did you mean `{family}.*`?)"),
        None => suggestion(path, names),
    }
}

/// All of them, for the schema.
pub(super) fn listed() -> String {
    let field = |(name, _, what): &(&str, Kind, &str)| format!("`{name}` ({what})");
    FIELDS.iter().map(field).collect::<Vec<_>>().join(", ")
}

impl Kind {
    /// For the end of a message.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Truth => "true or false",
            Self::Scalar => "a text, a number, true or false",
        }
    }
}
