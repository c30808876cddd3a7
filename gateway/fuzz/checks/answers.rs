//! Whole answers, errors, model lists and jobs: no panic; what is given out is what OpenAI's clients read, and no error is
//! without a message.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use prism::api::{ChatCompletion, EmbeddingResponse, Endpoint, RerankResponse};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::question::{Asked, split};

/// Statuses with a meaning of their own somewhere.
const STATUSES: [u16; 9] = [400, 401, 403, 404, 413, 424, 429, 500, 529];

pub fn check(data: &[u8]) {
    let Some((asked, reading, body)) = split(data, false) else { return };
    let format = asked.format;
    let headers = HeaderMap::new();
    if let Ok(answer) = format.answer(reading, &headers, Bytes::copy_from_slice(body)) {
        match reading.endpoint {
            _ if passes(asked) => is::<IgnoredAny>(&answer.body),
            Endpoint::ChatCompletions => is::<ChatCompletion>(&answer.body),
            Endpoint::Embeddings => is::<EmbeddingResponse>(&answer.body),
            Endpoint::Rerank => is::<RerankResponse>(&answer.body),
            Endpoint::Completions => is::<IgnoredAny>(&answer.body),
        }
    }
    if let Ok(page) = format.models(body) {
        let next = page.next.unwrap_or_default();
        assert!(next.bytes().all(|byte| byte.is_ascii_graphic()), "a page at `{next}`");
    }
    for status in STATUSES {
        let status = StatusCode::from_u16(status).expect("a status");
        assert!(!format.refusal(status, &headers, body).message.is_empty());
    }
    if let Some(job) = format.jobs().and_then(|jobs| jobs.job(body).ok()) {
        for path in [job.path, job.cancel] {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-');
            assert!(path.starts_with('/') && path.bytes().all(fits), "a job at `{path}`");
        }
    }
}

/// The provider's bytes go on as they are, but for quirks.
pub fn passes(asked: &Asked) -> bool {
    matches!(asked.format.name(), "openai" | "azure")
}

fn is<T: DeserializeOwned>(body: &[u8]) {
    let read = serde_json::from_slice::<T>(body);
    assert!(read.is_ok(), "{:?}: {}", read.err(), String::from_utf8_lossy(body));
}
