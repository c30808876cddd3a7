//! Real threads at one breaker: only what holds in every interleaving is checked.

use std::{collections::HashMap, sync::atomic::Ordering::SeqCst, thread};

use super::*;

const THREADS: u64 = 8;
const ROUNDS: u64 = 5_000;

/// Probes that are out, by generation: those of an earlier one no longer count.
type Out = Mutex<HashMap<u64, u32>>;

#[test]
fn threads_never_get_too_many_places_and_every_transition_is_told_once() {
    let breaker = Breaker::new(BreakerRules {
        window: Duration::from_millis(100),
        open_duration: Duration::from_millis(20),
        ..rules()
    });
    let (clock, out) = (AtomicU64::new(0), Out::default());
    let told: Vec<Transition> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|seed| {
                scope.spawn({
                    let (breaker, clock, out) = (&breaker, &clock, &out);
                    move || work(breaker, clock, out, seed)
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });

    let count = |wanted: &dyn Fn(&Transition) -> bool| told.iter().filter(|one| wanted(one)).count();
    assert!(told.len() > 8, "only {} transitions", told.len());
    for phase in [Phase::Closed, Phase::Ramping, Phase::Open, Phase::HalfOpen] {
        let (entered, left) = (count(&|one| one.to == phase), count(&|one| one.from == phase));
        assert!(entered.abs_diff(left) <= 1, "{phase:?} entered {entered} times and left {left} times");
    }
    assert_eq!(count(&|one| one.from == one.to), 0, "two that failed at once both opened it");
    assert!(out.into_inner().unwrap().values().all(|&out| out == 0));

    // and whatever state they left it in, it is well again soon
    let mut now = at(0.001 * clock.load(SeqCst) as f64);
    while breaker.state(now) != BreakerState::Closed {
        now += Duration::from_millis(5);
        if let Admission::Free(pass) | Admission::Probe(pass) | Admission::Reluctant(pass) = breaker.admit(now, EVEN).0
        {
            breaker.succeed(now, pass);
        }
        assert!(now < at(0.001 * clock.load(SeqCst) as f64 + 2.0), "{:?}", breaker.state(now));
    }
}

fn work(breaker: &Breaker, clock: &AtomicU64, out: &Out, seed: u64) -> Vec<Transition> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut told = Vec::new();
    for _ in 0..ROUNDS {
        // ills come and go; all probes together last far less than their patience of 30 s
        let now = Duration::from_millis(clock.fetch_add(u64::from(chance.u8(..) < 8), SeqCst));
        let ill = now.as_millis() / 200 % 2 == 1;
        let (admission, transition) = breaker.admit(now, chance.f64());
        told.extend(transition);
        let pass = match admission {
            Admission::Free(pass) | Admission::Probe(pass) | Admission::Reluctant(pass) => pass,
            Admission::Refused { .. } => continue,
        };
        let (generation, is_probe) = (pass.generation, u32::from(pass.is_probe()));
        {
            let mut out = out.lock().unwrap();
            let out = out.entry(generation).or_default();
            *out += is_probe;
            assert!(*out <= breaker.rules.half_open_max_requests, "{out} probes at once");
        }
        if chance.u8(..) < 4 {
            thread::yield_now();
        }
        *out.lock().unwrap().entry(generation).or_default() -= is_probe; // before the place is free for another
        told.extend(match chance.u8(..) {
            0..16 => {
                breaker.abandon(pass);
                None
            }
            draw if ill && draw < 200 => breaker.fail(now, chance.f64(), pass),
            _ => breaker.succeed(now, pass),
        });
    }
    told
}

#[test]
fn of_many_that_fail_at_once_one_opens_it() {
    let breaker = Breaker::new(BreakerRules { failure_threshold: Some(1), ..rules() });
    let passes: Vec<_> = (0..4).map(|_| pass(&breaker, 0.0)).collect();
    let held = breaker.lock();
    let told: Vec<_> = thread::scope(|scope| {
        let breaker = &breaker;
        let fail = |pass| scope.spawn(move || breaker.fail(at(1.0), EVEN, pass));
        let threads: Vec<_> = passes.into_iter().map(fail).collect();
        while breaker.failures_in_a_row.load(Relaxed) < 4 {
            thread::yield_now();
        }
        drop(held); // all have found it closed and want to open it
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(breaker.state(at(1.0)), BreakerState::Open { until: at(61.0) });
}
