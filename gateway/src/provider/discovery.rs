//! Reading a provider's model list with its own credentials over its own connections.

use std::time::Duration;

use http::{Method, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Limited};

use super::{ProviderCore, call::unreachable};
use crate::{
    refusal::{Cause, Refusal},
    wire::{ModelPage, Payload},
};

const TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes; OpenRouter's list, the largest known, is about 600 KB.
const MAX_LIST: usize = 16 << 20;
const MOST_PAGES: usize = 50;

pub(super) async fn read_models(core: &ProviderCore) -> Result<Vec<String>, Refusal> {
    tokio::time::timeout(TIMEOUT, read(core))
        .await
        .unwrap_or_else(|_| Err(Refusal::new(Cause::UpstreamTimeout, "the model list took too long")))
}

/// All pages, as far as a list may sensibly go.
async fn read(core: &ProviderCore) -> Result<Vec<String>, Refusal> {
    let path = core.format.models_path(&core.config);
    let mut ids = Vec::new();
    let mut query = String::new();
    for _ in 0..MOST_PAGES {
        let page = read_page(core, &format!("{path}{query}")).await?;
        ids.extend(page.ids);
        match page.next {
            Some(next) => query = next,
            None => break,
        }
    }
    Ok(ids)
}

async fn read_page(core: &ProviderCore, path: &str) -> Result<ModelPage, Refusal> {
    let mut request = http::Request::new(Payload::default());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = core.uri(path)?;
    *request.headers_mut() = core.headers().clone();
    request.headers_mut().remove(CONTENT_TYPE);
    let response = core.transport.send(request).await.map_err(|error| unreachable(&error))?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_LIST).collect().await;
    let body = body.map_err(|_| Refusal::new(Cause::Upstream, "the model list could not be read"))?.to_bytes();
    if !head.status.is_success() {
        return Err(core.format.refusal(head.status, &head.headers, &body));
    }
    core.format.models(&body)
}
