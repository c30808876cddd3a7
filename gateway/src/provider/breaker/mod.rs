//! Gives an ill provider a rest: closed → open → half-open, where real requests probe it → closed again with a ramp.
//!
//! Time comes in as the provider's age and chance as a draw in 0..1, so that every course can be replayed. Requests on all
//! cores call it: while it is closed they touch atomics only, everything else is behind a small lock. Recovery needs no
//! timer and no message: a pause that is over is noticed by the next request.
//!
//! Only ill health belongs here; a used-up quota and a refused credential are states of their own.

mod course;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicU32, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};

use self::course::{Course, Stage};
use super::window::Window;
use crate::config::BreakerRules;

pub use course::{BreakerState, Phase, Reason, Transition};

/// After this long a probe's place goes to another; its result still counts when it comes, for long answers are healthy.
const PROBE_PATIENCE: Duration = Duration::from_secs(30);
/// When to ask again when all probes are out: most end sooner than their patience.
const PROBES_OUT: Duration = Duration::from_secs(1);

const WINDOW_SLOTS: usize = 10;

pub struct Breaker {
    rules: BreakerRules,
    /// Generation and phase of the course in one, for those who need no more: see [`Course::word`].
    word: AtomicU64,
    window: Window<WINDOW_SLOTS>,
    failures_in_a_row: AtomicU32,
    /// Shared with the passes of probes, which give their places back when they are dropped.
    course: Arc<Mutex<Course>>,
}

/// What a request may do.
#[derive(Debug)]
pub enum Admission {
    Free(Pass),
    /// It may go, and decides over the provider's return.
    Probe(Pass),
    /// The provider has just come back: better to take another, if there is one.
    Reluctant(Pass),
    Refused {
        /// Age of the provider at which to ask again.
        until: Duration,
    },
}

/// Says to which stretch of the provider's life a request belongs, so that what was begun before a pause is not held
/// against it afterwards. Dropped without a result, it says nothing and gives its place as a probe back.
#[derive(Debug)]
#[must_use]
pub struct Pass {
    generation: u64,
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    number: u64,
    course: Arc<Mutex<Course>>,
}

impl Breaker {
    pub fn new(rules: BreakerRules) -> Self {
        let course = Course::new();
        Self {
            word: AtomicU64::new(course.word()),
            window: Window::new(rules.window),
            failures_in_a_row: AtomicU32::new(0),
            course: Arc::new(Mutex::new(course)),
            rules,
        }
    }

    /// Whether a request may go now. `draw` decides about the ramp. The transition is one that was due.
    pub fn admit(&self, now: Duration, draw: f64) -> (Admission, Option<Transition>) {
        let word = self.word.load(Acquire);
        match Course::phase_of(word) {
            Phase::Closed => (Admission::Free(Pass { generation: Course::generation_of(word), place: None }), None),
            _ => self.consider(now, draw),
        }
    }

    #[cold]
    fn consider(&self, now: Duration, draw: f64) -> (Admission, Option<Transition>) {
        let mut course = self.lock();
        let transition = match course.stage {
            Stage::Open { until, .. } if now >= until => {
                Some(self.enter(&mut course, now, Stage::half_open(), Reason::PauseOver))
            }
            Stage::Ramping { until, .. } if now >= until => {
                Some(self.enter(&mut course, now, Stage::Closed { since: until }, Reason::RampOver))
            }
            _ => None,
        };
        let most = self.rules.half_open_max_requests.max(1) as usize;
        let Course { stage, generation, issued, .. } = &mut *course;
        let generation = *generation;
        let admission = match stage {
            Stage::Closed { .. } => Admission::Free(Pass { generation, place: None }),
            &mut Stage::Ramping { since, until } if draw < course::share(now, since, until) => {
                Admission::Free(Pass { generation, place: None })
            }
            Stage::Ramping { .. } => Admission::Reluctant(Pass { generation, place: None }),
            &mut Stage::Open { until, .. } => Admission::Refused { until },
            Stage::HalfOpen { places, .. } => {
                places.retain(|&(_, since)| now.saturating_sub(since) < PROBE_PATIENCE);
                if places.len() >= most {
                    Admission::Refused { until: now.saturating_add(PROBES_OUT) }
                } else {
                    let number = *issued;
                    *issued += 1;
                    places.push((number, now));
                    let place = Some(Place { number, course: self.course.clone() });
                    Admission::Probe(Pass { generation, place })
                }
            }
        };
        (admission, transition)
    }

    /// The provider answered as it should.
    pub fn succeed(&self, now: Duration, pass: Pass) -> Option<Transition> {
        match self.phase_for(&pass)? {
            Phase::Closed | Phase::Ramping => {
                self.window.succeeded(now);
                if self.failures_in_a_row.load(Relaxed) != 0 {
                    self.failures_in_a_row.store(0, Relaxed);
                }
                None
            }
            Phase::HalfOpen => self.probe_succeeded(now, pass.generation),
            Phase::Open => None,
        }
    }

    fn probe_succeeded(&self, now: Duration, generation: u64) -> Option<Transition> {
        let mut course = self.lock();
        let current = course.generation == generation;
        let Stage::HalfOpen { successes, .. } = &mut course.stage else { return None };
        *successes += u32::from(current);
        if !current || *successes < self.rules.success_threshold.max(1) {
            return None;
        }
        self.window.clear();
        self.failures_in_a_row.store(0, Relaxed);
        let until = now.saturating_add(course::ramp(&self.rules));
        Some(self.enter(&mut course, now, Stage::Ramping { since: now, until }, Reason::ProbesSucceeded))
    }

    /// The provider was ill. `draw` jitters the pause that this may begin.
    pub fn fail(&self, now: Duration, draw: f64, pass: Pass) -> Option<Transition> {
        let reason = match self.phase_for(&pass)? {
            Phase::Closed | Phase::Ramping => {
                self.window.failed(now);
                self.verdict(now, self.failures_in_a_row.fetch_add(1, Relaxed) + 1)?
            }
            Phase::HalfOpen => Reason::ProbeFailed,
            Phase::Open => return None,
        };
        let mut course = self.lock();
        if course.generation != pass.generation {
            return None; // another failure was quicker
        }
        let until = now.saturating_add(course.next_pause(&self.rules, now, draw));
        Some(self.enter(&mut course, now, Stage::Open { until, extensions: 0 }, reason))
    }

    /// The request ended in a way that says nothing about the provider's health.
    pub fn abandon(&self, pass: Pass) {
        drop(pass);
    }

    /// The result of a probe that costs nothing. A good one ends a pause early; a bad one extends a pause that is over,
    /// without growth and not for ever: such a probe may fail where requests would not.
    pub fn probed(&self, now: Duration, draw: f64, well: bool) -> Option<Transition> {
        let mut course = self.lock();
        let Stage::Open { until, extensions } = course.stage else { return None };
        if well {
            return Some(self.enter(&mut course, now, Stage::half_open(), Reason::ProbedWell));
        }
        if now >= until && extensions < course::MAX_EXTENSIONS {
            let until = now.saturating_add(course.same_pause(&self.rules, draw));
            course.stage = Stage::Open { until, extensions: extensions + 1 };
        }
        None
    }

    /// Whether a pause is on, or over and not yet noticed.
    pub fn is_open(&self) -> bool {
        Course::phase_of(self.word.load(Acquire)) == Phase::Open
    }

    /// As a request that asked now would find it.
    pub fn state(&self, now: Duration) -> BreakerState {
        match Course::phase_of(self.word.load(Acquire)) {
            Phase::Closed => BreakerState::Closed,
            _ => self.lock().state(now),
        }
    }

    /// The last transitions, oldest first.
    pub fn history(&self) -> Vec<Transition> {
        self.lock().history.iter().copied().collect()
    }

    /// The present phase, when the pass is of the present generation; nothing is counted for late results.
    fn phase_for(&self, pass: &Pass) -> Option<Phase> {
        let word = self.word.load(Acquire);
        (self.rules.enabled && Course::generation_of(word) == pass.generation).then(|| Course::phase_of(word))
    }

    /// Why it is to open, when it is.
    fn verdict(&self, now: Duration, in_a_row: u32) -> Option<Reason> {
        let rules = &self.rules;
        if rules.failure_threshold.is_some_and(|most| in_a_row >= most.max(1)) {
            return Some(Reason::FailuresInARow { failures: in_a_row });
        }
        let (failures, requests) = self.window.tally(now);
        let ill = requests >= rules.min_requests
            && u64::from(failures) * 100 >= u64::from(rules.error_threshold_percent) * u64::from(requests);
        ill.then_some(Reason::ErrorRate { failures, requests })
    }

    fn enter(&self, course: &mut Course, now: Duration, stage: Stage, reason: Reason) -> Transition {
        let transition = course.enter(now, stage, reason);
        self.word.store(course.word(), Release);
        transition
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// Whether it decides over the provider's return.
    pub fn is_probe(&self) -> bool {
        self.place.is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.course.lock().unwrap_or_else(PoisonError::into_inner).vacate(self.number);
    }
}
