//! The `routing` block, and what providers have several of.

use std::time::Duration;

use serde_json::json;

use super::{env, mistake, mistakes, read};
use crate::config::{resolve::Around, *};

const PROVIDERS: &str =
    "providers: {one: {base_url: 'http://1'}, two: {base_url: 'http://2'}, off: {enabled: false}}\n";

fn routing(text: &str) -> Routing {
    read(&format!("{PROVIDERS}routing: {{{text}}}")).routing
}

/// What is said, without its place in the file.
fn told(text: &str) -> Vec<String> {
    let lines = mistakes(&format!("{PROVIDERS}routing: {{{text}}}"));
    lines.iter().map(|line| line.replacen("prism.yaml:2: routing.", "", 1)).collect()
}

fn notes(text: &str) -> Vec<String> {
    let (_, notes) = resolve::read(&format!("routing: {{{text}}}"), "prism.yaml", Around::of(&env)).unwrap();
    notes.iter().map(Mistake::to_string).collect()
}

fn target(provider: &str) -> RouteTarget {
    RouteTarget { provider: provider.into(), weight: 1, priority: 0, model_override: None }
}

/// The block as the manual has it.
#[test]
fn every_key_of_routing_is_read() {
    let read = routing(
        "
  default_strategy: least-latency,
  targets: {gpt-4o: [{provider: one, weight: 70}, {provider: two, weight: 30, priority: 1, model_override: gpt-4o-2024}, off]},
  failover: {enabled: true, max_attempts: 4, providers: [two, one], on_timeout: false, per_attempt_timeout: 5s},
  retry: {enabled: false, max_retries: 1, initial_delay: 200ms, max_delay: 5s, multiplier: 1.5, budget_percent: 10, budget_min: 1},
  circuit_breaker: {error_threshold_percent: 25, min_requests: 5, window: 10s, open_duration: 20s, half_open_max_requests: 2,
    failure_threshold: 7},
  timeouts: {request_timeout_seconds: 100, provider_timeout_seconds: 0},
  model_fallbacks: {gpt-4o: [claude-sonnet-4-6, small], claude-sonnet-4-6: [small]},
  model_timeouts: {o1: 300s},
  conditional_routes: [
    {name: later, priority: 20, condition: {stream: true}, action: {model_override: gpt-4o}},
    {name: vip, priority: 10, condition: {field: metadata.tier, op: $eq, value: enterprise}, action: {provider: one}}],
  mirror: {enabled: true, rules: [{source_model: gpt-*, target_provider: two, target_model: y, sample_rate: 0.1}]},
  hedge: {enabled: true, quantile: 0.9, budget_percent: 2, max_per_hour: 10},
  sticky: {by: prompt-prefix},
  default_model: small",
    );
    let two = RouteTarget { weight: 30, priority: 1, model_override: Some("gpt-4o-2024".into()), ..target("two") };
    let vip = Condition::Test { field: "metadata.tier".into(), test: Test::Equal(json!("enterprise")) };
    let stream = Condition::Test { field: "stream".into(), test: Test::Equal(json!(true)) };
    let route = |name: &str, priority, condition| ConditionalRoute {
        name: name.into(),
        priority,
        condition,
        provider: None,
        model_override: None,
    };
    let seconds = Duration::from_secs;
    let expected = Routing {
        strategy: Strategy::LeastLatency,
        targets: [("gpt-4o".into(), vec![RouteTarget { weight: 70, ..target("one") }, two, target("off")])].into(),
        failover: Failover {
            max_attempts: 4,
            on_timeout: false,
            per_attempt_timeout: Some(seconds(5)),
            providers: vec!["two".into(), "one".into()],
            ..Failover::default()
        },
        retry: Retry {
            enabled: false,
            max_retries: 1,
            initial_delay: Duration::from_millis(200),
            max_delay: seconds(5),
            multiplier: 1.5,
            budget_percent: 10,
            budget_min: 1,
        },
        breaker: BreakerRules {
            enabled: true,
            error_threshold_percent: 25,
            min_requests: 5,
            window: seconds(10),
            failure_threshold: Some(7),
            open_duration: seconds(20),
            half_open_max_requests: 2,
            success_threshold: 2,
        },
        request_timeout: seconds(100),
        model_timeouts: [("o1".into(), seconds(300))].into(),
        model_fallbacks: [
            ("gpt-4o".into(), vec!["claude-sonnet-4-6".into(), "small".into()]),
            ("claude-sonnet-4-6".into(), vec!["small".into()]),
        ]
        .into(),
        conditional_routes: vec![
            ConditionalRoute { provider: Some("one".into()), ..route("vip", 10, vip) },
            ConditionalRoute { model_override: Some("gpt-4o".into()), ..route("later", 20, stream) },
        ],
        mirrors: vec![Mirror {
            source_model: "gpt-*".into(),
            target_provider: "two".into(),
            target_model: Some("y".into()),
            sample_rate: 0.1,
        }],
        hedge: Some(Hedge { quantile: 0.9, budget_percent: 2, max_per_hour: 10 }),
        sticky: Sticky::PromptPrefix,
        default_model: Some("small".into()),
    };
    assert_eq!(read, expected);
    let rules: String = ["retry", "circuit_breaker", "failover", "mirror", "hedge", "sticky", "targets", "timeouts"]
        .map(|block| format!("{block}: {{}}, "))
        .concat();
    assert_eq!(routing(&rules), Routing::default());
}

#[test]
fn older_spellings_mean_the_same_and_are_noted() {
    let old = "retries: {max_retries: 5, initial_backoff_ms: 50, max_backoff_ms: 2000, backoff_multiplier: 3}";
    let new = "retry: {max_retries: 5, initial_delay: 50ms, max_delay: 2s, multiplier: 3}";
    assert_eq!(routing(old), routing(new));
    let noted = notes(old);
    assert_eq!(noted.len(), 4, "{noted:?}");
    assert!(noted.contains(&"prism.yaml:1: routing.retries: `retry` is the preferred spelling".to_owned()));
    assert!(noted.contains(
        &"prism.yaml:1: routing.retries.initial_backoff_ms: `initial_delay` is the preferred spelling".to_owned()
    ));
    assert_eq!(notes(new), [""; 0]);
    let new = "circuit_breaker: {open_duration: 20s}";
    for old in ["circuit_breaker: {open_duration_seconds: 20}", "circuit_breaker: {cooldown: 20s}"] {
        assert_eq!(routing(old), routing(new));
        assert_eq!(notes(old).len(), 1);
    }
    let rules = routing("circuit_breaker: {failure_threshold: 5, success_threshold: 2, cooldown: 1m}").breaker;
    assert_eq!((rules.failure_threshold, rules.success_threshold), (Some(5), 2));
    for twice in [
        "retry: {max_retries: 1}, retries: {max_retries: 1}",
        "retry: {initial_delay: 1s, initial_backoff_ms: 5}",
        "circuit_breaker: {open_duration: 1s, cooldown: 1s}",
        "circuit_breaker: {open_duration_seconds: 1, cooldown: 1s}",
    ] {
        let found = told(twice);
        assert!(found.len() == 1 && found[0].contains("given twice"), "{found:?}");
    }
}

#[test]
fn mistakes_in_routing_are_told_at_once() {
    let told = mistakes(&format!(
        "{PROVIDERS}routing:
  default_strategy: fastes
  targets:
    a: []
    b: [{{provider: one, weight: 0}}, {{provider: two, weight: 0}}]
    c: [{{weight: 1}}]
    d: [on, {{provider: tow}}, one, one]
    e*: [{{provider: one, model_override: a b}}]
  failover: {{providers: [three, one, one]}}
  retry: {{initial_delay: 0s, multiplier: 0.5, budget_percent: 101}}
  retries: {{max_retries: 1}}
  circuit_breaker: {{error_threshold_percent: 0, window: 0s, cooldown: 0s, min_requests: 1.5}}
  model_fallbacks: {{a: [a], b: [c], c: [b, b], e: [], f: ['']}}
  model_timeouts: {{o1: 0s, o*: 1s}}
  conditional_routes:
    - {{name: x, condition: {{model: x, model: y}}, action: {{provider: one}}}}
    - {{condition: [], action: {{provider: one}}}}
  mirror: {{enabled: true}}
  hedge: {{quantile: 0.4}}
  sticky: {{by: sesion}}
"
    ));
    let expected = [
        "3: routing.default_strategy: unknown word (did you mean `fastest`?)",
        "5: routing.targets.a: names no target",
        "6: routing.targets.b: every weight is 0: nobody would get a request",
        "7: routing.targets.c[0].provider: needed and missing",
        "8: routing.targets.d[0]: no such provider (did you mean `one`?)",
        "8: routing.targets.d[1].provider: no such provider (did you mean `two`?)",
        "8: routing.targets.d[3]: the same target as `routing.targets.d[2]`",
        "9: routing.targets.e*: a model's name is not empty and has no spaces and no `*`",
        "9: routing.targets.e*[0].model_override: a model's name is not empty and has no spaces and no `*`",
        "10: routing.failover.providers[0]: no such provider (known: one, two, off)",
        "10: routing.failover.providers[2]: the same provider as `routing.failover.providers[1]`",
        "11: routing.retry.budget_percent: expected a whole number from 0 to 100",
        "11: routing.retry.initial_delay: has to be longer than 0",
        "11: routing.retry.multiplier: expected a number from 1 to 10",
        "12: routing.retries: given twice: this is another spelling of `retry`",
        "13: routing.circuit_breaker.cooldown: has to be longer than 0",
        "13: routing.circuit_breaker.error_threshold_percent: expected a whole number from 1 to 100",
        "13: routing.circuit_breaker.min_requests: expected a whole number from 1 to 1000000",
        "13: routing.circuit_breaker.window: has to be longer than 0",
        "14: routing.model_fallbacks.a[0]: a model does not fall back to itself",
        "14: routing.model_fallbacks.c[1]: the same model as `routing.model_fallbacks.c[0]`",
        "14: routing.model_fallbacks.e: names no model",
        "14: routing.model_fallbacks.f[0]: a model's name is not empty and has no spaces and no `*`",
        "15: routing.model_timeouts.o*: a model's name is not empty and has no spaces and no `*`",
        "15: routing.model_timeouts.o1: has to be longer than 0",
        "17: routing.conditional_routes[0].condition.model: duplicate key (the first is on line 17)",
        "18: routing.conditional_routes[1].condition: expected a mapping, found a list",
        "18: routing.conditional_routes[1].name: needed and missing",
        "19: routing.mirror.rules: names nothing to copy",
        "20: routing.hedge.quantile: expected a number from 0.5 to 0.999",
        "21: routing.sticky.by: unknown word (did you mean `session`?)",
    ];
    let mut told: Vec<_> = told.iter().map(|line| line.replacen("prism.yaml:", "", 1)).collect();
    told.sort_by_key(|line| {
        let (number, rest) = line.split_once(':').unwrap();
        (number.parse::<usize>().unwrap(), rest.to_owned())
    });
    assert_eq!(told, expected);
}

#[test]
fn a_condition_is_judged_where_it_stands() {
    assert_eq!(
        told("conditional_routes: [
      {name: x, condition: {}, action: {}},
      {name: x, condition: {$or: [{metadata.tier: {$eqq: 1}}, {modle: x}]}, action: {provider: tow, model_override: '*'}},
      {name: ' ', condition: {metadata.tier: '${ON}', hour: '${PORT}'}, action: {provider: one}}]"),
        [
            "prism.yaml:3: routing.conditional_routes[0].action: does nothing: give a `provider`, a `model_override` or both",
            "prism.yaml:3: routing.conditional_routes[0].condition: says nothing",
            "prism.yaml:4: routing.conditional_routes[1].name: the same name as `routing.conditional_routes[0]`",
            "prism.yaml:4: routing.conditional_routes[1].action.provider: no such provider (did you mean `two`?)",
            "prism.yaml:4: routing.conditional_routes[1].action.model_override: a model's name is not empty and has no spaces \
             and no `*`",
            "prism.yaml:4: routing.conditional_routes[1].condition.\"$or\"[0].\"metadata.tier\".\"$eqq\": unknown operator \
             (did you mean `$eq`?)",
            "prism.yaml:4: routing.conditional_routes[1].condition.\"$or\"[1].modle: unknown field (did you mean `model`?)",
            "prism.yaml:5: routing.conditional_routes[2].name: needs a name",
        ]
    );
}

#[test]
fn switches_left_out_follow_what_is_written() {
    let rule = "rules: [{source_model: a, target_provider: one}]";
    assert_eq!(routing(&format!("mirror: {{{rule}}}")).mirrors[0].sample_rate, 1.0);
    assert!(routing(&format!("mirror: {{enabled: false, {rule}}}")).mirrors.is_empty());
    let hedge = |text: &str| routing(&format!("hedge: {{{text}}}")).hedge;
    assert_eq!(hedge("quantile: 0.99").unwrap().quantile, 0.99);
    assert_eq!(hedge("enabled: true").unwrap(), Hedge { quantile: 0.95, budget_percent: 5, max_per_hour: 1000 });
    assert_eq!((hedge("enabled: false, quantile: 0.99"), hedge("")), (None, None));
}

#[test]
fn delays_of_retries_fit_together() {
    let retry = |text: &str| routing(&format!("retry: {{{text}}}")).retry;
    assert_eq!(retry("initial_delay: 20s").max_delay, Duration::from_secs(20));
    assert_eq!(retry("max_delay: 50ms").initial_delay, Duration::from_millis(50));
    assert_eq!(told("retry: {initial_delay: 2s, max_backoff_ms: 10}").len(), 1);
    assert_eq!(told("retry: {initial_backoff_ms: 0}"), ["retry.initial_backoff_ms: has to be longer than 0"]);
}

#[test]
fn a_provider_has_several_keys() {
    let keys = |text: &str| {
        let provider = read(&format!("providers: {{groq: {{{text}}}}}")).providers.remove(0);
        let keys: Vec<_> = provider.keys.iter().map(|(key, weight)| (key.expose().to_owned(), *weight)).collect();
        (provider.key.unwrap().expose().to_owned(), provider.auth, keys)
    };
    let all = |keys: &[(&str, u32)]| keys.iter().map(|(key, weight)| ((*key).to_owned(), *weight)).collect::<Vec<_>>();
    let bearer = AuthScheme::Bearer;
    assert_eq!(
        keys("api_keys: [{key: a, weight: 2}, {key: b}, c]"),
        ("a".into(), bearer, all(&[("a", 2), ("b", 1), ("c", 1)]))
    );
    assert_eq!(keys("api_key: x, api_keys: [a]"), ("x".into(), bearer, all(&[("x", 1), ("a", 1)])));
    assert_eq!(keys("api_keys: [{key: a, weight: 5}]"), ("a".into(), bearer, Vec::new()));
    for (text, told) in [
        ("api_keys: []", "api_keys: names no key"),
        ("api_keys: [a, a]", "api_keys[1]: the same key as `providers.groq.api_keys[0]`"),
        ("api_key: a, api_keys: [{key: a}]", "api_keys[0].key: the same key as `api_key`"),
        ("api_keys: [a, 'b c']", "api_keys[1]: holds a character"),
        ("api_keys: ['b c']", "api_keys[0]: holds a character"),
        ("api_keys: [a, '${EMPTY}']", "api_keys[1]: an empty value in a list"),
        ("api_keys: [{key: a, weight: 0}, {key: b, weight: 0}]", "api_keys: every weight is 0"),
        ("api_keys: [{weight: 1}, b]", "api_keys[0].key: needed and missing"),
        ("api_keys: [a], auth: none", "api_keys: would never be sent"),
    ] {
        let found = mistakes(&format!("providers: {{groq: {{{text}}}}}"));
        assert!(found.iter().any(|line| line.contains(told)), "{text}: {found:?}");
    }
    assert_eq!(read("providers: {groq: {api_key: k, weight: 0}}").providers[0].weight, 0);
    assert!(mistake("providers: {groq: {api_key: k, priority: 5000000000}}").contains("from 0 to 1000000"));
}

#[test]
fn a_cloud_has_further_regions() {
    let regions =
        |text: &str| read(&format!("providers: {{bedrock: {{region: us-east-1, {text}}}}}")).providers.remove(0);
    let pair = |region: &str, url: &str| (region.to_owned(), url.to_owned());
    assert_eq!(
        regions("failover_regions: [us-west-2, {region: cn-north-1}, {region: eu-west-1, base_url: 'https://b.example.com/'}]")
            .failover_regions,
        [
            pair("us-west-2", "https://bedrock-runtime.us-west-2.amazonaws.com"),
            pair("cn-north-1", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"),
            pair("eu-west-1", "https://b.example.com"),
        ]
    );
    for (text, told) in [
        ("us-east-1", "failover_regions[0]: is the provider's own region"),
        ("a, b, a", "failover_regions[2]: the same region as `providers.bedrock.failover_regions[0]`"),
        ("us/west", "failover_regions[0]: expected a region"),
        ("{region: a, base_url: nowhere}", "failover_regions[0].base_url: expected an absolute URL"),
    ] {
        let text = format!("providers: {{bedrock: {{region: us-east-1, failover_regions: [{text}]}}}}");
        assert!(mistake(&text).contains(told), "{text}");
    }
    let unknown = mistake("providers: {groq: {api_key: k, failover_regions: [a]}}");
    assert!(unknown.contains("failover_regions[0]: only Bedrock's regions are known"), "{unknown}");
    let known =
        read("providers: {groq: {api_key: k, failover_regions: [{region: eu, base_url: 'https://eu.example.com'}]}}");
    assert_eq!(known.providers[0].failover_regions, [pair("eu", "https://eu.example.com/v1")]);
}
