//! The lists of the control plane: inference profiles, and models.

use serde::Deserialize;

use super::regions::encoded;
use crate::{
    config::Provider,
    refusal::{Cause, Refusal},
    wire::ModelPage,
};

/// Many models run only through a profile; those that do not are in a list of their own, beside that one.
const PROFILES: &str = "/inference-profiles?maxResults=1000";
const MODELS: &str = "/foundation-models";

/// The control plane has a host of its own; a base URL that is not AWS's (a stand-in) serves both.
pub(super) fn path(provider: &Provider) -> String {
    match provider.base_url.split_once("://bedrock-runtime") {
        Some((scheme, rest)) => format!("{scheme}://bedrock{rest}{PROFILES}"),
        None => PROFILES.to_owned(),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    inference_profile_summaries: Option<Vec<Profile>>,
    model_summaries: Option<Vec<Model>>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    inference_profile_id: String,
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    model_id: String,
    inference_types_supported: Option<Vec<String>>,
}

/// # Errors
/// When the body is neither list.
pub(super) fn page(body: &[u8]) -> Result<ModelPage, Refusal> {
    let unreadable = || Refusal::new(Cause::Upstream, "the model list is not one of Bedrock's");
    let listing: Listing = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let is_profiles = listing.inference_profile_summaries.is_some();
    let ids = match (listing.inference_profile_summaries, listing.model_summaries) {
        (Some(profiles), _) => {
            let active = |profile: &Profile| profile.status.as_deref().is_none_or(|status| status == "ACTIVE");
            profiles.into_iter().filter(active).map(|profile| profile.inference_profile_id).collect()
        }
        (None, Some(models)) => {
            let callable = |model: &Model| {
                let types = model.inference_types_supported.as_deref();
                types.is_none_or(|types| types.iter().any(|kind| kind == "ON_DEMAND"))
            };
            models.into_iter().filter(callable).map(|model| model.model_id).collect()
        }
        (None, None) => return Err(unreadable()),
    };
    let further = listing.next_token.filter(|token| !token.is_empty());
    let next = further.map(|token| format!("&nextToken={}", encoded(&token)));
    Ok(ModelPage { ids, next: next.or_else(|| is_profiles.then(|| MODELS.to_owned())) })
}
