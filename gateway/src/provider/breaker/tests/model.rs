//! The breaker against a model of it that is obvious: one thread, a list of samples, no lock, no bits.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Wait { ms: u64 },
    Ask { draw: f64 },
    Succeed { nth: usize },
    Fail { nth: usize, draw: f64 },
    Abandon { nth: usize },
    Check { well: bool, draw: f64 },
}

fn step() -> impl Strategy<Value = Step> {
    // never a share of any ramp exactly: those have denominators of 300,000 at most
    let draw = || (0..20_u32).prop_map(|twentieths| f64::from(twentieths) / 20.0 + 0.000_123_7);
    prop_oneof![
        2 => (0..4_000_u64).prop_map(|ms| Step::Wait { ms }),
        1 => (0..90_000_u64).prop_map(|ms| Step::Wait { ms }),
        8 => draw().prop_map(|draw| Step::Ask { draw }),
        4 => any::<usize>().prop_map(|nth| Step::Succeed { nth }),
        4 => (any::<usize>(), draw()).prop_map(|(nth, draw)| Step::Fail { nth, draw }),
        1 => any::<usize>().prop_map(|nth| Step::Abandon { nth }),
        1 => (any::<bool>(), draw()).prop_map(|(well, draw)| Step::Check { well, draw }),
    ]
}

fn any_rules() -> impl Strategy<Value = BreakerRules> {
    let counts = (0..=101_u32, 0..6_u32, prop::option::of(0..5_u32), 0..4_u32, 0..4_u32);
    (counts, 0..40_000_u64, 0..70_000_u64).prop_map(|((percent, least, row, probes, successes), window, pause)| {
        BreakerRules {
            enabled: true,
            error_threshold_percent: percent,
            min_requests: least,
            window: Duration::from_millis(window),
            failure_threshold: row,
            open_duration: Duration::from_millis(pause),
            half_open_max_requests: probes,
            success_threshold: successes,
        }
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    Free,
    Reluctant,
    Probe,
    Refused(Duration),
}

#[derive(Debug)]
enum Model {
    /// Since when all is let in; before that is a ramp of `ramp`.
    Closed {
        from: Duration,
        ramp: Duration,
        samples: Vec<(u64, bool)>,
    },
    Open {
        until: Duration,
        extended: u32,
    },
    HalfOpen {
        out: Vec<(usize, Duration)>,
        good: u32,
    },
}

struct Reference {
    rules: BreakerRules,
    model: Model,
    epoch: usize,
    trips: u32,
    asked: usize,
}

impl Reference {
    fn new(rules: BreakerRules) -> Self {
        let model = Model::Closed { from: Duration::ZERO, ramp: Duration::ZERO, samples: Vec::new() };
        Self { rules, model, epoch: 0, trips: 0, asked: 0 }
    }

    /// Slots of the window have a tenth of its length.
    fn slot(&self, now: Duration) -> u64 {
        now.as_millis() as u64 / (self.rules.window.as_millis() as u64).div_ceil(10).max(1)
    }

    fn move_on(&mut self, model: Model) {
        self.epoch += 1;
        self.model = model;
    }

    fn ask(&mut self, now: Duration, draw: f64) -> Answer {
        self.asked += 1;
        if matches!(self.model, Model::Open { until, .. } if now >= until) {
            self.move_on(Model::HalfOpen { out: Vec::new(), good: 0 });
        }
        let most = self.rules.half_open_max_requests.max(1) as usize;
        match &mut self.model {
            Model::Closed { from, .. } if now >= *from => Answer::Free,
            Model::Closed { from, ramp, .. } => {
                let left = (*from - now).as_secs_f64() / ramp.as_secs_f64();
                if draw < 1.0 - 0.9 * left { Answer::Free } else { Answer::Reluctant }
            }
            Model::Open { until, .. } => Answer::Refused(*until),
            Model::HalfOpen { out, .. } => {
                out.retain(|(_, since)| now - *since < Duration::from_secs(30));
                if out.len() == most {
                    return Answer::Refused(now + Duration::from_secs(1));
                }
                out.push((self.asked, now));
                Answer::Probe
            }
        }
    }

    fn done(&mut self, ticket: usize) {
        if let Model::HalfOpen { out, .. } = &mut self.model {
            out.retain(|(held, _)| *held != ticket);
        }
    }

    fn succeed(&mut self, now: Duration, (ticket, epoch): (usize, usize)) {
        self.done(ticket);
        let slot = self.slot(now);
        match &mut self.model {
            _ if epoch != self.epoch => {}
            Model::Closed { samples, .. } => samples.push((slot, true)),
            Model::HalfOpen { good, .. } => {
                *good += 1;
                if *good >= self.rules.success_threshold.max(1) {
                    let ramp = self.rules.open_duration.min(Duration::from_secs(30));
                    self.move_on(Model::Closed { from: now + ramp, ramp, samples: Vec::new() });
                }
            }
            Model::Open { .. } => unreachable!("nobody is let in"),
        }
    }

    fn fail(&mut self, now: Duration, draw: f64, (ticket, epoch): (usize, usize)) {
        self.done(ticket);
        let slot = self.slot(now);
        match &mut self.model {
            _ if epoch != self.epoch => {}
            Model::Closed { samples, from, .. } => {
                samples.push((slot, false));
                let recent: Vec<_> = samples.iter().filter(|(at, _)| at + 10 > slot).collect();
                let failed = recent.iter().filter(|(_, good)| !good).count() as u32;
                let row = samples.iter().rev().take_while(|(_, good)| !good).count() as u32;
                let all = recent.len() as u32;
                let rate = all >= self.rules.min_requests && failed * 100 >= self.rules.error_threshold_percent * all;
                if rate || self.rules.failure_threshold.is_some_and(|most| row >= most.max(1)) {
                    if now >= *from + 10 * self.rules.open_duration {
                        self.trips = 0;
                    }
                    self.trip(now, draw);
                }
            }
            Model::HalfOpen { .. } => self.trip(now, draw),
            Model::Open { .. } => unreachable!("nobody is let in"),
        }
    }

    fn trip(&mut self, now: Duration, draw: f64) {
        self.trips += 1;
        let until = now + self.pause(draw);
        self.move_on(Model::Open { until, extended: 0 });
    }

    fn pause(&self, draw: f64) -> Duration {
        let times = [1.0, 2.0, 4.0, 8.0, 10.0][self.trips.min(5) as usize - 1];
        Duration::from_secs_f64(self.rules.open_duration.as_secs_f64() * times * (0.8 + 0.4 * draw))
    }

    fn check(&mut self, now: Duration, well: bool, draw: f64) {
        match self.model {
            Model::Open { .. } if well => self.move_on(Model::HalfOpen { out: Vec::new(), good: 0 }),
            Model::Open { until, extended } if now >= until && extended < 5 => {
                self.model = Model::Open { until: now + self.pause(draw), extended: extended + 1 };
            }
            _ => {}
        }
    }
}

/// Floating point takes its last digits as it likes.
fn near(one: Duration, other: Duration) -> bool {
    one.abs_diff(other) < Duration::from_micros(1)
}

fn same(answer: Answer, admission: &Admission) -> bool {
    match (answer, admission) {
        (Answer::Free, Admission::Free(_))
        | (Answer::Reluctant, Admission::Reluctant(_))
        | (Answer::Probe, Admission::Probe(_)) => true,
        (Answer::Refused(one), Admission::Refused { until }) => near(one, *until),
        _ => false,
    }
}

/// Both asked about the same thing; what the model has of the state.
fn same_state(reference: &Reference, state: BreakerState, now: Duration) -> bool {
    match (&reference.model, state) {
        (Model::Closed { from, .. }, BreakerState::Closed) => now >= *from,
        (Model::Closed { from, ramp, .. }, BreakerState::Ramping { share }) => {
            (1.0 - 0.9 * (from.as_secs_f64() - now.as_secs_f64()) / ramp.as_secs_f64() - share).abs() < 1e-6
        }
        (Model::Open { until, .. }, BreakerState::Open { until: shown }) => near(*until, shown),
        (Model::Open { until, .. }, BreakerState::HalfOpen { probes: 0, successes: 0 }) => now >= *until,
        (Model::HalfOpen { out, good }, BreakerState::HalfOpen { probes, successes }) => {
            let out = out.iter().filter(|(_, since)| now - *since < Duration::from_secs(30)).count();
            (out, *good) == (probes as usize, successes)
        }
        _ => false,
    }
}

/// A ramp, and a second for each probe.
const RAMP_AND_PROBES: Duration = Duration::from_secs(60);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_does_what_its_model_does(rules in any_rules(), steps in prop::collection::vec(step(), 1..200)) {
        let breaker = Breaker::new(rules.clone());
        let mut reference = Reference::new(rules);
        let mut now = Duration::ZERO;
        let mut passes: Vec<(Pass, (usize, usize))> = Vec::new();
        for step in steps {
            let pick = |nth: usize| (!passes.is_empty()).then(|| nth % passes.len());
            match step {
                Step::Wait { ms } => now += Duration::from_millis(ms),
                Step::Ask { draw } => {
                    let expected = reference.ask(now, draw);
                    let (admission, _) = breaker.admit(now, draw);
                    prop_assert!(same(expected, &admission), "{:?} but {:?} at {:?}", expected, admission, now);
                    if let Admission::Free(pass) | Admission::Reluctant(pass) | Admission::Probe(pass) = admission {
                        passes.push((pass, (reference.asked, reference.epoch)));
                    }
                }
                Step::Succeed { nth } => if let Some(nth) = pick(nth) {
                    let (pass, ticket) = passes.swap_remove(nth);
                    breaker.succeed(now, pass);
                    reference.succeed(now, ticket);
                },
                Step::Fail { nth, draw } => if let Some(nth) = pick(nth) {
                    let (pass, ticket) = passes.swap_remove(nth);
                    breaker.fail(now, draw, pass);
                    reference.fail(now, draw, ticket);
                },
                Step::Abandon { nth } => if let Some(nth) = pick(nth) {
                    let (pass, (ticket, _)) = passes.swap_remove(nth);
                    breaker.abandon(pass);
                    reference.done(ticket);
                },
                Step::Check { well, draw } => {
                    breaker.probed(now, draw, well);
                    reference.check(now, well, draw);
                }
            }
            let state = breaker.state(now);
            prop_assert!(same_state(&reference, state, now), "{:?} but {:?} at {:?}", reference.model, state, now);
        }
    }

    /// Whatever happened, requests that the provider answers bring it back, with no other help.
    #[test]
    fn no_state_is_final(rules in any_rules(), steps in prop::collection::vec(step(), 1..200)) {
        let breaker = Breaker::new(rules.clone());
        let mut now = Duration::ZERO;
        let mut passes = Vec::new();
        for step in steps {
            match step {
                Step::Wait { ms } => now += Duration::from_millis(ms),
                Step::Check { well, draw } => drop(breaker.probed(now, draw, well)),
                Step::Ask { draw } => match breaker.admit(now, draw).0 {
                    Admission::Free(pass) | Admission::Reluctant(pass) | Admission::Probe(pass) => passes.push(pass),
                    Admission::Refused { until } => prop_assert!(until > now),
                },
                Step::Succeed { .. } => if let Some(pass) = passes.pop() { breaker.succeed(now, pass); },
                Step::Fail { draw, .. } => if let Some(pass) = passes.pop() { breaker.fail(now, draw, pass); },
                Step::Abandon { .. } => drop(passes.pop()),
            }
        }
        // those that are still out hang for ever
        let longest = rules.open_duration * 12;
        let end = now + longest + PROBE_PATIENCE + RAMP_AND_PROBES;
        while breaker.state(now) != BreakerState::Closed {
            prop_assert!(now <= end, "{:?} after {:?}", breaker.state(now), longest);
            match breaker.admit(now, 1.0).0 {
                Admission::Refused { until } => now = until,
                Admission::Free(pass) | Admission::Reluctant(pass) | Admission::Probe(pass) => {
                    breaker.succeed(now, pass);
                    now += Duration::from_secs(1);
                }
            }
        }
    }
}
