//! Requests of clients, read and translated for every target: no panic, the same request gives the same bytes, and what is
//! sent is JSON.

use bytes::Bytes;
use prism::{
    api::Endpoint,
    wire::{self, Upstream},
};
use serde::de::IgnoredAny;

use super::question::ASKED;

pub fn check(data: &[u8]) {
    let [asked, endpoint, body @ ..] = data else { return };
    let asked = &ASKED[usize::from(*asked) % ASKED.len()];
    let endpoint = Endpoint::ALL[usize::from(*endpoint) % Endpoint::ALL.len()];
    let Ok(request) = wire::openai::read(endpoint, Bytes::copy_from_slice(body)) else { return };
    let _ = asked.format.media(&request);
    let sent = || asked.format.request(&request, asked.target()).map(bodies);
    let once = sent();
    assert_eq!(once, sent(), "{}", asked.name);
    for (path, body) in once.into_iter().flatten() {
        assert!(path.starts_with('/') && path.is_ascii(), "sent to `{path}`");
        assert!(serde_json::from_slice::<IgnoredAny>(&body).is_ok(), "{}", String::from_utf8_lossy(&body));
    }
}

fn bodies(upstream: Upstream) -> Vec<(String, Bytes)> {
    let parts =
        std::iter::once((upstream.path, upstream.body)).chain(upstream.more.into_iter().map(|m| (m.path, m.body)));
    parts.map(|(path, body)| (path.into_owned(), body.to_bytes())).collect()
}
