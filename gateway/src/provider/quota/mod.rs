//! What is left of a provider's quota: a state with its own clock, apart from health.
//!
//! A 429 says for how long nothing is left; every success shows how much there is. Times are ages of the provider.

mod observed;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use smallvec::SmallVec;

pub use observed::{Level, Observed, Quota};

/// After a 429 that does not say how long; doubled by each that follows.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// A 429 is believed this far: then one request may find out.
const MAX_LIMITED: Duration = Duration::from_secs(60 * 60);
/// Who has just run out is left alone at least so long, however fast the quota refills.
const LEAST_REST: Duration = Duration::from_secs(1);
/// Where no header says when the quota is back (Azure counts in stretches of up to ten seconds).
const UNKNOWN_RESET: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub struct QuotaState {
    /// Age until which a 429 holds, ms.
    limited_until: AtomicU64,
    /// 429s in a row that did not say how long.
    strikes: AtomicU32,
    /// Whether `scarce` has anything: the only thing that is looked at while there is plenty.
    is_scarce: AtomicBool,
    scarce: Mutex<Scarce>,
}

/// The levels that are low and when they were seen.
#[derive(Debug, Default)]
struct Scarce {
    levels: SmallVec<[Level; 4]>,
    at: Duration,
}

/// What stands against the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Requests in progress, without the one in question.
    pub in_flight: u64,
    /// Tokens that one request takes, roughly; 0 when unknown.
    pub tokens_each: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Free,
    /// The requests in progress may take all that is left.
    Low,
    /// Nothing is left for another one; it is back after this time.
    UntilReset(Duration),
}

impl QuotaState {
    /// A request succeeded, and perhaps its headers show what is left.
    pub fn observe(&self, now: Duration, observed: Option<&Observed>) {
        let levels = observed.map_or(&[][..], |observed| &observed.levels);
        let shows_some = !levels.is_empty() && levels.iter().all(|level| level.remaining > 0);
        let until = self.limited_until.load(Relaxed);
        if until != 0 && (shows_some || millis(now) >= until) {
            // unless another 429 came in between
            let _ = self.limited_until.compare_exchange(until, 0, Relaxed, Relaxed);
            self.strikes.store(0, Relaxed);
        }
        if !levels.is_empty() {
            self.remember(now, levels);
        }
    }

    fn remember(&self, now: Duration, levels: &[Level]) {
        let any = levels.iter().any(Level::is_scarce);
        if any || self.is_scarce.load(Relaxed) {
            let mut scarce = self.scarce.lock().unwrap_or_else(PoisonError::into_inner);
            scarce.levels = levels.iter().filter(|level| level.is_scarce()).copied().collect();
            scarce.at = now;
            self.is_scarce.store(any, Relaxed);
        }
    }

    /// A 429. Of many that come at once, each for a request that was already under way, only one lengthens the pause.
    pub fn limited(&self, now: Duration, retry_after: Option<Duration>) {
        let pause = match retry_after {
            Some(wait) => wait.min(MAX_LIMITED),
            None if millis(now) < self.limited_until.load(Relaxed) => return,
            None => {
                let strikes = self.strikes.fetch_add(1, Relaxed);
                FIRST_PAUSE.saturating_mul(1 << strikes.min(6)).min(MAX_PAUSE)
            }
        };
        self.limited_until.fetch_max(millis(now.saturating_add(pause)), Relaxed);
    }

    /// How long a 429 still holds; `None` when none does.
    pub fn refused_for(&self, now: Duration) -> Option<Duration> {
        let wait = Duration::from_millis(self.limited_until.load(Relaxed)).saturating_sub(now);
        (!wait.is_zero()).then_some(wait)
    }

    pub fn standing(&self, now: Duration, demand: Demand) -> Standing {
        let until = Duration::from_millis(self.limited_until.load(Relaxed));
        let limited = match until.saturating_sub(now) {
            Duration::ZERO => Standing::Free,
            wait => Standing::UntilReset(wait),
        };
        if !self.is_scarce.load(Relaxed) {
            return limited;
        }
        let scarce = self.scarce.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_sub(scarce.at);
        scarce.levels.iter().map(|level| level.standing(passed, demand)).fold(limited, Standing::worse)
    }
}

impl Standing {
    fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::UntilReset(one), Self::UntilReset(other)) => Self::UntilReset(one.max(other)),
            (Self::UntilReset(wait), _) | (_, Self::UntilReset(wait)) => Self::UntilReset(wait),
            (Self::Low, _) | (_, Self::Low) => Self::Low,
            _ => Self::Free,
        }
    }
}

impl Level {
    /// `passed` since the level was seen. `reset` is when the quota is full again (OpenAI, Anthropic and Groq document it
    /// so): with a known limit, what is missing comes back evenly until then, else all at once.
    fn standing(&self, passed: Duration, demand: Demand) -> Standing {
        let reset = self.reset.unwrap_or(UNKNOWN_RESET);
        if passed >= reset.max(if self.remaining == 0 { LEAST_REST } else { Duration::ZERO }) {
            return Standing::Free;
        }
        let one = match self.of {
            Quota::Requests => 1,
            Quota::Tokens => demand.tokens_each.max(1),
        };
        let missing = self.limit.map_or(0, |limit| limit.saturating_sub(self.remaining)) as f64;
        let share = if reset.is_zero() { 1.0 } else { (passed.as_secs_f64() / reset.as_secs_f64()).min(1.0) };
        let left = self.remaining as f64 + missing * share;
        let short = one as f64 - left;
        let rest = if self.remaining == 0 { LEAST_REST.saturating_sub(passed) } else { Duration::ZERO };
        if short > 0.0 || !rest.is_zero() {
            let back = if missing > 0.0 { reset.mul_f64((short.max(0.0) / missing).min(1.0)) } else { reset };
            return Standing::UntilReset(back.min(reset.saturating_sub(passed)).max(rest));
        }
        let all = (demand.in_flight + 1).saturating_mul(one);
        if left < all as f64 { Standing::Low } else { Standing::Free }
    }
}

fn millis(age: Duration) -> u64 {
    age.as_millis() as u64
}
