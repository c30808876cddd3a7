//! Model lists, page by page: AI Studio's `models`, and the `publisherModels` of Vertex AI.

use serde::Deserialize;

use super::{errors, path::encode};
use crate::{
    refusal::{Cause, Refusal},
    wire::ModelPage,
};

const MAX_ID_BYTES: usize = 512;
const METHODS: [&str; 2] = ["generateContent", "embedContent"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(alias = "publisherModels")]
    models: Option<Vec<Model>>,
    next_page_token: Option<String>,
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    name: Option<String>,
    supported_generation_methods: Option<Vec<String>>,
}

pub(super) fn models(body: &[u8]) -> Result<ModelPage, Refusal> {
    let unreadable = || Refusal::new(Cause::Upstream, "the provider's model list could not be read");
    let page: Page = serde_json::from_slice(body).map_err(|_| unreadable())?;
    if page.error.is_some() {
        return Err(errors::disguised(body));
    }
    let serves = |model: &Model| {
        let methods = model.supported_generation_methods.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| METHODS.contains(&method.as_str())))
    };
    let mut ids: Vec<String> = Vec::new();
    for model in page.models.unwrap_or_default().into_iter().filter(serves) {
        let Some(name) = model.name else { continue };
        let id = name.strip_prefix("models/").or_else(|| name.strip_prefix("publishers/google/models/"));
        let id = id.unwrap_or(&name);
        if (1..=MAX_ID_BYTES).contains(&id.len()) && !id.contains(char::is_control) && !ids.iter().any(|one| one == id)
        {
            ids.push(id.to_owned());
        }
    }
    let token = page.next_page_token.filter(|token| !token.is_empty());
    Ok(ModelPage { ids, next: token.map(|token| format!("?pageSize=1000&pageToken={}", encode(&token))) })
}
