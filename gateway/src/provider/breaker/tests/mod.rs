mod model;
mod threads;

use super::*;

/// The draw at which a pause has exactly its nominal length and a young ramp is reluctant.
const EVEN: f64 = 0.5;

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn rules() -> BreakerRules {
    BreakerRules::default()
}

fn pass(breaker: &Breaker, now: f64) -> Pass {
    match breaker.admit(at(now), EVEN).0 {
        Admission::Free(pass) | Admission::Probe(pass) | Admission::Reluctant(pass) => pass,
        Admission::Refused { until } => panic!("refused until {until:?} at {now} s"),
    }
}

fn probe(breaker: &Breaker, now: f64) -> Option<Pass> {
    match breaker.admit(at(now), EVEN).0 {
        Admission::Probe(pass) => Some(pass),
        Admission::Refused { .. } => None,
        other => panic!("{other:?}"),
    }
}

fn fail(breaker: &Breaker, now: f64) -> Option<Transition> {
    let pass = pass(breaker, now);
    breaker.fail(at(now), EVEN, pass)
}

fn succeed(breaker: &Breaker, now: f64) -> Option<Transition> {
    let pass = pass(breaker, now);
    breaker.succeed(at(now), pass)
}

/// One that opened at `now`.
fn opened(rules: BreakerRules, now: f64) -> Breaker {
    let breaker = Breaker::new(rules);
    let last = (0..breaker.rules.min_requests).filter_map(|_| fail(&breaker, now)).last();
    assert_eq!(last.unwrap().to, Phase::Open);
    breaker
}

#[test]
fn it_opens_at_the_error_rate_and_not_before_there_are_enough_requests() {
    let breaker = Breaker::new(rules());
    for _ in 0..5 {
        assert_eq!(succeed(&breaker, 1.0), None);
    }
    for _ in 0..4 {
        assert_eq!(fail(&breaker, 2.0), None);
    }
    let transition = fail(&breaker, 3.0).unwrap();
    assert_eq!(transition.reason, Reason::ErrorRate { failures: 5, requests: 10 });
    assert_eq!((transition.from, transition.to), (Phase::Closed, Phase::Open));
    assert_eq!(transition.pause, Some(at(60.0)));
    assert_eq!(breaker.state(at(4.0)), BreakerState::Open { until: at(63.0) });
    assert!(matches!(breaker.admit(at(4.0), EVEN).0, Admission::Refused { until } if until == at(63.0)));
}

#[test]
fn failures_that_have_left_the_window_do_not_open_it() {
    let breaker = Breaker::new(rules());
    for second in 0..100 {
        assert_eq!(fail(&breaker, f64::from(second) * 4.0), None, "8 within 30 s at most");
    }
}

#[test]
fn failures_in_a_row_open_it_and_a_success_breaks_the_row() {
    let breaker = Breaker::new(BreakerRules { failure_threshold: Some(3), ..rules() });
    for outcome in [false, false, true, false, false] {
        let transition = if outcome { succeed(&breaker, 1.0) } else { fail(&breaker, 1.0) };
        assert_eq!(transition, None);
    }
    assert_eq!(fail(&breaker, 1.0).unwrap().reason, Reason::FailuresInARow { failures: 3 });
}

#[test]
fn it_recovers_by_itself_through_probes_and_a_ramp() {
    let breaker = opened(rules(), 0.0);
    let (admission, transition) = breaker.admit(at(60.0), EVEN);
    assert_eq!(transition.unwrap().reason, Reason::PauseOver);
    let Admission::Probe(first) = admission else { panic!("{admission:?}") };
    assert_eq!(breaker.succeed(at(61.0), first), None);
    assert_eq!(succeed(&breaker, 61.0), None);
    assert_eq!(succeed(&breaker, 62.0).unwrap().to, Phase::Ramping);
    assert_eq!(breaker.state(at(62.0)), BreakerState::Ramping { share: 0.1 });
    assert!(matches!(breaker.admit(at(62.0), 0.05).0, Admission::Free(_)));
    assert!(matches!(breaker.admit(at(62.0), EVEN).0, Admission::Reluctant(_)));
    assert!(matches!(breaker.admit(at(77.0), EVEN).0, Admission::Free(_)), "55 % after half of the ramp");
    let (admission, transition) = breaker.admit(at(92.0), 0.99);
    assert!(matches!(admission, Admission::Free(_)));
    assert_eq!(transition.unwrap().to, Phase::Closed);
    let phases: Vec<_> = breaker.history().iter().map(|transition| transition.to).collect();
    assert_eq!(phases, [Phase::Open, Phase::HalfOpen, Phase::Ramping, Phase::Closed]);
}

#[test]
fn never_more_probes_at_once_than_allowed() {
    let breaker = opened(rules(), 0.0);
    let mut out: Vec<_> = (0..3).map(|_| probe(&breaker, 60.0).unwrap()).collect();
    assert!(matches!(breaker.admit(at(60.0), 0.0).0, Admission::Refused { until } if until == at(61.0)));
    assert_eq!(breaker.state(at(60.0)), BreakerState::HalfOpen { probes: 3, successes: 0 });
    assert_eq!(breaker.succeed(at(60.5), out.pop().unwrap()), None);
    assert_eq!(breaker.state(at(60.5)), BreakerState::HalfOpen { probes: 2, successes: 1 });
    out.push(probe(&breaker, 60.5).unwrap());
    assert!(probe(&breaker, 60.5).is_none());
}

#[test]
fn a_probe_that_is_abandoned_or_panics_gives_its_place_back() {
    let breaker = opened(BreakerRules { half_open_max_requests: 1, ..rules() }, 0.0);
    for round in 0..10 {
        let pass = probe(&breaker, 60.0).unwrap();
        assert!(pass.is_probe() && probe(&breaker, 60.0).is_none());
        if round % 2 == 0 {
            breaker.abandon(pass);
        } else {
            let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                let _held = pass;
                panic!("on purpose");
            }));
            assert!(unwound.is_err());
        }
    }
    assert_eq!(breaker.state(at(60.0)), BreakerState::HalfOpen { probes: 0, successes: 0 });
}

/// Else a provider whose every answer takes longer than a probe's patience would never be trusted again.
#[test]
fn a_probe_that_hangs_loses_its_place_but_not_its_say() {
    let breaker = opened(rules(), 0.0);
    let hung: Vec<_> = (0..3).map(|_| probe(&breaker, 60.0).unwrap()).collect();
    assert!(probe(&breaker, 89.9).is_none());
    let fresh: Vec<_> = (0..3).map(|_| probe(&breaker, 90.0).unwrap()).collect();
    assert!(probe(&breaker, 90.0).is_none());
    let ends: Vec<_> = hung.into_iter().filter_map(|pass| breaker.succeed(at(100.0), pass)).collect();
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].to, Phase::Ramping);
    for pass in fresh {
        assert_eq!(breaker.fail(at(101.0), EVEN, pass), None, "late: the breaker has closed meanwhile");
    }
}

#[test]
fn what_began_before_a_pause_is_not_held_against_the_provider_after_it() {
    let breaker = Breaker::new(BreakerRules { success_threshold: 1, ..rules() });
    let slow: Vec<_> = (0..50).map(|_| pass(&breaker, 0.0)).collect();
    while fail(&breaker, 1.0).is_none() {}
    succeed(&breaker, 61.0).unwrap();
    for pass in slow {
        assert_eq!(breaker.fail(at(62.0), EVEN, pass), None);
    }
    assert!(matches!(breaker.state(at(62.0)), BreakerState::Ramping { .. }));
}

#[test]
fn one_failed_probe_opens_it_again_and_each_time_for_longer_up_to_a_limit() {
    let breaker = opened(rules(), 0.0);
    let (mut now, mut pauses) = (60.0, Vec::new());
    for _ in 0..6 {
        let transition = fail(&breaker, now).unwrap();
        assert_eq!(transition.reason, Reason::ProbeFailed);
        let pause = transition.pause.unwrap().as_secs_f64();
        pauses.push(pause);
        now += pause;
    }
    assert_eq!(pauses, [120.0, 240.0, 480.0, 600.0, 600.0, 600.0]);
}

#[test]
fn the_pause_is_jittered_by_a_fifth() {
    for (draw, expected) in [(0.0, 48.0), (0.5, 60.0), (1.0, 72.0)] {
        let breaker = Breaker::new(BreakerRules { failure_threshold: Some(1), ..rules() });
        let pause = breaker.fail(at(0.0), draw, pass(&breaker, 0.0)).unwrap().pause.unwrap();
        assert!((pause.as_secs_f64() - expected).abs() < 1e-6, "{pause:?}");
    }
}

#[test]
fn a_trip_during_the_ramp_grows_the_pause_and_one_after_a_long_calm_does_not() {
    let rules = BreakerRules { success_threshold: 1, failure_threshold: Some(2), ..rules() };
    for (calm, expected) in [(5.0, 120.0), (300.0, 120.0), (700.0, 60.0)] {
        let breaker = opened(BreakerRules { min_requests: 2, ..rules.clone() }, 0.0);
        succeed(&breaker, 60.0).unwrap();
        let again = 60.0 + calm;
        assert_eq!(fail(&breaker, again), None);
        let trip = fail(&breaker, again).unwrap();
        assert_eq!(trip.from, if calm < 30.0 { Phase::Ramping } else { Phase::Closed });
        assert_eq!(trip.pause, Some(at(expected)), "after {calm} s");
    }
}

#[test]
fn a_good_unbilled_probe_ends_the_pause_early() {
    let breaker = opened(rules(), 0.0);
    assert_eq!(breaker.probed(at(5.0), EVEN, true).unwrap().reason, Reason::ProbedWell);
    assert!(probe(&breaker, 5.0).is_some());
    assert_eq!(breaker.probed(at(6.0), EVEN, true), None, "it says nothing more");
}

#[test]
fn a_bad_unbilled_probe_extends_the_pause_but_not_for_ever() {
    let breaker = opened(rules(), 0.0);
    assert_eq!(breaker.probed(at(30.0), EVEN, false), None);
    assert_eq!(breaker.state(at(30.0)), BreakerState::Open { until: at(60.0) }, "the pause was not over");
    let mut now = 60.0;
    for _ in 0..course::MAX_EXTENSIONS {
        breaker.probed(at(now), EVEN, false);
        assert_eq!(breaker.state(at(now)), BreakerState::Open { until: at(now + 60.0) });
        now += 60.0;
    }
    breaker.probed(at(now), EVEN, false);
    assert!(probe(&breaker, now).is_some());
}

#[test]
fn switched_off_it_never_opens() {
    let breaker = Breaker::new(BreakerRules { enabled: false, failure_threshold: Some(1), ..rules() });
    for _ in 0..1000 {
        assert_eq!(fail(&breaker, 1.0), None);
    }
    assert_eq!(breaker.state(at(1.0)), BreakerState::Closed);
}

#[test]
fn only_the_last_transitions_are_remembered() {
    let breaker = opened(BreakerRules { open_duration: Duration::ZERO, ..rules() }, 0.0);
    for second in 1..100 {
        fail(&breaker, f64::from(second)).unwrap();
    }
    let history = breaker.history();
    assert_eq!(history.len(), 20);
    assert_eq!(history[19].at, at(99.0));
}
