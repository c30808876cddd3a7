//! The fuzz targets' checks without a fuzzer: their seeds, and what a few changes make of them.

use std::sync::LazyLock;

use proptest::{prelude::*, sample::Index};

#[path = "../fuzz/checks/mod.rs"]
mod checks;

static SEEDS: LazyLock<Vec<checks::Seed>> = LazyLock::new(checks::seeds);

#[test]
fn every_seed_holds() {
    for (name, check) in checks::CHECKS {
        let seeds: Vec<&checks::Seed> = SEEDS.iter().filter(|seed| seed.of == name).collect();
        assert!(seeds.len() > 40, "`{name}` has hardly a seed");
        for seed in seeds {
            println!("{name}: {}", seed.name); // shown when it fails
            check(&seed.data);
        }
    }
}

/// What happens to bytes: at one place, or from one place to another.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index, Index),
    Repeat(Index, Index),
    End(Index),
    /// From there on it is another seed.
    Cross(Index, Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"\r\n:{}[]\",\\0-. n".to_vec())];
    let change = prop_oneof![
        4 => (any::<Index>(), byte.clone()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (any::<Index>(), byte).prop_map(|(at, byte)| Change::Insert(at, byte)),
        2 => any::<(Index, Index)>().prop_map(|(from, to)| Change::Remove(from, to)),
        2 => any::<(Index, Index)>().prop_map(|(from, to)| Change::Repeat(from, to)),
        1 => any::<Index>().prop_map(Change::End),
        1 => any::<(Index, Index)>().prop_map(|(at, seed)| Change::Cross(at, seed)),
    ];
    prop::collection::vec(change, 1..4)
}

fn changed(mut data: Vec<u8>, changes: &[Change], seeds: &[&checks::Seed]) -> Vec<u8> {
    for change in changes {
        let place = |index: &Index| index.index(data.len() + 1);
        let span = |one: &Index, other: &Index| place(one).min(place(other))..place(one).max(place(other));
        match change {
            Change::Set(at, byte) => {
                let at = place(at);
                if let Some(place) = data.get_mut(at) {
                    *place = *byte;
                }
            }
            Change::Insert(at, byte) => data.insert(place(at), *byte),
            Change::Remove(from, to) => drop(data.drain(span(from, to))),
            Change::Repeat(from, to) => {
                let span = span(from, to);
                let again = data[span.clone()].to_vec();
                data.splice(span.end..span.end, again);
            }
            Change::End(at) => data.truncate(place(at)),
            Change::Cross(at, seed) => {
                let (at, other) = (place(at), &seed.get(seeds).data);
                data.truncate(at);
                data.extend_from_slice(other.get(at..).unwrap_or_default());
            }
        }
    }
    data
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_changed_seed_holds(seed in any::<Index>(), changes in changes()) {
        for (name, check) in checks::CHECKS {
            let seeds: Vec<&checks::Seed> = SEEDS.iter().filter(|seed| seed.of == name).collect();
            check(&changed(seed.get(&seeds).data.clone(), &changes, &seeds));
        }
    }
}
