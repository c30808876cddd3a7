//! Limits and budgets of keys and of all: what is read, and what is said when it cannot be.

use serde_json::json;

use super::{mistake, mistakes, read};
use crate::config::{Budget, KeyRates, RateLimits, Rates};

fn shown(rates: Rates) -> (u64, u64) {
    (rates.requests.map_or(0, Into::into), rates.tokens.map_or(0, Into::into))
}

#[test]
fn a_key_has_its_own_limits_or_those_of_every_key() {
    let config = read(
        "
auth:
  keys:
    - {name: own, key: k1, rate_limit_rpm: 5, max_concurrent: 2}
    - {name: usual, key: k2, rate_limit_rpm: 0, max_concurrent: 0}
rate_limiting:
  global_rpm: 100
  per_key_rpm: 10
  per_key_tpm: 1000
  per_user_tpm: 7
  per_model_rpm: {gpt-*: 3, o1: 0}
  per_model_tpm: {gpt-*: 30, claude: 40}
",
    );
    let [own, usual] = &config.auth.keys[..] else { panic!("two keys") };
    assert_eq!((shown(own.rates), own.max_concurrent), ((5, 1000), Some(2)));
    assert_eq!((shown(usual.rates), usual.max_concurrent), ((10, 1000), None));
    let limits = &config.rate_limits;
    assert_eq!((shown(limits.global), shown(limits.per_user)), ((100, 0), (0, 7)));
    let models: Vec<_> = limits.per_model.iter().map(|(pattern, rates)| (pattern.as_str(), shown(*rates))).collect();
    assert_eq!(models, [("gpt-*", (3, 30)), ("claude", (0, 40))]);
}

#[test]
fn limits_can_be_switched_off_as_a_whole() {
    let config = read(
        "auth: {keys: [{name: a, key: k, rate_limit_rpm: 5}]}\nrate_limiting: {enabled: false, global_rpm: 1, per_model_rpm: {m: 1}}",
    );
    assert!(config.auth.keys[0].rates.is_unlimited());
    let nothing = RateLimits { per_key: KeyRates::Unlimited, ..read("{}").rate_limits };
    assert_eq!(config.rate_limits, nothing);
}

#[test]
fn a_limit_that_limits_nobody_is_a_mistake() {
    assert_eq!(
        mistake("rate_limiting: {per_key_rpm: 5}"),
        "prism.yaml:1: rate_limiting.per_key_rpm: limits nobody: `auth.keys` names no key"
    );
    read("rate_limiting: {per_key_rpm: 5}\ncontrol_plane: {}");
    read("rate_limiting: {per_key_rpm: 5}\nadmin: {token: a-token-of-the-admin}"); // keys may be made later
    assert!(mistake("rate_limiting: {global_rpm: -1}").contains("expected a whole number of at least 0"));
    assert!(mistake("rate_limiting: {per_model_tpm: {' ': 1}}").contains("per_model_tpm: an empty pattern"));
    assert!(mistake("rate_limiting: {globl_rpm: 1}").contains("did you mean `global_rpm`?"));
    let told = mistakes("auth: {keys: [{name: a, key: k, denied_tools: [a, ''], rate_limit_rpm: many}]}");
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("rate_limit_rpm: expected a whole number"), "{told:#?}");
    assert!(told[1].contains("auth.keys[0].denied_tools[1]: an empty"), "{told:#?}");
}

#[test]
fn metadata_of_a_key_are_scalars_as_they_were_written() {
    let config = read("auth: {keys: [{name: a, key: k, metadata: {team: search, size: 4, vip: true, code: '7'}}]}");
    assert_eq!(
        serde_json::Value::from(config.auth.keys[0].metadata.clone()),
        json!({"team": "search", "size": 4, "vip": true, "code": "7"})
    );
    assert!(mistake("auth: {keys: [{name: a, key: k, metadata: {team: [a]}}]}").contains("metadata.team: expected"));
}

#[test]
fn a_budget_of_somebody_takes_what_it_does_not_say_from_the_common_one() {
    let config = read(
        "
auth: {keys: [{name: app, key: k1}, {name: rich, key: k2}, {name: other, key: k3}]}
budgets:
  limit: 100.50
  period: weekly
  warn_threshold: 0.5
  users: {ann: 5, bob: {limit: '0.000000000000000001', period: total}, nobody: 0}
  keys: {app: {limit: 10, hard: false}, rich: 1000}
",
    );
    let shown = |budget: Option<Budget>| {
        budget.map(|one| (one.limit.to_string(), one.period.name(), one.warn_at.to_string(), one.hard))
    };
    let expected =
        |limit: &str, period, warn_at: &str, hard| Some((limit.to_owned(), period, warn_at.to_owned(), hard));
    assert_eq!(shown(config.budgets.global), expected("100.5", "weekly", "50.25", true));
    let user = |name| shown(config.budgets.users.get(name).copied());
    assert_eq!(user("ann"), expected("5", "weekly", "2.5", true));
    assert_eq!(user("bob"), expected("0.000000000000000001", "total", "0", true));
    assert_eq!(user("nobody"), None);
    let keys: Vec<_> = config.auth.keys.iter().map(|key| shown(key.budget)).collect();
    assert_eq!(keys, [expected("10", "weekly", "5", false), expected("1000", "weekly", "500", true), None]);
    let alone = read("budgets: {users: {ann: 5}}").budgets;
    assert_eq!(alone.global, None);
    assert_eq!(shown(alone.users.get("ann").copied()), expected("5", "monthly", "4", true));
}

#[test]
fn a_budget_that_cannot_hold_is_a_mistake() {
    assert_eq!(
        mistake("auth: {keys: [{name: app, key: k}]}\nbudgets: {keys: {ap: 1}}"),
        "prism.yaml:2: budgets.keys.ap: no such key (did you mean `app`?)"
    );
    assert!(mistake("budgets: {keys: {app: 1}}").contains("there is no `auth.keys`"));
    assert!(mistake("budgets: {limit: 1}\ncost_tracking: {enabled: false}").contains("would count nothing"));
    assert!(mistake("budgets: {limit: 10 USD}").contains("expected US dollars, such as `10` or `0.5`"));
    assert!(mistake("budgets: {limit: -1}").contains("expected US dollars"));
    assert!(mistake("budgets: {period: yearly}").contains("unknown word"));
    assert!(mistake("budgets: {warn_threshold: 80}").contains("a number from 0 to 1"));
    assert!(
        mistake("budgets: {users: {ann: {period: daily}}}").contains("budgets.users.ann.limit: needed and missing")
    );
    assert!(mistake("budgets: {limit: 1, hart: true}").contains("did you mean `hard`?"));
}
