//! So much a minute: pure, exact in whole units and nanoseconds.
//!
//! A leaky bucket (GCRA in another notation) with a second floor for what is only reserved. What was used runs off evenly,
//! `limit` units a minute. What a request in progress may still use is held beside it and does not run off: otherwise a
//! slow request would have leaked away before it is known what it used, and what it gave back would be given twice.

use std::{num::NonZeroU64, time::Duration};

use crate::telemetry::Level;

/// Nanoseconds in a minute: a unit that was used weighs as many, and a nanosecond takes `limit` of them off.
const MINUTE: u128 = 60_000_000_000;
const WEIGHT: i128 = MINUTE as i128;
const EPOCH_SECONDS: u64 = 60;
/// Who has to wait for others' reservations is told to come back after this time.
const SOON: Duration = Duration::from_secs(1);

/// The state of one limit. Times are those of any one clock that does not go back.
#[derive(Debug, Clone)]
pub struct Bucket {
    limit: NonZeroU64,
    used: u128,
    at: Duration,
    /// Reserved in the epoch that is running and in the one before it; a minute each, by the parity of their number.
    held: [u64; 2],
    epoch: u64,
    /// What was taken and not told of, less what was given back.
    untold: i128,
}

/// Units put aside by [`Bucket::reserve`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub units: u64,
    at: Duration,
}

impl Bucket {
    pub fn new(limit: NonZeroU64, now: Duration) -> Self {
        Self { limit, used: 0, at: now, held: [0; 2], epoch: epoch(now), untold: 0 }
    }

    /// What was used stays used.
    pub fn resize(&mut self, now: Duration, limit: NonZeroU64) {
        self.pass(now);
        self.limit = limit;
    }

    /// Uses units at once.
    ///
    /// # Errors
    /// How long to wait.
    pub fn take(&mut self, now: Duration, units: u64) -> Result<(), Duration> {
        self.admit(now, units)?;
        self.used += u128::from(units) * MINUTE;
        self.tell(units);
        Ok(())
    }

    /// Gives back units that were taken and not used. What has run off since they were taken may be theirs: so much of
    /// them is kept, since it was open to others.
    pub fn give_back(&mut self, now: Duration, taken: Duration, units: u64) {
        self.pass(now);
        let unused = self.unused(now, taken, units);
        self.used = self.used.saturating_sub(unused);
        self.take_back(unused);
    }

    fn unused(&self, now: Duration, taken: Duration, units: u64) -> u128 {
        let run_off = now.saturating_sub(taken).as_nanos() * self.per_nano();
        (u128::from(units) * MINUTE).saturating_sub(run_off)
    }

    /// Holds units for a request whose use is known at its end. More than the limit is never held: such a request has the
    /// bucket for itself.
    ///
    /// # Errors
    /// How long to wait.
    pub fn reserve(&mut self, now: Duration, units: u64) -> Result<Held, Duration> {
        let units = units.min(self.limit.get());
        self.admit(now, units)?;
        self.held[parity(self.epoch)] += units;
        self.tell(units);
        Ok(Held { units, at: now })
    }

    /// The request has ended and used so many, which may be more than were held.
    pub fn settle(&mut self, now: Duration, held: Held, used: u64) {
        self.pass(now);
        match used.checked_sub(held.units) {
            Some(more) => self.tell(more),
            // with the others it has been running off since it was held
            None => self.take_back(self.unused(now, held.at, held.units - used)),
        }
        let epoch = epoch(held.at);
        if epoch + 1 >= self.epoch {
            let place = &mut self.held[parity(epoch)];
            *place = place.saturating_sub(held.units);
            self.used += u128::from(used) * MINUTE;
        } else if used > held.units {
            self.used += u128::from(used - held.units) * MINUTE;
        } else {
            let unused = self.unused(now, ended(epoch + 1), held.units - used);
            self.used = self.used.saturating_sub(unused);
        }
    }

    /// The units that have been taken since this was last asked, less those that were given back. Of one that came back in part the
    /// rest is told with the next.
    pub fn told(&mut self) -> i64 {
        let told = self.news();
        self.untold -= told * WEIGHT;
        i64::try_from(told).unwrap_or(i64::MAX)
    }

    /// Whether there are some.
    pub fn has_news(&self) -> bool {
        self.news() != 0
    }

    /// Rounded up: what is told is never less than what was taken.
    fn news(&self) -> i128 {
        (self.untold + WEIGHT - 1).div_euclid(WEIGHT)
    }

    /// Others have taken that from what is theirs, too, whether it was there or not; or given back.
    pub fn heard(&mut self, now: Duration, units: i64) {
        self.pass(now);
        let weight = u128::from(units.unsigned_abs()) * MINUTE;
        self.used = if units > 0 { self.used + weight } else { self.used.saturating_sub(weight) };
    }

    fn tell(&mut self, units: u64) {
        self.untold += i128::from(units) * WEIGHT;
    }

    fn take_back(&mut self, weight: u128) {
        self.untold = self.untold.saturating_sub_unsigned(weight);
    }

    pub fn level(&mut self, now: Duration) -> Level {
        self.pass(now);
        let (limit, weight) = (self.limit.get(), self.weight());
        let gone = u64::try_from(weight.div_ceil(MINUTE)).unwrap_or(u64::MAX);
        Level { limit, remaining: limit.saturating_sub(gone), reset: self.time_for(weight) }
    }

    /// Nothing is left of what was ever used.
    pub fn is_empty(&mut self, now: Duration) -> bool {
        self.pass(now);
        self.weight() == 0
    }

    fn weight(&self) -> u128 {
        self.used + u128::from(self.held[0] + self.held[1]) * MINUTE
    }

    /// What runs off in a nanosecond.
    fn per_nano(&self) -> u128 {
        self.limit.get().into()
    }

    /// Until so much has run off.
    fn time_for(&self, weight: u128) -> Duration {
        Duration::from_nanos(u64::try_from(weight.div_ceil(self.per_nano())).unwrap_or(u64::MAX))
    }

    fn admit(&mut self, now: Duration, units: u64) -> Result<(), Duration> {
        self.pass(now);
        let over = self.weight() + u128::from(units) * MINUTE;
        let over = over.saturating_sub(self.per_nano() * MINUTE);
        if over == 0 {
            return Ok(());
        }
        let wait = self.time_for(over.min(self.used));
        Err(if over > self.used { wait.max(SOON) } else { wait })
    }

    /// Lets time pass. A reservation is held for one to two minutes; then it counts as used, and runs off: a stream that
    /// goes on for long does not keep a minute's tokens for itself.
    fn pass(&mut self, now: Duration) {
        let current = epoch(now);
        if current > self.epoch {
            // the epoch before the last one ends first
            for last in [self.epoch, self.epoch + 1].into_iter().take_while(|last| *last < current) {
                self.run_off(ended(last));
                self.used += u128::from(std::mem::take(&mut self.held[parity(last + 1)])) * MINUTE;
            }
            self.epoch = current;
        }
        self.run_off(now);
    }

    fn run_off(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at);
        if !passed.is_zero() {
            self.used = self.used.saturating_sub(passed.as_nanos() * self.per_nano());
            self.at = now;
        }
    }
}

fn epoch(now: Duration) -> u64 {
    now.as_secs() / EPOCH_SECONDS
}

fn parity(epoch: u64) -> usize {
    usize::from(epoch % 2 == 1)
}

/// When an epoch is over.
fn ended(epoch: u64) -> Duration {
    Duration::from_secs((epoch + 1) * EPOCH_SECONDS)
}
