//! Headers that the operator adds to a provider's requests.

use http::{HeaderName, HeaderValue};

use super::{AuthScheme, provider::Draft};

/// Headers that the connection, the body or the key decides.
const OWN_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "expect",
    "accept-encoding",
];

/// Headers that a computed credential sets.
const SIGNED_HEADERS: &[&str] = &["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"];

impl Draft<'_, '_> {
    /// `own` are names that stand for fields of this provider and are not sent.
    pub(super) fn headers(&mut self, auth: AuthScheme, signed: bool, own: &[&str]) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::new();
        let written = self.written.headers.iter().flatten();
        for (name, value) in written.filter(|(name, _)| own.iter().all(|own| !own.eq_ignore_ascii_case(name))) {
            let at = self.at.key("headers").key(name);
            let (Ok(header), Ok(mut value)) =
                (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value.expose()))
            else {
                self.context.mistake(&at, "is no header: its name or value holds a character that cannot be sent");
                continue;
            };
            let from_key = match auth {
                AuthScheme::Bearer => header == "authorization",
                AuthScheme::ApiKey => header == "api-key",
                AuthScheme::XApiKey => header == "x-api-key",
                AuthScheme::XGoogApiKey => header == "x-goog-api-key",
                AuthScheme::None => signed && SIGNED_HEADERS.contains(&header.as_str()),
            };
            if OWN_HEADERS.contains(&header.as_str()) {
                self.context.mistake(&at, "this header is Prism's to set");
            } else if from_key {
                self.context.mistake(&at, "this header carries the provider's credential");
            } else if headers.iter().any(|(other, _)| *other == header) {
                self.context.mistake(&at, "given twice: names of headers have no case");
            }
            value.set_sensitive(true); // it may be a credential: hidden in `Debug`, never indexed by HTTP/2
            headers.push((header, value));
        }
        headers
    }
}
