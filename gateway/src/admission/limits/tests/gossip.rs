//! Gateways that tell each other what they let in; here without a network between them.

use std::sync::Arc;

use super::rates;
use crate::{
    admission::limits::{Account, Accounts, Books, Demand, Estimate, Gossip, Limiter, Reservation, Said, Scope, Terms},
    config::{Budgets, RateLimits},
    telemetry::{Fate, Reserved, Used},
};

struct Gateway {
    gossip: Arc<Gossip>,
    accounts: Arc<Accounts>,
    /// Those of the organisation, which is not the file's.
    own: Arc<Accounts>,
    key: Arc<Account>,
    limiter: Arc<Limiter>,
}

impl Gateway {
    fn new() -> Self {
        let gossip = Arc::<Gossip>::default();
        let accounts = Accounts::told(&gossip);
        let own = accounts.apart("acme");
        let key = accounts.of(Scope::Key, "acme/app", Terms::of(rates(10, 100_000))).unwrap();
        let limits = RateLimits {
            global: rates(8, 0),
            per_user: rates(4, 0),
            per_model: [("gpt-*".to_owned(), rates(6, 0))].into_iter().collect(),
            ..Default::default()
        };
        let books = Books::of_organisation(&own, &accounts);
        let limiter = Limiter::new(books, "acme", (&limits, &Budgets::default()), None).unwrap();
        Self { gossip, accounts, own, key, limiter }
    }

    fn ask(&self, user: &str, model: &str) -> Result<Reservation, &'static str> {
        let models = [model.to_owned()];
        let estimate = Estimate { input: 10, output: 10 };
        let demand = Demand { models: &models, user: Some(user), key: Some(&self.key), estimate, cost: None };
        demand.reserve(Some(&self.limiter), self.accounts.born()).map_err(|exceeded| exceeded.limit())
    }

    fn tells(&self, other: &Self) -> usize {
        let said = self.gossip.tell(self.accounts.born().elapsed());
        said.iter().for_each(|said| other.gossip.hear(said));
        said.len()
    }

    fn tokens(&self) -> u64 {
        self.key.limits().standing(self.accounts.born().elapsed()).tokens.unwrap().remaining
    }
}

#[test]
fn what_one_lets_in_is_missing_at_the_other_whoever_it_was() {
    let (one, other) = (Gateway::new(), Gateway::new());
    let kept: Vec<_> = (0..4).map(|_| one.ask("ann", "gpt-x").unwrap()).collect();
    assert_eq!(one.tells(&other), 4, "a key, a user, a model and an organisation");
    assert_eq!(one.tells(&other), 0);
    assert_eq!(other.ask("ann", "other").unwrap_err(), "user_requests");
    let more: Vec<_> = (0..2).map(|_| other.ask("bob", "gpt-x").unwrap()).collect();
    assert_eq!(other.ask("bob", "gpt-x").unwrap_err(), "model_requests");
    let last: Vec<_> = (0..2).map(|_| other.ask("cid", "other").unwrap()).collect();
    assert_eq!(other.ask("dan", "other").unwrap_err(), "organisation_requests");
    other.tells(&one);
    assert_eq!(one.ask("dan", "other").unwrap_err(), "organisation_requests");
    drop((kept, more, last));
}

#[test]
fn what_was_reserved_and_not_used_comes_back_everywhere() {
    let (one, other) = (Gateway::new(), Gateway::new());
    let mut asked = one.ask("ann", "gpt-x").unwrap();
    one.tells(&other);
    assert!(other.tokens() <= 99_980 + 2);
    asked.settle(&Used { fate: Fate::Failed, usage: None, price: None, sent: 0 });
    one.tells(&other);
    assert!(other.tokens() >= 99_998, "but for what runs off a second time");
    drop(asked);
    let mut told = 0;
    for _ in 0..9 {
        drop(one.ask("ann", "gpt-x").unwrap());
        let said = one.gossip.tell(one.accounts.born().elapsed());
        told += said.iter().find(|said| said.who == "key acme/app").map_or(0, |said| said.uses.requests);
    }
    assert!(told <= 1, "what was never sent, but for what has run off meanwhile: {told}");
}

#[test]
fn other_organisations_and_strangers_hear_nothing() {
    let (one, other) = (Gateway::new(), Gateway::new());
    let asked = one.ask("ann", "gpt-x").unwrap();
    for said in one.gossip.tell(one.accounts.born().elapsed()) {
        let elsewhere = if said.realm.is_empty() { "" } else { "globex" };
        other.gossip.hear(&Said { realm: elsewhere.into(), ..said.clone() });
        other.gossip.hear(&Said { who: "nonsense".into(), ..said });
    }
    // of acme's own only the key and the organisation, which are unique among all, were heard
    let mine: Vec<_> = (0..4).map(|_| other.ask("ann", "gpt-x").unwrap()).collect();
    assert_eq!(other.ask("ann", "gpt-x").unwrap_err(), "user_requests");
    drop((asked, mine, &one.own));
}
