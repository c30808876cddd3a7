//! What gateways know together of somebody's budget: what is spent of it, and who may spend how much of the rest. Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    admission::budgets::{Spend, Want},
    money::Usd,
};

/// A lease that nobody has renewed for so long belongs to a gateway that is gone.
pub(super) const LEASE_MILLIS: u64 = 60_000;
/// The part of a budget that a gateway has in hand beyond what its requests have asked for.
const SLACK: f64 = 1.0 / 64.0;

/// One value of the bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Whose budget it is: `key app`, `organisation acme`.
    pub who: String,
    /// The gateway that wrote it.
    pub by: String,
    pub spend: Spend,
    /// By gateway.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub leases: BTreeMap<String, Lease>,
}

/// What one gateway may spend, and nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub usd: Usd,
    /// Milliseconds since 1970.
    pub until: u64,
}

/// What a gateway has to say of one budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// What it had been told of before, for a record that is not there yet.
    pub known: Spend,
    /// Spent since the last time.
    pub spent: Spend,
    /// `None` where it needs no lease.
    pub want: Option<Want>,
}

/// When something is changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// Milliseconds since 1970.
    pub millis: u64,
    pub day: NaiveDate,
}

impl Record {
    /// The record after a gateway's change, and its lease.
    ///
    /// All leases and what is spent are never more than the limit, but for what a gateway has promised to its requests
    /// already: that may be after its lease has lapsed, or after the limit was lowered.
    pub fn changed(before: Option<&Self>, who: &str, gateway: &str, change: &Change, now: Now) -> (Self, Usd) {
        let mut record = match before {
            Some(record) => record.clone(),
            None => Self { who: who.to_owned(), spend: change.known, ..Self::default() },
        };
        gateway.clone_into(&mut record.by);
        record.spend = record.spend.and(change.spent);
        record.leases.retain(|_, lease| lease.until > now.millis);
        record.leases.remove(gateway);
        let Some(want) = change.want else { return (record, Usd::default()) };
        let others: Usd = record.leases.values().map(|lease| lease.usd).sum();
        let free = want.limit.minus(record.spend.within(want.period, now.day) + others);
        let needed = want.promised + want.more;
        // half of the rest is left to the others, and nothing is taken that is too little for a request
        let slack = want.limit.share(SLACK).min(free.minus(needed).share(0.5));
        let slack = want.dearest.filter(|dearest| slack >= *dearest).map_or(Usd::default(), |_| slack);
        let granted = want.kept.max((needed + slack).min(free));
        if granted > Usd::default() {
            let until = now.millis + LEASE_MILLIS;
            record.leases.insert(gateway.to_owned(), Lease { usd: granted, until });
        }
        (record, granted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        admission::budgets::{Purse, Short},
        config::{Budget, Period},
    };

    fn usd(cents: u32) -> Usd {
        Usd::parse(&format!("{}.{:02}", cents / 100, cents % 100)).unwrap()
    }

    fn day() -> NaiveDate {
        "2026-03-04".parse().unwrap()
    }

    fn now(millis: u64) -> Now {
        Now { millis, day: day() }
    }

    fn want(promised: u32, more: u32) -> Want {
        Want {
            limit: usd(1_000),
            period: Period::Monthly,
            promised: usd(promised),
            kept: usd(promised),
            more: usd(more),
            dearest: None,
        }
    }

    fn asked(want: Want) -> Change {
        Change { want: Some(want), ..Change::default() }
    }

    #[test]
    fn what_one_has_leased_the_others_do_not_get() {
        let (record, granted) = Record::changed(None, "key app", "a", &asked(want(0, 700)), now(0));
        assert_eq!(granted, usd(700));
        let (record, granted) = Record::changed(Some(&record), "key app", "b", &asked(want(0, 700)), now(1));
        assert_eq!(granted, usd(300), "the rest");
        let spent = Change { spent: Spend::on(day(), usd(700)), ..asked(want(0, 0)) };
        let (record, granted) = Record::changed(Some(&record), "key app", "a", &spent, now(2));
        assert_eq!((granted, record.leases.len()), (usd(0), 1));
        let (_, granted) = Record::changed(Some(&record), "key app", "c", &asked(want(0, 1)), now(3));
        assert_eq!(granted, usd(0));
    }

    #[test]
    fn the_lease_of_a_gateway_that_is_gone_lapses() {
        let (record, _) = Record::changed(None, "key app", "a", &asked(want(0, 1_000)), now(0));
        let (_, granted) = Record::changed(Some(&record), "key app", "b", &asked(want(0, 1)), now(LEASE_MILLIS - 1));
        assert_eq!(granted, usd(0));
        let (_, granted) = Record::changed(Some(&record), "key app", "b", &asked(want(0, 1)), now(LEASE_MILLIS));
        assert_eq!(granted, usd(1));
    }

    #[test]
    fn a_record_that_is_not_there_begins_with_what_is_known() {
        let change = Change { known: Spend::on(day(), usd(900)), ..asked(want(0, 300)) };
        let (record, granted) = Record::changed(None, "key app", "a", &change, now(0));
        assert_eq!(granted, usd(100));
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }

    #[test]
    fn a_busy_gateway_has_some_in_hand_and_leaves_half_of_the_rest() {
        let busy = |promised| asked(Want { dearest: Some(usd(1)), ..want(promised, 10) });
        let (record, granted) = Record::changed(None, "key app", "a", &busy(0), now(0));
        assert_eq!(granted, usd(10) + usd(1_000).share(SLACK));
        let (_, granted) = Record::changed(Some(&record), "key app", "a", &busy(980), now(0));
        assert_eq!(granted, usd(995), "990 are needed, half of the last ten is left");
        let dear = asked(Want { dearest: Some(usd(100)), ..want(0, 100) });
        let (_, granted) = Record::changed(None, "key app", "a", &dear, now(0));
        assert_eq!(granted, usd(100), "what is too little for a request is left to the others");
    }

    /// What a gateway may do.
    #[derive(Debug, Clone)]
    enum Step {
        /// A request comes that costs so many cents at most.
        Comes(u32),
        /// The oldest ends, and costs a share of it.
        Ends(u32),
        /// It changes the record, and perhaps tells what is spent.
        Asks { tells: bool },
        /// It hears what has become of that.
        Hears,
        /// It has had nothing to do.
        Rests,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0_u32..300).prop_map(Step::Comes),
            3 => (0_u32..=100).prop_map(Step::Ends),
            3 => any::<bool>().prop_map(|tells| Step::Asks { tells }),
            3 => Just(Step::Hears),
            1 => Just(Step::Rests),
        ]
    }

    struct Gateway {
        purse: Purse,
        running: Vec<(Usd, u32)>,
        answer: Option<(Spend, Usd, bool)>,
    }

    proptest! {
        /// Gateways that hear of each other spend no more than the limit together, whatever comes when.
        #[test]
        fn together_they_spend_no_more_than_the_limit(steps in prop::collection::vec((0_usize..3, step()), 1..300)) {
            let budget = Budget { limit: usd(1_000), period: Period::Monthly, warn_at: usd(800), hard: true };
            let mut record: Option<Record> = None;
            let mut gateways: Vec<_> = (0..3).map(|_| {
                let mut purse = Purse::new(budget, Spend::default());
                purse.join();
                Gateway { purse, running: vec![], answer: None }
            }).collect();
            let mut spent = Usd::default();
            for (at, step) in steps {
                let Gateway { purse, running, answer } = &mut gateways[at];
                match step {
                    Step::Comes(cents) => match purse.reserve(day(), Some(usd(cents))) {
                        Ok(held) => running.push((held, cents)),
                        Err(short) => prop_assert!(matches!(short, Short::Spent | Short::Unleased)),
                    },
                    Step::Ends(share) if !running.is_empty() => {
                        let (held, cents) = running.remove(0);
                        let cost = usd(cents * share / 100);
                        purse.settle(day(), held, cost);
                        spent = spent + cost;
                    }
                    Step::Asks { tells } if answer.is_none() => {
                        let told = if tells { purse.unrecorded() } else { Spend::default() };
                        let change = Change { known: purse.known(), spent: told, want: purse.want(day(), tells) };
                        let (changed, granted) = Record::changed(record.as_ref(), "key app", &at.to_string(), &change, now(0));
                        *answer = Some((changed.spend, granted, tells));
                        record = Some(changed);
                    }
                    Step::Hears => if let Some((total, granted, told)) = answer.take() {
                        purse.leased(total, granted, told);
                    },
                    Step::Rests => drop(purse.rest(day())),
                    Step::Ends(_) | Step::Asks { .. } => {}
                }
                let held: Usd = gateways.iter().flat_map(|one| one.running.iter().map(|(held, _)| *held)).sum();
                prop_assert!(spent + held <= budget.limit, "{} spent, {} held", spent, held);
            }
        }
    }
}
