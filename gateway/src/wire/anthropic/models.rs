//! Anthropic's list of models: `{data: [{id}], has_more, last_id}`.

use serde::Deserialize;

use super::errors;
use crate::{refusal::Refusal, wire::ModelPage};

const MAX_ID_BYTES: usize = 512;

#[derive(Deserialize)]
struct Listing {
    data: Vec<Entry>,
    #[serde(default)]
    has_more: bool,
    last_id: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
}

pub(super) fn page(body: &[u8]) -> Result<ModelPage, Refusal> {
    let listing: Listing = serde_json::from_slice(body)
        .map_err(|_| errors::disguised_or(body, "the provider's model list could not be read"))?;
    let fits = |id: &String| (1..=MAX_ID_BYTES).contains(&id.len()) && !id.contains(char::is_control);
    let ids: Vec<String> = listing.data.into_iter().map(|entry| entry.id).filter(fits).collect();
    // The id goes into an address.
    let plain = |id: &String| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let last = listing.last_id.filter(|id| listing.has_more && !id.is_empty() && plain(id));
    Ok(ModelPage { ids, next: last.map(|last| format!("?limit=1000&after_id={last}")) })
}
