//! What a request does with its route: every candidate once, within one deadline, then again after a pause while the budget
//! allows. Each attempt starts from what the client sent.

#[cfg(test)]
mod tests;

use std::{pin::pin, sync::Arc, time::Duration};

use smallvec::SmallVec;
use tokio::time::Instant;

use super::{
    Budgets, Candidate, Route,
    backoff::backoff,
    budget::Extra,
    hedge::{self, Winner},
    order::{order, turn},
};
use crate::{
    admission::Caller,
    api::ClientRequest,
    config::Routing,
    prices::Catalogue,
    provider::{Bounds, Lease, NoLease, Reply, attempt},
    refusal::{Cause, Refusal},
    telemetry::{Exchange, Kind},
    transport::MediaFetcher,
};

/// What a request may use.
pub struct Access<'a> {
    pub deadline: Instant,
    pub strict: bool,
    pub routing: &'a Routing,
    pub budgets: &'a Budgets,
    pub prices: &'a Arc<Catalogue>,
    /// Who asks; `None` when everybody may.
    pub caller: Option<&'a Caller>,
    /// What binds it to one candidate, hashed.
    pub affinity: Option<u64>,
    /// What may fetch the media that a request names by address.
    pub media: Option<&'a MediaFetcher>,
    /// The caller gives less time than the configuration does.
    pub hurried: bool,
}

pub struct Relayed {
    pub reply: Reply,
    pub candidate: Candidate,
}

/// Tries candidates until one answers. `exchange` is told of every attempt as it begins, so that it is right whenever the
/// client stops waiting.
///
/// # Errors
/// The last refusal that came from a provider, or why none could be asked.
pub async fn relay(
    request: &ClientRequest,
    route: &Route,
    access: &Access<'_>,
    exchange: &mut Exchange,
) -> Result<Relayed, Refusal> {
    let turn = turn(route, access);
    let mut journey =
        Journey { request, route, access, exchange, turn, retries: 0, last: None, turned_away: SmallVec::new() };
    let failover = &access.routing.failover;
    let most = if failover.enabled { failover.max_attempts } else { 1 };
    let mut first = None;
    let mut asked = 0; // candidates, however many keys or hedges each took
    let stands_in = journey.exchange.attempts() > 0; // for another model
    let order_now = order(route, access, turn);
    journey.exchange.considered(&route.places, &order_now);
    for (place, at) in order_now.into_iter().enumerate() {
        if asked >= most || Instant::now() >= access.deadline {
            break;
        }
        let candidate = &route.candidates[at];
        let kind = if place == 0 && !stands_in { Kind::First } else { Kind::Failover };
        match journey.ask(candidate, kind).await {
            Ok(relayed) => return Ok(relayed),
            Err(Miss::Final(refusal)) => return Err(refusal),
            Err(Miss::Failed) => {
                first = first.or(Some(at));
                asked += 1;
            }
            Err(Miss::TurnedAway) => {}
        }
    }
    while let Some(_retrying) = journey.pause().await {
        let again = match first {
            Some(at) if !failover.enabled => SmallVec::from_slice(&[at]),
            _ => order(route, access, turn),
        };
        let mut asked = false;
        for at in again {
            let candidate = &route.candidates[at];
            match journey.ask(candidate, Kind::Retry).await {
                Ok(relayed) => return Ok(relayed),
                Err(Miss::Final(refusal)) => return Err(refusal),
                Err(Miss::Failed) => asked = true,
                Err(Miss::TurnedAway) => continue,
            }
            break;
        }
        if !asked {
            break;
        }
    }
    Err(journey.refusal())
}

/// Where a request has been so far.
struct Journey<'a, 'b> {
    request: &'a ClientRequest,
    route: &'a Route,
    access: &'a Access<'b>,
    exchange: &'a mut Exchange,
    turn: u64,
    retries: u32,
    /// The last refusal of a provider.
    last: Option<Refusal>,
    turned_away: SmallVec<[NoLease; 4]>,
}

/// Why a candidate gave no answer.
enum Miss {
    /// The next candidate may do better.
    Failed,
    /// Nothing was sent.
    TurnedAway,
    /// Nobody would do better.
    Final(Refusal),
}

impl<'a, 'b> Journey<'a, 'b> {
    /// Asks one candidate, with another of its keys when the first has no quota left or is refused.
    async fn ask(&mut self, candidate: &'a Candidate, mut kind: Kind) -> Result<Relayed, Miss> {
        let mut tried = SmallVec::<[usize; 4]>::new();
        loop {
            let lease = match candidate.core.try_lease(&candidate.model) {
                // of the keys that may be used, the one that was just refused is still the best
                Ok(lease) if tried.contains(&lease.key()) => return Err(Miss::Failed),
                Ok(lease) => lease,
                Err(why) => {
                    self.exchange.passed_over(&candidate.place, why.name());
                    self.turned_away.push(why);
                    return Err(if tried.is_empty() { Miss::TurnedAway } else { Miss::Failed });
                }
            };
            tried.push(lease.key());
            let refusal = match self.call(candidate, lease, kind).await {
                Ok(relayed) => return Ok(relayed),
                Err(refusal) => refusal,
            };
            let of_the_key = matches!(refusal.cause, Cause::RateLimited | Cause::Credential);
            if of_the_key && tried.len() < candidate.core.key_count() && Instant::now() < self.access.deadline {
                self.last = Some(refusal);
                kind = Kind::NextKey;
                continue;
            }
            if !self.goes_on(&refusal) {
                return Err(Miss::Final(refusal));
            }
            self.last = Some(refusal);
            return Err(Miss::Failed);
        }
    }

    async fn call(&mut self, candidate: &'a Candidate, lease: Lease, kind: Kind) -> Result<Relayed, Refusal> {
        let number = self.exchange.attempt(candidate.destination(), candidate.series.clone(), kind);
        match hedge::delay(self.request, self.access, candidate) {
            None => {
                let answered = attempt(lease, self.request, &candidate.upstream, self.bounds(number)).await;
                self.relayed(number, answered, candidate)
            }
            // two calls at once are rare: what they need is kept out of every other request's memory
            Some(delay) => Box::pin(self.hedged(candidate, lease, number, delay)).await,
        }
    }

    async fn hedged(
        &mut self,
        candidate: &'a Candidate,
        lease: Lease,
        number: usize,
        delay: Duration,
    ) -> Result<Relayed, Refusal> {
        let mut first = pin!(attempt(lease, self.request, &candidate.upstream, self.bounds(number)));
        let early = tokio::time::timeout(delay, &mut first).await.ok();
        let spare = if early.is_none() { self.spare(candidate) } else { None };
        let Some((spare, lease, _hedging)) = spare else {
            let answered = match early {
                Some(answered) => answered,
                None => first.await,
            };
            return self.relayed(number, answered, candidate);
        };
        let hedged = self.exchange.attempt(spare.destination(), spare.series.clone(), Kind::Hedge);
        let second = pin!(attempt(lease, self.request, &spare.upstream, self.bounds(hedged)));
        let (winner, answered) = hedge::race(first, second).await;
        let (won, lost, by) = match winner {
            Winner::First => (number, hedged, candidate),
            Winner::Second => (hedged, number, spare),
        };
        self.exchange.outrun(lost);
        self.exchange.answered_by(by.destination(), by.series.clone());
        self.relayed(won, answered, by)
    }

    /// An attempt has ended: with whose answer, or why not.
    fn relayed(&mut self, number: usize, answered: Result<Reply, Refusal>, by: &Candidate) -> Result<Relayed, Refusal> {
        self.exchange.attempted(number, answered.as_ref().err());
        answered.map(|reply| Relayed { reply, candidate: by.clone() })
    }

    /// Who takes the second request: another candidate that has room, else the same one.
    fn spare(&self, slow: &'a Candidate) -> Option<(&'a Candidate, Lease, Extra)> {
        let route = self.route;
        let others = order(route, self.access, self.turn).into_iter().map(|at| &route.candidates[at]);
        let mut all = others.filter(|other| !std::ptr::eq(*other, slow)).chain(std::iter::once(slow));
        let spare = all.find(|candidate| hedge::has_room(candidate))?;
        let Some(hedging) = self.access.budgets.hedge(self.exchange.active()) else {
            self.exchange.metrics().hedge_budget_exhausted.inc();
            return None;
        };
        let lease = spare.core.try_lease(&spare.model).ok()?;
        Some((spare, lease, hedging))
    }

    fn bounds(&self, number: usize) -> Bounds<'b> {
        let Access { deadline, hurried, strict, routing, media, .. } = *self.access;
        let part = routing.failover.per_attempt_timeout;
        let deadline = part.map_or(deadline, |part| deadline.min(Instant::now() + part));
        Bounds { deadline, hurried, strict, media, span: self.exchange.span(number) }
    }

    fn goes_on(&self, refusal: &Refusal) -> bool {
        let failover = &self.access.routing.failover;
        match (refusal.upstream_status, refusal.cause) {
            (Some(status), _) => failover.on_status_codes.contains(&status),
            (None, Cause::UpstreamTimeout) => failover.on_timeout,
            (None, cause) => cause.fails_over(),
        }
    }

    /// Waits before a retry; `None` when there is none to be made: the rules, the budget or the time are used up, or no
    /// provider has failed in a way that passes.
    async fn pause(&mut self) -> Option<Extra> {
        let Access { routing, budgets, deadline, .. } = *self.access;
        let last = self.last.as_ref().filter(|last| self.goes_on(last))?;
        if !routing.retry.enabled || self.retries >= routing.retry.max_retries {
            return None;
        }
        let wait = backoff(&routing.retry, self.retries, fastrand::f64(), last.retry_after)?;
        let until = Instant::now() + wait;
        if until >= deadline {
            return None;
        }
        let Some(retrying) = budgets.retry(self.exchange.active()) else {
            self.exchange.metrics().retry_budget_exhausted.inc();
            return None;
        };
        tokio::time::sleep_until(until).await;
        self.retries += 1;
        Some(retrying)
    }

    fn refusal(self) -> Refusal {
        self.last.unwrap_or_else(|| nobody(&self.turned_away))
    }
}

/// Why no provider could be asked, and when one can.
fn nobody(turned_away: &[NoLease]) -> Refusal {
    const SOON: Duration = Duration::from_secs(1);
    let full = turned_away.iter().any(|why| matches!(why, NoLease::Full | NoLease::Draining));
    let limited = turned_away.iter().all(|why| matches!(why, NoLease::Limited(_)));
    let waits = turned_away.iter().filter_map(|why| match why {
        NoLease::Open(wait) | NoLease::Limited(wait) => Some(*wait),
        NoLease::Full | NoLease::Draining => None,
    });
    let wait = waits.min().unwrap_or(SOON).max(SOON);
    match turned_away {
        [] => Refusal::new(Cause::Unavailable, "no provider serves this model at the moment"),
        _ if full => {
            let message = "every provider of this model is at its limit of concurrent requests (`max_concurrent`)";
            Refusal::new(Cause::Overloaded, message).code("provider_full").retry_after(Some(SOON))
        }
        _ if limited => Refusal::new(Cause::RateLimited, "every provider of this model waits for its quota")
            .code("rate_limit_exceeded")
            .retry_after(Some(wait)),
        _ => Refusal::new(Cause::Unavailable, "every provider of this model has failed too often and is given a rest")
            .code("providers_resting")
            .retry_after(Some(wait)),
    }
}
