//! Whether the provider takes the gateway's credential: a state with its own clock, apart from health.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// Until a refused credential is tried again; doubled by each further refusal.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const MAX_PAUSE: Duration = Duration::from_secs(10 * 60);

/// Times are ages of the provider.
#[derive(Debug, Default)]
pub struct CredentialState {
    /// Whether `refused` has anything: the only thing that is looked at while all is well.
    is_refused: AtomicBool,
    refused: Mutex<Option<Refused>>,
}

/// A credential that the provider does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    pub since: Duration,
    /// When a request may try it again.
    pub until: Duration,
    tries: u32,
}

impl CredentialState {
    /// Whether a request may use it now. Of a refused one that is due, one request makes the trial; the others wait for
    /// its result or the next pause.
    ///
    /// # Errors
    /// Since when it is refused and when to come again.
    pub fn admit(&self, now: Duration) -> Result<(), Refused> {
        if !self.is_refused.load(Relaxed) {
            return Ok(());
        }
        match self.lock().as_mut() {
            None => Ok(()),
            Some(refused) if now >= refused.until => {
                refused.pause(now);
                Ok(())
            }
            Some(refused) => Err(*refused),
        }
    }

    /// A 401 or 403 that speaks of the credential. Says whether that is new. Of many that come at once, each for a request
    /// that was already under way, only one lengthens the pause.
    pub fn refuse(&self, now: Duration) -> bool {
        let mut refused = self.lock();
        if let Some(refused) = refused.as_mut() {
            if now >= refused.until {
                refused.pause(now);
            }
            return false;
        }
        *refused = Some(Refused { since: now, until: now.saturating_add(FIRST_PAUSE), tries: 0 });
        self.is_refused.store(true, Relaxed);
        true
    }

    /// The provider took it. Says whether that is new.
    pub fn accept(&self) -> bool {
        if !self.is_refused.load(Relaxed) {
            return false;
        }
        let mut refused = self.lock();
        self.is_refused.store(false, Relaxed);
        refused.take().is_some()
    }

    /// `None` when all is well.
    pub fn refused(&self) -> Option<Refused> {
        if self.is_refused.load(Relaxed) { *self.lock() } else { None }
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refused {
    fn pause(&mut self, now: Duration) {
        self.tries = self.tries.saturating_add(1);
        self.until = now.saturating_add(FIRST_PAUSE.saturating_mul(1 << self.tries.min(5)).min(MAX_PAUSE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_refused_credential_is_tried_by_one_request_after_each_growing_pause() {
        let state = CredentialState::default();
        assert_eq!(state.admit(at(0)), Ok(()));
        assert!(state.refuse(at(0)) && !state.refuse(at(1)) && !state.refuse(at(2)), "told once");
        let mut pauses = Vec::new();
        let mut now = at(2);
        for _ in 0..7 {
            let until = state.admit(now).unwrap_err().until;
            pauses.push(until.saturating_sub(now).as_secs());
            now = until;
            assert_eq!(state.admit(now), Ok(()), "the trial");
            assert!(state.admit(now).is_err(), "the others wait");
            assert!(!state.refuse(now));
        }
        assert_eq!(pauses, [28, 60, 120, 240, 480, 600, 600]);
        assert_eq!(state.refused().unwrap().since, at(0));
    }

    #[test]
    fn a_trial_that_never_ends_does_not_stick() {
        let state = CredentialState::default();
        state.refuse(at(0));
        assert_eq!(state.admit(at(30)), Ok(()));
        assert!(state.admit(at(89)).is_err());
        assert_eq!(state.admit(at(90)), Ok(()));
    }

    #[test]
    fn one_success_makes_it_good_again() {
        let state = CredentialState::default();
        assert!(!state.accept());
        state.refuse(at(0));
        assert!(state.accept() && !state.accept());
        assert_eq!((state.refused(), state.admit(at(1))), (None, Ok(())));
        assert!(state.refuse(at(500)));
        assert_eq!(state.refused().unwrap().until, at(530), "the growth is forgotten");
    }
}
