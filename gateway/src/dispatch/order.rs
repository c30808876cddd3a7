//! In which order the candidates of a route are asked, by what is known of them now.

use std::sync::atomic::Ordering::Relaxed;

use smallvec::{SmallVec, smallvec};

use super::{
    Access, Candidate, Route,
    strategy::{Choice, Order, View},
};
use crate::config::Strategy;

/// Whose turn it is for a request. Taken once: would its retries and hedges take turns too, those of a slow candidate
/// would make the turn come back to it.
pub fn turn(route: &Route, access: &Access<'_>) -> u64 {
    let takes_turns = access.routing.strategy == Strategy::RoundRobin && route.candidates.len() > 1;
    if takes_turns { route.turn.fetch_add(1, Relaxed) } else { 0 }
}

/// Positions in the route's candidates: those that the caller may use, best first.
pub fn order(route: &Route, access: &Access<'_>, turn: u64) -> Order {
    if let [only] = &route.candidates[..] {
        return if may_use(access, only) { smallvec![0] } else { Order::new() };
    }
    let places: Order = (0..route.candidates.len()).filter(|&at| may_use(access, &route.candidates[at])).collect();
    let strategy = access.routing.strategy;
    let views: SmallVec<[View; 4]> = places.iter().map(|&at| view(&route.candidates[at], access)).collect();
    let choice = Choice { strategy, ticket: turn, sticky: access.affinity };
    let mut order: Order = choice.order(&views, &mut fastrand::Rng::new()).into_iter().map(|at| places[at]).collect();
    let fixed = &access.routing.failover.providers;
    if !fixed.is_empty() && order.len() > 2 {
        let rank = |at: &usize| fixed.iter().position(|name| **name == *route.candidates[*at].core.name);
        order[1..].sort_by_key(|at| rank(at).unwrap_or(usize::MAX));
    }
    order
}

fn may_use(access: &Access<'_>, candidate: &Candidate) -> bool {
    access.caller.is_none_or(|caller| caller.may_use_provider(&candidate.core.name))
}

/// What the strategy has to know of a candidate, and no more: each fact costs a read.
fn view(candidate: &Candidate, access: &Access<'_>) -> View {
    let (core, strategy) = (&candidate.core, access.routing.strategy);
    let fast = matches!(strategy, Strategy::LeastLatency | Strategy::Fastest | Strategy::Adaptive);
    View {
        group: candidate.group,
        tier: candidate.tier,
        rank: candidate.rank,
        weight: candidate.weight,
        readiness: core.readiness(&candidate.model),
        in_flight: core.in_flight(),
        max_concurrent: core.config.max_concurrent,
        latency: if fast { candidate.model.latency(core.age()) } else { None },
        success_rate: if strategy == Strategy::Adaptive { core.success_rate() } else { None },
        price: if strategy == Strategy::CostOptimized { candidate.price(access.prices) } else { None },
    }
}
