//! Replicate's list of models: `{results: [{owner, name}], next}`. It holds every public model of every kind, the newest
//! first, so that it is read only where a configuration asks for it.

use serde::Deserialize;

use super::errors;
use crate::{refusal::Refusal, wire::ModelPage};

const MAX_ID_BYTES: usize = 512;

#[derive(Deserialize)]
struct Listing {
    results: Vec<Entry>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    owner: Option<String>,
    name: Option<String>,
}

pub(super) fn page(body: &[u8]) -> Result<ModelPage, Refusal> {
    let listing: Listing = serde_json::from_slice(body)
        .map_err(|_| errors::disguised_or(body, "the provider's model list could not be read"))?;
    let id = |entry: Entry| Some(format!("{}/{}", entry.owner?, entry.name?));
    let fits = |id: &String| id.len() <= MAX_ID_BYTES && !id.contains(char::is_control);
    let ids = listing.results.into_iter().filter_map(id).filter(fits).collect();
    // A whole URL: only its query is taken, so that the next page is where this one was.
    let query = listing.next.as_deref().and_then(|next| next.split_once('?')).map(|(_, query)| format!("?{query}"));
    Ok(ModelPage { ids, next: query })
}
