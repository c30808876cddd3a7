//! Model ids out of a listing: `{data:[{id}]}`, a bare array (Together), `{models:[{name}]}`.

use std::collections::HashSet;

use serde_json::Value;

use super::errors;
use crate::refusal::{Cause, Refusal};

const MAX_MODELS: usize = 10_000;
const MAX_ID_BYTES: usize = 512;

/// Ids in the order of the listing, each once.
pub(super) fn models(body: &[u8]) -> Result<Vec<String>, Refusal> {
    let unreadable = || Refusal::new(Cause::Upstream, "the provider's model list could not be read");
    let listing: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let list = listing.as_array().or_else(|| {
        let list = listing.get("data").filter(|data| data.is_array()).or_else(|| listing.get("models"));
        list.and_then(Value::as_array)
    });
    let Some(list) = list else {
        let is_error = listing.get("error").is_some_and(|error| !error.is_null());
        return Err(if is_error { errors::disguised(body) } else { unreadable() });
    };
    let mut seen = HashSet::new();
    let ids = list.iter().filter_map(id).filter(|&id| seen.insert(id));
    Ok(ids.take(MAX_MODELS).map(str::to_owned).collect())
}

fn id(entry: &Value) -> Option<&str> {
    let names = ["id", "name", "model"].into_iter().filter_map(|name| entry.get(name)?.as_str());
    let id = entry.as_str().or_else(|| names.into_iter().find(|id| !id.is_empty()))?;
    ((1..=MAX_ID_BYTES).contains(&id.len()) && !id.contains(char::is_control)).then_some(id)
}
