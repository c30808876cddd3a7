//! Holds one credential that expires and renews it early, one fetch at a time, in a task of its own.
//!
//! A request with a valid credential never waits. A fetch that fails keeps the old one while it is valid. Requests
//! without any wait together for the fetch that is under way.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{Failure, surroundings::Clock};

/// One fetch, which may ask several sources in turn.
const FETCH: Duration = Duration::from_secs(20);
/// A credential is used no longer than until this short of its expiry: the request has to arrive as well.
const MARGIN: Duration = Duration::from_secs(5);
/// Long-lived credentials are renewed this early, others at 80 % of their life.
const EARLY: Duration = Duration::from_secs(300);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(super) trait Source<T>: Send + Sync + 'static {
    fn fetch(&self) -> Fetching<'_, T>;
}

pub(super) type Fetching<'a, T> = Pin<Box<dyn Future<Output = Result<Fresh<T>, Failure>> + Send + 'a>>;

pub(super) struct Fresh<T> {
    pub value: T,
    pub life: Life,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Until(SystemTime),
    /// It does not say when it expires and may be replaced where it came from: it is looked up again in this time.
    Unknown(Duration),
}

pub(super) struct Keeper<T> {
    shared: Arc<Shared<T>>,
    renewal: Mutex<Option<JoinHandle<()>>>,
}

struct Shared<T> {
    source: Box<dyn Source<T>>,
    clock: Clock,
    held: ArcSwapOption<Held<T>>,
    /// Told of the end of every fetch.
    turns: watch::Sender<Turn>,
    wanted: Arc<Notify>,
}

pub(super) struct Held<T> {
    pub value: T,
    expires: Option<SystemTime>,
    renew: SystemTime,
}

/// How the last fetch ended.
#[derive(Default)]
struct Turn {
    failure: Option<Failure>,
    failures: u32,
    not_before: Option<Instant>,
}

impl<T: Send + Sync + 'static> Keeper<T> {
    /// Starts fetching when there is a runtime, otherwise on first use.
    pub(super) fn new(source: impl Source<T>, clock: Clock) -> Self {
        let shared = Shared {
            source: Box::new(source),
            clock,
            held: ArcSwapOption::empty(),
            turns: watch::Sender::new(Turn::default()),
            wanted: Arc::new(Notify::new()),
        };
        let keeper = Self { shared: Arc::new(shared), renewal: Mutex::new(None) };
        if tokio::runtime::Handle::try_current().is_ok() {
            keeper.nudge();
        }
        keeper
    }

    /// The credential, at once while there is a valid one.
    pub(super) async fn get(&self) -> Result<Arc<Held<T>>, Failure> {
        let mut turns = self.shared.turns.subscribe();
        if let Some(held) = self.shared.valid() {
            if (self.shared.clock)() >= held.renew {
                self.nudge();
            }
            return Ok(held);
        }
        if let Some(failure) = self.shared.recent_failure() {
            return Err(failure);
        }
        self.nudge();
        let _ = timeout(FETCH, turns.changed()).await;
        let failure = || turns.borrow().failure.clone();
        self.shared
            .valid()
            .ok_or_else(|| failure().unwrap_or_else(|| Failure::new("its source did not answer in time")))
    }

    /// Wakes the renewal, starts it if it has not begun or has died.
    fn nudge(&self) {
        let mut renewal = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        if renewal.as_ref().is_none_or(JoinHandle::is_finished) {
            *renewal = Some(tokio::spawn(renew(Arc::downgrade(&self.shared), self.shared.wanted.clone())));
        }
        drop(renewal);
        self.shared.wanted.notify_one();
    }
}

/// Ends with the keeper.
async fn renew<T: Send + Sync + 'static>(shared: Weak<Shared<T>>, wanted: Arc<Notify>) {
    loop {
        let Some(keeper) = shared.upgrade() else { return };
        let pause = keeper.turn().await;
        drop(keeper);
        let _ = timeout(pause, wanted.notified()).await;
    }
}

impl<T> Drop for Keeper<T> {
    fn drop(&mut self) {
        if let Some(renewal) = self.renewal.get_mut().unwrap_or_else(PoisonError::into_inner) {
            renewal.abort();
        }
    }
}

impl<T: 'static> Shared<T> {
    fn valid(&self) -> Option<Arc<Held<T>>> {
        let now = (self.clock)();
        self.held.load_full().filter(|held| held.expires.is_none_or(|at| now + MARGIN < at))
    }

    fn recent_failure(&self) -> Option<Failure> {
        let turn = self.turns.borrow();
        let waits = turn.not_before.is_some_and(|at| Instant::now() < at);
        turn.failure.clone().filter(|_| waits)
    }

    /// Fetches if it is time to; gives how long to sleep.
    async fn turn(&self) -> Duration {
        if let Some(held) = self.valid()
            && let Ok(left) = held.renew.duration_since((self.clock)())
            && !left.is_zero()
        {
            return left;
        }
        if let Some(at) = self.turns.borrow().not_before
            && Instant::now() < at
        {
            return at - Instant::now();
        }
        let fetched = timeout(FETCH, self.source.fetch()).await;
        let fetched = fetched.unwrap_or_else(|_| Err(Failure::new("its source did not answer in time")));
        match fetched.and_then(|fresh| held(fresh, (self.clock)())) {
            Ok(held) => {
                let pause = held.renew.duration_since((self.clock)()).unwrap_or_default();
                self.held.store(Some(Arc::new(held)));
                self.turns.send_replace(Turn::default());
                pause.max(FIRST_PAUSE)
            }
            Err(failure) => self.failed(failure),
        }
    }

    fn failed(&self, failure: Failure) -> Duration {
        let failures = self.turns.borrow().failures + 1;
        tracing::warn!(why = %failure.0, valid = self.valid().is_some(), "a credential could not be renewed");
        let pause = (FIRST_PAUSE * 2_u32.pow((failures - 1).min(10))).min(LONGEST_PAUSE);
        let not_before = Some(Instant::now() + pause);
        self.turns.send_replace(Turn { failure: Some(failure), failures, not_before });
        pause
    }
}

fn held<T>(fresh: Fresh<T>, now: SystemTime) -> Result<Held<T>, Failure> {
    let Fresh { value, life } = fresh;
    let at = match life {
        Life::Unknown(again) => return Ok(Held { value, expires: None, renew: now + again }),
        Life::Until(at) => at,
    };
    let left = at.duration_since(now).unwrap_or_default();
    if left <= MARGIN {
        return Err(Failure::new("its source gave one that has expired"));
    }
    let renew = now + left.mul_f64(0.8).max(left.saturating_sub(EARLY));
    Ok(Held { value, expires: Some(at), renew })
}
