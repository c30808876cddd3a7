//! Somebody who is limited, and all that limits it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use super::{Bucket, Held};
use crate::{
    admission::{Door, Entry},
    config::Rates,
    refusal::{Cause, Refusal},
    telemetry::{Level, Standing},
};

/// When a place may be free again.
const SOON: Duration = Duration::from_secs(1);

/// Who is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    Organisation,
    Key,
    User,
    Model,
}

impl Scope {
    pub fn name(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Key => "key",
            Self::User => "user",
            Self::Model => "model",
        }
    }
}

/// What somebody is granted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    pub rates: Rates,
    /// Requests in progress at once.
    pub max_concurrent: Option<usize>,
}

impl Terms {
    pub fn of(rates: Rates) -> Self {
        Self { rates, ..Self::default() }
    }
}

/// One of those who are limited.
#[derive(Debug)]
pub struct Account {
    pub scope: Scope,
    pub name: Box<str>,
    limits: Mutex<Limits>,
    /// Without a bound where concurrency is not limited.
    door: Arc<Door>,
}

/// What limits one of them.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
}

/// A limit that a request does not fit into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    pub scope: Scope,
    pub name: Box<str>,
    pub of: Exhausted,
    pub level: Level,
    /// When it may fit.
    pub wait: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    Requests,
    /// So many were asked for.
    Tokens(u64),
}

/// By scope and name; those that nobody asks for any more are forgotten.
#[derive(Debug, Default)]
struct Known {
    accounts: HashMap<(Scope, Box<str>), Weak<Account>>,
    /// At which size it is looked for those: twice what was left the last time, so that many new ones cost no more than each.
    full: usize,
}

/// Every account, so that a reload finds those that it keeps.
#[derive(Debug)]
pub struct Accounts {
    /// What the times of all buckets are counted from.
    born: Instant,
    known: Mutex<Known>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { born: Instant::now(), known: Mutex::default() }
    }
}

impl Accounts {
    pub fn born(&self) -> Instant {
        self.born
    }

    /// Others, for an organisation of its own, counted from the same moment.
    pub fn apart(&self) -> Self {
        Self { born: self.born, known: Mutex::default() }
    }

    /// The account of that name with these terms from now on; what it has used stays used. `None` where nothing limits it.
    pub fn of(&self, scope: Scope, name: &str, terms: Terms) -> Option<Arc<Account>> {
        if terms == Terms::default() {
            return None;
        }
        let now = self.born.elapsed();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.accounts.len() >= known.full {
            known.accounts.retain(|_, account| account.strong_count() > 0);
            known.full = 2 * known.accounts.len();
        }
        let place = known.accounts.entry((scope, name.into())).or_default();
        if let Some(account) = place.upgrade() {
            account.limits().change(now, terms.rates);
            account.door.resize(bound(terms));
            return Some(account);
        }
        let limits = Mutex::new(Limits::new(now, terms.rates));
        let account = Arc::new(Account { scope, name: name.into(), limits, door: Door::new(bound(terms)) });
        *place = Arc::downgrade(&account);
        Some(account)
    }
}

fn bound(terms: Terms) -> usize {
    terms.max_concurrent.unwrap_or(usize::MAX)
}

impl Account {
    /// A place among its requests in progress.
    ///
    /// # Errors
    /// 429 when there are as many as there may be.
    pub fn enter(&self) -> Result<Entry, Refusal> {
        self.door.enter().ok_or_else(|| {
            let message =
                format!("the {} `{}` has as many requests in progress as it may", self.scope.name(), self.name);
            let refusal = Refusal::new(Cause::RateLimited, message).code("rate_limit_exceeded");
            refusal.retry_after(Some(SOON))
        })
    }

    pub(super) fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limits {
    pub fn new(now: Duration, rates: Rates) -> Self {
        let bucket = |limit| Bucket::new(limit, now);
        Self { requests: rates.requests.map(bucket), tokens: rates.tokens.map(bucket) }
    }

    pub fn change(&mut self, now: Duration, rates: Rates) {
        for (bucket, limit) in [(&mut self.requests, rates.requests), (&mut self.tokens, rates.tokens)] {
            match (bucket.as_mut(), limit) {
                (Some(bucket), Some(limit)) => bucket.resize(now, limit),
                (_, limit) => *bucket = limit.map(|limit| Bucket::new(limit, now)),
            }
        }
    }

    /// Takes a request and holds its tokens.
    ///
    /// # Errors
    /// What there is too little of, and how long to wait for it.
    pub fn admit(&mut self, now: Duration, tokens: u64) -> Result<Option<Held>, (Exhausted, Level, Duration)> {
        if let Some(requests) = &mut self.requests {
            requests.take(now, 1).map_err(|wait| (Exhausted::Requests, requests.level(now), wait))?;
        }
        let Some(bucket) = &mut self.tokens else { return Ok(None) };
        let held = bucket.reserve(now, tokens);
        held.map(Some).map_err(|wait| {
            if let Some(requests) = &mut self.requests {
                requests.give_back(now, now, 1);
            }
            (Exhausted::Tokens(tokens), bucket.level(now), wait)
        })
    }

    /// A request has ended: `admitted` is when it was, `used` its tokens, `None` when it was not sent at all.
    pub fn settle(&mut self, now: Duration, admitted: Duration, held: Option<Held>, used: Option<u64>) {
        if let (Some(requests), None) = (&mut self.requests, used) {
            requests.give_back(now, admitted, 1);
        }
        if let (Some(tokens), Some(held)) = (&mut self.tokens, held) {
            tokens.settle(now, held, used.unwrap_or(0));
        }
    }

    pub fn standing(&mut self, now: Duration) -> Standing {
        let level = |bucket: &mut Bucket| bucket.level(now);
        Standing { requests: self.requests.as_mut().map(level), tokens: self.tokens.as_mut().map(level) }
    }

    /// Nothing would be lost with it.
    pub fn is_idle(&mut self, now: Duration) -> bool {
        let idle = |bucket: &mut Option<Bucket>| bucket.as_mut().is_none_or(|bucket| bucket.is_empty(now));
        idle(&mut self.requests) && idle(&mut self.tokens)
    }
}

impl Exceeded {
    /// A word for metrics.
    pub fn limit(&self) -> &'static str {
        match (self.scope, self.of) {
            (Scope::Organisation, Exhausted::Requests) => "organisation_requests",
            (Scope::Organisation, Exhausted::Tokens(_)) => "organisation_tokens",
            (Scope::Key, Exhausted::Requests) => "key_requests",
            (Scope::Key, Exhausted::Tokens(_)) => "key_tokens",
            (Scope::User, Exhausted::Requests) => "user_requests",
            (Scope::User, Exhausted::Tokens(_)) => "user_tokens",
            (Scope::Model, Exhausted::Requests) => "model_requests",
            (Scope::Model, Exhausted::Tokens(_)) => "model_tokens",
        }
    }

    pub fn standing(&self) -> Standing {
        match self.of {
            Exhausted::Requests => Standing { requests: Some(self.level), tokens: None },
            Exhausted::Tokens(_) => Standing { requests: None, tokens: Some(self.level) },
        }
    }
}

impl From<Exceeded> for Refusal {
    fn from(exceeded: Exceeded) -> Self {
        let Exceeded { scope, name, of, level, wait } = exceeded;
        let whose = match scope {
            Scope::Organisation => "the organisation".to_owned(),
            Scope::Key | Scope::User | Scope::Model => format!("the {} `{name}`", scope.name()),
        };
        let limit = level.limit;
        let message = match of {
            Exhausted::Requests => format!("the limit of {limit} requests per minute of {whose} is reached"),
            Exhausted::Tokens(wanted) => format!(
                "the limit of {limit} tokens per minute of {whose} is reached: this request may take {wanted}, {} are left",
                level.remaining
            ),
        };
        Refusal::new(Cause::RateLimited, message).code("rate_limit_exceeded").retry_after(Some(wait))
    }
}
