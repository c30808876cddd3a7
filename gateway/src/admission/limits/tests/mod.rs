//! Claims about limits: against a naive model, under threads, across reloads.

mod gossip;
mod model;
mod requests;
mod threads;

use std::{num::NonZeroU64, time::Duration};

use super::account::Wanted;
use crate::config::Rates;

const SECOND: Duration = Duration::from_secs(1);

fn limit(units: u64) -> NonZeroU64 {
    NonZeroU64::new(units).unwrap()
}

/// 0 is no limit.
fn rates(requests: u64, tokens: u64) -> Rates {
    Rates { requests: NonZeroU64::new(requests), tokens: NonZeroU64::new(tokens) }
}

fn tokens(tokens: u64) -> Wanted {
    Wanted { tokens, cost: None }
}
