//! The loop over candidates, within one deadline: each attempt starts from what the client sent.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Candidate, Candidates};
use crate::{
    api::ClientRequest,
    config::Failover,
    provider::{Bounds, NoLease, Reply, attempt},
    refusal::{Cause, Refusal},
    telemetry::{Destination, Exchange},
};

/// What a request may use.
pub struct Access<'a> {
    pub deadline: Instant,
    pub strict: bool,
    pub failover: &'a Failover,
}

pub struct Relayed {
    pub reply: Reply,
    pub candidate: Candidate,
}

/// Tries one candidate after the other until one answers or none is left. `exchange` is told of every attempt as it
/// begins, so that it is right whenever the client stops waiting.
///
/// # Errors
/// The last refusal that came from a provider, or 503 when every candidate is full.
pub async fn relay(
    request: &ClientRequest,
    candidates: Candidates,
    access: Access<'_>,
    exchange: &mut Exchange,
) -> Result<Relayed, Refusal> {
    let most = if access.failover.enabled { access.failover.max_attempts } else { 1 };
    let mut last = None;
    for candidate in candidates {
        if exchange.attempts as usize >= most {
            break;
        }
        let lease = match candidate.core.try_lease() {
            Ok(lease) => lease,
            Err(why) => {
                last.get_or_insert_with(|| no_lease(why, &candidate));
                continue;
            }
        };
        exchange.attempt(candidate.destination(), candidate.series.clone());
        let bounds = Bounds { deadline: share(&access), strict: access.strict };
        match attempt(lease, request, &candidate.upstream, bounds).await {
            Ok(reply) => return Ok(Relayed { reply, candidate }),
            Err(refusal) => {
                let again = access.failover.enabled && goes_on(&refusal, access.failover);
                tracing::debug!(provider = %candidate.core.name, cause = ?refusal.cause, message = %refusal.message, again, "attempt failed");
                last = Some(refusal);
                if !again || Instant::now() >= access.deadline {
                    break;
                }
            }
        }
    }
    Err(last.unwrap_or_else(|| Refusal::new(Cause::Unavailable, "no provider serves this model at the moment")))
}

/// When this attempt must have answered.
fn share(access: &Access<'_>) -> Instant {
    match access.failover.per_attempt_timeout {
        Some(part) => access.deadline.min(Instant::now() + part),
        None => access.deadline,
    }
}

fn goes_on(refusal: &Refusal, failover: &Failover) -> bool {
    match (refusal.upstream_status, refusal.cause) {
        (Some(status), _) => failover.on_status_codes.contains(&status),
        (None, Cause::UpstreamTimeout) => failover.on_timeout,
        (None, cause) => cause.fails_over(),
    }
}

fn no_lease(why: NoLease, candidate: &Candidate) -> Refusal {
    let name: &Arc<str> = &candidate.core.name;
    let message = match why {
        NoLease::Full => {
            format!("provider `{name}` is at its limit of {} concurrent requests", candidate.core.config.max_concurrent)
        }
        NoLease::Draining => format!("provider `{name}` is being removed"),
    };
    Refusal::new(Cause::Overloaded, message).code("provider_full").retry_after(Some(std::time::Duration::from_secs(1)))
}

impl Candidate {
    fn destination(&self) -> Destination {
        Destination {
            provider: self.core.name.clone(),
            provider_header: self.core.name_header.clone(),
            model_header: self.upstream_header.clone(),
        }
    }
}
