//! How many extra requests (retries, hedges) the whole process may make, so that it never amplifies an outage.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

/// What requests deposit is forgotten over this time; the reserve refills in it.
const MEMORY: Duration = Duration::from_secs(10);
/// Slots of one minute: the present one and sixty that are over.
const HOUR: usize = 61;

/// Each request deposits a percentage of an extra one; beside that there is a small reserve for quiet times. Both what is
/// spent in the long run and what is out at once are bounded. Requests touch one atomic; only extra ones meet a lock.
pub struct Budget {
    percent: u32,
    /// The reserve, and how many may be out at once however few requests are active.
    min: u32,
    per_hour: Option<u32>,
    requests: AtomicU64,
    out: Arc<AtomicUsize>,
    account: Mutex<Account>,
}

struct Account {
    at: Duration,
    /// Requests that have been counted.
    seen: u64,
    /// In hundredths of an extra request.
    balance: f64,
    reserve: f64,
    /// Minute and what was spent in it.
    hour: [(u64, u32); HOUR],
}

/// An extra request on its way; dropped when that has ended.
#[derive(Debug)]
#[must_use]
pub struct Extra {
    out: Arc<AtomicUsize>,
}

impl Budget {
    pub fn new(percent: u32, min: u32) -> Self {
        let account = Account {
            at: Duration::ZERO,
            seen: 0,
            balance: 0.0,
            reserve: 100.0 * f64::from(min),
            hour: [(0, 0); HOUR],
        };
        Self {
            percent,
            min,
            per_hour: None,
            requests: AtomicU64::new(0),
            out: Arc::default(),
            account: Mutex::new(account),
        }
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
        let most = (active.saturating_mul(self.percent as usize) / 100).max(self.min as usize);
        // under the lock, so that what is out is not passed by several at once
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        if self.out.load(Relaxed) >= most || self.per_hour.is_some_and(|most| account.last_hour(now) >= most) {
            return None;
        }
        account.settle(now, self.requests.load(Relaxed), f64::from(self.percent), f64::from(self.min));
        if !account.take() {
            return None;
        }
        account.note(now);
        self.out.fetch_add(1, Relaxed);
        Some(Extra { out: self.out.clone() })
    }
}

impl Account {
    fn settle(&mut self, now: Duration, requests: u64, percent: f64, min: f64) {
        let passed = now.saturating_sub(self.at).as_secs_f64() / MEMORY.as_secs_f64();
        self.at = self.at.max(now);
        let new = requests.saturating_sub(self.seen) as f64;
        self.seen = self.seen.max(requests);
        // of a long time's requests only those of the last while count
        self.balance = self.balance * (1.0 - passed).max(0.0) + new * percent / passed.max(1.0);
        self.reserve = (self.reserve + 100.0 * min * passed).min(100.0 * min);
    }

    fn take(&mut self) -> bool {
        if self.balance >= 100.0 {
            self.balance -= 100.0;
            true
        } else if self.reserve >= 100.0 {
            self.reserve -= 100.0;
            true
        } else {
            false
        }
    }

    fn last_hour(&self, now: Duration) -> u32 {
        let minute = now.as_secs() / 60;
        self.hour.iter().filter(|(at, _)| at + HOUR as u64 > minute).map(|(_, spent)| spent).sum()
    }

    fn note(&mut self, now: Duration) {
        let minute = now.as_secs() / 60;
        let slot = &mut self.hour[(minute % HOUR as u64) as usize];
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
    fn there_is_a_reserve_and_it_refills_in_ten_seconds() {
        let budget = Budget::new(20, 3);
        assert_eq!(exhaust(&budget, at(0)), 3);
        assert_eq!((exhaust(&budget, at(3)), exhaust(&budget, at(7))), (0, 2));
        assert_eq!((exhaust(&budget, at(100)), exhaust(&budget, at(100))), (3, 0));
    }

    #[test]
    fn requests_deposit_their_percentage_and_it_is_forgotten() {
        let budget = Budget::new(20, 0);
        (0..100).for_each(|_| budget.request());
        assert_eq!(exhaust(&budget, at(0)), 20);
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
        assert_eq!((spent, budget.out.load(Relaxed)), (203, 0));
    }

    proptest! {
        #[test]
        fn in_the_long_run_extras_are_their_percentage_and_the_reserves(
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
                let reserves = f64::from(min) * (1.0 + now.as_secs_f64() / 10.0);
                let most = f64::from(requests * percent) / 100.0 + reserves;
                prop_assert!(f64::from(spent) <= most + 1e-6, "{} of {}", spent, most);
            }
        }
    }
}
