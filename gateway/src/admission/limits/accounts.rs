//! All accounts, so that a reload finds those that it keeps, and spending is written down.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Instant,
};

use tokio::sync::Notify;

use super::{
    Account, Contact, Gossip, Scope, Terms,
    account::who,
    gossip::{Realm, Uses},
    users::Users,
};
use crate::{
    admission::budgets::{Spend, SpendBook},
    config::{KeyRates, Rates},
};

/// By scope and name; those that nobody asks for any more are forgotten.
#[derive(Default)]
pub(super) struct Known {
    pub accounts: HashMap<(Scope, Box<str>), Kept>,
    /// At which size it is looked for those: twice what was left the last time, so that many new ones cost no more than each.
    full: usize,
    /// What each key of an organisation may take, where it has said so.
    key_rates: HashMap<Box<str>, KeyRates>,
    /// What was written down for whom, for the accounts that come.
    pub spending: HashMap<String, Spend>,
    /// Who is gone, and may still be written down somewhere.
    pub gone: Vec<String>,
    /// Whether other gateways spend of the same budgets, and can be asked.
    pub is_joined: bool,
    /// Whose leases are too small.
    pub want: Vec<Arc<Account>>,
}

pub struct Accounts {
    /// What the times of all buckets are counted from.
    born: Instant,
    known: Mutex<Known>,
    /// Where spending outlives the process.
    pub(super) book: OnceLock<Box<dyn SpendBook>>,
    /// Held by who writes it down.
    pub(super) recording: Mutex<()>,
    pub(super) spent: Arc<Notify>,
    /// Where other gateways hear what is taken from rate limits.
    realm: Option<Arc<Realm>>,
    users: Mutex<Weak<Users>>,
    /// Told when a lease is too small.
    pub(super) wanted: Notify,
    /// Told when the other gateways have answered.
    pub(super) exchanged: Notify,
}

/// One that has had a budget is kept: what it has spent counts when it gets one again.
pub(super) struct Kept {
    account: Weak<Account>,
    pub spender: Option<Arc<Account>>,
    /// Itself, where only its organisation limits it: nobody else holds it before its first request here, and others may
    /// have told of it.
    granted: Option<Arc<Account>>,
    /// What it was granted for itself.
    own: Rates,
}

impl Known {
    /// What a key may take that was granted this for itself.
    fn rates(&self, scope: Scope, name: &str, own: Rates) -> Rates {
        let organisation = organisation_of(scope, name).filter(|_| scope == Scope::Key);
        let all = organisation.and_then(|organisation| self.key_rates.get(organisation));
        all.copied().unwrap_or_default().of(own)
    }
}

/// Keys and users of organisations are named after them: `acme/key_1`.
fn organisation_of(scope: Scope, name: &str) -> Option<&str> {
    match scope {
        Scope::Organisation => Some(name),
        Scope::Key | Scope::OrganisationUser => name.split_once('/').map(|(organisation, _)| organisation),
        Scope::User | Scope::Model => None,
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            born: Instant::now(),
            known: Mutex::default(),
            book: OnceLock::new(),
            recording: Mutex::default(),
            spent: Arc::default(),
            realm: None,
            users: Mutex::default(),
            wanted: Notify::new(),
            exchanged: Notify::new(),
        }
    }
}

impl Accounts {
    pub fn born(&self) -> Instant {
        self.born
    }

    /// Of which other gateways hear.
    pub fn told(gossip: &Arc<Gossip>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self { realm: Some(gossip.realm("", me)), ..Self::default() })
    }

    /// Others, for an organisation of its own, counted from the same moment.
    pub fn apart(&self, organisation: &str) -> Arc<Self> {
        let realm = |me: &Weak<Self>| self.realm.as_ref().map(|realm| realm.beside(organisation, me));
        Arc::new_cyclic(|me| Self { born: self.born, realm: realm(me), ..Self::default() })
    }

    /// Whether the gateways that have budgets, and rate limits, together are in reach; `None` where there are none.
    pub fn contact(&self) -> Option<Contact> {
        let realm = self.realm.as_ref()?;
        Some(Contact { budgets: self.known().is_joined, rates: realm.gossip().is_heard() })
    }

    pub(super) fn realm(&self) -> Option<Arc<Realm>> {
        self.realm.clone()
    }

    /// Its users are these, from now on.
    pub(super) fn has_users(&self, users: &Arc<Users>) {
        *self.users.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(users);
    }

    /// Somebody has taken that at another gateway.
    pub(super) fn hear(&self, who: &str, uses: Uses) {
        let Some((scope, name)) = who.split_once(' ') else { return };
        let (Some(scope), now) = (Scope::named(scope), self.born.elapsed()) else { return };
        if scope == Scope::User {
            let users = self.users.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
            users.inspect(|users| users.with(now, users.id(name), |limits| limits.heard(now, uses)));
            return;
        }
        let account = self.known_or_granted(scope, name);
        account.inspect(|account| account.limits().heard(now, uses));
    }

    /// Keys of that organisation may take so much from now on, as far as they were granted nothing for themselves; what they
    /// have used stays used.
    pub fn grant(&self, organisation: &str, rates: KeyRates) {
        let now = self.born.elapsed();
        let mut known = self.known();
        let before = if rates == KeyRates::default() {
            known.key_rates.remove(organisation)
        } else {
            known.key_rates.insert(organisation.into(), rates)
        };
        if before.unwrap_or_default() == rates {
            return;
        }
        for ((scope, name), kept) in &mut known.accounts {
            if *scope == Scope::Key && organisation_of(*scope, name) == Some(organisation) {
                let account = kept.account.upgrade();
                account.inspect(|account| account.limits().change(now, rates.of(kept.own)));
                kept.granted.take_if(|_| !rates.limits_all());
            }
        }
    }

    /// The account of that name with these terms from now on; what it has used stays used. `None` where nothing limits it.
    pub fn of(&self, scope: Scope, name: &str, terms: Terms) -> Option<Arc<Account>> {
        self.settle(&mut self.known(), scope, name, terms)
    }

    /// The account of that name as it is, or one with what its organisation grants it. Whoever asks may not know what it was
    /// granted for itself meanwhile. `None` where nothing limits it.
    pub fn known_or_granted(&self, scope: Scope, name: &str) -> Option<Arc<Account>> {
        let mut known = self.known();
        let account = known.accounts.get(&(scope, name.into())).and_then(|kept| kept.account.upgrade());
        account.or_else(|| self.settle(&mut known, scope, name, Terms::default()))
    }

    fn settle(&self, known: &mut Known, scope: Scope, name: &str, terms: Terms) -> Option<Arc<Account>> {
        let now = self.born.elapsed();
        if known.accounts.len() >= known.full {
            known.accounts.retain(|_, kept| kept.account.strong_count() > 0);
            known.full = 2 * known.accounts.len();
        }
        let own = terms.rates;
        let is_granted = terms == Terms::default();
        let terms = Terms { rates: known.rates(scope, name, own), ..terms };
        let spend = known.spending.get(&who(scope, name)).copied().unwrap_or_default();
        let is_joined = known.is_joined;
        let key: (Scope, Box<str>) = (scope, name.into());
        if let Some(kept) = known.accounts.get_mut(&key)
            && let Some(account) = kept.account.upgrade()
        {
            account.change(terms, spend, now);
            account.share(is_joined);
            kept.own = own;
            kept.granted = (is_granted && terms != Terms::default()).then(|| account.clone());
            if terms.budget.is_some() {
                kept.spender = Some(account.clone());
            }
            return (terms != Terms::default()).then_some(account);
        }
        if terms == Terms::default() {
            return None;
        }
        let account =
            Arc::new(Account::new((scope, name), terms, spend, now, (self.spent.clone(), self.realm.clone())));
        account.share(is_joined);
        let spender = terms.budget.is_some().then(|| account.clone());
        let granted = is_granted.then(|| account.clone());
        known.accounts.insert(key, Kept { account: Arc::downgrade(&account), spender, granted, own });
        Some(account)
    }

    /// There is nobody of that name any more, and what he has spent is of no interest.
    pub fn forget(&self, scope: Scope, name: &str) {
        let mut known = self.known();
        let who = who(scope, name);
        let kept = known.accounts.remove(&(scope, name.into()));
        let has_spent = known.spending.remove(&who).is_some();
        if has_spent || kept.is_some_and(|kept| kept.spender.is_some()) {
            known.gone.push(who);
            drop(known);
            self.spent.notify_one();
        }
    }

    /// The organisation has ended, and with it its keys and users.
    pub fn forget_organisation(&self, organisation: &str) {
        let mut known = self.known();
        known.key_rates.remove(organisation);
        let is_its = |scope: Scope, name: &str| organisation_of(scope, name) == Some(organisation);
        let is_filed = |filed: &str| {
            let (scope, name) = filed.split_once(' ')?;
            Some(is_its(Scope::named(scope)?, name))
        };
        let mut gone: Vec<String> = known
            .accounts
            .extract_if(|(scope, name), _| is_its(*scope, name))
            .filter(|(_, kept)| kept.spender.is_some())
            .map(|((scope, name), _)| who(scope, &name))
            .collect();
        gone.extend(known.spending.extract_if(|filed, _| is_filed(filed) == Some(true)).map(|(filed, _)| filed));
        gone.sort_unstable();
        gone.dedup();
        if !gone.is_empty() {
            known.gone.append(&mut gone);
            drop(known);
            self.spent.notify_one();
        }
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
