//! What becomes of usage events once they are in the spool.

pub mod analytics;
