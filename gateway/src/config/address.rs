//! Base URLs, with or without their trailing slash, their version segment, or the endpoint that was copied with them.

use std::net::IpAddr;

use http::Uri;

use super::Preset;

/// The base URL to append endpoint paths to: no trailing slash, version segment included.
pub(super) fn base_url(written: &str, preset: &Preset) -> Result<String, &'static str> {
    let uri = absolute(written)?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let path = uri.path().trim_end_matches('/');
    let path = if preset.api_format == "openai" {
        let path = path.strip_suffix("/chat/completions").unwrap_or(path).trim_end_matches('/');
        complete(authority, path, preset)
    } else {
        bare(path).to_owned()
    };
    Ok(format!("{}://{authority}{path}", uri.scheme_str().unwrap_or("https")))
}

/// An absolute http(s) URL without credentials, query or fragment.
pub(super) fn absolute(written: &str) -> Result<Uri, &'static str> {
    let written = written.trim();
    if written.contains(['?', '#']) {
        return Err("has to be without `?` and `#`");
    }
    let uri: Uri = written.parse().map_err(|_| "expected an absolute URL such as `https://llm.example.com/v1`")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("expected an absolute URL that starts with `http://` or `https://`");
    }
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => Err("has to be without user and password"),
        Some(authority) if authority.host().is_empty() => Err("expected a host in the URL"),
        Some(authority) if authority.port_u16().is_none() && authority.as_str().ends_with(':') => {
            Err("expected a port after the colon")
        }
        _ => Ok(uri),
    }
}

/// Whether a URL leads to this machine.
pub(super) fn is_local(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Where a region's models answer.
pub(super) fn of_region(region: &str) -> String {
    let partition = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://bedrock-runtime.{region}.{partition}")
}

/// The region in the host of such an address.
pub(super) fn region_of(url: &str) -> Option<String> {
    let host = url.split("://").nth(1)?;
    let rest = host.strip_prefix("bedrock-runtime.").or_else(|| host.strip_prefix("bedrock-runtime-fips."))?;
    rest.split_once('.').map(|(region, _)| region.to_owned())
}

/// Where a location of Google Cloud answers (S: `[google-genai:_api_client.py]`).
pub(super) fn of_location(location: &str) -> String {
    match location {
        "global" => "https://aiplatform.googleapis.com".to_owned(),
        "us" | "eu" => format!("https://aiplatform.{location}.rep.googleapis.com"),
        location => format!("https://{location}-aiplatform.googleapis.com"),
    }
}

/// The path without version segment and endpoint, for formats that write both themselves.
fn bare(path: &str) -> &str {
    const ENDPOINTS: &[&str] = &["messages", "models", "projects", "chat", "embed", "rerank", "deployments"];
    let mut end = path.len();
    let mut start = 0;
    for segment in path.split_inclusive('/') {
        let name = segment.trim_end_matches('/');
        let rest = path[start + segment.len()..].trim_start_matches('/');
        let next = rest.split('/').next().unwrap_or_default();
        let ours = is_version(name) || name == "openai";
        if ours && (next.is_empty() || is_version(next) || ENDPOINTS.contains(&next)) {
            end = start;
            break;
        }
        start += segment.len();
    }
    path[..end].trim_end_matches('/')
}

/// The path with its version segment.
fn complete(authority: &str, path: &str, preset: &Preset) -> String {
    let known = preset.base_url.and_then(|url| url.parse::<Uri>().ok());
    let Some(known) = known else {
        // Of an unknown server nothing is known: `/v1` unless it has a path of its own.
        return if path.is_empty() { "/v1".to_owned() } else { path.to_owned() };
    };
    let full = known.path().trim_end_matches('/');
    let at_home = known.authority().is_some_and(|home| home.as_str().eq_ignore_ascii_case(authority));
    // `https://api.groq.com` and `https://api.groq.com/openai` both mean `…/openai/v1`.
    if at_home && full.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return full.to_owned();
    }
    match full.split('/').find(|segment| is_version(segment)) {
        Some(version) if !path.split('/').any(is_version) => format!("{path}/{version}"),
        _ => path.to_owned(),
    }
}

/// `v1`, `v2`, `v1beta`, ….
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::preset::{COMPATIBLE, PRESETS, preset};

    fn given(name: &str, written: &str) -> String {
        base_url(written, preset(name).unwrap_or(&COMPATIBLE)).unwrap()
    }

    #[test]
    fn the_version_segment_is_added_where_it_is_missing() {
        for (name, written, expected) in [
            ("openai", "https://api.openai.com", "https://api.openai.com/v1"),
            ("openai", "https://eu.example.com/openai/", "https://eu.example.com/openai/v1"),
            ("openai", "https://eu.example.com/v2", "https://eu.example.com/v2"),
            ("ollama", "http://localhost:11434/", "http://localhost:11434/v1"),
            ("groq", "https://api.groq.com", "https://api.groq.com/openai/v1"),
            ("groq", "https://api.groq.com/openai", "https://api.groq.com/openai/v1"),
            ("groq", "http://127.0.0.1:9000", "http://127.0.0.1:9000/v1"),
            ("deepinfra", "https://api.deepinfra.com/v1", "https://api.deepinfra.com/v1/openai"),
            ("perplexity", "https://api.perplexity.ai/", "https://api.perplexity.ai"),
            ("perplexity", "http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
            ("house", "http://10.0.0.1:8000", "http://10.0.0.1:8000/v1"),
            ("house", "http://10.0.0.1:8000/llm/", "http://10.0.0.1:8000/llm"),
            ("house", "http://[::1]:8000/v1/chat/completions", "http://[::1]:8000/v1"),
            ("tgi", "http://tgi:8080", "http://tgi:8080/v1"),
            ("simulator", "http://simulator", "http://simulator"),
            ("anthropic", "https://api.anthropic.com/v1/", "https://api.anthropic.com"),
            (
                "anthropic",
                "https://gateway.example.com/v1/acme/anthropic",
                "https://gateway.example.com/v1/acme/anthropic",
            ),
            ("anthropic", "http://127.0.0.1:9000/v1/messages", "http://127.0.0.1:9000"),
            ("gemini", "https://generativelanguage.googleapis.com/v1beta", "https://generativelanguage.googleapis.com"),
            ("vertexai", "https://aiplatform.googleapis.com/v1/projects/p", "https://aiplatform.googleapis.com"),
            ("cohere", "https://api.cohere.com/v2", "https://api.cohere.com"),
            ("cohere", "https://api.cohere.com", "https://api.cohere.com"),
            ("azure", "https://r.openai.azure.com/", "https://r.openai.azure.com"),
            ("azure", "https://r.openai.azure.com/openai/v1/", "https://r.openai.azure.com"),
            ("azure", "https://r.openai.azure.com/openai", "https://r.openai.azure.com"),
            ("azure", "https://r.openai.azure.com/openai/deployments/d/chat/completions", "https://r.openai.azure.com"),
            ("bedrock", "http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ] {
            assert_eq!(given(name, written), expected, "{name}: {written}");
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for written in [
            "",
            "/v1",
            "api.openai.com",
            "api.openai.com/v1",
            "ftp://a/v1",
            "https://",
            "https://u:p@a/v1",
            "https://a/v1?key=x",
            "https://a/v1#x",
            "https://a b/v1",
            "http://a:/v1",
            "http://:80/v1",
        ] {
            assert!(base_url(written, &COMPATIBLE).is_err(), "{written}");
        }
    }

    proptest! {
        /// However a preset's own URL is shortened, the same comes out.
        #[test]
        fn every_spelling_of_a_preset_is_its_base_url(row in 0..PRESETS.len(), cut in 0..4_usize, slash: bool, endpoint: bool) {
            let preset = &PRESETS[row];
            let Some(full) = preset.base_url.filter(|_| preset.api_format == "openai") else { return Ok(()) };
            let start = full.find("://").unwrap() + 3;
            let mut written = full.to_owned();
            for _ in 0..cut {
                if let Some(at) = written[start..].rfind('/') {
                    written.truncate(start + at);
                }
            }
            if endpoint {
                written.push_str("/chat/completions");
            }
            if slash {
                written.push('/');
            }
            prop_assert_eq!(base_url(&written, preset).unwrap(), full);
        }

        /// What comes out is stable, has no trailing slash and keeps the host.
        #[test]
        fn completing_twice_changes_nothing(row in 0..PRESETS.len(), path in "(/[a-z0-9]{1,8}){0,4}/{0,2}") {
            for preset in [&PRESETS[row], &COMPATIBLE] {
                let once = base_url(&format!("https://llm.example.com:8443{path}"), preset).unwrap();
                prop_assert!(once.starts_with("https://llm.example.com:8443") && !once.ends_with('/'));
                prop_assert_eq!(base_url(&once, preset).unwrap(), once);
            }
        }
    }
}
