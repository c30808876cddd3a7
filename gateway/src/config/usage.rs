//! What becomes of usage events, and where data is kept.

use std::{path::PathBuf, time::Duration};

use super::{file, resolve::Context, tree::Trail};
use crate::spool::{self, WhenFull};

/// Less than this and a burst of requests would fill it.
const LEAST_SPOOL: u64 = 64 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    pub enabled: bool,
    /// Bytes of events on disk that nobody has taken away yet.
    pub spool_max: u64,
    pub when_full: WhenFull,
    /// The stream's name in NATS.
    pub stream: String,
    pub replicas: usize,
    pub dedup_window: Duration,
    pub max_age: Duration,
}

/// Where data is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    pub path: PathBuf,
}

impl Usage {
    /// How the spool of this configuration is opened.
    pub fn spool(&self, store: &Store, most_open: usize) -> spool::Options {
        spool::Options {
            path: store.path.join("spool"),
            most: self.spool_max,
            when_full: self.when_full,
            // those that have ended and are not written yet need room beside those under way
            most_open: most_open + most_open / 4 + 512,
        }
    }
}

/// The stream that takes usage events where the file names none.
pub const USUAL_STREAM: &str = "PRISM_USAGE";
/// The data directory where the file names none.
pub const USUAL_STORE: &str = "data";

pub(super) fn usage(written: file::Usage, context: &mut Context<'_>) -> Usage {
    let at = |key: &str| Trail::of(["usage", key]);
    let spool_max = written.spool_max.map_or(1 << 30, |size| size.0);
    if spool_max < LEAST_SPOOL {
        context.mistake(&at("spool_max"), "has to be at least 64MiB");
    }
    let stream = written.stream.unwrap_or_else(|| USUAL_STREAM.to_owned());
    // https://docs.nats.io/running-a-nats-service/nats_admin/jetstream_admin/naming
    if stream.is_empty() || stream.chars().any(|c| c.is_whitespace() || c.is_control() || ".*>/\\".contains(c)) {
        context.mistake(&at("stream"), "a stream's name has no spaces and none of `.`, `*`, `>`, `/`, `\\`");
    }
    Usage {
        enabled: written.enabled.unwrap_or(true),
        spool_max,
        when_full: match written.when_full {
            None | Some(file::WhenFull::Refuse) => WhenFull::Refuse,
            Some(file::WhenFull::DropOldest) => WhenFull::DropOldest,
        },
        stream,
        replicas: written.replicas.unwrap_or(1),
        dedup_window: context.positive(&at("dedup_window"), written.dedup_window, Duration::from_secs(120)),
        max_age: context.positive(&at("max_age"), written.max_age, Duration::from_secs(30 * 24 * 3600)),
    }
}

pub(super) fn store(written: file::Store, context: &mut Context<'_>) -> Store {
    if written.path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        context.mistake(&Trail::of(["store", "path"]), "names no folder");
    }
    Store { path: context.folder.join(written.path.unwrap_or_else(|| USUAL_STORE.into())) }
}
