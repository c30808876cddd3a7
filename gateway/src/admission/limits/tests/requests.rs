//! What a request takes from everybody whom it concerns, and what it gives back.

use std::sync::Arc;

use super::rates;
use crate::{
    admission::limits::{Account, Accounts, Books, Demand, Estimate, Limiter, Reservation, Scope, Terms},
    api::TokenUsage,
    config::{Budget, Budgets, KeyRates, Period, RateLimits, Rates},
    money::{Rate, Usd},
    prices::{Price, Source},
    telemetry::{Fate, Reserved, Standing, Used},
};

/// Limits so high and times so short that what runs off during a test is less than a unit.
struct Case {
    accounts: Accounts,
    key: Option<Arc<Account>>,
    limiter: Option<Arc<Limiter>>,
}

impl Case {
    fn new(limits: &RateLimits, key: Terms) -> Self {
        let accounts = Accounts::default();
        let key = accounts.of(Scope::Key, "app", key);
        let limiter = Limiter::new(Books::of_file(&accounts), "default", (limits, &Budgets::default()), None);
        Self { accounts, key, limiter }
    }

    fn ask(&self, user: &str, model: &str, estimate: Estimate) -> Result<Reservation, &'static str> {
        let models = [model.to_owned()];
        let demand = Demand { models: &models, user: Some(user), key: self.key.as_ref(), estimate, cost: None };
        let reserved = demand.reserve(self.limiter.as_deref(), self.accounts.born());
        reserved.map_err(|exceeded| exceeded.limit())
    }

    fn tokens(&self) -> u64 {
        let now = self.accounts.born().elapsed();
        self.key.as_ref().unwrap().limits().standing(now).tokens.unwrap().remaining
    }

    fn requests(&self) -> u64 {
        let now = self.accounts.born().elapsed();
        self.key.as_ref().unwrap().limits().standing(now).requests.unwrap().remaining
    }
}

const SMALL: Estimate = Estimate { input: 1, output: 1 };

fn used(fate: Fate, usage: Option<&TokenUsage>, sent: u64) -> Used<'_> {
    Used { fate, usage, price: None, sent }
}

#[test]
fn each_limit_refuses_by_its_name_and_takes_nothing_from_the_others() {
    let limits = RateLimits {
        global: rates(4, 0),
        per_user: rates(2, 0),
        per_model: [("gpt-*".to_owned(), rates(1, 0))].into_iter().collect(),
        ..Default::default()
    };
    let case = Case::new(&limits, Terms::of(rates(5, 0)));
    let ask = |user, model| case.ask(user, model, SMALL).map(std::mem::forget);
    assert_eq!(ask("ann", "openai/gpt-4o"), Ok(()));
    assert_eq!(ask("ann", "gpt-4o-mini"), Err("model_requests"), "one pattern, one limit");
    assert_eq!(ask("ann", "claude"), Ok(()), "a refusal has taken nothing");
    assert_eq!(ask("ann", "claude"), Err("user_requests"));
    assert_eq!(ask("bob", "claude"), Ok(()));
    assert_eq!(ask("bob", "claude"), Ok(()));
    assert_eq!(ask("eve", "claude"), Err("organisation_requests"));
    assert_eq!(case.requests(), 1);
}

#[test]
fn tokens_are_settled_by_what_is_known_of_their_use() {
    let usage = TokenUsage { input: 100, output: 50, ..Default::default() };
    let first = TokenUsage { input: 100, output: 1, ..Default::default() };
    let estimate = Estimate { input: 90, output: 1_000 };
    for (fate, usage, sent, spent) in [
        (Fate::Answered, Some(&usage), 0, 150),
        // a provider that does not say: what was estimated, or what was seen
        (Fate::Answered, None, 0, 1_090),
        (Fate::Answered, None, 400, 190),
        // nobody knows what was done for a client that left
        (Fate::Abandoned, None, 0, 1_090),
        (Fate::Broken, None, 0, 90),
        (Fate::Broken, None, 400, 190),
        (Fate::Broken, Some(&first), 400, 200),
        (Fate::Failed, None, 0, 0),
        (Fate::Unsent, None, 0, 0),
    ] {
        let case = Case::new(&RateLimits::default(), Terms::of(rates(10, 10_000)));
        let mut reserved = case.ask("ann", "m", estimate).unwrap();
        assert_eq!(case.tokens(), 10_000 - 1_090);
        let standing = reserved.settle(&used(fate, usage, sent));
        assert_eq!(10_000 - case.tokens(), spent, "{fate:?}");
        assert_eq!(standing.tokens.unwrap().remaining, 10_000 - spent);
        let counted = if fate == Fate::Unsent { 10 } else { 9 };
        assert_eq!(case.requests(), counted, "{fate:?}: a request that reached a provider counts");
        drop(reserved);
        assert_eq!(case.requests(), counted, "settled once");
    }
}

#[test]
fn what_nobody_settles_comes_back() {
    let case = Case::new(&RateLimits::default(), Terms::of(rates(10, 10_000)));
    drop(case.ask("ann", "m", Estimate { input: 500, output: 500 }));
    assert_eq!((case.requests(), case.tokens()), (10, 10_000));
}

#[test]
fn a_reload_keeps_what_was_used_and_resets_nobody_else() {
    let case = Case::new(&RateLimits::default(), Terms::of(rates(10, 10_000)));
    let other = case.accounts.of(Scope::Key, "other", Terms::of(rates(10, 0))).unwrap();
    let mut running = case.ask("ann", "m", Estimate { input: 500, output: 500 }).unwrap();
    let again = case.accounts.of(Scope::Key, "app", Terms::of(rates(5, 2_000)));
    assert!(Arc::ptr_eq(case.key.as_ref().unwrap(), again.as_ref().unwrap()));
    assert_eq!((case.requests(), case.tokens()), (4, 1_000));
    running.settle(&used(Fate::Answered, Some(&TokenUsage { input: 1, output: 1, ..Default::default() }), 0));
    assert_eq!((case.requests(), case.tokens()), (4, 1_998), "it is settled against the new limits");
    let same = case.accounts.of(Scope::Key, "other", Terms::of(rates(10, 0))).unwrap();
    assert!(Arc::ptr_eq(&other, &same));
    assert!(case.accounts.of(Scope::Key, "app", Terms::default()).is_none());
}

#[test]
fn places_of_a_key_are_bounded_and_come_back() {
    let terms = Terms { max_concurrent: Some(2), ..Terms::default() };
    let account = Accounts::default().of(Scope::Key, "app", terms).unwrap();
    let places = (account.enter().unwrap(), account.enter().unwrap());
    assert_eq!(account.enter().unwrap_err().code.as_deref(), Some("rate_limit_exceeded"));
    drop(places);
    assert!(account.enter().is_ok());
}

#[test]
fn a_budget_is_charged_what_an_answer_cost_or_what_was_put_aside_for_it() {
    let usd = |text| Usd::parse(text).unwrap();
    let price = Price::new(Source::Configured, [("input", rate("1")), ("output", rate("2"))]).unwrap();
    let usage = TokenUsage { input: 1_000_000, output: 500_000, ..Default::default() };
    let budget = Budget { limit: usd("10"), period: Period::Total, warn_at: usd("8"), hard: true };
    for (fate, usage, price, spent) in [
        (Fate::Answered, Some(&usage), Some(&price), "2"),
        (Fate::Answered, Some(&usage), None, "9"),
        (Fate::Answered, None, Some(&price), "3"),
        (Fate::Abandoned, None, None, "9"),
        (Fate::Broken, None, Some(&price), "1"),
        (Fate::Failed, None, Some(&price), "0"),
        (Fate::Unsent, None, None, "0"),
    ] {
        let case = Case::new(&RateLimits::default(), Terms { budget: Some(budget), ..Terms::default() });
        let estimate = Estimate { input: 1_000_000, output: 1_000_000 };
        let ask = |cost| {
            Demand { models: &[], user: None, key: case.key.as_ref(), estimate, cost }
                .reserve(None, case.accounts.born())
        };
        let mut reserved = ask(Some(usd("9"))).unwrap();
        assert_eq!(ask(Some(usd("9"))).unwrap_err().limit(), "key_budget");
        let standing = reserved.settle(&Used { fate, usage, price, sent: 0 });
        let view = case.key.as_ref().unwrap().budget().unwrap();
        assert_eq!((view.spent, view.held), (usd(spent), Usd::default()), "{fate:?}");
        assert_eq!(standing.warning.is_some(), spent == "9");
    }
}

#[test]
fn a_budget_that_is_taken_away_and_given_back_remembers() {
    let usd = |text| Usd::parse(text).unwrap();
    let budget = Budget { limit: usd("10"), period: Period::Monthly, warn_at: usd("8"), hard: true };
    let terms = Terms { budget: Some(budget), ..Terms::default() };
    let accounts = Accounts::default();
    let spend = |account: &Arc<Account>| {
        let estimate = Estimate::default();
        let demand = Demand { models: &[], user: None, key: Some(account), estimate, cost: Some(usd("3")) };
        demand.reserve(None, accounts.born()).unwrap().settle(&used(Fate::Answered, None, 0));
    };
    spend(&accounts.of(Scope::Key, "app", terms).unwrap());
    assert!(accounts.of(Scope::Key, "app", Terms::default()).is_none());
    let again = accounts.of(Scope::Key, "app", terms).unwrap();
    assert_eq!(again.budget().unwrap().spent, usd("3"));
    spend(&again);
    assert_eq!(accounts.of(Scope::Key, "app", terms).unwrap().budget().unwrap().spent, usd("6"));
}

fn rate(text: &str) -> Rate {
    Rate::per_million(text).unwrap()
}

/// What a key of `acme` may still take, which says this of itself.
fn left(accounts: &Accounts, own: Rates) -> Standing {
    let terms = Terms::of(own);
    let account = accounts.of(Scope::Key, "acme/key_1", terms);
    account.map(|account| account.limits().standing(accounts.born().elapsed())).unwrap_or_default()
}

fn limits_of(standing: &Standing) -> (Option<u64>, Option<u64>) {
    (standing.requests.map(|level| level.limit), standing.tokens.map(|level| level.limit))
}

#[test]
fn an_organisation_limits_its_keys_as_far_as_they_say_nothing_themselves() {
    let accounts = Accounts::default();
    accounts.grant("acme", KeyRates::Each(rates(10, 1_000)));
    for (own, expected) in [
        (rates(0, 0), (Some(10), Some(1_000))),
        (rates(5, 0), (Some(5), Some(1_000))),
        (rates(0, 2_000), (Some(10), Some(2_000))),
        (rates(20, 50), (Some(20), Some(50))),
    ] {
        assert_eq!(limits_of(&left(&accounts, own)), expected);
    }
    for (scope, name) in [(Scope::Key, "globex/key_1"), (Scope::Key, "acme"), (Scope::OrganisationUser, "acme/ann")] {
        assert!(accounts.of(scope, name, Terms::default()).is_none(), "{scope:?} {name}");
    }
    accounts.grant("acme", KeyRates::Unlimited);
    assert_eq!(limits_of(&left(&accounts, rates(5, 0))), (None, None));
    accounts.forget_organisation("acme");
    assert_eq!(limits_of(&left(&accounts, rates(5, 0))), (Some(5), None));
}

/// A request that came with the key as it was before it had a limit of its own.
#[test]
fn who_does_not_know_what_a_key_was_granted_for_itself_changes_nothing_of_it() {
    let accounts = Accounts::default();
    assert!(accounts.known_or_granted(Scope::Key, "acme/key_1").is_none());
    accounts.grant("acme", KeyRates::Each(rates(10, 0)));
    let before = accounts.known_or_granted(Scope::Key, "acme/key_1").unwrap();
    let own = accounts.of(Scope::Key, "acme/key_1", Terms::of(rates(5, 0))).unwrap();
    let late = accounts.known_or_granted(Scope::Key, "acme/key_1").unwrap();
    assert!(Arc::ptr_eq(&before, &own) && Arc::ptr_eq(&late, &own));
    let limit = own.limits().standing(accounts.born().elapsed()).requests.map(|level| level.limit);
    assert_eq!(limit, Some(5));
}

#[test]
fn what_a_key_has_used_stays_used_when_its_organisation_grants_another_limit() {
    let accounts = Accounts::default();
    accounts.grant("acme", KeyRates::Each(rates(10, 0)));
    let key = accounts.of(Scope::Key, "acme/key_1", Terms::default()).unwrap();
    let demand = Demand { models: &[], user: None, key: Some(&key), estimate: SMALL, cost: None };
    let taken = [(); 4].map(|()| demand.reserve(None, accounts.born()).unwrap());
    let remaining = || key.limits().standing(accounts.born().elapsed()).requests.map(|level| level.remaining);
    for (granted, left) in [(6, Some(2)), (20, Some(16)), (2, Some(0))] {
        accounts.grant("acme", KeyRates::Each(rates(granted, 0)));
        assert_eq!(remaining(), left);
    }
    accounts.grant("acme", KeyRates::default());
    assert_eq!(remaining(), None);
    drop((taken, key));
    accounts.of(Scope::Key, "acme/key_2", Terms::of(rates(1, 0)));
    assert_eq!(accounts.known().accounts.len(), 1, "nobody is kept who is not limited");
}
