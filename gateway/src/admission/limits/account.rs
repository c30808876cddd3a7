//! Somebody who is limited, and all that limits it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use chrono::{NaiveDate, Utc};
use tokio::sync::Notify;

use super::{
    Bucket, Held,
    exceeded::{Exhausted, Overdrawn},
    gossip::{Realm, Uses},
};
use crate::{
    admission::{
        Door, Entry,
        budgets::{Purse, PurseView, Spend, Want},
    },
    config::{Budget, Rates},
    money::Usd,
    refusal::{Cause, Refusal},
    telemetry::Standing,
};

/// When a place may be free again.
const SOON: Duration = Duration::from_secs(1);

/// Who is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    Organisation,
    Key,
    User,
    /// Named after the organisation and the user: `acme/ann`.
    OrganisationUser,
    Model,
}

impl Scope {
    const ALL: [Self; 5] = [Self::Organisation, Self::Key, Self::User, Self::OrganisationUser, Self::Model];

    /// The one of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Key => "key",
            Self::User => "user",
            Self::OrganisationUser => "organisation_user",
            Self::Model => "model",
        }
    }
}

/// What somebody is granted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    pub rates: Rates,
    pub budget: Option<Budget>,
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
    /// Whether there is a budget, so that who has none need not ask for the lock.
    has_budget: AtomicBool,
    /// Without a bound where concurrency is not limited.
    door: Arc<Door>,
    /// Told when money was spent.
    pub(super) spent: Arc<Notify>,
    /// Where other gateways hear what is taken.
    pub(super) realm: Option<Arc<Realm>>,
}

/// What limits one of them.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    pub purse: Option<Purse>,
    /// It will be asked what was taken.
    is_noted: bool,
}

/// What a request needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub tokens: u64,
    /// At most; `None` where nobody knows.
    pub cost: Option<Usd>,
}

/// What a request holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Holding {
    tokens: Option<Held>,
    pub cost: Option<Usd>,
}

/// What a request has used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    pub tokens: u64,
    pub cost: Usd,
}

impl Account {
    /// `spend` is what it has spent already.
    pub(super) fn new(
        (scope, name): (Scope, &str),
        terms: Terms,
        spend: Spend,
        now: Duration,
        (spent, realm): (Arc<Notify>, Option<Arc<Realm>>),
    ) -> Self {
        let mut limits = Limits::new(now, terms.rates);
        limits.purse = terms.budget.map(|budget| Purse::new(budget, spend));
        Self {
            scope,
            name: name.into(),
            limits: Mutex::new(limits),
            has_budget: AtomicBool::new(terms.budget.is_some()),
            door: Door::new(bound(terms)),
            spent,
            realm,
        }
    }

    /// What has been used stays used; `spend` is for one that has had no budget so far.
    pub(super) fn change(&self, terms: Terms, spend: Spend, now: Duration) {
        let mut limits = self.limits();
        limits.change(now, terms.rates);
        match (&mut limits.purse, terms.budget) {
            (Some(purse), budget) => purse.change(budget),
            (none, budget) => *none = budget.map(|budget| Purse::new(budget, spend)),
        }
        self.has_budget.store(terms.budget.is_some(), Relaxed);
        self.door.resize(bound(terms));
    }

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

    /// Requests in progress, and how many there may be; `None` for any number.
    pub(super) fn places(&self) -> Option<(usize, usize)> {
        let most = self.door.most();
        (most < usize::MAX).then(|| (self.door.inside(), most))
    }

    pub fn has_budget(&self) -> bool {
        self.has_budget.load(Relaxed)
    }

    /// How its spending is filed.
    pub fn who(&self) -> String {
        who(self.scope, &self.name)
    }

    /// What a book has of its spending.
    pub fn known(&self) -> Spend {
        self.purse(|purse| purse.known()).unwrap_or_default()
    }

    /// From now on others spend of its budget, too, or nobody but itself.
    pub(super) fn share(&self, with_others: bool) {
        self.purse(|purse| if with_others { purse.join() } else { purse.part() });
    }

    /// In all so much is spent.
    pub(super) fn heard(&self, total: Spend) {
        self.purse(|purse| purse.heard(total));
    }

    /// Whether more of its budget has to be leased; `renews`: or something of it to be renewed or given back.
    pub fn asks(&self, renews: bool) -> bool {
        self.purse(|purse| (renews && purse.rest(today())) || purse.asks()).unwrap_or_default()
    }

    /// See [`Purse::want`].
    pub fn want(&self, told: bool) -> Option<Want> {
        self.purse(|purse| purse.want(today(), told)).flatten()
    }

    /// See [`Purse::leased`].
    pub fn leased(&self, total: Spend, lease: Usd, told: bool) {
        self.purse(|purse| purse.leased(total, lease, told));
    }

    fn purse<R>(&self, then: impl FnOnce(&mut Purse) -> R) -> Option<R> {
        self.limits().purse.as_mut().map(then)
    }

    /// How its budget stands; `None` where it has none.
    pub fn budget(&self) -> Option<PurseView> {
        self.limits().purse.as_ref()?.view(today())
    }

    pub(super) fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How somebody's spending is filed: `key app`.
pub(super) fn who(scope: Scope, name: &str) -> String {
    format!("{} {name}", scope.name())
}

fn bound(terms: Terms) -> usize {
    terms.max_concurrent.unwrap_or(usize::MAX)
}

fn today() -> NaiveDate {
    Utc::now().date_naive()
}

impl Limits {
    pub fn new(now: Duration, rates: Rates) -> Self {
        let bucket = |limit| Bucket::new(limit, now);
        Self { requests: rates.requests.map(bucket), tokens: rates.tokens.map(bucket), purse: None, is_noted: false }
    }

    pub fn change(&mut self, now: Duration, rates: Rates) {
        for (bucket, limit) in [(&mut self.requests, rates.requests), (&mut self.tokens, rates.tokens)] {
            match (bucket.as_mut(), limit) {
                (Some(bucket), Some(limit)) => bucket.resize(now, limit),
                (_, limit) => *bucket = limit.map(|limit| Bucket::new(limit, now)),
            }
        }
    }

    /// Takes a request and holds what it needs.
    ///
    /// # Errors
    /// What there is too little of; then nothing is taken.
    pub fn admit(&mut self, now: Duration, wanted: Wanted) -> Result<Holding, Exhausted> {
        if let Some(requests) = &mut self.requests {
            let taken = requests.take(now, 1);
            taken.map_err(|wait| Exhausted::Requests { level: requests.level(now), wait })?;
        }
        let mut holding = Holding::default();
        let held = self.hold(now, wanted, &mut holding);
        if held.is_err() {
            self.settle(now, now, holding, None);
        }
        held.map(|()| holding)
    }

    fn hold(&mut self, now: Duration, wanted: Wanted, holding: &mut Holding) -> Result<(), Exhausted> {
        if let Some(bucket) = &mut self.tokens {
            let held = bucket.reserve(now, wanted.tokens);
            let exhausted = |wait| Exhausted::Tokens { wanted: wanted.tokens, level: bucket.level(now), wait };
            holding.tokens = Some(held.map_err(exhausted)?);
        }
        let Some(purse) = &mut self.purse else { return Ok(()) };
        let today = today();
        let Some(view) = purse.view(today) else { return Ok(()) };
        let reserved = purse.reserve(today, wanted.cost);
        let wanted = wanted.cost.unwrap_or_default();
        let exhausted = |short| Exhausted::Budget(Box::new(Overdrawn { short, wanted, view }));
        holding.cost = Some(reserved.map_err(exhausted)?);
        Ok(())
    }

    /// A request has ended: `admitted` is when it was, `used` is `None` when it was not sent at all. Answers how the budget
    /// stands when there is something new to warn of.
    pub fn settle(
        &mut self,
        now: Duration,
        admitted: Duration,
        holding: Holding,
        used: Option<Spent>,
    ) -> Option<PurseView> {
        if let (Some(requests), None) = (&mut self.requests, used) {
            requests.give_back(now, admitted, 1);
        }
        let used = used.unwrap_or_default();
        if let (Some(tokens), Some(held)) = (&mut self.tokens, holding.tokens) {
            tokens.settle(now, held, used.tokens);
        }
        self.purse.as_mut()?.settle(today(), holding.cost?, used.cost)
    }

    /// Whether something was taken, and nobody knows yet that he has to ask what.
    pub fn is_news(&mut self) -> bool {
        let has_news = |bucket: &Option<Bucket>| bucket.as_ref().is_some_and(Bucket::has_news);
        (has_news(&self.requests) || has_news(&self.tokens)) && !std::mem::replace(&mut self.is_noted, true)
    }

    /// What was taken since this was last asked.
    pub fn tell(&mut self) -> Uses {
        self.is_noted = false;
        let told = |bucket: &mut Option<Bucket>| bucket.as_mut().map_or(0, Bucket::told);
        Uses { requests: told(&mut self.requests), tokens: told(&mut self.tokens) }
    }

    /// Others have taken that.
    pub fn heard(&mut self, now: Duration, uses: Uses) {
        for (bucket, units) in [(&mut self.requests, uses.requests), (&mut self.tokens, uses.tokens)] {
            if let Some(bucket) = bucket {
                bucket.heard(now, units);
            }
        }
    }

    pub fn standing(&mut self, now: Duration) -> Standing {
        let level = |bucket: &mut Bucket| bucket.level(now);
        Standing { requests: self.requests.as_mut().map(level), tokens: self.tokens.as_mut().map(level), warning: None }
    }

    /// Nothing would be lost with it.
    pub fn is_idle(&mut self, now: Duration) -> bool {
        let idle = |bucket: &mut Option<Bucket>| bucket.as_mut().is_none_or(|bucket| bucket.is_empty(now));
        idle(&mut self.requests) && idle(&mut self.tokens)
    }
}
