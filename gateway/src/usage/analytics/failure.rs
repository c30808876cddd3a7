//! What keeps events from being counted for a while.

use std::io;

use super::database::DatabaseError;
use crate::nats::Trouble;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("cannot read the usage spool: {0}")]
    Spool(#[from] io::Error),
    #[error("NATS: {0}")]
    Nats(#[from] Trouble),
    #[error("counting has panicked")]
    Defect,
}
