use proptest::prelude::{Strategy as Generator, prop, prop_assert, proptest};

use super::*;

const ROUNDS: u64 = 12_000;

fn view(group: u64) -> View {
    View {
        group: mix(group + 1),
        rank: 0,
        tier: 0,
        weight: 1,
        in_flight: 0,
        max_concurrent: 100,
        latency: None,
        success_rate: None,
        price: None,
        readiness: Readiness::Ready,
    }
}

fn views(count: u64) -> Vec<View> {
    (0..count).map(view).collect()
}

/// How often each candidate comes first.
fn firsts(strategy: Strategy, views: &[View]) -> Vec<u64> {
    places(strategy, views, 0)
}

fn places(strategy: Strategy, views: &[View], place: usize) -> Vec<u64> {
    let mut chance = Rng::with_seed(7);
    let mut counts = vec![0; views.len()];
    for ticket in 0..ROUNDS {
        counts[Choice { strategy, ticket, sticky: None }.order(views, &mut chance)[place]] += 1;
    }
    counts
}

/// Pearson's chi-square against expected shares: for up to six candidates the value passes 30 once in 70,000 times.
fn assert_shares(counts: &[u64], shares: &[f64]) {
    let whole: f64 = shares.iter().sum();
    let all = counts.iter().sum::<u64>() as f64;
    let square = |(&count, share): (&u64, &f64)| {
        let expected = all * share / whole;
        if expected == 0.0 { count as f64 * 1e9 } else { (count as f64 - expected).powi(2) / expected }
    };
    let chi: f64 = counts.iter().zip(shares).map(square).sum();
    assert!(chi < 30.0, "{counts:?} for {shares:?}: {chi}");
}

fn secs(seconds: f64) -> Option<Duration> {
    Some(Duration::from_secs_f64(seconds))
}

#[test]
fn round_robin_is_exactly_even_whoever_is_out() {
    let mut views = views(5);
    assert_eq!(firsts(Strategy::RoundRobin, &views), [ROUNDS / 5; 5]);
    views[1].readiness = Readiness::Out;
    assert_eq!(firsts(Strategy::RoundRobin, &views), [ROUNDS / 4, 0, ROUNDS / 4, ROUNDS / 4, ROUNDS / 4]);
    views[2].readiness = Readiness::Low;
    assert_eq!(firsts(Strategy::RoundRobin, &views), [ROUNDS / 3, 0, 0, ROUNDS / 3, ROUNDS / 3]);
}

#[test]
fn what_one_fails_at_is_spread_over_all_others() {
    let (views, mut chance) = (views(4), Rng::with_seed(1));
    for strategy in [Strategy::RoundRobin, Strategy::Weighted, Strategy::LeastBusy, Strategy::LeastLatency] {
        let mut second = [0; 4];
        for ticket in 0..ROUNDS {
            let order = Choice { strategy, ticket, sticky: None }.order(&views, &mut chance);
            if order[0] == 2 {
                second[order[1]] += 1;
            }
        }
        assert_shares(&second, &[1.0, 1.0, 0.0, 1.0]);
    }
}

#[test]
fn weights_are_shares_of_those_that_are_there() {
    let mut views = views(4);
    for (view, weight) in views.iter_mut().zip([70, 20, 10, 0]) {
        view.weight = weight;
    }
    assert_shares(&firsts(Strategy::Weighted, &views), &[70.0, 20.0, 10.0, 0.0]);
    assert_shares(&places(Strategy::Weighted, &views, 3), &[0.0, 0.0, 0.0, 1.0]);
    views[0].readiness = Readiness::Out;
    assert_shares(&firsts(Strategy::Weighted, &views), &[0.0, 20.0, 10.0, 0.0]);
    (views[1].readiness, views[2].readiness) = (Readiness::Out, Readiness::Low);
    assert_eq!(firsts(Strategy::Weighted, &views)[3], ROUNDS, "weight 0 is for failover");
}

#[test]
fn the_second_is_drawn_by_weight_too() {
    let mut views = views(3);
    for (view, weight) in views.iter_mut().zip([6, 3, 1]) {
        view.weight = weight;
    }
    let (a, b, c) = (0.6, 0.3, 0.1);
    let second = |x: f64, y: f64, z: f64| y * x / (1.0 - y) + z * x / (1.0 - z);
    assert_shares(&places(Strategy::Weighted, &views, 1), &[second(a, b, c), second(b, a, c), second(c, a, b)]);
}

#[test]
fn of_two_by_chance_the_faster_is_taken_and_the_slowest_never_first() {
    let mut views = views(4);
    for (view, latency) in views.iter_mut().zip([0.1, 0.2, 0.3, 5.0]) {
        view.latency = secs(latency);
    }
    // of the six pairs, so many have it as the better one
    assert_shares(&firsts(Strategy::LeastLatency, &views), &[3.0, 2.0, 1.0, 0.0]);
    assert_eq!(firsts(Strategy::Fastest, &views), firsts(Strategy::LeastLatency, &views));
    views[0].readiness = Readiness::Out;
    assert_shares(&firsts(Strategy::LeastLatency, &views), &[0.0, 2.0, 1.0, 0.0]);
}

#[test]
fn requests_in_progress_count_as_latency() {
    let mut views = views(2);
    (views[0].latency, views[0].in_flight) = (secs(0.1), 9);
    (views[1].latency, views[1].in_flight) = (secs(0.3), 1);
    assert_eq!(firsts(Strategy::LeastLatency, &views), [0, ROUNDS]);
}

#[test]
fn an_unknown_latency_is_tried_without_a_stampede() {
    let mut views = views(4);
    for (view, latency) in views.iter_mut().zip([0.1, 0.2, 0.3]) {
        view.latency = secs(latency);
    }
    // it stands between the first and the second
    assert_shares(&firsts(Strategy::LeastLatency, &views), &[3.0, 1.0, 0.0, 2.0]);
    views[3].in_flight = 2;
    assert_shares(&firsts(Strategy::LeastLatency, &views), &[3.0, 2.0, 1.0, 0.0]);
}

#[test]
fn the_least_busy_for_its_weight_is_first_and_equals_share() {
    let mut views = views(4);
    for (view, (in_flight, weight)) in views.iter_mut().zip([(4, 1), (6, 2), (3, 1), (9, 1)]) {
        (view.in_flight, view.weight) = (in_flight, weight);
    }
    assert_shares(&firsts(Strategy::LeastBusy, &views), &[0.0, 1.0, 1.0, 0.0]);
    views[2].readiness = Readiness::Reluctant;
    assert_eq!(firsts(Strategy::LeastBusy, &views)[1], ROUNDS);
}

#[test]
fn the_cheapest_is_first_and_an_unknown_price_last() {
    let mut views = views(4);
    for (view, price) in views.iter_mut().zip([None, Some(2.0), Some(1.0), Some(1.0)]) {
        view.price = price;
    }
    assert_shares(&firsts(Strategy::CostOptimized, &views), &[0.0, 0.0, 1.0, 1.0]);
    assert_eq!(places(Strategy::CostOptimized, &views, 3)[0], ROUNDS);
    (views[2].readiness, views[3].readiness) = (Readiness::Out, Readiness::Out);
    assert_eq!(firsts(Strategy::CostOptimized, &views)[1], ROUNDS);
}

#[test]
fn adaptive_follows_success_and_speed_and_starves_nobody() {
    let mut views = views(4);
    for (view, (rate, latency)) in views.iter_mut().zip([(1.0, 0.5), (0.5, 0.5), (1.0, 1.0), (0.0, 0.1)]) {
        (view.success_rate, view.latency) = (Some(rate), secs(latency));
    }
    // 2, ½ and 1 of the 80 % above the floor of 5 % each
    let shares = [2.0, 0.5, 1.0, 0.0].map(|merit| 0.05 + 0.8 * merit / 3.5);
    assert_shares(&firsts(Strategy::Adaptive, &views), &shares);
    views[0].readiness = Readiness::Low;
    let shares = [0.5, 1.0, 0.0].map(|merit| 0.05 + 0.85 * merit / 1.5);
    assert_shares(&firsts(Strategy::Adaptive, &views), &[0.0, shares[0], shares[1], shares[2]]);
    views.iter_mut().for_each(|view| view.success_rate = Some(0.0));
    assert_shares(&firsts(Strategy::Adaptive, &views), &[0.0, 1.0, 1.0, 1.0]);
}

fn bound(views: &[View], key: u64) -> usize {
    let choice = Choice { strategy: Strategy::RoundRobin, ticket: key, sticky: Some(mix(key)) };
    choice.order(views, &mut Rng::with_seed(key))[0]
}

#[test]
fn what_is_bound_is_spread_by_weight_and_moves_only_when_it_must() {
    let mut views = views(4);
    for (view, weight) in views.iter_mut().zip([4, 3, 2, 1]) {
        view.weight = weight;
    }
    let before: Vec<_> = (0..ROUNDS).map(|key| bound(&views, key)).collect();
    let count =
        |bound: &[usize]| (0..4).map(|at| bound.iter().filter(|&&to| to == at).count() as u64).collect::<Vec<_>>();
    assert_shares(&count(&before), &[4.0, 3.0, 2.0, 1.0]);
    for out in [Readiness::Reluctant, Readiness::Low, Readiness::Out] {
        views[0].readiness = out;
        let after: Vec<_> = (0..ROUNDS).map(|key| bound(&views, key)).collect();
        assert!(before.iter().zip(&after).all(|(before, after)| before == after || *before == 0));
        assert_shares(&count(&after), &[0.0, 3.0, 2.0, 1.0]);
    }
    views.swap(1, 3);
    views[0].readiness = Readiness::Ready;
    let moved = |at: usize| [0, 3, 2, 1][at];
    assert!(
        (0..ROUNDS).all(|key| bound(&views, key) == moved(before[key as usize])),
        "places in the list do not matter"
    );
}

#[test]
fn nothing_is_bound_to_a_tier_that_is_for_failover() {
    let mut views = views(4);
    (views[2].tier, views[3].tier) = (1, 1);
    assert!((0..1000).all(|key| bound(&views, key) < 2));
    (views[0].readiness, views[1].readiness) = (Readiness::Out, Readiness::Out);
    assert!((0..1000).all(|key| bound(&views, key) >= 2));
}

#[test]
fn regions_come_right_behind_their_own_provider() {
    let mut views = views(2);
    views.push(View { rank: 1, ..views[0].clone() });
    views.push(View { rank: 2, ..views[0].clone() });
    let order = |views: &[View], ticket| {
        Choice { strategy: Strategy::RoundRobin, ticket, sticky: None }.order(views, &mut Rng::with_seed(0)).to_vec()
    };
    assert_eq!((order(&views, 0), order(&views, 1)), (vec![0, 2, 3, 1], vec![1, 0, 2, 3]));
    views[0].readiness = Readiness::Out;
    assert_eq!((order(&views, 0), order(&views, 1)), (vec![1, 2, 3, 0], vec![2, 3, 1, 0]));
}

#[test]
fn a_full_candidate_waits_behind_those_with_room() {
    let mut views = views(2);
    (views[0].in_flight, views[0].max_concurrent) = (8, 8);
    assert_eq!(firsts(Strategy::RoundRobin, &views), [0, ROUNDS]);
}

fn any_view() -> impl Generator<Value = View> {
    use Readiness::{Low, Out, Ready, Reluctant};
    let readiness = prop::sample::select(vec![Ready, Ready, Reluctant, Low, Out]);
    let known = (prop::option::of(0..100_000_u64), prop::option::of(-0.5..1.5), prop::option::of(0.0..9.0));
    let fixed = (0..4_u64, 0..3_u32, 0..3_u32, 0..3_u32);
    (fixed, 0..4_usize, 0..5_usize, known, readiness).prop_map(
        |((group, rank, tier, weight), in_flight, max_concurrent, (latency, success_rate, price), readiness)| View {
            group,
            rank,
            tier,
            weight,
            in_flight,
            max_concurrent,
            latency: latency.map(Duration::from_millis),
            success_rate,
            price,
            readiness,
        },
    )
}

proptest! {
    #[test]
    fn all_are_tried_once_and_the_ready_first(
        views in prop::collection::vec(any_view(), 0..9),
        strategy in prop::sample::select(Strategy::ALL.to_vec()),
        ticket: u64, sticky: Option<u64>, seed: u64,
    ) {
        let order = Choice { strategy, ticket, sticky }.order(&views, &mut Rng::with_seed(seed));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert!(sorted.iter().copied().eq(0..views.len()), "{:?}", order);
        let class = |at: usize| {
            let view: &View = &views[at];
            let full = view.in_flight >= view.max_concurrent && view.readiness < Readiness::Out;
            (if full { Readiness::Out } else { view.readiness }, view.tier, view.weight == 0)
        };
        for pair in order.windows(2) {
            let (one, other) = (&views[pair[0]], &views[pair[1]]);
            prop_assert!(class(pair[0]) <= class(pair[1]), "{:?}", order);
            if class(pair[0]) == class(pair[1]) && one.group == other.group {
                prop_assert!(one.rank <= other.rank, "{:?}", order);
            }
        }
        // one group's members of one class stand together
        for (at, one) in order.iter().enumerate() {
            let kin = |other: &usize| class(*one) == class(*other) && views[*one].group == views[*other].group;
            let last = order.iter().rposition(kin).unwrap();
            prop_assert!(order[at..=last].iter().all(kin), "{:?}", order);
        }
    }
}
