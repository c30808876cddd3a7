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

impl Draft<'_, '_> {
    pub(super) fn headers(&mut self, auth: AuthScheme) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::new();
        for (name, value) in self.written.headers.iter().flatten() {
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
                AuthScheme::None => false,
            };
            if OWN_HEADERS.contains(&header.as_str()) {
                self.context.mistake(&at, "this header is Prism's to set");
            } else if from_key {
                self.context.mistake(&at, "this header carries `api_key`");
            } else if headers.iter().any(|(other, _)| *other == header) {
                self.context.mistake(&at, "given twice: names of headers have no case");
            }
            value.set_sensitive(true); // it may be a credential: hidden in `Debug`, never indexed by HTTP/2
            headers.push((header, value));
        }
        headers
    }
}
