//! Thought signatures: how they travel through clients that know nothing of them, and back.
//!
//! They are given out as Google's own compatible endpoint does, as `extra_content.google.thought_signature` of a tool
//! call or a message, and are taken back from there, or from the end of the call's id, where litellm puts them.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

/// What Gemini accepts in the place of a signature that is lost. (ai.google.dev/gemini-api/docs/thought-signatures)
pub(super) const SKIP: &str = "skip_thought_signature_validator";

/// Between an id and a signature.
const SEPARATOR: &str = "__thought__";

/// The signature in a call's or a message's further members.
pub(super) fn of_extra(extra: &Map<String, Value>) -> Option<&str> {
    let own = extra.get("extra_content").and_then(|content| content.pointer("/google/thought_signature"));
    let litellm = || extra.get("provider_specific_fields")?.get("thought_signature");
    own.or_else(litellm)?.as_str().filter(|signature| !signature.is_empty())
}

/// An id, and the signature that was appended to it.
pub(super) fn of_id(id: &str) -> (&str, Option<Cow<'_, str>>) {
    match id.split_once(SEPARATOR) {
        Some((id, signature)) if !signature.is_empty() => (id, Some(signature.into())),
        _ => (id, None),
    }
}

/// The members of a call or a message that carry a signature.
pub(super) fn extra_content(signature: &str) -> Value {
    json!({"google": {"thought_signature": signature}})
}
