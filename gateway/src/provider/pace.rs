//! How fast a stream may go, so that one that floods takes no core from the others.

use std::time::Duration;

use tokio::time::Instant;

/// Bytes that a stream may pass on in one turn: nobody else on its core waits for longer than they take.
pub(super) const TURN: usize = 16 << 10;
/// Bytes a second that a stream passes on for as long as it likes: ten times what the quickest models write.
const PACE: usize = 8 << 20;
/// What it may have passed on beyond that: an image, or an answer that was ready when it was asked for, comes as it comes.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Where a stream stands with both.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Bytes of this turn, which `earned` does not say yet.
    turn: usize,
    /// When all bytes so far would have come at [`PACE`].
    earned: Option<Instant>,
}

impl Pace {
    pub fn passed(&mut self, bytes: usize) {
        self.turn += bytes;
    }

    /// Whether others are to have their turn.
    pub fn is_over(&self) -> bool {
        self.turn >= TURN
    }

    /// The next turn begins, now or at the moment that is answered.
    pub fn next_turn(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let took = Duration::from_secs_f64(std::mem::take(&mut self.turn) as f64 / PACE as f64);
        let earned = self.earned.map_or(now, |earned| earned.max(now)) + took;
        self.earned = Some(earned);
        earned.checked_sub(AT_ONCE).filter(|when| *when > now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Seconds that a stream takes which brings pieces of these lengths, each so many milliseconds after the last.
    async fn takes(pieces: &[(usize, u64)]) -> f64 {
        let (mut pace, began) = (Pace::default(), Instant::now());
        for &(bytes, millis) in pieces {
            if millis > 0 {
                tokio::time::sleep(Duration::from_millis(millis)).await;
            }
            pace.passed(bytes);
            if pace.is_over()
                && let Some(when) = pace.next_turn()
            {
                tokio::time::sleep_until(when).await;
            }
        }
        began.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn eight_megabytes_pass_at_once_and_then_as_many_a_second() {
        assert!(takes(&[(64 << 10, 0); 127]).await < 0.01);
        let minute = takes(&[(64 << 10, 0); 128 * 60]).await;
        assert!((58.9..59.1).contains(&minute), "{minute}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_always_waits_a_little_is_paced_too() {
        let seconds = takes(&vec![(16 << 10, 1); 4 * 128 * 10]).await;
        assert!((8.9..9.1).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_models_write_is_never_held_up() {
        let bytes_a_second = 300 * 5_000; // a chunk for each of five thousand tokens
        let seconds = takes(&vec![(bytes_a_second / 200, 5); 200 * 60]).await;
        assert!((60.0..60.001).contains(&seconds), "{seconds}");
    }

    proptest! {
        #[test]
        fn no_stream_passes_on_more(pieces in prop::collection::vec((1_usize..300_000, 0_u64..40), 1..400)) {
            let bytes: usize = pieces.iter().map(|(bytes, _)| bytes).sum();
            let last = pieces.last().unwrap().0;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let seconds = runtime.block_on(takes(&pieces));
            // a turn is what may have been passed on and not been counted yet
            prop_assert!((bytes - last) as f64 <= (seconds + 1.0) * PACE as f64 + (TURN + 300_000) as f64);
            let waits: u64 = pieces.iter().map(|(_, millis)| millis).sum();
            prop_assert!(seconds <= (waits as f64 / 1e3).max(bytes as f64 / PACE as f64) + waits as f64 / 1e3 + 0.01);
        }
    }
}
