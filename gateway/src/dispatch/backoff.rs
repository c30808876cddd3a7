//! How long to wait before the same provider is asked again.

use std::time::Duration;

use crate::config::Retry;

/// Who asks for a longer wait is not asked again for the same request (SPEC §4).
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Before retry number `nth`, from 0: full jitter, `draw` in 0..1, on top of what the provider asked for, so that those
/// that were sent away together do not come back together. `None` when it asked for too long.
pub fn backoff(retry: &Retry, nth: u32, draw: f64, retry_after: Option<Duration>) -> Option<Duration> {
    let asked = retry_after.unwrap_or_default();
    if asked > MAX_RETRY_AFTER {
        return None;
    }
    let growth = retry.multiplier.powi(i32::try_from(nth).unwrap_or(i32::MAX));
    let ceiling = (retry.initial_delay.as_secs_f64() * growth).min(retry.max_delay.as_secs_f64()).max(0.0);
    Some(asked + Duration::from_secs_f64(ceiling * draw))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_doubles_up_to_its_limit() {
        let waits = (0..9).map(|nth| backoff(&Retry::default(), nth, 1.0, None).unwrap().as_millis());
        assert_eq!(waits.collect::<Vec<_>>(), [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(backoff(&Retry::default(), u32::MAX, 0.5, None), Some(Duration::from_secs(5)));
        assert_eq!(backoff(&Retry::default(), 3, 0.0, None), Some(Duration::ZERO));
    }

    #[test]
    fn a_provider_that_asks_for_too_long_is_not_asked_again() {
        let wait = |seconds| backoff(&Retry::default(), 0, 0.5, Some(Duration::from_secs(seconds)));
        assert_eq!(wait(300), Some(Duration::from_millis(300_050)));
        assert_eq!(wait(301), None);
    }

    proptest! {
        #[test]
        fn never_sooner_than_asked_and_never_much_later(
            nth: u32, draw in 0.0..1.0_f64, asked in 0..=300_000_u64, initial in 0..100_000_u64, most in 0..100_000_u64,
            multiplier in 0.0..100.0_f64,
        ) {
            let (initial_delay, max_delay) = (Duration::from_millis(initial), Duration::from_millis(most));
            let retry = Retry { initial_delay, max_delay, multiplier, ..Retry::default() };
            let asked = Duration::from_millis(asked);
            let wait = backoff(&retry, nth, draw, Some(asked)).unwrap();
            prop_assert!(wait >= asked && wait <= asked + max_delay);
        }
    }
}
