//! Where a breaker stands and how it got there: what its lock guards.

use std::{collections::VecDeque, fmt, time::Duration};

use crate::config::BreakerRules;

/// Transitions that are remembered.
const HISTORY: usize = 20;
/// Repeated trips lengthen the pause at most this many times.
const MAX_GROWTH: u32 = 10;
/// Of a pause, in both directions.
const JITTER: f64 = 0.2;
/// So often a bad unbilled probe extends a pause before a real request gets its chance.
pub(super) const MAX_EXTENSIONS: u32 = 5;
/// The ramp begins with this share of the requests.
const FIRST_SHARE: f64 = 0.1;
const MAX_RAMP: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Course {
    pub(super) stage: Stage,
    /// Moves with every transition but the ramp's end: results of another generation are late.
    pub(super) generation: u64,
    /// In a row, without a long calm between them.
    trips: u32,
    /// Places given so far: the number of the next.
    pub(super) issued: u64,
    pub(super) history: VecDeque<Transition>,
}

#[derive(Debug)]
pub(super) enum Stage {
    Closed {
        since: Duration,
    },
    Ramping {
        since: Duration,
        until: Duration,
    },
    Open {
        until: Duration,
        extensions: u32,
    },
    /// Each place with its number and when it was given.
    HalfOpen {
        places: Vec<(u64, Duration)>,
        successes: u32,
    },
}

/// What can be seen of a breaker. Times are ages of the provider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BreakerState {
    Closed,
    Open {
        until: Duration,
    },
    HalfOpen {
        /// Out at the moment.
        probes: u32,
        successes: u32,
    },
    Ramping {
        /// Of the requests that are let in freely, between 0.1 and 1.
        share: f64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    Closed,
    Ramping,
    Open,
    HalfOpen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Age of the provider.
    pub at: Duration,
    pub from: Phase,
    pub to: Phase,
    pub reason: Reason,
    /// How long it stays open unless a probe ends that.
    pub pause: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Within the window.
    ErrorRate {
        failures: u32,
        requests: u32,
    },
    FailuresInARow {
        failures: u32,
    },
    ProbeFailed,
    PauseOver,
    /// By a probe that cost nothing.
    ProbedWell,
    ProbesSucceeded,
    RampOver,
}

impl BreakerState {
    pub fn phase(self) -> Phase {
        match self {
            Self::Closed => Phase::Closed,
            Self::Ramping { .. } => Phase::Ramping,
            Self::Open { .. } => Phase::Open,
            Self::HalfOpen { .. } => Phase::HalfOpen,
        }
    }
}

impl Phase {
    /// From well to ill.
    pub const ALL: [Self; 4] = [Self::Closed, Self::Ramping, Self::HalfOpen, Self::Open];

    /// Its place in [`Phase::ALL`], as metrics show it.
    pub fn number(self) -> usize {
        match self {
            Self::Closed => 0,
            Self::Ramping => 1,
            Self::HalfOpen => 2,
            Self::Open => 3,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Ramping => "ramping",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ErrorRate { failures, requests } => write!(to, "{failures} of the last {requests} requests failed"),
            Self::FailuresInARow { failures } => write!(to, "{failures} requests in a row failed"),
            Self::ProbeFailed => to.write_str("a probing request failed"),
            Self::PauseOver => to.write_str("the pause is over"),
            Self::ProbedWell => to.write_str("a health check succeeded"),
            Self::ProbesSucceeded => to.write_str("probing requests succeeded"),
            Self::RampOver => to.write_str("it stayed well"),
        }
    }
}

impl Stage {
    pub(super) fn half_open() -> Self {
        Self::HalfOpen { places: Vec::new(), successes: 0 }
    }

    fn phase(&self) -> Phase {
        match self {
            Self::Closed { .. } => Phase::Closed,
            Self::Ramping { .. } => Phase::Ramping,
            Self::Open { .. } => Phase::Open,
            Self::HalfOpen { .. } => Phase::HalfOpen,
        }
    }
}

impl Course {
    pub(super) fn new() -> Self {
        let stage = Stage::Closed { since: Duration::ZERO };
        Self { stage, generation: 0, trips: 0, issued: 0, history: VecDeque::new() }
    }

    /// Generation and phase in one number.
    pub(super) fn word(&self) -> u64 {
        self.generation << 2 | self.stage.phase() as u64
    }

    pub(super) fn generation_of(word: u64) -> u64 {
        word >> 2
    }

    pub(super) fn phase_of(word: u64) -> Phase {
        match word & 3 {
            0 => Phase::Closed,
            1 => Phase::Ramping,
            2 => Phase::Open,
            _ => Phase::HalfOpen,
        }
    }

    pub(super) fn enter(&mut self, now: Duration, stage: Stage, reason: Reason) -> Transition {
        let pause = if let Stage::Open { until, .. } = stage { Some(until.saturating_sub(now)) } else { None };
        let transition = Transition { at: now, from: self.stage.phase(), to: stage.phase(), reason, pause };
        // requests of the ramp are judged after its end too
        self.generation += u64::from(reason != Reason::RampOver);
        self.stage = stage;
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(transition);
        transition
    }

    /// The pause for a trip now: twice the one before, unless a calm as long as the longest pause lies between.
    pub(super) fn next_pause(&mut self, rules: &BreakerRules, now: Duration, draw: f64) -> Duration {
        if let Stage::Closed { since } | Stage::Ramping { until: since, .. } = self.stage
            && now.saturating_sub(since) >= rules.open_duration.saturating_mul(MAX_GROWTH)
        {
            self.trips = 0;
        }
        self.trips = self.trips.saturating_add(1);
        self.same_pause(rules, draw)
    }

    pub(super) fn same_pause(&self, rules: &BreakerRules, draw: f64) -> Duration {
        let growth =
            1_u32.checked_shl(self.trips.saturating_sub(1)).map_or(MAX_GROWTH, |growth| growth.min(MAX_GROWTH));
        let seconds = rules.open_duration.saturating_mul(growth).as_secs_f64();
        Duration::try_from_secs_f64(seconds * (1.0 - JITTER + 2.0 * JITTER * draw)).unwrap_or(Duration::MAX)
    }

    pub(super) fn vacate(&mut self, number: u64) {
        if let Stage::HalfOpen { places, .. } = &mut self.stage {
            places.retain(|&(taken, _)| taken != number);
        }
    }

    pub(super) fn state(&self, now: Duration) -> BreakerState {
        match &self.stage {
            Stage::Closed { .. } => BreakerState::Closed,
            &Stage::Ramping { until, .. } if now >= until => BreakerState::Closed,
            &Stage::Ramping { since, until } => BreakerState::Ramping { share: share(now, since, until) },
            &Stage::Open { until, .. } if now >= until => BreakerState::HalfOpen { probes: 0, successes: 0 },
            &Stage::Open { until, .. } => BreakerState::Open { until },
            Stage::HalfOpen { places, successes, .. } => {
                let out = places.iter().filter(|(_, since)| now.saturating_sub(*since) < super::PROBE_PATIENCE);
                BreakerState::HalfOpen { probes: out.count() as u32, successes: *successes }
            }
        }
    }
}

/// How long it takes until everything is let in again.
pub(super) fn ramp(rules: &BreakerRules) -> Duration {
    rules.open_duration.min(MAX_RAMP)
}

/// Of the requests, at this point of a ramp.
pub(super) fn share(now: Duration, since: Duration, until: Duration) -> f64 {
    let whole = until.saturating_sub(since).as_secs_f64();
    let passed = if whole > 0.0 { now.saturating_sub(since).as_secs_f64() / whole } else { 1.0 };
    (FIRST_SHARE + (1.0 - FIRST_SHARE) * passed).min(1.0)
}
