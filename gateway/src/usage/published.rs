//! What consumers get of a record.

use bytes::Bytes;

use crate::{api, spool::Kind};

/// A record as it is published: usage as JSON, and notices, which are JSON already. So is the usage that versions before this one kept.
/// `None` when it is no event.
pub fn published(kind: Kind, record: &Bytes) -> Option<Bytes> {
    match kind {
        Kind::Usage if !record.starts_with(b"{") => api::json(record).map(Bytes::from),
        _ => Some(record.clone()),
    }
}
