//! What a client asks by headers: one pass, `x-prism-*` and `x-agentcc-*` alike.

use std::{borrow::Cow, time::Duration};

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{api::ClientRequest, config::RequestConfig, refusal::Refusal};

const PROPERTY: &str = "property-";
/// Longest id that is echoed or logged.
const MAX_ID: usize = 255;

#[derive(Debug, Default)]
pub(super) struct Asked<'a> {
    pub key: Option<&'a str>,
    pub client_request_id: Option<&'a str>,
    pub trace_id: Option<&'a HeaderValue>,
    pub timeout: Option<Duration>,
    pub provider_lock: Option<&'a str>,
    pub session_id: Option<&'a str>,
    pub session_name: Option<&'a str>,
    pub session_path: Option<&'a str>,
    pub user_id: Option<&'a str>,
    /// Refuse a lossy translation.
    pub strict: bool,
    /// Write a stream's cost into its usage chunk.
    pub include_cost: bool,
    pub metadata: Option<Metadata>,
    /// The request's own routing.
    pub config: Option<Box<RequestConfig>>,
    /// `x-prism-property-NAME`, by name.
    pub properties: Vec<(&'a str, &'a str)>,
}

/// Scalars by name.
pub(super) type Metadata = serde_json::Map<String, serde_json::Value>;

impl<'a> Asked<'a> {
    /// # Errors
    /// 400 naming the header that cannot be understood.
    pub fn read(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        let mut asked = Self { key: credential(headers), ..Self::default() };
        for (name, value) in headers {
            let Some(option) =
                name.as_str().strip_prefix("x-prism-").or_else(|| name.as_str().strip_prefix("x-agentcc-"))
            else {
                continue;
            };
            match option {
                "request-id" => asked.client_request_id = Some(id(name.as_str(), value)?),
                "trace-id" => {
                    id(name.as_str(), value)?;
                    asked.trace_id = Some(value);
                }
                "request-timeout" => asked.timeout = Some(milliseconds(name.as_str(), value)?),
                "provider-lock" => asked.provider_lock = Some(id(name.as_str(), value)?),
                "session-id" => asked.session_id = Some(id(name.as_str(), value)?),
                "user-id" => asked.user_id = Some(id(name.as_str(), value)?),
                "session-name" => asked.session_name = Some(id(name.as_str(), value)?),
                "session-path" => asked.session_path = Some(id(name.as_str(), value)?),
                "include-cost" => asked.include_cost = flag(name.as_str(), value)?,
                "metadata" => asked.metadata = Some(metadata(name.as_str(), value)?),
                "config" => asked.config = Some(config(name.as_str(), value)?),
                "strict" => asked.strict = flag(name.as_str(), value)?,
                _ if option.starts_with(PROPERTY) => {
                    asked.properties.push((&option[PROPERTY.len()..], id(name.as_str(), value)?));
                }
                _ => {} // later features' headers, and future ones, are not errors
            }
        }
        Ok(asked)
    }

    /// On whose behalf is asked: what the header says, or the request's `user`.
    pub fn user<'b>(&self, request: &'b ClientRequest) -> Option<Cow<'b, str>>
    where
        'a: 'b,
    {
        let field = || {
            let value = &request.envelope.field("user")?.value;
            serde_json::from_slice(&request.body[value.clone()]).ok().map(Cow::Owned)
        };
        self.user_id.map(Cow::Borrowed).or_else(field)
    }

    /// The header `x-prism-property-NAME`.
    pub fn property(&self, name: &str) -> Option<&'a str> {
        self.properties.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// `Authorization: Bearer KEY`, else `x-api-key: KEY`.
pub(super) fn credential(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer.or_else(|| headers.get("x-api-key").and_then(|value| value.to_str().ok())).filter(|key| !key.is_empty())
}

fn id<'a>(name: &str, value: &'a HeaderValue) -> Result<&'a str, Refusal> {
    let text = value.to_str().ok().filter(|text| !text.is_empty() && text.len() <= MAX_ID);
    text.ok_or_else(|| bad(name, format!("must be 1 to {MAX_ID} visible ASCII characters")))
}

/// A JSON object whose values are scalars.
fn metadata(name: &str, value: &HeaderValue) -> Result<Metadata, Refusal> {
    let object: Option<Metadata> = serde_json::from_slice(value.as_bytes()).ok();
    object.filter(|object| object.values().all(|value| !value.is_object() && !value.is_array())).ok_or_else(|| {
        bad(name, "must be a JSON object whose values are strings, numbers, booleans or null".to_owned())
    })
}

/// The request's own routing, as JSON.
fn config(name: &str, value: &HeaderValue) -> Result<Box<RequestConfig>, Refusal> {
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| bad(name, "is not UTF-8".to_owned()))?;
    let mistake = |(path, what): (String, String)| {
        bad(name, if path.is_empty() { what } else { format!("has a mistake at `{path}`: {what}") })
    };
    RequestConfig::parse(text).map(Box::new).map_err(mistake)
}

fn milliseconds(name: &str, value: &HeaderValue) -> Result<Duration, Refusal> {
    let millis = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok()).filter(|&millis| millis > 0);
    millis
        .map(Duration::from_millis)
        .ok_or_else(|| bad(name, "must be a whole number of milliseconds above 0".to_owned()))
}

fn flag(name: &str, value: &HeaderValue) -> Result<bool, Refusal> {
    match value.as_bytes() {
        b"true" | b"1" => Ok(true),
        b"false" | b"0" => Ok(false),
        _ => Err(bad(name, "must be `true` or `false`".to_owned())),
    }
}

fn bad(name: &str, what: String) -> Refusal {
    Refusal::invalid(name.to_owned(), format!("header `{name}` {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn both_spellings_are_read() {
        for prefix in ["x-prism-", "x-agentcc-"] {
            let mut map = HeaderMap::new();
            map.insert(
                format!("{prefix}request-timeout").parse::<axum::http::HeaderName>().unwrap(),
                "1500".parse().unwrap(),
            );
            assert_eq!(Asked::read(&map).unwrap().timeout, Some(Duration::from_millis(1500)));
        }
    }

    #[test]
    fn a_bad_value_names_its_header() {
        let map = headers(&[("x-prism-request-timeout", "soon")]);
        assert_eq!(Asked::read(&map).unwrap_err().param.as_deref(), Some("x-prism-request-timeout"));
        assert!(Asked::read(&headers(&[("x-prism-strict", "maybe")])).is_err());
        assert!(Asked::read(&headers(&[("x-prism-from-the-future", "?")])).is_ok());
    }

    #[test]
    fn the_key_is_found_in_either_header() {
        assert_eq!(credential(&headers(&[("authorization", "bearer  k")])), Some("k"));
        assert_eq!(credential(&headers(&[("authorization", "Basic k"), ("x-api-key", "k2")])), Some("k2"));
        assert_eq!(credential(&headers(&[("authorization", "Bearer ")])), None);
    }
}
