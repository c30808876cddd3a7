//! What consumers get of a record.

use bytes::Bytes;

use crate::{api, spool::Kind};

/// A record as it is published: usage as JSON, and notices, which are JSON already. So is the usage of versions before this one; what is
/// neither stays as it is.
pub fn published(kind: Kind, record: Bytes) -> Bytes {
    match kind {
        Kind::Usage => api::json(&record).map_or(record, Bytes::from),
        Kind::Provider | Kind::Config | Kind::Key => record,
    }
}
