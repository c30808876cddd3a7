//! Successes and failures of the last while, in a ring of atomic slots.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Bits of each count in a slot; the stretch of time that it counts (its era) is above both.
const BITS: u32 = 20;
const MAX: u64 = (1 << BITS) - 1;
const ERAS: u64 = (1 << (64 - 2 * BITS)) - 1;

/// It forgets slot by slot: what it holds is between `SLOTS - 1` and `SLOTS` slots long.
#[derive(Debug)]
pub(super) struct Window<const SLOTS: usize> {
    /// Length of a slot, ms.
    slot: u64,
    /// Era, successes and failures in one word, so that no count is ever taken for another era's.
    slots: [AtomicU64; SLOTS],
}

impl<const SLOTS: usize> Window<SLOTS> {
    pub(super) fn new(length: Duration) -> Self {
        let slot = (length.as_millis() as u64).div_ceil(SLOTS as u64).max(1);
        Self { slot, slots: [const { AtomicU64::new(0) }; SLOTS] }
    }

    pub(super) fn succeeded(&self, now: Duration) {
        self.count(now, 1, 0);
    }

    pub(super) fn failed(&self, now: Duration) {
        self.count(now, 0, 1);
    }

    fn count(&self, now: Duration, successes: u64, failures: u64) {
        let (at, era) = self.era(now);
        let add = |word: u64| {
            let (old, mut s, mut f) = unpack(word);
            if old != era {
                // a thread that was held up must not wipe out a newer slot
                let behind = word != 0 && old.wrapping_sub(era) & ERAS <= SLOTS as u64;
                return (!behind).then(|| pack(era, successes, failures));
            }
            if s == MAX || f == MAX {
                (s, f) = (s / 2, f / 2); // their proportion is what matters
            }
            Some(pack(era, s + successes, f + failures))
        };
        // `Err` is the thread that was held up: its sample is out of date
        let _ = self.slots[at].fetch_update(Relaxed, Relaxed, add);
    }

    /// Failures, and all together. In a slot that overflows both counts are halved.
    pub(super) fn tally(&self, now: Duration) -> (u32, u32) {
        self.tally_of(now, SLOTS)
    }

    /// Those of the last slots only, the present one included.
    pub(super) fn tally_of(&self, now: Duration, last: usize) -> (u32, u32) {
        let (_, now) = self.era(now);
        let mut tally = (0, 0);
        for slot in &self.slots {
            let (era, successes, failures) = unpack(slot.load(Relaxed));
            if now.wrapping_sub(era) & ERAS < last as u64 {
                tally.0 += failures as u32;
                tally.1 += (successes + failures) as u32;
            }
        }
        tally
    }

    pub(super) fn clear(&self) {
        for slot in &self.slots {
            slot.store(0, Relaxed);
        }
    }

    fn era(&self, now: Duration) -> (usize, u64) {
        let era = now.as_millis() as u64 / self.slot;
        ((era % SLOTS as u64) as usize, era & ERAS)
    }
}

fn pack(era: u64, successes: u64, failures: u64) -> u64 {
    era << (2 * BITS) | successes << BITS | failures
}

fn unpack(word: u64) -> (u64, u64, u64) {
    (word >> (2 * BITS), word >> BITS & MAX, word & MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_forgets_what_is_older_than_the_window() {
        let window = Window::<10>::new(at(30));
        window.failed(at(1));
        window.succeeded(at(2));
        assert_eq!(window.tally(at(29)), (1, 2));
        assert_eq!(window.tally(at(30)), (0, 0));
        window.failed(at(31));
        assert_eq!(window.tally(at(31)), (1, 1), "the slot of second 1 is used again from 0");
        window.failed(at(1));
        assert_eq!(window.tally(at(31)), (1, 1), "a thread that was held up wipes nothing out");
    }

    #[test]
    fn a_part_of_it_can_be_asked_for() {
        let window = Window::<60>::new(at(300));
        for second in 0..300 {
            if second < 240 { window.failed(at(second)) } else { window.succeeded(at(second)) }
        }
        assert_eq!(window.tally_of(at(299), 12), (0, 60));
        assert_eq!(window.tally_of(at(299), 13), (5, 65));
        assert_eq!(window.tally(at(299)), (240, 300));
    }

    #[test]
    fn a_full_slot_keeps_its_proportion() {
        let window = Window::<10>::new(at(30));
        for _ in 0..1_000_000 {
            window.failed(at(1));
            window.succeeded(at(1));
            window.succeeded(at(1));
        }
        let (failures, all) = window.tally(at(1));
        assert!((f64::from(failures) / f64::from(all) - 1.0 / 3.0).abs() < 0.01, "{failures} of {all}");
    }

    #[test]
    fn a_window_shorter_than_its_slots_works() {
        let window = Window::<10>::new(Duration::ZERO);
        window.failed(at(3));
        assert_eq!(window.tally(at(3)), (1, 1));
        assert_eq!(window.tally(at(4)), (0, 0));
    }
}
