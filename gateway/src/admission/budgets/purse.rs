//! What may still be spent of a budget: pure, exact to the attodollar.

use std::mem;

use chrono::{DateTime, NaiveDate, Utc};

use super::{Spend, spend::end};
use crate::{
    config::{Budget, Period},
    money::Usd,
};

/// Somebody's spending, and the budget that it is measured by.
///
/// A purse that is one of several on the same budget spends only what it has leased of it: what is promised to requests and
/// what no book has yet are never more than its lease.
#[derive(Debug, Clone)]
pub struct Purse {
    /// `None` while there is none; what was spent counts when there is one again.
    budget: Option<Budget>,
    /// What a book has of it.
    known: Spend,
    /// What is just being written down there.
    recording: Option<Spend>,
    /// What no book has.
    unrecorded: Spend,
    /// Reserved for requests in progress.
    held: Usd,
    /// `None` where all of the budget is its own.
    lease: Option<Usd>,
    /// What its lease was too small for since it was last asked for more.
    asked: Usd,
    /// The most that one request has asked for since it last rested; `None` where none has come.
    dearest: Option<Usd>,
    /// The most that it had promised at a time since then.
    peak: Usd,
    /// Of which budget and which period of it somebody has been warned.
    warned: Option<(Budget, Option<DateTime<Utc>>)>,
}

/// What a purse wants of a budget that it has together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    pub limit: Usd,
    pub period: Period,
    /// What its requests may still cost, and what was spent and is not told.
    pub promised: Usd,
    /// No lease is smaller: so much may be promised before the answer is here.
    pub kept: Usd,
    /// What its lease was too small for.
    pub more: Usd,
    /// The most that one request has asked for lately; `None` where none has come, and none is waited for.
    pub dearest: Option<Usd>,
}

/// How a purse stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurseView {
    pub budget: Budget,
    pub spent: Usd,
    pub held: Usd,
    /// When it begins anew; `None` for never.
    pub ends: Option<DateTime<Utc>>,
}

/// Why a request cannot be paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// Too little is left.
    Spent,
    /// There is enough, if those in progress leave it.
    Held,
    /// There is enough, if the others leave it: more has to be leased.
    Unleased,
    /// Nobody knows what it costs.
    Unpriced,
}

impl Purse {
    pub fn new(budget: Budget, known: Spend) -> Self {
        Self {
            budget: Some(budget),
            known,
            recording: None,
            unrecorded: Spend::default(),
            held: Usd::default(),
            lease: None,
            asked: Usd::default(),
            dearest: None,
            peak: Usd::default(),
            warned: None,
        }
    }

    pub fn change(&mut self, budget: Option<Budget>) {
        self.budget = budget;
    }

    /// Puts aside what a request may cost at most; `None` where its price is not known. Answers what was put aside.
    ///
    /// # Errors
    /// Why not, where the budget is a hard one.
    pub fn reserve(&mut self, day: NaiveDate, cost: Option<Usd>) -> Result<Usd, Short> {
        self.dearest = self.dearest.max(cost);
        if let Some(budget) = self.hard() {
            let cost = cost.ok_or(Short::Unpriced)?;
            let spent = self.spent(budget.period, day);
            if spent + cost > budget.limit {
                return Err(Short::Spent);
            }
            match self.lease {
                None if spent + self.held + cost > budget.limit => return Err(Short::Held),
                Some(lease) if self.promised(budget.period, day) + cost > lease => {
                    self.asked = self.asked + cost;
                    return Err(Short::Unleased);
                }
                _ => {}
            }
        }
        let cost = cost.unwrap_or_default();
        self.held = self.held + cost;
        if let Some(budget) = self.hard() {
            self.peak = self.peak.max(self.promised(budget.period, day));
        }
        Ok(cost)
    }

    /// A request has ended and cost so much. Answers how the purse stands when there is something to warn of for the first
    /// time in its period.
    pub fn settle(&mut self, day: NaiveDate, held: Usd, cost: Usd) -> Option<PurseView> {
        self.held = self.held.minus(held);
        if cost > Usd::default() {
            self.unrecorded = self.unrecorded.and(Spend::on(day, cost));
        }
        let view = self.view(day).filter(PurseView::warns)?;
        let known = (view.budget, view.ends);
        (self.warned.replace(known) != Some(known)).then_some(view)
    }

    /// `None` while there is no budget.
    pub fn view(&self, day: NaiveDate) -> Option<PurseView> {
        let budget = self.budget?;
        let spent = self.spent(budget.period, day);
        Some(PurseView { budget, spent, held: self.held, ends: end(budget.period, day) })
    }

    /// What a book has of it.
    pub fn known(&self) -> Spend {
        self.known
    }

    /// Takes what no book has yet. Who takes it says what has become of it: [`Self::recorded`], [`Self::leased`] or
    /// [`Self::keep_unrecorded`].
    pub fn unrecorded(&mut self) -> Spend {
        let taken = mem::take(&mut self.unrecorded);
        if !taken.is_nothing() {
            self.recording = Some(taken);
        }
        taken
    }

    /// A book has what was taken, and perhaps what others spent: in all so much, as far as the book knows.
    pub fn recorded(&mut self, total: Spend) {
        if let Some(taken) = self.recording.take() {
            self.known = self.known.and(taken).or_more(total);
        }
    }

    /// The book could not take it.
    pub fn keep_unrecorded(&mut self) {
        self.unrecorded = self.unrecorded.and(self.recording.take().unwrap_or_default());
    }

    /// Others have spent, so that it is so much in all.
    pub fn heard(&mut self, total: Spend) {
        self.known = total;
    }

    /// From now on the budget is not its own alone.
    pub fn join(&mut self) {
        self.lease = self.lease.or(Some(Usd::default()));
    }

    /// From now on all of it is its own: nobody can be asked.
    pub fn part(&mut self) {
        self.lease = None;
    }

    /// What it wants for the time to come; `None` where it needs no lease. What is being recorded counts as spent if it is
    /// `told` at the same time.
    pub fn want(&mut self, day: NaiveDate, told: bool) -> Option<Want> {
        let more = mem::take(&mut self.asked);
        let (budget, lease) = self.hard().zip(self.lease)?;
        let recording = self.recording.unwrap_or_default().within(budget.period, day);
        let told = if told { recording } else { Usd::default() };
        let promised = self.promised(budget.period, day).minus(told);
        let Budget { limit, period, .. } = budget;
        let kept = lease.minus(told).max(promised);
        Some(Want { limit, period, promised, kept, more, dearest: self.dearest })
    }

    /// Whether its lease was too small for something.
    pub fn asks(&self) -> bool {
        self.asked > Usd::default()
    }

    /// Nothing but the most that its requests have needed since the last time is kept. Answers whether there is a lease to be
    /// renewed, or given back.
    pub fn rest(&mut self, day: NaiveDate) -> bool {
        self.dearest = None;
        let Some((budget, lease)) = self.hard().zip(self.lease) else { return false };
        let promised = self.promised(budget.period, day);
        let peak = mem::replace(&mut self.peak, promised).max(promised);
        self.lease = Some(lease.min(peak));
        lease > Usd::default()
    }

    /// The answer to what it wanted: what all have spent, and what it may. `told` as it was asked.
    pub fn leased(&mut self, total: Spend, lease: Usd, told: bool) {
        self.known = total;
        if told {
            self.recording = None;
        }
        if self.lease.is_some() {
            self.lease = Some(lease);
        }
    }

    fn hard(&self) -> Option<Budget> {
        self.budget.filter(|budget| budget.hard)
    }

    /// Of which no book knows.
    fn untold(&self, period: Period, day: NaiveDate) -> Usd {
        self.unrecorded.within(period, day) + self.recording.map(|spend| spend.within(period, day)).unwrap_or_default()
    }

    fn spent(&self, period: Period, day: NaiveDate) -> Usd {
        self.known.within(period, day) + self.untold(period, day)
    }

    /// What its lease has to cover.
    fn promised(&self, period: Period, day: NaiveDate) -> Usd {
        self.held + self.untold(period, day)
    }
}

impl PurseView {
    /// Whether so much is spent that it is warned of.
    pub fn warns(&self) -> bool {
        self.spent >= self.budget.warn_at
    }

    /// What is spent, as a share of the limit.
    pub fn ratio(&self) -> f64 {
        self.spent.as_f64() / self.budget.limit.as_f64()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(text: &str) -> Usd {
        Usd::parse(text).unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn purse(limit: &str, period: Period) -> Purse {
        let limit = usd(limit);
        Purse::new(Budget { limit, period, warn_at: limit.share(0.8), hard: true }, Spend::default())
    }

    #[test]
    fn what_is_reserved_cannot_be_promised_twice() {
        let (mut purse, today) = (purse("10", Period::Monthly), day("2026-03-31"));
        let one = Some(usd("1"));
        assert_eq!((0..1_000).filter(|_| purse.reserve(today, one).is_ok()).count(), 10);
        assert_eq!(purse.reserve(today, one), Err(Short::Held));
        assert_eq!(purse.settle(today, usd("1"), usd("0.25")), None);
        assert_eq!(purse.reserve(today, Some(usd("0.75"))), Ok(usd("0.75")));
        assert_eq!(purse.reserve(today, Some(usd("0.000000000000000001"))), Err(Short::Held));
        assert_eq!(purse.reserve(today, Some(usd("9.76"))), Err(Short::Spent));
        assert_eq!(purse.reserve(today, None), Err(Short::Unpriced));
        assert!(purse.reserve(today, Some(Usd::default())).is_ok(), "what is free needs no money");
    }

    #[test]
    fn each_period_begins_anew_and_only_it() {
        for (period, last, next) in [
            (Period::Daily, "2026-03-04", Some("2026-03-05")),
            (Period::Weekly, "2026-03-08", Some("2026-03-09")), // a Sunday
            (Period::Monthly, "2028-02-29", Some("2028-03-01")),
            (Period::Total, "2026-12-31", None),
        ] {
            let (mut purse, last) = (purse("1", period), day(last));
            purse.reserve(last, Some(usd("1"))).unwrap();
            purse.settle(last, usd("1"), usd("1"));
            assert!(purse.reserve(last, Some(usd("1"))).is_err());
            let ends = next.map(|next| day(next).and_time(chrono::NaiveTime::MIN).and_utc());
            assert_eq!(purse.view(last).unwrap().ends, ends);
            let after = purse.reserve(last + chrono::Days::new(1), Some(usd("1")));
            assert_eq!(after.is_ok(), next.is_some(), "{period:?}");
        }
    }

    #[test]
    fn another_period_counts_what_was_spent_in_it() {
        let mut purse = purse("5", Period::Monthly);
        for (on, cost) in [("2026-03-01", "1"), ("2026-03-03", "2"), ("2026-03-04", "0.5")] {
            purse.settle(day(on), Usd::default(), usd(cost));
        }
        let spent = |purse: &Purse| purse.view(day("2026-03-04")).unwrap().spent.to_string();
        for (period, expected) in
            [(Period::Monthly, "3.5"), (Period::Daily, "0.5"), (Period::Weekly, "2.5"), (Period::Total, "3.5")]
        {
            purse.change(Some(Budget { period, ..purse.budget.unwrap() }));
            assert_eq!(spent(&purse), expected, "{period:?}");
        }
    }

    #[test]
    fn a_warning_comes_once_in_a_period_and_a_soft_budget_refuses_nothing() {
        let mut purse = purse("1", Period::Daily);
        purse.change(Some(Budget { hard: false, ..purse.budget.unwrap() }));
        let today = day("2026-03-04");
        assert!(purse.settle(today, Usd::default(), usd("0.7")).is_none());
        assert_eq!(purse.settle(today, Usd::default(), usd("0.7")).unwrap().spent, usd("1.4"));
        assert!(purse.settle(today, Usd::default(), usd("0.7")).is_none());
        assert!(purse.reserve(today, Some(usd("100"))).is_ok() && purse.reserve(today, None).is_ok());
        let tomorrow = day("2026-03-05");
        assert!(purse.settle(tomorrow, Usd::default(), usd("0.1")).is_none());
        assert!(purse.settle(tomorrow, Usd::default(), usd("0.8")).is_some());
    }

    #[test]
    fn a_book_gets_each_dollar_once_and_may_know_of_more() {
        let (mut purse, today) = (purse("10", Period::Total), day("2026-03-04"));
        purse.settle(today, Usd::default(), usd("1"));
        let taken = purse.unrecorded();
        purse.settle(today, Usd::default(), usd("2"));
        assert_eq!(taken.within(Period::Total, today), usd("1"));
        purse.keep_unrecorded();
        let taken = purse.unrecorded();
        assert_eq!(taken.within(Period::Total, today), usd("3"));
        purse.settle(today, Usd::default(), usd("0.5"));
        purse.recorded(taken.and(Spend::on(today, usd("4"))));
        assert_eq!(purse.view(today).unwrap().spent, usd("7.5"), "another gateway has spent four");
    }

    #[test]
    fn a_lease_that_was_needed_once_does_not_stay_because_something_small_goes_on() {
        let (mut purse, today) = (purse("100", Period::Total), day("2026-03-04"));
        purse.join();
        purse.leased(Spend::default(), usd("90"), false);
        let lease = |purse: &mut Purse| purse.want(today, false).unwrap().kept;
        purse.reserve(today, Some(usd("90"))).unwrap();
        purse.settle(today, usd("90"), usd("3"));
        assert!(purse.rest(today));
        assert_eq!(lease(&mut purse), usd("90"), "so much was needed at a time");
        purse.reserve(today, Some(usd("1"))).unwrap();
        purse.settle(today, usd("1"), usd("0.5"));
        assert!(purse.rest(today));
        assert_eq!(lease(&mut purse), usd("4"), "three are not told, and one was promised");
        assert!(purse.rest(today));
        assert_eq!(lease(&mut purse), usd("3.5"));
    }

    proptest! {
        /// As long as no request costs more than was put aside for it, a hard budget is never exceeded.
        #[test]
        fn a_hard_budget_holds(steps in prop::collection::vec((0_u32..400, 0_u32..100, any::<bool>()), 1..80)) {
            let (mut purse, today) = (purse("10", Period::Weekly), day("2026-03-04"));
            let cents = |cents: u32| usd(&format!("{}.{:02}", cents / 100, cents % 100));
            let mut running = vec![];
            for (cost, share, ends) in steps {
                running.extend(purse.reserve(today, Some(cents(cost))).ok().map(|_| (cost, share)));
                if ends && !running.is_empty() {
                    let (cost, share) = running.remove(0);
                    purse.settle(today, cents(cost), cents(cost * share / 100));
                }
                let view = purse.view(today).unwrap();
                prop_assert!(view.spent + view.held <= view.budget.limit);
            }
        }
    }
}
