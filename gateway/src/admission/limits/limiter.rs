//! All limits of one organisation.

use std::{
    collections::HashMap,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::timeout_at;

use super::{Account, Accounts, Estimate, Exceeded, Reservation, Scope, Terms, reservation::Holder, users::Users};
use crate::{
    config::{Budget, Budgets, RateLimits, Rates, names_model},
    money::Usd,
};

/// A request waits so long for other gateways; then its own one goes on alone.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often they are asked for one request: the first answer may be one to a question of before.
const QUESTIONS: u32 = 2;

/// Immutable: a reload makes a new one, with the accounts of the old.
#[derive(Debug)]
pub struct Limiter {
    pub(super) organisation: Option<Arc<Account>>,
    /// By pattern.
    pub(super) models: Vec<Arc<Account>>,
    pub(super) users: Option<Arc<Users>>,
    /// Users that have a budget.
    pub(super) spenders: HashMap<Box<str>, Arc<Account>>,
    /// Each key is limited, whatever it says itself.
    limits_keys: bool,
}

/// What a request asks for.
#[derive(Debug)]
pub struct Demand<'a> {
    /// Every name of the model: as it was asked for, and as its first provider knows it.
    pub models: &'a [String],
    pub user: Option<&'a str>,
    /// The key that asks.
    pub key: Option<&'a Arc<Account>>,
    pub estimate: Estimate,
    /// The most that it may cost; `None` where nobody knows, or nobody asks.
    pub cost: Option<Usd>,
}

/// Whose accounts they are.
#[derive(Clone, Copy)]
pub struct Books<'a> {
    /// Those of models and of users' rates.
    own: &'a Accounts,
    /// Those whose spending outlives the process. All organisations share them.
    kept: &'a Accounts,
    /// What users are called there.
    spender: Scope,
}

impl<'a> Books<'a> {
    /// Of the file, whose users need no organisation's name before theirs.
    pub fn of_file(accounts: &'a Accounts) -> Self {
        Self { own: accounts, kept: accounts, spender: Scope::User }
    }

    /// Of one organisation among others.
    pub fn of_organisation(own: &'a Accounts, kept: &'a Accounts) -> Self {
        Self { own, kept, spender: Scope::OrganisationUser }
    }
}

impl Limiter {
    /// The limits of the organisation of that name from now on; `None` where it has none.
    pub fn new(
        Books { own: accounts, kept, spender: scope }: Books<'_>,
        name: &str,
        (rates, budgets): (&RateLimits, &Budgets),
        before: Option<&Self>,
    ) -> Option<Arc<Self>> {
        let own = Terms { rates: rates.global, budget: budgets.global, max_concurrent: None };
        let model = |(pattern, rates): (&String, &Rates)| accounts.of(Scope::Model, pattern, Terms::of(*rates));
        let spender = |(user, budget): (&String, &Budget)| {
            let terms = Terms { budget: Some(*budget), ..Terms::default() };
            let whose = if scope == Scope::User { user.clone() } else { format!("{name}/{user}") };
            Some((user.as_str().into(), kept.of(scope, &whose, terms)?))
        };
        kept.grant(name, rates.per_key);
        let limiter = Self {
            organisation: kept.of(Scope::Organisation, name, own),
            models: rates.per_model.iter().filter_map(model).collect(),
            users: users(accounts, rates.per_user, before.and_then(|before| before.users.as_ref())),
            spenders: budgets.users.iter().filter_map(spender).collect(),
            limits_keys: rates.per_key.limits_all(),
        };
        let limits_any = limiter.organisation.is_some()
            || !limiter.models.is_empty()
            || limiter.tells_users_apart()
            || limiter.limits_keys;
        limits_any.then(|| Arc::new(limiter))
    }

    /// Whether a key is limited that says nothing itself.
    pub fn limits_keys(&self) -> bool {
        self.limits_keys
    }

    /// Whether it matters which model is asked for.
    pub fn tells_models_apart(&self) -> bool {
        !self.models.is_empty()
    }

    /// Whether it matters on whose behalf is asked.
    pub fn tells_users_apart(&self) -> bool {
        self.users.is_some() || !self.spenders.is_empty()
    }

    /// Whether it matters what a request of that user may cost.
    pub fn asks_for_costs(&self, user: Option<&str>) -> bool {
        let all = self.organisation.as_ref().is_some_and(|account| account.has_budget());
        all || user.is_some_and(|user| self.spenders.contains_key(user))
    }
}

fn users(accounts: &Accounts, rates: Rates, before: Option<&Arc<Users>>) -> Option<Arc<Users>> {
    if rates.is_unlimited() {
        return None;
    }
    let now = accounts.born().elapsed();
    match before {
        Some(users) => {
            users.change(now, rates);
            Some(users.clone())
        }
        None => {
            let users = Arc::new(Users::new(now, rates, accounts.realm()));
            accounts.has_users(&users);
            Some(users)
        }
    }
}

impl Demand<'_> {
    /// [`Demand::reserve`], which waits where other gateways have to be asked for more of a budget: once for what they may
    /// have been asked already, and once for this.
    ///
    /// # Errors
    /// As there.
    pub async fn reserve_leased(
        &self,
        limiter: Option<&Limiter>,
        accounts: &Accounts,
    ) -> Result<Reservation, Exceeded> {
        let until = Instant::now() + PATIENCE;
        for _ in 0..QUESTIONS {
            let mut answer = pin!(accounts.answer());
            answer.as_mut().enable();
            match self.reserve(limiter, accounts.born()) {
                Err(exceeded) if exceeded.is_unleased() => accounts.want(self.concerned(limiter)),
                reserved => return reserved,
            }
            if timeout_at(until.into(), answer).await.is_err() && accounts.part() {
                tracing::warn!("budgets: the other gateways do not answer; this one counts alone");
            }
        }
        self.reserve(limiter, accounts.born())
    }

    /// Whose budgets may have to pay for it.
    fn concerned<'b>(&'b self, limiter: Option<&'b Limiter>) -> impl Iterator<Item = &'b Arc<Account>> {
        let of_limiter = limiter.into_iter().flat_map(|limiter| {
            let spender = self.user.and_then(|user| limiter.spenders.get(user));
            spender.into_iter().chain(&limiter.models).chain(&limiter.organisation)
        });
        self.key.into_iter().chain(of_limiter)
    }

    /// Reserves what the request may take, of everybody whom it concerns. The key's limits come first: whoever has used up
    /// his own does not touch what belongs to all.
    ///
    /// # Errors
    /// The first limit that it does not fit into; then nothing is taken. `born` is that of the accounts.
    pub fn reserve(&self, limiter: Option<&Limiter>, born: Instant) -> Result<Reservation, Exceeded> {
        let mut reservation = Reservation::new(born, self.estimate, self.cost);
        if let Some(key) = self.key {
            reservation.take(Holder::Account(key.clone()))?;
        }
        let Some(limiter) = limiter else { return Ok(reservation) };
        if let (Some(users), Some(user)) = (&limiter.users, self.user) {
            // others know a user by the name
            let name = users.realm.as_ref().map(|_| user.into());
            let holder = Holder::User { users: users.clone(), id: users.id(user), name };
            reservation.take(holder).map_err(|exceeded| Exceeded { name: user.into(), ..exceeded })?;
        }
        if let Some(user) = self.user
            && let Some(spender) = limiter.spenders.get(user)
        {
            let theirs = |exceeded| Exceeded { name: user.into(), ..exceeded };
            reservation.take(Holder::Account(spender.clone())).map_err(theirs)?;
        }
        for account in &limiter.models {
            if self.models.iter().any(|model| names_model(&account.name, model)) {
                reservation.take(Holder::Account(account.clone()))?;
            }
        }
        if let Some(organisation) = &limiter.organisation {
            reservation.take(Holder::Account(organisation.clone()))?;
        }
        Ok(reservation)
    }
}
