//! Where a deployment is.

use std::fmt::Write;

use crate::{api::Endpoint, config::Settings, wire::Target};

/// Which surface of a resource is spoken to.
enum Surface<'a> {
    /// `/openai/v1`, with `api-version=preview` where that is asked for.
    V1(Option<&'a str>),
    /// `/openai/deployments/…?api-version=DATE`.
    Dated(&'a str),
}

fn surface(settings: &Settings) -> Surface<'_> {
    match settings.api_version.as_deref() {
        None | Some("" | "v1") => Surface::V1(None),
        Some(version @ ("preview" | "latest")) => Surface::V1(Some(version)),
        Some(version) => Surface::Dated(version),
    }
}

pub(super) fn of(endpoint: Endpoint, target: Target<'_>) -> String {
    let method = endpoint.path();
    match surface(target.settings) {
        Surface::V1(version) => v1(method, version),
        Surface::Dated(version) => {
            let (deployment, version) = (encode(target.model), encode(version));
            format!("/openai/deployments/{deployment}{method}?api-version={version}")
        }
    }
}

/// Dated versions list the base models of a resource, not its deployments, for which there is no list with a key.
pub(super) fn models(settings: &Settings) -> String {
    match surface(settings) {
        Surface::V1(version) => v1("/models", version),
        Surface::Dated(version) => format!("/openai/models?api-version={}", encode(version)),
    }
}

fn v1(method: &str, version: Option<&str>) -> String {
    let query = version.map(|version| format!("?api-version={version}")).unwrap_or_default();
    format!("/openai/v1{method}{query}")
}

fn encode(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        // A segment of dots alone would be a step in the path.
        let dot = byte == b'.' && segment.bytes().any(|other| other != b'.');
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') || dot {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
