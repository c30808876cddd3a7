//! What has been published and not acknowledged yet. Acknowledgements come in any order; released is only what everything
//! before it is.

use std::{collections::VecDeque, time::Instant};

/// Records under way, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Window {
    pending: VecDeque<Pending>,
}

#[derive(Debug)]
struct Pending {
    /// Of the publication; they ascend.
    number: u64,
    lane: usize,
    /// The position behind the record in its log.
    end: u64,
    /// When it was written into its log, in milliseconds since 1970.
    written: u64,
    sent: Instant,
    done: bool,
}

impl Window {
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// When the oldest of them was sent.
    pub fn oldest(&self) -> Option<Instant> {
        self.pending.front().map(|pending| pending.sent)
    }

    /// When the oldest of them was written into its log, in milliseconds since 1970.
    pub fn oldest_millis(&self) -> Option<u64> {
        self.pending.front().map(|pending| pending.written)
    }

    pub fn sent(&mut self, number: u64, lane: usize, end: u64, written: u64, now: Instant) {
        self.pending.push_back(Pending { number, lane, end, written, sent: now, done: false });
    }

    /// A record behind the last one of its lane that has not to be sent: it is released with that. Where nothing of the lane is
    /// under way it is with the whole of it.
    pub fn passed(&mut self, lane: usize, end: u64) {
        if let Some(last) = self.pending.iter_mut().rev().find(|pending| pending.lane == lane) {
            last.end = end;
        }
    }

    /// `false` when it was not waited for.
    pub fn acknowledged(&mut self, number: u64) -> bool {
        match self.pending.binary_search_by_key(&number, |pending| pending.number) {
            Ok(at) => !std::mem::replace(&mut self.pending[at].done, true),
            Err(_) => false,
        }
    }

    /// Takes what may be released: lane and position.
    pub fn settled(&mut self) -> Option<(usize, u64)> {
        let first = self.pending.front().filter(|pending| pending.done)?;
        let settled = (first.lane, first.end);
        self.pending.pop_front();
        Some(settled)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(many: u64) -> Window {
        let mut window = Window::default();
        (0..many).for_each(|n| window.sent(10 + n, 0, 100 + n, 7, Instant::now()));
        window
    }

    #[test]
    fn nothing_is_released_before_what_precedes_it() {
        let mut window = window(3);
        assert!(window.acknowledged(11) && window.acknowledged(12));
        assert_eq!(window.settled(), None);
        assert!(window.acknowledged(10));
        assert_eq!(std::iter::from_fn(|| window.settled()).last(), Some((0, 102)));
        assert!(window.is_empty());
    }

    #[test]
    fn an_acknowledgement_counts_once_and_strangers_do_not() {
        let mut window = window(2);
        assert!(
            window.acknowledged(10) && !window.acknowledged(10) && !window.acknowledged(9) && !window.acknowledged(12)
        );
    }

    #[test]
    fn what_is_passed_over_is_released_with_what_was_sent_before_it() {
        let mut window = window(1);
        window.passed(0, 200);
        window.passed(1, 7);
        window.acknowledged(10);
        assert_eq!(window.settled(), Some((0, 200)));
        window.passed(0, 300);
        assert!(window.is_empty());
    }

    proptest! {
        /// In whatever order they come, what is released is the longest prefix that is acknowledged.
        #[test]
        fn released_is_the_acknowledged_prefix(order in Just((0..20_u64).collect::<Vec<_>>()).prop_shuffle(), many in 0..20_usize) {
            let mut window = window(20);
            let (mut released, mut done) = (0, [false; 20]);
            for n in &order[..many] {
                window.acknowledged(10 + n);
                done[*n as usize] = true;
                released += std::iter::from_fn(|| window.settled()).count();
                prop_assert_eq!(released, done.iter().take_while(|done| **done).count());
            }
        }
    }
}
