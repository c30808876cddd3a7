//! Limits of keys and of all: what is read, and what is said when it cannot be.

use serde_json::json;

use super::{mistake, mistakes, read};
use crate::config::Rates;

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
    assert_eq!(config.rate_limits, read("{}").rate_limits);
}

#[test]
fn a_limit_that_limits_nobody_is_a_mistake() {
    assert_eq!(
        mistake("rate_limiting: {per_key_rpm: 5}"),
        "prism.yaml:1: rate_limiting.per_key_rpm: limits nobody: `auth.keys` names no key"
    );
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
