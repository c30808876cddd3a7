//! The chat request to Replicate: a prediction to be created.

use http::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{dialect, input, messages};
use crate::{
    api::ClientRequest,
    refusal::{Cause, Refusal},
    wire::{Reading, Target, Upstream, hub},
};

/// Short predictions are answered at once; what takes longer is asked after. Replicate would hold the request for up to
/// 60 s, but a prediction whose id is not known yet cannot be cancelled.
const PATIENCE: (HeaderName, HeaderValue) = (HeaderName::from_static("prefer"), HeaderValue::from_static("wait=5"));

#[derive(Serialize)]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    input: Map<String, Value>,
    /// Only old versions of models need to be told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

/// # Errors
/// 400 for what cannot be asked of Replicate.
pub(super) fn chat(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    let mut chat = hub::chat(request)?;
    let mut losses = hub::Losses::default();
    hub::tools::modernise(&mut chat);
    let (path, version) = place(target.model)?;
    let dialect = dialect::dialect(target.model);
    input::refuse(&chat, &hub::tools::tools(&chat)?, &mut losses)?;
    input::drop_unknown(&chat, dialect, &mut losses);
    let conversation = messages::conversation(&chat.messages, &mut losses)?;
    let stream = request.envelope.stream;
    let body = Request { version, input: input::input(&chat, &conversation, dialect, &mut losses)?, stream };
    let body = serde_json::to_vec(&body)
        .map_err(|_| Refusal::new(Cause::Internal, "the request could not be written for Replicate"))?;
    Ok(Upstream {
        path: path.into(),
        headers: if stream { Vec::new() } else { vec![PATIENCE] },
        more: Vec::new(),
        body: bytes::Bytes::from(body).into(),
        losses: losses.into_vec(),
        reading: Reading::of(request, target),
    })
}

/// Where a prediction of this model is created, and the version that the body names: `owner/name` is an official model,
/// `owner/name:version` or a version alone any other, `deployments/owner/name` the account's own.
fn place(model: &str) -> Result<(String, Option<&str>), Refusal> {
    let (name, version) = model.split_once(':').map_or((model, None), |(name, version)| (name, Some(version)));
    let parts: Vec<&str> = name.split('/').collect();
    let is_name = |part: &&str| {
        !part.starts_with('.')
            && !part.is_empty()
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
    };
    match (&parts[..], version) {
        (_, _) if !parts.iter().chain(&version).all(is_name) => {}
        ([_, _], Some(version)) => return Ok(("/v1/predictions".to_owned(), Some(version))),
        ([version], None) if is_version(version) => return Ok(("/v1/predictions".to_owned(), Some(version))),
        ([owner, name], None) => return Ok((format!("/v1/models/{owner}/{name}/predictions"), None)),
        (["deployments", owner, name], None) => {
            return Ok((format!("/v1/deployments/{owner}/{name}/predictions"), None));
        }
        _ => {}
    }
    Err(Refusal::invalid(
        "model",
        "Replicate's models are named `owner/name`, `owner/name:version` or by a version alone",
    ))
}

/// Versions are SHA-256 sums.
fn is_version(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
