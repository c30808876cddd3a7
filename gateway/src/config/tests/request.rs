//! What a request says of its own routing.

use std::time::Duration;

use super::read;
use crate::config::*;

fn parsed(text: &str) -> RequestConfig {
    RequestConfig::parse(text).unwrap_or_else(|(path, message)| panic!("{text}: {path}: {message}"))
}

fn over(text: &str, base: &Routing) -> Routing {
    parsed(text).over(base, "m")
}

#[test]
fn what_is_not_said_stays_as_configured() {
    let base = read(
        "providers: {a: {base_url: 'http://a'}}
routing: {default_strategy: fastest, targets: {m: [a]}, model_fallbacks: {m: [n]}, model_timeouts: {m: 5s}, retry: {max_retries: 7},
  failover: {max_attempts: 9, per_attempt_timeout: 1s, providers: [a]}}",
    )
    .routing;
    for nothing in ["{}", r#"{"failover": {}, "retry": null, "timeouts": {}}"#] {
        assert_eq!(over(nothing, &base), base);
    }
    assert_eq!(over(r#"{"retry": {"max_delay": "2s"}}"#, &base).retry.max_retries, 7);
}

#[test]
fn what_is_said_is_laid_over_it() {
    let base = Routing::default();
    let routing = over(
        r#"{"strategy": "weighted", "targets": ["a", {"provider": "b", "weight": 3, "model_override": "x"}], "providers": ["b", "a"],
            "failover": {"max_attempts": 5, "on_status_codes": [500], "per_attempt_timeout": "0s"}, "retry": {"enabled": false},
            "timeouts": {"request_timeout_ms": 1500}, "model_fallbacks": ["m", "n"]}"#,
        &Routing {
            failover: Failover { per_attempt_timeout: Some(Duration::from_secs(1)), ..Failover::default() },
            ..base.clone()
        },
    );
    let target = RouteTarget { provider: "a".into(), weight: 1, priority: 0, model_override: None };
    let other = RouteTarget { provider: "b".into(), weight: 3, model_override: Some("x".into()), ..target.clone() };
    let expected = Routing {
        strategy: Strategy::Weighted,
        targets: [("m".into(), vec![target, other])].into(),
        failover: Failover {
            max_attempts: 5,
            on_status_codes: vec![500],
            providers: vec!["b".into(), "a".into()],
            ..Failover::default()
        },
        retry: Retry { enabled: false, ..Retry::default() },
        model_timeouts: [("m".into(), Duration::from_millis(1500))].into(),
        model_fallbacks: [("m".into(), vec!["n".into()])].into(),
        ..base
    };
    assert_eq!(routing, expected);
    let share = over(r#"{"timeouts": {"per_attempt_timeout_ms": 250}}"#, &Routing::default()).failover;
    assert_eq!(share.per_attempt_timeout, Some(Duration::from_millis(250)));
    assert_eq!(over(r#"{"model_fallbacks": []}"#, &Routing::default()).model_fallbacks["m"], [""; 0]);
}

#[test]
fn a_request_waits_no_longer_than_the_configuration_allows() {
    let base = Routing { request_timeout: Duration::from_secs(2), ..Routing::default() };
    let routing = over(r#"{"timeouts": {"request_timeout_ms": 60000}}"#, &base);
    assert_eq!(routing.model_timeouts["m"], Duration::from_secs(2));
}

#[test]
fn its_names_are_given_with_their_paths() {
    let config = parsed(
        r#"{"targets": ["a", {"provider": "b", "model_override": "x"}], "providers": ["c"], "model_fallbacks": ["y"]}"#,
    );
    let owned =
        |names: Vec<(String, &str)>| names.into_iter().map(|(path, name)| format!("{path} {name}")).collect::<Vec<_>>();
    assert_eq!(
        owned(config.providers().collect()),
        ["targets[0].provider a", "targets[1].provider b", "failover.providers[0] c"]
    );
    assert_eq!(owned(config.models().collect()), ["targets[1].model_override x", "model_fallbacks[0] y"]);
}

#[test]
fn the_first_mistake_is_told_with_its_path() {
    for (text, path, message) in [
        ("{", "", "is not JSON"),
        ("[]", "", "expected a mapping, found a list"),
        (r#"{"stategy": "weighted"}"#, "stategy", "unknown key (did you mean `strategy`?)"),
        (r#"{"strategy": "weigted"}"#, "strategy", "unknown word (did you mean `weighted`?)"),
        (r#"{"cache": {"ttl": 5}}"#, "cache", "not built yet: the cache of answers"),
        (r#"{"targets": []}"#, "targets", "names no target"),
        (r#"{"targets": [{"weight": 1}]}"#, "targets[0].provider", "needed and missing"),
        (r#"{"targets": ["a", "a"]}"#, "targets[1]", "the same target as `targets[0]`"),
        (r#"{"retry": {"max_retries": "2"}}"#, "retry.max_retries", "expected a whole number from 0 to 20"),
        (r#"{"retry": {"budget_percent": 100}}"#, "retry.budget_percent", "is the whole gateway's"),
        (r#"{"retry": {"initial_delay": "0s"}}"#, "retry.initial_delay", "has to be longer than 0"),
        (r#"{"timeouts": {"request_timeout_ms": 0}}"#, "timeouts.request_timeout_ms", "expected a whole number from 1"),
        (
            r#"{"timeouts": {"per_attempt_timeout_ms": 1}, "failover": {"per_attempt_timeout": 1}}"#,
            "timeouts.per_attempt_timeout_ms",
            "given twice",
        ),
        (r#"{"providers": ["a"], "failover": {"providers": ["b"]}}"#, "providers", "given twice"),
        (r#"{"failover": {"providers": ["b", "b"]}}"#, "failover.providers[1]", "the same provider as"),
        (r#"{"providers": ["b", "b"]}"#, "providers[1]", "the same provider as `providers[0]`"),
        (r#"{"model_fallbacks": ["a b"]}"#, "model_fallbacks[0]", "a model's name is not empty"),
    ] {
        let (at, told) = RequestConfig::parse(text).expect_err(text);
        assert!(at == path && told.starts_with(message), "{text}: {at}: {told}");
    }
}

/// Whatever is asked, there is an answer, and never that of a defect.
#[test]
fn any_object_is_answered() {
    let keys = ["strategy", "targets", "providers", "failover", "retry", "timeouts", "model_fallbacks"];
    let inner =
        ["provider", "weight", "enabled", "max_attempts", "on_status_codes", "per_attempt_timeout", "max_retries"];
    let more = ["initial_delay", "multiplier", "request_timeout_ms", "per_attempt_timeout_ms", "initial_backoff_ms"];
    let values = [
        "1",
        "0",
        "-1",
        "1e9",
        "0.5",
        "99999999999999999999",
        "true",
        "null",
        "\"a\"",
        "\"5s\"",
        "\"weighted\"",
        "[]",
        "{}",
    ];
    for (key, value) in keys.iter().flat_map(|key| values.map(|value| (key, value))) {
        let nested = inner.iter().chain(&more).flat_map(|inner| {
            [
                format!("{{\"{inner}\": {value}}}"),
                format!("{{\"{inner}\": [{value}]}}"),
                format!("[{{\"{inner}\": {value}}}]"),
            ]
        });
        for shape in nested.chain([value.to_owned(), format!("[{value}]")]) {
            if let Err((_, message)) = RequestConfig::parse(&format!("{{\"{key}\": {shape}}}")) {
                assert!(!message.contains("mistake in Prism"), "{key}: {shape}: {message}");
            }
        }
    }
}
