//! The bucket against one that remembers everything that ever happened.

use std::time::Duration;

use proptest::prelude::*;

use super::{SECOND, limit};
use crate::admission::limits::{Bucket, Held};

const MINUTE: u128 = 60_000_000_000;

/// Computes the level anew from its whole history.
struct Naive {
    limit: u64,
    /// When, how many units.
    used: Vec<(Duration, u64)>,
    held: Vec<(Duration, u64)>,
}

impl Naive {
    fn at(&self, now: Duration) -> u128 {
        let (mut level, mut at) = (0_u128, Duration::ZERO);
        let mut used = self.used.clone();
        used.sort_unstable();
        for (when, units) in used.into_iter().chain([(now, 0)]) {
            level = level.saturating_sub((when - at).as_nanos() * u128::from(self.limit));
            level += u128::from(units) * MINUTE;
            at = when;
        }
        level + self.held.iter().map(|(_, units)| u128::from(*units) * MINUTE).sum::<u128>()
    }

    fn fits(&self, now: Duration, units: u64) -> bool {
        self.at(now) + u128::from(units) * MINUTE <= u128::from(self.limit) * MINUTE
    }

    /// What has been held since the minute before last counts as used.
    fn expire(&mut self, now: Duration) {
        let (old, held) = self.held.iter().partition(|(since, _)| expiry(*since) <= now);
        self.held = held;
        let old: Vec<(Duration, u64)> = old;
        self.used.extend(old.into_iter().map(|(since, units)| (expiry(since), units)));
    }
}

fn expiry(since: Duration) -> Duration {
    Duration::from_secs((since.as_secs() / 60 + 2) * 60)
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Take(u64),
    /// The last take that was not given back comes back.
    Return,
    Reserve(u64),
    /// The oldest reservation ends, so many per mille of it used.
    Settle(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u64..20_000).prop_map(Step::Wait),
        1 => (50_000_u64..200_000).prop_map(Step::Wait),
        4 => (1_u64..8).prop_map(Step::Take),
        2 => Just(Step::Return),
        4 => (1_u64..12).prop_map(Step::Reserve),
        4 => (0_u64..1_600).prop_map(Step::Settle),
    ]
}

/// What was used, and when, is in no stretch of time more than the limit and what runs off meanwhile.
fn never_more(mut used: Vec<(Duration, u64)>, units: u64) -> Result<(), TestCaseError> {
    used.sort_unstable();
    for (first, (start, _)) in used.iter().enumerate() {
        let mut sum = 0;
        for (when, spent) in &used[first..] {
            sum += u128::from(*spent);
            let most = u128::from(units) * (MINUTE + (*when - *start).as_nanos());
            prop_assert!(sum * MINUTE <= most, "{sum} from {start:?} to {when:?}");
        }
    }
    Ok(())
}

proptest! {
    /// Without gifts, every decision and every level is that of the naive bucket.
    #[test]
    fn decisions_are_those_of_a_bucket_that_forgets_nothing(units in 1_u64..20, steps in steps()) {
        let mut bucket = Bucket::new(limit(units), Duration::ZERO);
        let mut naive = Naive { limit: units, used: vec![], held: vec![] };
        let mut held: Vec<(Duration, Held)> = vec![];
        let mut now = Duration::ZERO;
        for step in steps {
            naive.expire(now);
            match step {
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Take(units) => {
                    let took = bucket.take(now, units);
                    prop_assert_eq!(took.is_ok(), naive.fits(now, units), "take {} at {:?}", units, now);
                    naive.used.extend(took.is_ok().then_some((now, units)));
                }
                Step::Reserve(wanted) => {
                    let got = bucket.reserve(now, wanted);
                    prop_assert_eq!(got.is_ok(), naive.fits(now, wanted.min(units)));
                    if let Ok(got) = got {
                        prop_assert_eq!(got.units, wanted.min(units));
                        naive.held.push((now, got.units));
                        held.push((now, got));
                    }
                }
                Step::Settle(share) if !held.is_empty() => {
                    let (since, got) = held.remove(0);
                    // what has expired and is given back is the other property's
                    let least = if expiry(since) <= now { got.units } else { 0 };
                    let used = (got.units * share / 1_000).max(least);
                    bucket.settle(now, got, used);
                    match naive.held.iter().position(|one| *one == (since, got.units)) {
                        Some(at) => {
                            naive.held.remove(at);
                            naive.used.push((now, used));
                        }
                        None => naive.used.push((now, used - got.units)),
                    }
                }
                Step::Settle(_) | Step::Return => {}
            }
            naive.expire(now);
            let gone = u64::try_from(naive.at(now).div_ceil(MINUTE)).unwrap();
            prop_assert_eq!(bucket.level(now).remaining, units.saturating_sub(gone), "at {:?}", now);
        }
    }

    /// Whatever is given back and however late: in no stretch of time is more used than the limit and what runs off meanwhile.
    #[test]
    fn no_gift_lets_in_more_than_the_limit(units in 1_u64..20, steps in steps()) {
        let mut bucket = Bucket::new(limit(units), Duration::ZERO);
        let mut held: Vec<(Duration, Held)> = vec![];
        let (mut taken, mut used) = (vec![], vec![]);
        let mut now = Duration::ZERO;
        for step in steps {
            match step {
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Take(units) if bucket.take(now, units).is_ok() => taken.push((now, units)),
                Step::Take(_) => {}
                Step::Return => {
                    if let Some((when, units)) = taken.pop() {
                        bucket.give_back(now, when, units);
                    }
                }
                Step::Reserve(units) => held.extend(bucket.reserve(now, units).ok().map(|got| (now, got))),
                Step::Settle(share) if !held.is_empty() => {
                    let (since, got) = held.remove(0);
                    let spent = got.units * share.min(1_000) / 1_000;
                    bucket.settle(now, got, spent);
                    used.push((now.min(expiry(since)), spent));
                }
                Step::Settle(_) => {}
            }
        }
        used.extend(taken);
        never_more(used, units)?;
    }

    /// Buckets that tell each other at once are one bucket: what they let in together, each at the time when it was let in, is in no
    /// stretch of time more than the limit and what runs off meanwhile.
    #[test]
    fn several_that_hear_of_each_other_let_in_what_one_does(
        units in 1_u64..20, steps in prop::collection::vec((0..3_usize, step()), 1..80),
    ) {
        let mut buckets: Vec<_> = (0..3).map(|_| Bucket::new(limit(units), Duration::ZERO)).collect();
        let mut held: Vec<(usize, Duration, Held)> = vec![];
        let (mut taken, mut used) = (vec![], vec![]);
        let mut now = Duration::ZERO;
        for (at, step) in steps {
            let bucket = &mut buckets[at];
            match step {
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Take(units) => taken.extend(bucket.take(now, units).ok().map(|()| (at, now, units))),
                Step::Return => {
                    if let Some((at, when, units)) = taken.pop() {
                        buckets[at].give_back(now, when, units);
                    }
                }
                Step::Reserve(units) => held.extend(bucket.reserve(now, units).ok().map(|got| (at, now, got))),
                Step::Settle(share) if !held.is_empty() => {
                    let (at, since, got) = held.remove(0);
                    let spent = got.units * share.min(1_000) / 1_000;
                    buckets[at].settle(now, got, spent);
                    used.push((since, spent));
                }
                Step::Settle(_) => {}
            }
            for from in 0..3 {
                let said = buckets[from].told();
                (0..3).filter(|to| *to != from).for_each(|to| buckets[to].heard(now, said));
            }
        }
        used.extend(taken.into_iter().map(|(_, when, units)| (when, units)));
        used.extend(held.into_iter().map(|(_, since, got)| (since, got.units)));
        never_more(used, units)?;
    }

    /// Whoever waits as long as he is told gets in, if nobody was quicker.
    #[test]
    fn the_wait_is_long_enough_and_not_longer(units in 1_u64..1_000, first in 1_u64..1_000, second in 1_u64..1_000) {
        let (first, second) = (first.min(units), second.min(units));
        let mut bucket = Bucket::new(limit(units), Duration::ZERO);
        bucket.take(SECOND, first).unwrap();
        if let Err(wait) = bucket.take(SECOND, second) {
            let early = SECOND + wait - Duration::from_nanos(1);
            prop_assert!(bucket.clone().take(early, second).is_err());
            prop_assert!(bucket.take(SECOND + wait, second).is_ok());
        }
    }
}

#[test]
fn a_limit_is_exact_to_the_unit_and_runs_off_evenly() {
    for units in [1, 7, 60, 1_000_000_007] {
        let mut bucket = Bucket::new(limit(units), Duration::ZERO);
        assert!(bucket.take(SECOND, units).is_ok());
        assert!(bucket.take(SECOND, 1).is_err(), "{units}");
        assert_eq!(bucket.level(SECOND * 31).remaining, units / 2, "{units}");
        assert_eq!(bucket.level(SECOND * 61).remaining, units);
    }
}

#[test]
fn a_request_larger_than_the_limit_has_it_for_itself() {
    let mut bucket = Bucket::new(limit(100), Duration::ZERO);
    let held = bucket.reserve(Duration::ZERO, 1_000_000).unwrap();
    assert!(bucket.reserve(Duration::ZERO, 1).is_err());
    bucket.settle(SECOND, held, 150);
    assert_eq!(bucket.level(SECOND).remaining, 0);
    assert!(bucket.take(SECOND * 31, 1).is_err(), "what was used beyond the limit is waited for");
    assert!(bucket.take(SECOND * 32, 1).is_ok());
}

#[test]
fn a_changed_limit_keeps_what_was_used() {
    let mut bucket = Bucket::new(limit(100), Duration::ZERO);
    bucket.take(Duration::ZERO, 60).unwrap();
    bucket.resize(Duration::ZERO, limit(50));
    assert!(bucket.take(Duration::ZERO, 1).is_err());
    bucket.resize(Duration::ZERO, limit(200));
    assert_eq!(bucket.level(Duration::ZERO).remaining, 140);
}

#[test]
fn a_stream_that_goes_on_for_long_keeps_no_tokens_from_others() {
    let mut bucket = Bucket::new(limit(100), Duration::ZERO);
    let long = bucket.reserve(SECOND, 100).unwrap();
    assert!(bucket.reserve(SECOND * 119, 1).is_err());
    assert!(bucket.reserve(SECOND * 150, 50).is_ok(), "half of it has run off since the second minute's end");
    bucket.settle(SECOND * 600, long, 100);
    assert_eq!(bucket.level(SECOND * 600).remaining, 100);
}
