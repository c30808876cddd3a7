//! What somebody has spent, in every period at once: a budget may change its period and still be exact.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{config::Period, money::Usd};

/// By [`Period::ALL`]. A period that is over counts nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend([Stretch; Period::ALL.len()]);

/// The order is that of its fields: a later one is more than an earlier one, whatever was spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Stretch {
    /// Its first day; that of the period without an end is the first there is.
    since: NaiveDate,
    usd: Usd,
}

impl Spend {
    /// Of one request that is settled on that day.
    pub fn on(day: NaiveDate, usd: Usd) -> Self {
        Self(Period::ALL.map(|period| Stretch { since: first_day(period, day), usd }))
    }

    /// In the period that the day belongs to.
    pub fn within(&self, period: Period, day: NaiveDate) -> Usd {
        let stretch = self.0[period as usize];
        if stretch.since == first_day(period, day) { stretch.usd } else { Usd::default() }
    }

    /// Both together; of two periods the later one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| {
            let (one, other) = (self.0[at], other.0[at]);
            match one.since.cmp(&other.since) {
                std::cmp::Ordering::Less => other,
                std::cmp::Ordering::Equal => Stretch { usd: one.usd + other.usd, ..one },
                std::cmp::Ordering::Greater => one,
            }
        }))
    }

    /// Of each period the larger amount; of two periods the later one.
    #[must_use]
    pub fn or_more(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at].max(other.0[at])))
    }

    pub fn is_nothing(&self) -> bool {
        self.0.iter().all(|stretch| stretch.usd == Usd::default())
    }
}

fn first_day(period: Period, day: NaiveDate) -> NaiveDate {
    match period {
        Period::Daily => day,
        Period::Weekly => day - Days::new(day.weekday().num_days_from_monday().into()),
        Period::Monthly => day.with_day(1).expect("every month has a first day"),
        Period::Total => NaiveDate::default(),
    }
}

/// When the period of that day is over; `None` for the one without an end.
pub fn end(period: Period, day: NaiveDate) -> Option<DateTime<Utc>> {
    let first = first_day(period, day);
    let next = match period {
        Period::Daily => first + Days::new(1),
        Period::Weekly => first + Days::new(7),
        Period::Monthly => first + Months::new(1),
        Period::Total => return None,
    };
    Some(next.and_time(NaiveTime::MIN).and_utc())
}
