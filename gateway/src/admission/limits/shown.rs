//! How somebody's limits stand, for those who ask.

use std::time::Duration;

use super::{Account, Limiter, Scope};
use crate::{admission::budgets::PurseView, telemetry::Standing};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub scope: Scope,
    pub name: String,
    pub standing: Standing,
    pub budget: Option<PurseView>,
    /// Requests in progress, and how many there may be; `None` for any number.
    pub places: Option<(usize, usize)>,
}

impl Account {
    pub fn shown(&self, now: Duration) -> Shown {
        // by itself: the lock is not held when the budget asks for it
        let standing = self.limits().standing(now);
        Shown { scope: self.scope, name: self.name.to_string(), standing, budget: self.budget(), places: self.places() }
    }
}

impl Limiter {
    /// All that a request on behalf of that user would meet.
    pub fn shown(&self, user: Option<&str>, now: Duration) -> Vec<Shown> {
        let rates = user.zip(self.users.as_ref()).map(|(user, users)| Shown {
            scope: Scope::User,
            name: user.to_owned(),
            standing: users.with(now, users.id(user), |limits| limits.standing(now)),
            budget: None,
            places: None,
        });
        let spender = user.and_then(|user| self.spenders.get(user));
        let accounts = spender.into_iter().chain(&self.models).chain(&self.organisation);
        rates.into_iter().chain(accounts.map(|account| account.shown(now))).collect()
    }
}
