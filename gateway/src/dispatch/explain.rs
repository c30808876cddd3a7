//! What would be done with a request, without doing it.

use std::sync::atomic::Ordering::Relaxed;

use super::{Access, Candidate, Route, hedge, order::order};
use crate::{
    api::{CandidateReadiness, ClientRequest, RouteCandidate},
    provider::Readiness,
};

/// Whom the caller's request would go to now, best first. Changes nothing: not even whose turn it is.
pub fn explain(route: &Route, access: &Access<'_>) -> Vec<RouteCandidate> {
    let order = order(route, access, route.turn.load(Relaxed));
    order.into_iter().map(|at| candidate(&route.candidates[at], access)).collect()
}

/// When a second request would be sent beside a slow first one, in milliseconds.
pub fn hedge_after(request: &ClientRequest, route: &Route, access: &Access<'_>) -> Option<f64> {
    let first = order(route, access, route.turn.load(Relaxed)).into_iter().next()?;
    hedge::delay(request, access, &route.candidates[first]).map(|delay| delay.as_secs_f64() * 1e3)
}

fn candidate(one: &Candidate, access: &Access<'_>) -> RouteCandidate {
    const MILLION: f64 = 1e6;
    let core = &one.core;
    RouteCandidate {
        provider: core.name.to_string(),
        region: core.region().map(str::to_owned),
        model: one.upstream.to_string(),
        tier: u64::from(one.tier),
        weight: u64::from(one.weight),
        readiness: match core.readiness(&one.model) {
            Readiness::Ready => CandidateReadiness::Ready,
            Readiness::Reluctant => CandidateReadiness::Reluctant,
            Readiness::Low => CandidateReadiness::Low,
            Readiness::Out => CandidateReadiness::Out,
        },
        reasons: core.obstacles(&one.model),
        in_flight: core.in_flight() as u64,
        max_concurrent: core.config.max_concurrent as u64,
        latency_ms: one.model.latency(core.age()).map(|latency| latency.as_secs_f64() * 1e3),
        success_rate: core.success_rate(),
        price: one.price(access.prices).map(|price| price * MILLION),
    }
}
