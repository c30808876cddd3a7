use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn wall() -> std::time::SystemTime {
    std::time::SystemTime::UNIX_EPOCH + at(1_777_777_777) // 2026-05-03T03:09:37Z
}

fn headers(lines: &str) -> HeaderMap {
    let pair = |line: &str| {
        let (name, value) = line.trim().split_once(": ").unwrap();
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
    };
    lines.trim().lines().map(pair).collect()
}

fn read(lines: &str) -> Option<Observed> {
    Observed::read(&headers(lines), wall())
}

/// As the providers send them: remaining, limit and reset in ms of each quota, requests before tokens.
#[test]
fn every_providers_headers_are_read() {
    type Row = (Quota, u64, Option<u64>, Option<u64>);
    let (requests, tokens) = (Quota::Requests, Quota::Tokens);
    let cases: [(&str, &str, &[Row], Option<u64>); 12] = [
        (
            "OpenAI, plenty",
            "x-ratelimit-limit-requests: 5000\n x-ratelimit-limit-tokens: 160000\n x-ratelimit-remaining-requests: 4999
             x-ratelimit-remaining-tokens: 159976\n x-ratelimit-reset-requests: 12ms\n x-ratelimit-reset-tokens: 9ms",
            &[(requests, 4999, Some(5000), None), (tokens, 159_976, Some(160_000), None)],
            None,
        ),
        (
            "OpenAI, used up",
            "x-ratelimit-limit-requests: 60\n x-ratelimit-limit-tokens: 150000\n x-ratelimit-remaining-requests: 0
             x-ratelimit-remaining-tokens: 14998\n x-ratelimit-reset-requests: 6m0s\n x-ratelimit-reset-tokens: 53.5s",
            &[(requests, 0, Some(60), Some(360_000)), (tokens, 14_998, Some(150_000), Some(53_500))],
            None,
        ),
        (
            "OpenAI, two quotas of tokens",
            "x-ratelimit-limit-tokens: 160000\n x-ratelimit-limit-tokens_usage_based: 160000
             x-ratelimit-remaining-tokens: 10\n x-ratelimit-remaining-tokens_usage_based: 20
             x-ratelimit-reset-tokens: 1m\n x-ratelimit-reset-tokens_usage_based: 59s",
            &[(tokens, 10, Some(160_000), Some(60_000)), (tokens, 20, Some(160_000), Some(59_000))],
            None,
        ),
        (
            "Anthropic",
            "date: Sun, 03 May 2026 03:09:07 GMT
             anthropic-ratelimit-requests-limit: 50\n anthropic-ratelimit-requests-remaining: 0
             anthropic-ratelimit-requests-reset: 2026-05-03T03:09:17Z\n anthropic-ratelimit-input-tokens-limit: 40000
             anthropic-ratelimit-input-tokens-remaining: 40000\n anthropic-ratelimit-input-tokens-reset: 2026-05-03T03:09:07Z
             anthropic-ratelimit-output-tokens-limit: 8000\n anthropic-ratelimit-output-tokens-remaining: 1000
             anthropic-ratelimit-output-tokens-reset: 2026-05-03T04:09:07+00:00\n retry-after: 10",
            &[
                (requests, 0, Some(50), Some(10_000)),
                (tokens, 40_000, Some(40_000), None),
                (tokens, 1000, Some(8000), Some(3_600_000)),
            ],
            Some(10_000),
        ),
        (
            "Azure",
            "x-ratelimit-remaining-requests: 1\n x-ratelimit-remaining-tokens: 119968\n retry-after: 3\n retry-after-ms: 2500",
            &[(requests, 1, None, None), (tokens, 119_968, None, None)],
            Some(2500),
        ),
        ("Azure's other services", "x-ms-retry-after-ms: 750\n retry-after: 1", &[], Some(750)),
        (
            "Groq",
            "retry-after: 2\n x-ratelimit-limit-requests: 14400\n x-ratelimit-limit-tokens: 18000
             x-ratelimit-remaining-requests: 14370\n x-ratelimit-remaining-tokens: 17
             x-ratelimit-reset-requests: 2m59.56s\n x-ratelimit-reset-tokens: 7.66s",
            &[(requests, 14_370, Some(14_400), None), (tokens, 17, Some(18_000), Some(7660))],
            Some(2000),
        ),
        (
            "Cerebras",
            "x-ratelimit-limit-requests-day: 1000000000\n x-ratelimit-limit-tokens-minute: 1000
             x-ratelimit-remaining-requests-day: 3\n x-ratelimit-remaining-tokens-minute: 5
             x-ratelimit-reset-requests-day: 33011.382867\n x-ratelimit-reset-tokens-minute: 11.38",
            &[(requests, 3, Some(1_000_000_000), Some(33_011_382)), (tokens, 5, Some(1000), Some(11_380))],
            None,
        ),
        (
            "Mistral",
            "x-ratelimit-limit-req-minute: 100\n x-ratelimit-remaining-req-minute: 0
             x-ratelimit-remaining-tokens-minute: 9000\n x-ratelimit-limit-tokens-minute: 10000
             x-ratelimit-tokens-query-cost: 50",
            &[(requests, 0, Some(100), None), (tokens, 9000, Some(10_000), None)],
            None,
        ),
        (
            "Together",
            "x-ratelimit-limit: 10\n x-ratelimit-remaining: 0\n x-ratelimit-reset: 1",
            &[(requests, 0, Some(10), Some(1000))],
            None,
        ),
        (
            "OpenRouter, ms since 1970",
            "x-ratelimit-limit: 20\n x-ratelimit-remaining: 0\n x-ratelimit-reset: 1777777780000",
            &[(requests, 0, Some(20), Some(3000))],
            None,
        ),
        (
            "seconds since 1970, of the past",
            "x-ratelimit-remaining: 0\n x-ratelimit-reset: 1777777700",
            &[(requests, 0, None, Some(0))],
            None,
        ),
    ];
    for (provider, lines, expected, wait) in cases {
        let observed = read(lines).unwrap();
        let mut levels: Vec<Row> = observed
            .levels
            .iter()
            .map(|level| (level.of, level.remaining, level.limit, level.reset.map(|reset| reset.as_millis() as u64)))
            .collect();
        levels.sort_by_key(|level| (level.0 == tokens, std::cmp::Reverse(level.2), level.1));
        let mut expected = expected.to_vec();
        expected.sort_by_key(|level| (level.0 == tokens, std::cmp::Reverse(level.2), level.1));
        assert_eq!(levels, expected, "{provider}");
        assert_eq!(observed.retry_after.map(|wait| wait.as_millis() as u64), wait, "{provider}");
    }
}

#[test]
fn rubbish_is_ignored() {
    for lines in [
        "content-type: application/json",
        "x-ratelimit-remaining-requests: many",
        "x-ratelimit-remaining-requests: -1",
        "x-ratelimit-limit-requests: 10",
        "x-ratelimit-reset-requests: 1s",
        "x-ratelimit-remaining-audio-seconds: 0",
        "x-ratelimit-unlimited-requests: 0",
        "x-ratelimit-over-limit: yes",
        "retry-after: soon",
    ] {
        assert_eq!(read(lines), None, "{lines}");
    }
    for odd in ["", "s", "1x", "1s2", "-5", "nan", "inf", "1e400", "99999999999", "2026-13-01T00:00:00Z", "µ", "1.2.3s"]
    {
        let mut headers = headers("x-ratelimit-remaining-tokens: 0");
        headers.insert("x-ratelimit-reset-tokens", HeaderValue::from_bytes(odd.as_bytes()).unwrap());
        assert_eq!(Observed::read(&headers, wall()).unwrap().levels[0].reset, None, "{odd}");
    }
    let long = read("x-ratelimit-remaining-tokens: 0\n x-ratelimit-reset-tokens: 99999999h").unwrap();
    assert_eq!(long.levels[0].reset, Some(at(86_400)));
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(
        name in "(x|anthropic)-ratelimit-(remaining|limit|reset|tokens|requests|-){0,5}",
        value in "[ -~]{0,40}|[0-9a-z.]{0,40}|[0-9]{1,30}(ms|s|m|h|d)?",
        reset in "[0-9.]{0,20}(ms|s|m|h|d|T|Z|:|-){0,2}[0-9.]{0,20}s?",
    ) {
        let mut headers = headers("x-ratelimit-remaining-tokens: 0");
        headers.insert("x-ratelimit-reset-tokens", HeaderValue::from_str(&reset).unwrap());
        headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(&value).unwrap());
        if let Some(observed) = Observed::read(&headers, wall()) {
            let state = QuotaState::default();
            state.observe(at(1), Some(&observed));
            state.limited(at(1), observed.wait());
            state.standing(at(2), Demand { in_flight: u64::MAX - 1, tokens_each: u64::MAX });
            // and whatever was read, all of it is over some time
            prop_assert_eq!(state.standing(at(90_000), ONE), Standing::Free);
        }
    }
}

const ONE: Demand = Demand { in_flight: 0, tokens_each: 0 };

fn seen(state: &QuotaState, now: u64, lines: &str) {
    state.observe(at(now), Some(&read(lines).unwrap()));
}

#[test]
fn a_429_holds_as_long_as_it_says() {
    let state = QuotaState::default();
    assert_eq!(state.standing(at(5), ONE), Standing::Free);
    state.limited(at(10), Some(at(20)));
    state.limited(at(11), Some(at(2)));
    assert_eq!(state.standing(at(12), ONE), Standing::UntilReset(at(18)), "a shorter hint takes nothing back");
    assert_eq!(state.standing(at(30), ONE), Standing::Free);
    state.limited(at(40), Some(at(1_000_000)));
    assert_eq!(state.standing(at(40), ONE), Standing::UntilReset(at(3600)));
}

#[test]
fn without_a_hint_the_pause_grows_once_for_a_burst() {
    let state = QuotaState::default();
    let (mut now, mut pauses) = (at(100), Vec::new());
    for _ in 0..8 {
        for _ in 0..10 {
            state.limited(now, None);
        }
        let Standing::UntilReset(pause) = state.standing(now, ONE) else { panic!() };
        pauses.push(pause.as_secs());
        now += pause;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    state.observe(now, None);
    state.limited(now, None);
    assert_eq!(state.standing(now, ONE), Standing::UntilReset(at(1)), "a success forgets them");
}

#[test]
fn a_success_that_shows_some_ends_a_pause_and_one_that_shows_nothing_does_not() {
    let state = QuotaState::default();
    state.limited(at(10), Some(at(60)));
    state.observe(at(11), None);
    seen(&state, 11, "x-ratelimit-remaining-requests: 5\n x-ratelimit-remaining-tokens: 0");
    assert!(matches!(state.standing(at(12), ONE), Standing::UntilReset(_)));
    seen(&state, 13, "x-ratelimit-remaining-requests: 5\n x-ratelimit-limit-requests: 10");
    assert_eq!(state.standing(at(13), ONE), Standing::Free);
}

#[test]
fn what_is_used_up_comes_back_evenly_where_the_limit_is_known() {
    let state = QuotaState::default();
    let empty = "x-ratelimit-remaining-requests: 0\n x-ratelimit-reset-requests: 60s";
    seen(&state, 100, empty);
    assert_eq!(state.standing(at(120), ONE), Standing::UntilReset(at(40)));
    assert_eq!(state.standing(at(160), ONE), Standing::Free);
    seen(&state, 200, &format!("{empty}\n x-ratelimit-limit-requests: 6"));
    assert_eq!(state.standing(at(200), ONE), Standing::UntilReset(at(10)), "one each ten seconds");
    assert_eq!(state.standing(at(210), ONE), Standing::Free);
    assert_eq!(state.standing(at(210), Demand { in_flight: 3, ..ONE }), Standing::Low);
    assert_eq!(state.standing(at(240), Demand { in_flight: 3, ..ONE }), Standing::Free);
    seen(&state, 300, &format!("{empty}\n x-ratelimit-limit-requests: 60000"));
    assert_eq!(state.standing(at(300), ONE), Standing::UntilReset(LEAST_REST), "a short rest all the same");
}

#[test]
fn the_scarcest_quota_decides() {
    let state = QuotaState::default();
    let lines = "x-ratelimit-limit-requests: 100\n x-ratelimit-remaining-requests: 90
                 x-ratelimit-limit-tokens: 60000\n x-ratelimit-remaining-tokens: 3000\n x-ratelimit-reset-tokens: 57s";
    seen(&state, 10, lines);
    let demand = |in_flight, tokens_each| state.standing(at(10), Demand { in_flight, tokens_each });
    assert_eq!(demand(0, 3000), Standing::Free);
    assert_eq!(demand(1, 3000), Standing::Low);
    assert_eq!(demand(0, 5000), Standing::UntilReset(at(2)));
    assert_eq!(demand(5, 0), Standing::Free);
    seen(&state, 11, "x-ratelimit-limit-tokens: 60000\n x-ratelimit-remaining-tokens: 50000");
    assert_eq!(state.standing(at(11), Demand { in_flight: 9, tokens_each: 4000 }), Standing::Free);
}
