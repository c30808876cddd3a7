//! Where traces go.

use std::path::PathBuf;

use http::{HeaderName, HeaderValue, Uri};

use super::{address, file, resolve::Context, tree::Trail};

/// The signal's path below the endpoint, as the OTLP exporter specification has it.
/// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp>
const TRACES: &str = "/v1/traces";

#[derive(Debug, Clone, PartialEq)]
pub struct Otel {
    /// Where spans are posted.
    pub traces: Uri,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub ca_file: Option<PathBuf>,
    /// Share of the requests that are traced, where the caller has not decided it.
    pub sample_rate: f64,
}

/// `None` without an endpoint.
pub(super) fn otel(written: file::Otel, context: &mut Context<'_>) -> Option<Otel> {
    let at = |key: &str| Trail::of(["otel", key]);
    let mut headers = Vec::new();
    for (name, value) in written.headers.unwrap_or_default() {
        match (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value.expose())) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                headers.push((name, value));
            }
            _ => context.mistake(&at("headers").key(&name), "is no header: a character in it cannot be sent"),
        }
    }
    let endpoint = written.endpoint.filter(|endpoint| !endpoint.trim().is_empty())?;
    let endpoint = endpoint.trim().trim_end_matches('/');
    let url = if endpoint.ends_with(TRACES) { endpoint.to_owned() } else { format!("{endpoint}{TRACES}") };
    let traces = match address::absolute(&url) {
        Ok(traces) => traces,
        Err(what) => {
            context.mistake(&at("endpoint"), what);
            return None;
        }
    };
    let ca_file = written.ca_file.map(|path| context.folder.join(path));
    Some(Otel { traces, headers, ca_file, sample_rate: written.sample_rate.unwrap_or(1.0) })
}
