//! What a keeper promises, in paused time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::{Instant, advance, sleep};

use super::super::{
    Failure,
    keeper::{Fetching, Fresh, Keeper, Life, Source},
    surroundings::Clock,
};
use super::noon;

/// Gives the number of the fetch, valid for ten minutes; one takes a second.
#[derive(Clone, Default)]
struct Counting {
    fetches: Arc<AtomicUsize>,
    broken: Arc<AtomicBool>,
}

impl Source<usize> for Counting {
    fn fetch(&self) -> Fetching<'_, usize> {
        let now = clock();
        Box::pin(async move {
            let value = self.fetches.fetch_add(1, Relaxed) + 1;
            sleep(Duration::from_secs(1)).await;
            if self.broken.load(Relaxed) {
                return Err(Failure::new("broken"));
            }
            Ok(Fresh { value, life: Life::Until(now() + Duration::from_secs(600)) })
        })
    }
}

fn clock() -> Clock {
    thread_local!(static BORN: Instant = Instant::now());
    let born = BORN.with(|born| *born);
    Arc::new(move || noon() + born.elapsed())
}

fn keeper(source: &Counting) -> Arc<Keeper<usize>> {
    Arc::new(Keeper::new(source.clone(), clock()))
}

async fn seconds(count: u64) {
    for _ in 0..count {
        advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
}

async fn at_once(keeper: &Keeper<usize>) -> Result<usize, Failure> {
    let began = Instant::now();
    let held = keeper.get().await.map(|held| held.value);
    assert_eq!(began.elapsed(), Duration::ZERO, "a request waited");
    held
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_share_one_fetch() {
    let source = Counting::default();
    let keeper = keeper(&source);
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let keeper = keeper.clone();
                async move { keeper.get().await.map(|held| held.value) }
            })
        })
        .collect();
    for waiter in waiting {
        assert_eq!(waiter.await.unwrap(), Ok(1));
    }
    assert_eq!(source.fetches.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn renewal_is_early_and_nobody_waits_for_it() {
    let source = Counting::default();
    let keeper = keeper(&source);
    keeper.get().await.unwrap();
    seconds(470).await;
    assert_eq!(at_once(&keeper).await, Ok(1));
    seconds(20).await;
    assert_eq!(at_once(&keeper).await, Ok(2), "renewed at 80 % of its life without being asked");
    assert_eq!(source.fetches.load(Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_renewal_keeps_the_old_one_while_it_is_valid() {
    let source = Counting::default();
    let keeper = keeper(&source);
    keeper.get().await.unwrap();
    source.broken.store(true, Relaxed);
    seconds(550).await;
    assert_eq!(at_once(&keeper).await, Ok(1));
    assert!(source.fetches.load(Relaxed) < 12, "it is not hammered: {}", source.fetches.load(Relaxed));
    seconds(60).await;
    assert!(keeper.get().await.is_err(), "it has expired");
    source.broken.store(false, Relaxed);
    seconds(60).await;
    assert!(at_once(&keeper).await.is_ok(), "it recovers without being asked");
}

#[tokio::test(start_paused = true)]
async fn a_failure_moments_ago_is_answered_at_once() {
    let source = Counting::default();
    source.broken.store(true, Relaxed);
    let keeper = keeper(&source);
    assert_eq!(keeper.get().await.map(|held| held.value), Err(Failure::new("broken")));
    for _ in 0..100 {
        assert_eq!(at_once(&keeper).await, Err(Failure::new("broken")));
    }
    assert_eq!(source.fetches.load(Relaxed), 1);
}

struct Silent;

impl Source<usize> for Silent {
    fn fetch(&self) -> Fetching<'_, usize> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_source_is_given_up() {
    let keeper = Keeper::new(Silent, clock());
    let began = Instant::now();
    assert!(keeper.get().await.is_err());
    assert!(began.elapsed() <= Duration::from_secs(21));
}
