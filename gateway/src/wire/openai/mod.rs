//! OpenAI's own format, in and out: the bytes lane.
//!
//! What arrives is what leaves. [`read`] passes once over a request and knows where its fields stand; `request` edits
//! spans of it for one provider (model, usage option, the provider's quirks); `answer` and `stream` look for usage and
//! errors in what comes back and pass it on as it is, mended only where a quirk says so; `errors` makes one
//! [`Refusal`] out of every error body there is.

mod answer;
mod cost;
mod fields;
mod glance;
mod long;
mod mending;
mod messages;
mod models;
mod read;
mod request;
mod second_look;
mod sniff;
mod stream;
mod tap;
mod tool_ids;
mod usage;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{
    Answer, ModelPage, Reading, StreamDecoder, Target, Upstream, WireFormat, edits,
    errors::{self, is_plain},
    hub, spans, sse,
};
use crate::{
    api::{ClientRequest, Endpoint},
    refusal::Refusal,
};

pub use cost::with_cost;
pub use read::read;
pub use tap::{Tap, estimate};

/// The format of OpenAI and of everybody compatible with it.
#[derive(Debug, Clone, Copy)]
pub struct OpenAi;

impl WireFormat for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn request(&self, request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
        if request.endpoint == Endpoint::Rerank {
            if !target.quirks.rerank {
                return Err(hub::rerank::unsupported());
            }
            hub::rerank::asked(request)?;
        }
        Ok(request::upstream(request, target))
    }

    fn answer(&self, reading: &Reading, _: &HeaderMap, body: Bytes) -> Result<Answer, Refusal> {
        answer::answer(reading, body)
    }

    fn stream(&self, reading: &Reading) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(reading))
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
        errors::refusal(status, headers, body)
    }

    fn models(&self, body: &[u8]) -> Result<ModelPage, Refusal> {
        Ok(ModelPage { ids: models::models(body)?, next: None })
    }
}
