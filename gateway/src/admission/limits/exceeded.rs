//! Why a request is not let in, and when it may be.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use super::Scope;
use crate::{
    admission::budgets::{PurseView, Short},
    money::Usd,
    refusal::{Cause, Refusal},
    telemetry::{Level, Standing},
};

/// A budget whose rest is reserved may have some again after this time.
const SOON: Duration = Duration::from_secs(1);

/// A limit that a request does not fit into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    pub scope: Scope,
    pub name: Box<str>,
    pub of: Exhausted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exhausted {
    Requests { level: Level, wait: Duration },
    Tokens { wanted: u64, level: Level, wait: Duration },
    Budget(Box<Overdrawn>),
}

/// A budget that does not pay for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdrawn {
    pub short: Short,
    /// What the request may cost, as far as that is known.
    pub wanted: Usd,
    pub view: PurseView,
}

impl Exceeded {
    /// A word for metrics.
    pub fn limit(&self) -> &'static str {
        match (self.scope, &self.of) {
            (Scope::Organisation, Exhausted::Requests { .. }) => "organisation_requests",
            (Scope::Organisation, Exhausted::Tokens { .. }) => "organisation_tokens",
            (Scope::Organisation, Exhausted::Budget(_)) => "organisation_budget",
            (Scope::Key, Exhausted::Requests { .. }) => "key_requests",
            (Scope::Key, Exhausted::Tokens { .. }) => "key_tokens",
            (Scope::Key, Exhausted::Budget(_)) => "key_budget",
            (Scope::User | Scope::OrganisationUser, Exhausted::Requests { .. }) => "user_requests",
            (Scope::User | Scope::OrganisationUser, Exhausted::Tokens { .. }) => "user_tokens",
            (Scope::User | Scope::OrganisationUser, Exhausted::Budget(_)) => "user_budget",
            (Scope::Model, Exhausted::Requests { .. }) => "model_requests",
            (Scope::Model, Exhausted::Tokens { .. }) => "model_tokens",
            (Scope::Model, Exhausted::Budget(_)) => "model_budget",
        }
    }

    /// Whether more of a budget may be had from the other gateways.
    pub fn is_unleased(&self) -> bool {
        matches!(&self.of, Exhausted::Budget(overdrawn) if overdrawn.short == Short::Unleased)
    }

    pub fn standing(&self) -> Standing {
        match self.of {
            Exhausted::Requests { level, .. } => Standing { requests: Some(level), ..Standing::default() },
            Exhausted::Tokens { level, .. } => Standing { tokens: Some(level), ..Standing::default() },
            Exhausted::Budget(_) => Standing::default(),
        }
    }

    /// As the caller is told.
    pub fn refusal(self, now: DateTime<Utc>) -> Refusal {
        let whose = match self.scope {
            Scope::Organisation => "the organisation".to_owned(),
            Scope::OrganisationUser => format!("the user `{}`", self.name),
            Scope::Key | Scope::User | Scope::Model => format!("the {} `{}`", self.scope.name(), self.name),
        };
        match self.of {
            Exhausted::Requests { level, wait } => {
                let limit = level.limit;
                rate(format!("the limit of {limit} requests per minute of {whose} is reached"), wait)
            }
            Exhausted::Tokens { wanted, level: Level { limit, remaining, .. }, wait } => rate(
                format!(
                    "the limit of {limit} tokens per minute of {whose} is reached: \
                     this request may take {wanted}, {remaining} are left"
                ),
                wait,
            ),
            Exhausted::Budget(overdrawn) => budget(&whose, &overdrawn, now),
        }
    }
}

fn rate(message: String, wait: Duration) -> Refusal {
    Refusal::new(Cause::RateLimited, message).code("rate_limit_exceeded").retry_after(Some(wait))
}

fn budget(whose: &str, overdrawn: &Overdrawn, now: DateTime<Utc>) -> Refusal {
    let Overdrawn { short, wanted, view } = *overdrawn;
    let (limit, period) = (view.budget.limit, view.budget.period.name());
    let quota = |message: String| Refusal::new(Cause::BudgetSpent, message).code("insufficient_quota");
    match short {
        Short::Unpriced => {
            let message = format!(
                "nobody knows what this model costs, and the budget of {whose} pays only for what has a price \
                 (`cost_tracking.custom_pricing` gives it one; 0 says that it is free)"
            );
            Refusal::new(Cause::Forbidden, message).param("model").code("model_not_priced")
        }
        Short::Held | Short::Unleased => {
            let message = format!(
                "what is left of the {period} budget of {limit} USD of {whose} is reserved for requests in progress: \
                 this one may cost {wanted} USD"
            );
            quota(message).retry_after(Some(SOON))
        }
        Short::Spent => {
            let again = match view.ends {
                Some(ends) => format!("; it begins anew at {}", ends.to_rfc3339_opts(SecondsFormat::Secs, true)),
                None => String::new(),
            };
            let message = format!(
                "the {period} budget of {limit} USD of {whose} does not pay for this request: \
                 {} USD are spent, and it may cost {wanted} USD{again}",
                view.spent
            );
            let wait = view.ends.and_then(|ends| (ends - now).to_std().ok());
            quota(message).retry_after(wait)
        }
    }
}
