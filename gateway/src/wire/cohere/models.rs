//! Cohere's list of models: `{models: [{name, endpoints}], next_page_token}`.

use std::fmt::Write;

use serde::Deserialize;

use super::errors;
use crate::{refusal::Refusal, wire::ModelPage};

const MAX_ID_BYTES: usize = 512;
/// What the gateway has a route for; other models classify or summarise.
const ENDPOINTS: &[&str] = &["chat", "embed", "rerank"];

#[derive(Deserialize)]
struct Listing {
    models: Vec<Entry>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    name: Option<String>,
    endpoints: Option<Vec<String>>,
}

pub(super) fn page(body: &[u8]) -> Result<ModelPage, Refusal> {
    let listing: Listing = serde_json::from_slice(body)
        .map_err(|_| errors::disguised_or(body, "the provider's model list could not be read"))?;
    let served = |entry: &Entry| {
        let endpoints = entry.endpoints.as_ref();
        endpoints.is_none_or(|names| names.iter().any(|name| ENDPOINTS.contains(&name.as_str())))
    };
    let fits = |id: &String| (1..=MAX_ID_BYTES).contains(&id.len()) && !id.contains(char::is_control);
    let ids = listing.models.into_iter().filter(served).filter_map(|entry| entry.name).filter(fits).collect();
    let token = listing.next_page_token.filter(|token| (1..=4096).contains(&token.len()));
    Ok(ModelPage { ids, next: token.map(|token| format!("?page_size=1000&page_token={}", encoded(&token))) })
}

/// Percent-encoded, since the token goes into an address.
fn encoded(token: &str) -> String {
    let mut encoded = String::with_capacity(token.len());
    for byte in token.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
