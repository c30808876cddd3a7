//! How many extra requests (retries, hedges) the whole process may make, so that it never amplifies an outage.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

/// Extra requests are measured against the requests of this time.
const WINDOW: u64 = 10;
/// Slots of one minute: the present one and sixty that are over.
const HOUR: usize = 61;

/// In any ten seconds, extra requests are at most a percentage of that time's requests, and a few in quiet times. What is
/// out at once is bounded the same way. Requests touch one atomic; only extra ones meet a lock.
pub struct Budget {
    percent: u32,
    /// So many are allowed however few requests there are.
    min: u32,
    per_hour: Option<u32>,
    requests: AtomicU64,
    out: Arc<AtomicUsize>,
    account: Mutex<Account>,
}

#[derive(Default)]
struct Account {
    /// Requests that have been counted.
    seen: u64,
    /// When the last were.
    at: Duration,
    seconds: [Second; WINDOW as usize],
    minutes: Minutes,
}

/// One of the last seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Second {
    /// Of the process's life.
    number: u64,
    requests: u64,
    extras: u64,
}

/// Minute and what was spent in it.
struct Minutes([(u64, u32); HOUR]);

impl Default for Minutes {
    fn default() -> Self {
        Self([(0, 0); HOUR])
    }
}

/// An extra request on its way; dropped when that has ended.
#[derive(Debug)]
#[must_use]
pub struct Extra {
    out: Arc<AtomicUsize>,
}

impl Budget {
    pub fn new(percent: u32, min: u32) -> Self {
        let (requests, out, account) = (AtomicU64::new(0), Arc::default(), Mutex::default());
        Self { percent, min, per_hour: None, requests, out, account }
    }

    /// At most so many in any hour, too.
    pub fn per_hour(self, most: u32) -> Self {
        Self { per_hour: Some(most), ..self }
    }

    /// A request has come.
    pub fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    /// Leave for one extra request. `now` is the process's age, `active` are the requests in progress.
    pub fn withdraw(&self, now: Duration, active: usize) -> Option<Extra> {
        let most = |of: u64| (of.saturating_mul(u64::from(self.percent)) / 100).max(u64::from(self.min));
        // under the lock, so that what is out is not passed by several at once
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        if self.out.load(Relaxed) as u64 >= most(active as u64) {
            return None;
        }
        if self.per_hour.is_some_and(|most| account.minutes.spent(now) >= most) {
            return None;
        }
        account.count(now, self.requests.load(Relaxed));
        let (requests, extras) = account.window(now);
        if extras >= most(requests) {
            return None;
        }
        account.second(now).extras += 1;
        account.minutes.note(now);
        self.out.fetch_add(1, Relaxed);
        Some(Extra { out: self.out.clone() })
    }
}

impl Account {
    /// Counts the requests that have come since this was last done: in the present second, or if that was long ago only
    /// their share of the last ten.
    fn count(&mut self, now: Duration, requests: u64) {
        let (new, passed) = (requests.saturating_sub(self.seen), now.saturating_sub(self.at).as_secs());
        self.seen = self.seen.max(requests);
        self.at = self.at.max(now);
        self.second(now).requests += if passed > WINDOW { new * WINDOW / passed } else { new };
    }

    /// The slot of the present second.
    fn second(&mut self, now: Duration) -> &mut Second {
        let number = now.as_secs();
        let slot = &mut self.seconds[(number % WINDOW) as usize];
        if slot.number != number {
            *slot = Second { number, ..Second::default() };
        }
        slot
    }

    /// Requests and extra ones of the last ten seconds.
    fn window(&self, now: Duration) -> (u64, u64) {
        let now = now.as_secs();
        let recent = self.seconds.iter().filter(|second| second.number + WINDOW > now);
        recent.fold((0, 0), |(requests, extras), second| (requests + second.requests, extras + second.extras))
    }
}

impl Minutes {
    /// In the last hour.
    fn spent(&self, now: Duration) -> u32 {
        let minute = now.as_secs() / 60;
        self.0.iter().filter(|(at, _)| at + HOUR as u64 > minute).map(|(_, spent)| spent).sum()
    }

    fn note(&mut self, now: Duration) {
        let minute = now.as_secs() / 60;
        let slot = &mut self.0[(minute % HOUR as u64) as usize];
        if slot.0 != minute {
            *slot = (minute, 0);
        }
        slot.1 += 1;
    }
}

impl Drop for Extra {
    fn drop(&mut self) {
        self.out.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Retries as often as it may, each ending at once; says how often that was.
    fn exhaust(budget: &Budget, now: Duration) -> u32 {
        (0..10_000).map_while(|_| budget.withdraw(now, 1_000_000)).count() as u32
    }

    #[test]
    fn in_quiet_times_a_few_are_allowed_every_ten_seconds() {
        let budget = Budget::new(20, 3);
        assert_eq!(exhaust(&budget, at(0)), 3);
        assert_eq!((exhaust(&budget, at(3)), exhaust(&budget, at(9))), (0, 0));
        assert_eq!((exhaust(&budget, at(10)), exhaust(&budget, at(100)), exhaust(&budget, at(100))), (3, 3, 0));
    }

    #[test]
    fn with_requests_they_are_their_percentage_and_not_one_more() {
        let budget = Budget::new(20, 3);
        (0..100).for_each(|_| budget.request());
        assert_eq!(exhaust(&budget, at(0)), 20);
        (0..50).for_each(|_| budget.request());
        assert_eq!((exhaust(&budget, at(5)), exhaust(&budget, at(9))), (10, 0));
    }

    #[test]
    fn requests_of_long_ago_do_not_count() {
        let budget = Budget::new(20, 0);
        (0..100).for_each(|_| budget.request());
        assert_eq!(exhaust(&budget, at(40)), 5, "of 40 s only the last ten count");
        (0..100).for_each(|_| budget.request());
        drop(budget.withdraw(at(41), 100).unwrap());
        assert_eq!(exhaust(&budget, at(51)), 0);
    }

    #[test]
    fn only_so_many_are_out_at_once() {
        let budget = Budget::new(20, 3);
        (0..1000).for_each(|_| budget.request());
        let mut out: Vec<_> = (0..100).map_while(|_| budget.withdraw(at(1), 50)).collect();
        assert_eq!(out.len(), 10);
        out.truncate(3);
        assert!(budget.withdraw(at(1), 0).is_none() && budget.withdraw(at(1), 20).is_some());
        out.clear();
        let few: Vec<_> = (0..100).map_while(|_| budget.withdraw(at(1), 0)).collect();
        assert_eq!(few.len(), 3);
    }

    #[test]
    fn an_hour_has_its_own_bound() {
        let budget = Budget::new(100, 1).per_hour(10);
        let mut spent = Vec::new();
        for minute in 0..180 {
            (0..5).for_each(|_| budget.request());
            spent.push(exhaust(&budget, at(minute * 60)));
        }
        assert!(spent.windows(60).all(|hour| hour.iter().sum::<u32>() <= 10), "{spent:?}");
        assert!(spent.iter().sum::<u32>() >= 20);
    }

    #[test]
    fn threads_never_spend_more_than_there_is() {
        let budget = Budget::new(20, 3);
        (0..1000).for_each(|_| budget.request());
        let spent: u32 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| exhaust(&budget, at(1)))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((spent, budget.out.load(Relaxed)), (200, 0));
    }

    proptest! {
        #[test]
        fn in_the_long_run_extras_are_their_percentage_and_a_few_in_quiet_times(
            percent in 0..=100_u32, min in 0..5_u32,
            steps in prop::collection::vec((0..3_000_u64, 0..40_u32, 0..40_u32, 0..100_usize), 1..200),
        ) {
            let budget = Budget::new(percent, min);
            let (mut now, mut requests, mut spent, mut out) = (Duration::ZERO, 0, 0, Vec::new());
            for (wait, come, wanted, active) in steps {
                now += Duration::from_millis(wait);
                (0..come).for_each(|_| budget.request());
                requests += come;
                for _ in 0..wanted {
                    let Some(extra) = budget.withdraw(now, active) else { break };
                    out.push(extra);
                    spent += 1;
                    prop_assert!(out.len() <= (active * percent as usize / 100).max(min as usize));
                }
                out.truncate(out.len() / 2);
                let quiet = u64::from(min) * (1 + now.as_secs() / WINDOW);
                let most = u64::from(requests * percent / 100) + quiet;
                prop_assert!(spent <= most, "{} of {}", spent, most);
            }
        }

        #[test]
        fn where_requests_are_enough_extras_are_never_more_than_their_percentage(
            percent in 1..=100_u32, steps in prop::collection::vec((0..2_000_u64, 0..40_u32), 1..200),
        ) {
            let (budget, min) = (Budget::new(percent, 3), 300 / percent + 1);
            let (mut now, mut requests, mut spent) = (Duration::ZERO, 0, 0);
            for (wait, more) in steps {
                now += Duration::from_millis(wait);
                (0..min + more).for_each(|_| budget.request());
                requests += min + more;
                spent += exhaust(&budget, now);
                prop_assert!(spent * 100 <= requests * percent, "{} of {}", spent, requests);
            }
        }
    }
}
