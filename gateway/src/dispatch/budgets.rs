//! What the whole process may send beyond its clients' requests.

use std::time::Instant;

use super::budget::{Budget, Extra};
use crate::config::Routing;

/// Kept across reloads that leave its rules alone.
pub struct Budgets {
    born: Instant,
    rules: Rules,
    retries: Budget,
    hedges: Budget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rules {
    retry_percent: u32,
    retry_min: u32,
    hedge_percent: u32,
    hedge_per_hour: u32,
}

impl Rules {
    fn of(routing: &Routing) -> Self {
        let hedge = routing.hedge.clone().unwrap_or_default();
        Self {
            retry_percent: routing.retry.budget_percent,
            retry_min: routing.retry.budget_min,
            hedge_percent: hedge.budget_percent,
            hedge_per_hour: hedge.max_per_hour,
        }
    }
}

impl Budgets {
    pub fn of(routing: &Routing) -> Self {
        let rules = Rules::of(routing);
        Self {
            born: Instant::now(),
            rules,
            retries: Budget::new(rules.retry_percent, rules.retry_min),
            hedges: Budget::new(rules.hedge_percent, 1).per_hour(rules.hedge_per_hour),
        }
    }

    /// Whether these are the budgets of that configuration.
    pub(super) fn fit(&self, routing: &Routing) -> bool {
        self.rules == Rules::of(routing)
    }

    /// A client's request has come.
    pub fn request(&self) {
        self.retries.request();
        self.hedges.request();
    }

    /// Leave for a retry; `active` are the requests in progress.
    pub(super) fn retry(&self, active: usize) -> Option<Extra> {
        self.retries.withdraw(self.born.elapsed(), active)
    }

    /// Leave for a hedge.
    pub(super) fn hedge(&self, active: usize) -> Option<Extra> {
        self.hedges.withdraw(self.born.elapsed(), active)
    }
}
