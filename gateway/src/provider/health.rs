//! How a provider is doing, from what is counted and kept in its core: for the actor, and for whoever finds it silent.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use super::{
    ProviderCore,
    availability::Tally,
    breaker::{BreakerState, Phase},
    latency::Distribution,
    quota::Standing,
};
use crate::api::{
    Availability, AvailabilityWindow, BreakerHealth, BreakerPhase, BreakerTransition, CredentialHealth,
    CredentialStatus, DiscoveryHealth, ProviderError, ProviderHealth, ProviderState, Quantiles, QuotaHealth,
    QuotaLevel, StateChange,
};

/// Share of failures in the last minute from which a provider counts as degraded.
const DEGRADED_FROM: f64 = 0.1;
/// Changes of state that are kept.
const MOST_CHANGES: usize = 20;
/// Quotas that are shown.
const MOST_QUOTAS: usize = 100;

/// The last changes of a provider's state; they outlive its actor.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<VecDeque<Change>>);

#[derive(Debug, Clone)]
pub(super) struct Change {
    at: SystemTime,
    pub(super) from: ProviderState,
    pub(super) to: ProviderState,
    pub(super) reason: String,
}

impl Changes {
    /// The change to the present state, when there is one that is not known yet.
    pub(super) fn note(&self, core: &ProviderCore) -> Option<Change> {
        let (to, reason) = judge(core);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = known.back().map_or(ProviderState::Unknown, |last| last.to.clone());
        if from == to {
            return None;
        }
        if known.len() == MOST_CHANGES {
            known.pop_front();
        }
        let change = Change { at: SystemTime::now(), from, to, reason };
        known.push_back(change.clone());
        Some(change)
    }

    /// Whether the present state may end without anything that happens.
    pub(super) fn passes_with_time(&self) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.back().is_some_and(|last| matches!(last.to, ProviderState::Degraded | ProviderState::Recovering))
    }

    fn all(&self) -> Vec<StateChange> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = |change: &Change| StateChange {
            at: rfc3339(change.at),
            from_state: change.from.clone(),
            to_state: change.to.clone(),
            reason: change.reason.clone(),
        };
        known.iter().map(shown).collect()
    }
}

/// The present state and why it is that.
fn judge(core: &ProviderCore) -> (ProviderState, String) {
    let (stats, now) = (&core.stats, core.age());
    if core.is_draining() {
        return (ProviderState::Draining, "it is being removed".to_owned());
    }
    let last = || core.breaker.history().last().map_or(String::new(), |last| last.reason.to_string());
    if core.breaker.is_open() {
        return (ProviderState::Unhealthy, last()); // a pause that is over and noticed by nobody changes nothing yet
    }
    match core.breaker.state(now) {
        BreakerState::HalfOpen { .. } | BreakerState::Ramping { .. } => return (ProviderState::Recovering, last()),
        BreakerState::Closed | BreakerState::Open { .. } => {}
    }
    let in_a_row = stats.consecutive_failures.load(Relaxed);
    let rate = stats.error_rate(now).unwrap_or_default();
    if in_a_row > 0 {
        (ProviderState::Degraded, format!("{in_a_row} failures since its last success"))
    } else if rate >= DEGRADED_FROM {
        (ProviderState::Degraded, format!("{:.0} % of the last minute's requests failed", rate * 100.0))
    } else if let refused @ 1.. = core.refused_keys() {
        (ProviderState::Degraded, format!("it refuses {refused} of {} keys", core.keys.len()))
    } else if stats.succeeded.load(Relaxed) > 0 {
        (ProviderState::Healthy, "it answers".to_owned())
    } else if core.discovery().last_success.is_some() {
        (ProviderState::Healthy, "it lists its models".to_owned())
    } else if core.config.simulated {
        (ProviderState::Healthy, "it is simulated".to_owned())
    } else {
        (ProviderState::Unknown, "nothing has been asked of it".to_owned())
    }
}

/// All that is shown; `last_error` is what only the actor knows.
pub(super) fn health(core: &ProviderCore, last_error: Option<ProviderError>) -> ProviderHealth {
    let (stats, now, discovery) = (&core.stats, core.age(), core.discovery());
    let (succeeded, failed) = (stats.succeeded.load(Relaxed), stats.failed.load(Relaxed));
    ProviderHealth {
        name: core.name.to_string(),
        region: core.region().map(str::to_owned),
        kind: core.config.kind.clone(),
        api_format: core.config.api_format.clone(),
        state: judge(core).0,
        changes: core.changes.all(),
        breaker: breaker(core, now),
        in_flight: core.in_flight() as u64,
        max_concurrent: core.config.max_concurrent as u64,
        requests: succeeded + failed,
        failures: failed,
        consecutive_failures: u64::from(stats.consecutive_failures.load(Relaxed)),
        error_rate: stats.error_rate(now),
        availability: availability(core, now),
        latency_ms: stats.latency().map(millis),
        first_content: quantiles(core, now, true),
        whole_answer: quantiles(core, now, false),
        quotas: quotas(core, now),
        credentials: credentials(core),
        last_error,
        last_success_at: stats.last_success().map(|at| rfc3339(core.at(at))),
        restarts: u64::from(stats.restarts.load(Relaxed)),
        models: (core.config.models.len() + discovery.models.len()) as u64,
        discovery: core.config.discover.map(|_| DiscoveryHealth {
            last_success_at: discovery.last_success.map(rfc3339),
            error: discovery.error.clone(),
        }),
    }
}

fn breaker(core: &ProviderCore, now: Duration) -> BreakerHealth {
    let state = core.breaker.state(now);
    let (until, share) = match state {
        BreakerState::Closed => (None, 1.0),
        BreakerState::Ramping { share } => (None, share),
        BreakerState::HalfOpen { .. } => (None, 0.0),
        BreakerState::Open { until } => (Some(rfc3339(core.at(until))), 0.0),
    };
    let transition = |one: super::breaker::Transition| BreakerTransition {
        at: rfc3339(core.at(one.at)),
        from_state: phase(one.from),
        to_state: phase(one.to),
        reason: one.reason.to_string(),
    };
    let history = core.breaker.history().into_iter().map(transition).collect();
    BreakerHealth { state: phase(state.phase()), until, share, history }
}

fn phase(phase: Phase) -> BreakerPhase {
    match phase {
        Phase::Closed => BreakerPhase::Closed,
        Phase::Ramping => BreakerPhase::Ramping,
        Phase::HalfOpen => BreakerPhase::HalfOpen,
        Phase::Open => BreakerPhase::Open,
    }
}

fn availability(core: &ProviderCore, now: Duration) -> Availability {
    let tallies = core.stats.recent.tallies(now);
    let window = |tally: Tally| AvailabilityWindow {
        requests: u64::from(tally.all),
        failures: u64::from(tally.failed),
        availability: tally.success_rate(),
        error_rate: tally.success_rate().map(|rate| 1.0 - rate),
    };
    Availability {
        minute: window(tallies.minute),
        five_minutes: window(tallies.five_minutes),
        hour: window(tallies.hour),
    }
}

/// Over all of the provider's models.
fn quantiles(core: &ProviderCore, now: Duration, stream: bool) -> Option<Quantiles> {
    let mut all = Distribution::default();
    core.each_model(|_, model| model.add_to(&mut all, now, stream));
    let at = |share| all.quantile(share).map(millis);
    Some(Quantiles { p50_ms: at(0.5)?, p95_ms: at(0.95)?, p99_ms: at(0.99)?, samples: u64::from(all.count()) })
}

fn quotas(core: &ProviderCore, now: Duration) -> Vec<QuotaHealth> {
    let mut found = Vec::new();
    core.each_model(|name, model| {
        for key in 0..core.keys.len() {
            let (level, until) = match model.quota(key).standing(now, core.demand()) {
                Standing::Free => continue,
                Standing::Low => (QuotaLevel::Low, None),
                Standing::UntilReset(wait) => (QuotaLevel::Limited, Some(rfc3339(core.at(now + wait)))),
            };
            if found.len() < MOST_QUOTAS {
                found.push(QuotaHealth { model: name.to_owned(), key: key as u64 + 1, level, until });
            }
        }
    });
    found.sort_by(|one, other| (&one.model, one.key).cmp(&(&other.model, other.key)));
    found
}

fn credentials(core: &ProviderCore) -> Vec<CredentialHealth> {
    let of = |key: usize| {
        let refused = core.keys.get(key).credential.refused();
        CredentialHealth {
            key: key as u64 + 1,
            state: if refused.is_some() { CredentialStatus::Refused } else { CredentialStatus::Accepted },
            since: refused.map(|refused| rfc3339(core.at(refused.since))),
            retry_at: refused.map(|refused| rfc3339(core.at(refused.until))),
        }
    };
    (0..core.keys.len()).map(of).collect()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(super) fn rfc3339(at: SystemTime) -> String {
    chrono::DateTime::<chrono::Utc>::from(at).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
