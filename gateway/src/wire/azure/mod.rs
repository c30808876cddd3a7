//! Azure OpenAI: OpenAI's bytes under other paths, and errors of its own.

mod errors;
mod path;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{Answer, ModelPage, Reading, StreamDecoder, Target, Upstream, WireFormat, openai::OpenAi};
use crate::{api::ClientRequest, config, refusal::Refusal};

/// Azure's OpenAI resources: deployments by `api_version`, or the v1 path.
#[derive(Debug, Clone, Copy)]
pub struct Azure;

impl WireFormat for Azure {
    fn name(&self) -> &'static str {
        "azure"
    }

    /// The model's name, which v1 needs, goes into the body as for OpenAI; deployments ignore it.
    fn request(&self, request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
        let mut upstream = OpenAi.request(request, target)?;
        upstream.path = path::of(request.endpoint, target).into();
        for part in &mut upstream.more {
            part.path = upstream.path.clone();
        }
        Ok(upstream)
    }

    fn answer(&self, reading: &Reading, headers: &HeaderMap, body: Bytes) -> Result<Answer, Refusal> {
        OpenAi.answer(reading, headers, body)
    }

    fn stream(&self, reading: &Reading) -> Box<dyn StreamDecoder> {
        OpenAi.stream(reading)
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
        errors::refusal(status, headers, body)
    }

    fn models(&self, body: &[u8]) -> Result<ModelPage, Refusal> {
        OpenAi.models(body)
    }

    fn models_path(&self, provider: &config::Provider) -> Cow<'static, str> {
        path::models(&provider.settings).into()
    }
}
