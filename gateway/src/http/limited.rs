//! What a request takes from limits, and what its answer says of them.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::Utc;

use super::way::Way;
use crate::{
    admission::{Account, Demand, Entry, Estimate, Exceeded, Limiter},
    api::{Endpoint, TokenUsage},
    config::Routing,
    dispatch::{Candidate, Route},
    money::Usd,
    prices::Catalogue,
    refusal::Refusal,
    telemetry::{Exchange, Level, Pricing, Standing},
};

const BUDGET_WARNING: HeaderName = HeaderName::from_static("x-prism-budget-warning");
/// OpenAI's names.
const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// A place among the requests in progress of a key.
///
/// # Errors
/// 429 when there are as many as there may be.
pub(super) fn enter(account: &Account, exchange: &Exchange) -> Result<Entry, Refusal> {
    account.enter().inspect_err(|_| exchange.metrics().limited("key_concurrency"))
}

/// Puts aside what the request may take; the exchange settles it when it ends.
///
/// # Errors
/// 429 naming the limit that it does not fit into, 403 when a hard budget is to pay for what has no price.
pub(super) async fn reserve(
    way: &Way<'_>,
    (routing, route): (&Routing, &Route),
    prices: &Arc<Catalogue>,
    limiter: Option<&Limiter>,
    exchange: &mut Exchange,
) -> Result<(), Refusal> {
    let first = &route.candidates[0];
    let models = match limiter {
        Some(limiter) if limiter.tells_models_apart() => vec![
            way.request.envelope.model.to_string(),
            format!("{}/{}", first.core.name, first.upstream),
            first.upstream.to_string(),
        ],
        _ => Vec::new(),
    };
    let user = limiter.filter(|limiter| limiter.tells_users_apart()).and_then(|_| way.asked.user(way.request));
    let key = way.caller.and_then(|caller| caller.account(limiter, &way.gateway.accounts));
    let estimate = Estimate::of(way.request, first.series.mean_output());
    let costs = key.is_some_and(|account| account.has_budget())
        || limiter.is_some_and(|limiter| limiter.asks_for_costs(user.as_deref()));
    let cost = if costs { dearest(way, (routing, route), prices, estimate) } else { None };
    let demand = Demand { models: &models, user: user.as_deref(), key, estimate, cost };
    let accounts = &way.gateway.accounts;
    let mut reserved = demand.reserve(limiter, accounts.born());
    if reserved.as_ref().is_err_and(Exceeded::is_unleased) {
        reserved = Box::pin(demand.reserve_leased(limiter, accounts)).await;
    }
    match reserved {
        Ok(reservation) if reservation.is_empty() => Ok(()),
        Ok(reservation) => {
            exchange.standing = reservation.standing();
            exchange.reserved = Some(Box::new(reservation));
            Ok(())
        }
        Err(exceeded) => {
            exchange.metrics().limited(exceeded.limit());
            exchange.standing = exceeded.standing();
            Err(exceeded.refusal(Utc::now()))
        }
    }
}

/// What the request costs at most: with the dearest of those who may answer it, as far as their prices are known. `None`
/// when none of them is.
fn dearest(
    way: &Way<'_>,
    (routing, route): (&Routing, &Route),
    prices: &Arc<Catalogue>,
    estimate: Estimate,
) -> Option<Usd> {
    let may_answer = |one: &&Candidate| way.caller.is_none_or(|caller| caller.may_use_provider(&one.core.name));
    let dearest = |route: &Route| {
        let candidates = route.candidates.iter().filter(may_answer);
        candidates.filter_map(|one| cost(way.request.endpoint, one, prices, estimate)).max()
    };
    let stand_ins = way.fallbacks(routing).filter_map(|(_, stand_in)| dearest(&stand_in));
    dearest(route).into_iter().chain(stand_ins).max()
}

fn cost(endpoint: Endpoint, candidate: &Candidate, prices: &Arc<Catalogue>, estimate: Estimate) -> Option<Usd> {
    let config = &candidate.core.config;
    let Pricing::Known(price) = candidate.series.pricing(prices, config, &candidate.upstream) else {
        return config.simulated.then(Usd::default); // what stays in the process costs nothing
    };
    let usage = TokenUsage { input: estimate.input, output: estimate.output, ..TokenUsage::default() };
    // a reranker is billed by searches or by tokens
    let search = TokenUsage { searches: 1, ..usage };
    let searched = (endpoint == Endpoint::Rerank).then(|| price.cost(&search)).flatten();
    searched.or_else(|| price.cost(&usage))
}

/// Of each kind the limit that has the least left: one of ours, or the provider's, whose headers may stand in `out`; and
/// that a budget is nearly spent.
pub(super) fn show(out: &mut HeaderMap, standing: &Standing) {
    for (names, level) in [(&REQUESTS, standing.requests), (&TOKENS, standing.tokens)] {
        let Some(Level { limit, remaining, reset }) = level else { continue };
        let theirs = out.get(&names[1]).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
        if theirs.is_some_and(|theirs| theirs < remaining) {
            continue;
        }
        let values = [limit.into(), remaining.into(), written(reset)];
        names.iter().cloned().zip(values).for_each(|(name, value)| drop(out.insert(name, value)));
    }
    if let Some(warning) = standing.warning.as_deref().and_then(|warning| HeaderValue::from_str(warning).ok()) {
        out.insert(BUDGET_WARNING, warning);
    }
}

/// As OpenAI writes durations: `1s`, `6m0s`, `120ms`, `1h0m2.5s`.
fn written(length: Duration) -> HeaderValue {
    let millis = u64::try_from(length.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    let (hours, minutes, rest) = (millis / 3_600_000, millis / 60_000 % 60, millis % 60_000);
    let seconds = format!("{}.{:03}", rest / 1000, rest % 1000);
    let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
    let text = match (hours, minutes) {
        _ if millis < 1000 => format!("{millis}ms"),
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    };
    HeaderValue::from_str(&text).expect("digits and letters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_openai_does() {
        for (millis, text) in [
            (0, "0ms"),
            (8, "8ms"),
            (1_000, "1s"),
            (1_500, "1.5s"),
            (60_000, "1m0s"),
            (72_040, "1m12.04s"),
            (3_600_000, "1h0m0s"),
        ] {
            assert_eq!(written(Duration::from_millis(millis)), text);
        }
        assert_eq!(written(Duration::from_nanos(1)), "1ms", "never sooner than it is");
    }

    #[test]
    fn the_tighter_limit_is_shown_whosever_it_is() {
        let theirs = |remaining: &str| {
            let mut out = HeaderMap::new();
            out.insert(&REQUESTS[1], HeaderValue::from_str(remaining).unwrap());
            out
        };
        let level = Level { limit: 10, remaining: 4, reset: Duration::from_secs(36) };
        let ours = Standing { requests: Some(level), ..Standing::default() };
        for (remaining, shown) in [("3", "3"), ("4", "4"), ("5", "4"), ("many", "4")] {
            let mut out = theirs(remaining);
            show(&mut out, &ours);
            assert_eq!(out[&REQUESTS[1]], shown, "{remaining}");
            assert_eq!(out.contains_key(&REQUESTS[2]), remaining != "3");
        }
    }
}
