//! Where a provider is: the addresses below its base URL, and those that its credential may go to besides.

use http::{
    Uri,
    uri::{Authority, PathAndQuery, Scheme},
};

use crate::refusal::{Cause, Refusal};

/// A base URL, taken apart once.
pub(super) struct Address {
    scheme: Scheme,
    authority: Authority,
    prefix: String,
}

impl Address {
    /// # Panics
    /// When the URL is not absolute: configuration has checked it.
    pub(super) fn of(base_url: &str) -> Self {
        let base: Uri = base_url.parse().expect("configuration has checked the base URL");
        let parts = base.into_parts();
        let prefix = parts.path_and_query.as_ref().map_or("", PathAndQuery::path).trim_end_matches('/').to_owned();
        Self {
            scheme: parts.scheme.expect("configuration has checked the base URL"),
            authority: parts.authority.expect("configuration has checked the base URL"),
            prefix,
        }
    }

    /// The address of a path below the base URL.
    ///
    /// # Errors
    /// When the path, which may hold a model's name, cannot stand in a URL.
    pub(super) fn uri(&self, path: &str) -> Result<Uri, Refusal> {
        let mut full = String::with_capacity(self.prefix.len() + path.len());
        full.push_str(&self.prefix);
        full.push_str(path);
        let bad = |_| Refusal::new(Cause::Invalid, "the model name cannot be part of a URL").param("model");
        let path = PathAndQuery::from_maybe_shared(full).map_err(bad)?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Ok(Uri::from_parts(parts).expect("scheme, authority and path are all there"))
    }

    /// The address of a path below the base URL or of a whole URL that the provider named, which may be elsewhere only
    /// where the credential belongs.
    ///
    /// # Errors
    /// When it can be none, or would carry the credential to strangers.
    pub(super) fn kin(&self, url: &str) -> Result<Uri, Refusal> {
        if url.starts_with('/') || url.is_empty() {
            return self.uri(url);
        }
        let refused = || Refusal::new(Cause::Internal, "the model list is not at an address of this provider");
        let uri: Uri = url.parse().map_err(|_| refused())?;
        let home = self.authority.host();
        let near = uri.scheme() == Some(&self.scheme) && uri.host().is_some_and(|host| is_kin(home, host));
        if near { Ok(uri) } else { Err(refused()) }
    }

    /// The address of a whole URL in an answer: of kin, or of the same domain, all of whose hosts are the provider's.
    ///
    /// # Errors
    /// When it would carry the credential to strangers.
    pub(super) fn own(&self, url: &str, domain: &str) -> Result<Uri, Refusal> {
        let refused = || Refusal::new(Cause::Upstream, "the provider's answer leads to a foreign address");
        let uri: Uri = url.parse().map_err(|_| refused())?;
        let home = self.authority.host();
        let within = |host: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let near = |host: &str| is_kin(home, host) || (within(home) && within(host));
        if uri.scheme() == Some(&self.scheme) && uri.host().is_some_and(near) { Ok(uri) } else { Err(refused()) }
    }
}

/// Whether two hosts belong together: the same, or both AWS's, or of one domain of at least three labels (of shorter ones
/// it cannot be known who owns them).
fn is_kin(home: &str, host: &str) -> bool {
    let aws = |host: &str| host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    let parent = |host: &str| host.split_once('.').map(|(_, parent)| parent.to_owned());
    let is_address = home.parse::<std::net::IpAddr>().is_ok();
    home.eq_ignore_ascii_case(host)
        || (aws(home) && aws(host))
        || (!is_address
            && parent(home) == parent(host)
            && parent(home).is_some_and(|parent| parent.split('.').count() >= 3))
}

#[cfg(test)]
mod tests {
    use super::{Address, is_kin};

    #[test]
    fn a_credential_goes_only_where_it_belongs() {
        for (home, host, expected) in [
            ("bedrock-runtime.us-east-1.amazonaws.com", "bedrock.us-east-1.amazonaws.com", true),
            ("llm.example.com", "llm.example.com", true),
            ("a.llm.example.com", "b.llm.example.com", true),
            ("llm.example.co", "evil.example.co", false),
            ("127.0.0.1", "9.0.0.1", false),
            ("llm.example.com", "bedrock.us-east-1.amazonaws.com", false),
            ("bedrock-runtime.us-east-1.amazonaws.com", "amazonaws.com.evil.example", false),
            ("bedrock-runtime.us-east-1.amazonaws.com", "evilamazonaws.com", false),
        ] {
            assert_eq!(is_kin(home, host), expected, "{home} {host}");
        }
    }

    #[test]
    fn an_answer_leads_only_to_the_providers_own_hosts() {
        let own = |home: &str, url: &str| Address::of(home).own(url, "llm.example").is_ok();
        for (url, expected) in [
            ("https://api.llm.example/v1/x", true),
            ("https://stream.llm.example/v1/files/x", true),
            ("https://streaming.api.llm.example/v1/x", true),
            ("http://stream.llm.example/v1/x", false),
            ("https://llm.example.evil.example/x", false),
            ("https://evilllm.example/x", false),
            ("https://stream.llm.example@evil.example/x", false),
            ("/v1/x", false),
            ("", false),
        ] {
            assert_eq!(own("https://api.llm.example", url), expected, "{url}");
        }
        assert!(!own("https://proxy.example.com", "https://stream.llm.example/x"), "the key is the proxy's");
    }
}
