//! The loop's promises, with scripted providers and paused time.

use std::{collections::VecDeque, pin::Pin, sync::Mutex, task::Poll, time::Duration};

use http_body_util::{BodyExt, Full};
use indexmap::IndexMap;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use tokio::time::{Instant, sleep};

use super::*;
use crate::{
    api::Endpoint,
    config,
    dispatch::{Roster, RouteTable},
    provider::ProviderCore,
    telemetry::Metrics,
    transport::{SendFuture, Transport, TransportError, UpstreamBody},
    wire::{self, Payload},
};

const ANSWER: &str = r#"{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}]}"#;
const ERROR: &str = r#"{"error":{"message":"scripted","type":"x","code":null}}"#;

/// What a provider does with one request.
#[derive(Debug, Clone, Copy)]
enum Does {
    Answer(u16),
    /// After so many ms.
    Late(u64, u16),
    /// With a `Retry-After` of so many seconds.
    Ask(u16, u64),
    Break,
    Hang,
}

/// Who was asked with which key, and when.
type Log = Arc<Mutex<Vec<(String, Duration)>>>;

struct Scripted {
    name: String,
    script: Mutex<VecDeque<Does>>,
    began: Instant,
    log: Log,
}

impl Transport for Scripted {
    fn send(&self, request: http::Request<Payload>) -> SendFuture {
        let key = request.headers().get("authorization").map_or("", |key| key.to_str().unwrap());
        let who = format!("{}{}", self.name, key.trim_start_matches("Bearer "));
        self.log.lock().unwrap().push((who, self.began.elapsed()));
        let does = self.script.lock().unwrap().pop_front().unwrap_or(Does::Answer(200));
        Box::pin(async move {
            let (status, retry_after) = match does {
                Does::Answer(status) => (status, None),
                Does::Late(millis, status) => {
                    sleep(Duration::from_millis(millis)).await;
                    (status, None)
                }
                Does::Ask(status, seconds) => (status, Some(seconds)),
                Does::Break => return Err(TransportError::Broken("on purpose".into())),
                Does::Hang => std::future::pending().await,
            };
            let mut response = http::Response::builder().status(status).header("content-type", "application/json");
            if let Some(seconds) = retry_after {
                response = response.header("retry-after", seconds);
            }
            let body = Full::from(if status == 200 { ANSWER } else { ERROR }).map_err(|never| match never {});
            Ok(response.body(UpstreamBody::Made(Box::pin(body))).unwrap())
        })
    }
}

/// Providers `a`, `b`, … for the model `m`, in that order, and one request to them.
struct World {
    route: Arc<Route>,
    cores: Vec<Arc<ProviderCore>>,
    routing: Arc<Routing>,
    budgets: Arc<Budgets>,
    metrics: Arc<Metrics>,
    prices: Arc<Catalogue>,
    log: Log,
    deadline: Duration,
}

impl World {
    fn new(scripts: &[&[Does]], keys: usize, routing: &str) -> Self {
        let keys: Vec<_> =
            (1..=keys).map(|key| format!("{{key: '{key}', weight: {}}}", 1_000_000 / key.pow(9))).collect();
        let providers = (0..scripts.len()).map(|at| {
            let name = char::from(b'a' + at as u8);
            let keys = keys.join(", ");
            format!("  {name}: {{base_url: 'http://127.0.0.1:1/v1', api_keys: [{keys}], models: [m], discover: false, priority: {at}}}\n")
        });
        let file = format!("routing: {{{routing}}}\nproviders:\n{}", providers.collect::<String>());
        let config = config::parse(&file, "test.yaml", &|_| None).unwrap();
        let (log, metrics) = (Log::default(), Arc::new(Metrics::new()));
        let format = wire::format("openai").unwrap();
        let core = |(provider, script): (config::Provider, &&[Does])| {
            let script = Mutex::new(script.iter().copied().collect());
            let scripted = Scripted { name: provider.name.clone(), script, began: Instant::now(), log: log.clone() };
            ProviderCore::new(Arc::new(provider), format, Arc::new(scripted), &metrics)
        };
        let cores: Vec<_> = config.providers.into_iter().zip(scripts).map(core).collect();
        let (routing, budgets) = (Arc::new(config.routing.clone()), Arc::new(Budgets::of(&config.routing)));
        let roster = Roster {
            providers: cores.clone(),
            aliases: IndexMap::new(),
            routing: routing.clone(),
            budgets: budgets.clone(),
            shared: None,
        };
        let route = RouteTable::build(&roster, &metrics).route("m").unwrap();
        let prices = Arc::new(Catalogue::new(&config.cost_tracking));
        Self { route, cores, routing, budgets, metrics, prices, log, deadline: Duration::from_secs(60) }
    }

    /// The answer's provider or the refusal, and the attempts that were counted.
    async fn ask(&self) -> (Result<String, Refusal>, u32) {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
        let request = wire::openai::read(Endpoint::ChatCompletions, body.into()).unwrap();
        let mut exchange = Exchange::begin(&self.metrics, Endpoint::ChatCompletions);
        let access = Access {
            deadline: Instant::now() + self.deadline,
            strict: false,
            routing: &self.routing,
            budgets: &self.budgets,
            caller: None,
            affinity: None,
            hurried: false,
            media: None,
            prices: &self.prices,
        };
        self.budgets.request();
        let relayed = relay(&request, &self.route, &access, &mut exchange).await;
        (relayed.map(|relayed| relayed.candidate.core.name.to_string()), exchange.attempts())
    }

    fn asked(&self) -> Vec<String> {
        self.log.lock().unwrap().iter().map(|(who, _)| who.clone()).collect()
    }

    fn times(&self) -> Vec<Duration> {
        self.log.lock().unwrap().iter().map(|(_, at)| *at).collect()
    }
}

const NO_BREAKER: &str = "circuit_breaker: {enabled: false}";
const DOWN: Does = Does::Answer(503);

#[tokio::test(start_paused = true)]
async fn each_is_asked_once_before_anyone_is_asked_again() {
    let world = World::new(&[&[DOWN, DOWN], &[Does::Break], &[Does::Answer(500)]], 1, NO_BREAKER);
    let (answer, attempts) = world.ask().await;
    assert_eq!((answer.unwrap(), attempts), ("a".to_owned(), 5), "{:?}", world.asked());
    assert_eq!(world.asked(), ["a1", "b1", "c1", "a1", "a1"]);
}

#[tokio::test(start_paused = true)]
async fn what_would_fail_again_ends_it() {
    for status in [400, 401, 403, 404, 413, 422] {
        let world = World::new(&[&[Does::Answer(status)], &[]], 1, NO_BREAKER);
        assert!(world.ask().await.0.is_err());
        assert_eq!(world.asked(), ["a1"], "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_are_tried_one_after_the_other_and_do_not_count_as_candidates() {
    let limited = [Does::Ask(429, 60); 3];
    let world = World::new(
        &[&limited, &limited, &limited, &[]],
        3,
        "circuit_breaker: {enabled: false}, retry: {enabled: false}",
    );
    assert_eq!(world.ask().await.0.unwrap_err().cause, Cause::RateLimited);
    let mut asked = world.asked();
    asked.sort();
    assert_eq!(
        asked,
        ["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"],
        "three candidates at most, with all their keys"
    );
    assert_eq!(world.ask().await.0.unwrap(), "d", "and now they are known to be limited");
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_not_asked_twice() {
    let world = World::new(&[&[Does::Answer(401), Does::Ask(429, 60)]], 2, "retry: {enabled: false}");
    assert!(world.ask().await.0.is_err());
    assert_eq!(world.asked().len(), 2);
    let before = world.asked();
    assert!(world.ask().await.0.is_ok(), "the key that was refused is better than none");
    assert_eq!(world.asked().len(), 3);
    assert_eq!(world.asked()[2], before[0]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_as_long_as_it_was_asked_to() {
    let world = World::new(&[&[Does::Ask(503, 7)]], 1, NO_BREAKER);
    assert!(world.ask().await.0.is_ok());
    let times = world.times();
    let pause = (times[1] - times[0]).as_secs_f64();
    assert!((7.0..7.2).contains(&pause), "{pause}");
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_and_end_with_the_retries_or_the_budget() {
    let world =
        World::new(&[&[DOWN; 50]], 1, "circuit_breaker: {enabled: false}, retry: {max_retries: 20, budget_min: 5}");
    let (answer, attempts) = world.ask().await;
    assert_eq!((answer.unwrap_err().cause, attempts), (Cause::Unavailable, 6), "five in reserve");
    for (nth, pair) in world.times().windows(2).enumerate() {
        assert!(pair[1] - pair[0] <= Duration::from_millis(101 << nth), "{nth}");
    }
    assert_eq!(world.ask().await.1, 1, "the reserve is used up");
}

#[tokio::test(start_paused = true)]
async fn no_pause_and_no_attempt_outlasts_the_deadline() {
    let began = Instant::now();
    let world = World::new(&[&[Does::Ask(503, 90)], &[Does::Hang], &[]], 1, NO_BREAKER);
    assert_eq!(world.ask().await.0.unwrap_err().cause, Cause::UpstreamTimeout);
    assert_eq!((began.elapsed().as_secs(), world.asked().len()), (60, 2));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_may_have_its_own_time() {
    let began = Instant::now();
    let world = World::new(&[&[Does::Hang], &[Does::Hang], &[]], 1, "failover: {per_attempt_timeout: 2s}");
    assert_eq!((world.ask().await.0.unwrap(), began.elapsed().as_secs()), ("c".to_owned(), 4));
}

#[tokio::test(start_paused = true)]
async fn without_failover_only_the_first_is_asked_again() {
    let world = World::new(&[&[DOWN, DOWN], &[]], 1, "circuit_breaker: {enabled: false}, failover: {enabled: false}");
    assert_eq!(world.ask().await.0.unwrap(), "a");
    assert_eq!(world.asked(), ["a1", "a1", "a1"]);
}

#[tokio::test(start_paused = true)]
async fn turns_go_round_however_often_a_request_is_retried() {
    let script = [Does::Answer(400); 30]; // an answer that ends it
    let world = World::new(&[&script, &script], 1, NO_BREAKER);
    let mut route = Route::new(world.route.candidates.clone(), world.route.source);
    let all = Arc::get_mut(&mut route).unwrap();
    all.candidates.iter_mut().for_each(|one| one.tier = 0);
    let world = World { route, ..world };
    for _ in 0..10 {
        let _ = world.ask().await;
    }
    assert_eq!(world.asked().iter().filter(|who| who.starts_with('a')).count(), 5);
}

/// A future that is dropped when it has been polled so often.
async fn cut<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let (mut future, mut left): (Pin<Box<F>>, _) = (Box::pin(future), polls);
    std::future::poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // the next poll may be the one at which the client is found to have left
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        3 => prop::sample::select(vec![200_u16, 400, 401, 429, 500, 503]).prop_map(Does::Answer),
        2 => (0..2_000_u64, prop::sample::select(vec![200_u16, 500])).prop_map(|(after, status)| Does::Late(after, status)),
        1 => (prop::sample::select(vec![429_u16, 503]), 0..3_u64).prop_map(|(status, wait)| Does::Ask(status, wait)),
        1 => Just(Does::Break),
        1 => Just(Does::Hang),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_happens_and_whoever_leaves_everything_is_given_back(
        scripts in prop::collection::vec(prop::collection::vec(does(), 0..6), 1..5),
        keys in 1..3_usize,
        polls in prop::collection::vec(0..12_usize, 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let scripts: Vec<&[Does]> = scripts.iter().map(Vec::as_slice).collect();
            let rules = "circuit_breaker: {failure_threshold: 1, open_duration: 1ms, half_open_max_requests: 1}, hedge: {budget_percent: 100}";
            let world = World::new(&scripts, keys, rules);
            for polls in polls {
                let (asked, began) = (world.asked().len(), Instant::now());
                let ended = cut(world.ask(), polls).await;
                let sent = world.asked().len() - asked;
                prop_assert!(sent <= 3 * keys + 2 * keys, "{} requests for one", sent);
                prop_assert!(began.elapsed() <= world.deadline + Duration::from_millis(2));
                if let Some((_, attempts)) = ended {
                    prop_assert_eq!(attempts as usize, sent);
                }
                for core in &world.cores {
                    prop_assert_eq!(core.in_flight(), 0);
                    prop_assert_eq!(core.probes(), 0);
                }
            }
            Ok(())
        })?;
    }
}
