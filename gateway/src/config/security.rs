//! What the gateway may do on a client's behalf.

use std::{path::PathBuf, time::Duration};

use http::uri::Authority;

use super::{file, resolve::Context, tree::Trail};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Security {
    /// `None`: nothing is fetched that a request names by its address.
    pub remote_media: Option<RemoteMedia>,
}

/// Within which limits images and documents are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteMedia {
    /// Hosts, with their ports, that may be at private addresses.
    pub hosts: Vec<(String, u16)>,
    /// Authorities that are trusted beside Mozilla's.
    pub ca_file: Option<PathBuf>,
    /// Bytes of one.
    pub max_size: u64,
    /// Bytes of all that one request names.
    pub max_total: u64,
    /// Addresses in one request.
    pub max_count: usize,
    /// For each.
    pub timeout: Duration,
}

pub(super) fn security(written: file::Security, context: &mut Context<'_>) -> Security {
    let at = |key: &str| Trail::of(["security", key]);
    let written_hosts = written.remote_media_hosts.unwrap_or_default();
    let mut hosts = Vec::with_capacity(written_hosts.len());
    for (index, text) in written_hosts.iter().enumerate() {
        let authority = text.trim().parse::<Authority>().ok().filter(|authority| !authority.as_str().contains('@'));
        match authority.as_ref().and_then(|authority| Some((authority.host(), authority.port_u16()?))) {
            Some((host, port)) if !host.is_empty() => hosts.push((host.trim_matches(['[', ']']).to_owned(), port)),
            _ => context.mistake(
                &at("remote_media_hosts").index(index),
                "expected a host and its port, such as `images.internal:443`",
            ),
        }
    }
    let mut size = |key: &str, written: Option<u64>, default: u64| {
        if written == Some(0) {
            context.mistake(&at(key), "has to be larger than 0");
        }
        written.unwrap_or(default)
    };
    let remote_media = RemoteMedia {
        hosts,
        max_size: size("remote_media_max_size", written.remote_media_max_size.map(|size| size.0), 20 << 20),
        max_total: size("remote_media_max_total", written.remote_media_max_total.map(|size| size.0), 50 << 20),
        max_count: written.remote_media_max_count.unwrap_or(20),
        timeout: context.positive(&at("remote_media_timeout"), written.remote_media_timeout, Duration::from_secs(10)),
        ca_file: written.remote_media_ca_file.map(|path| context.folder.join(path)),
    };
    Security { remote_media: Some(remote_media).filter(|_| written.fetch_remote_media == Some(true)) }
}
