//! What the targets share: the format and the request that an input's first byte stands for.

use prism::{
    api::{ClientRequest, Endpoint},
    config::{Quirks, Settings},
    wire::{self, Reading, Target, WireFormat},
};

pub const ENDPOINTS: [Endpoint; 3] = [Endpoint::ChatCompletions, Endpoint::Completions, Endpoint::Embeddings];

/// Format and endpoint by the first byte, and what is left.
pub fn split(data: &[u8]) -> Option<(&'static dyn WireFormat, Endpoint, &[u8])> {
    let (first, rest) = data.split_first()?;
    let format = wire::FORMATS[usize::from(*first) % wire::FORMATS.len()];
    let endpoint = ENDPOINTS[usize::from(*first) / wire::FORMATS.len() % ENDPOINTS.len()];
    Some((format, endpoint, rest))
}

/// A plain request to an endpoint.
pub fn request(endpoint: Endpoint, stream: bool) -> ClientRequest {
    let body = match endpoint {
        Endpoint::ChatCompletions => {
            format!(r#"{{"model":"m","stream":{stream},"messages":[{{"role":"user","content":"x"}}]}}"#)
        }
        Endpoint::Completions => format!(r#"{{"model":"m","stream":{stream},"prompt":"x"}}"#),
        _ => r#"{"model":"m","input":["x"]}"#.to_owned(),
    };
    wire::openai::read(endpoint, body.into()).expect("a request as it should be")
}

pub fn reading(request: &ClientRequest) -> Reading {
    let settings = Settings::default();
    Reading::of(request, Target { model: "m", quirks: &Quirks::NONE, settings: &settings, now: 1_700_000_000 })
}
