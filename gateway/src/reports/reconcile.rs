//! `prism usage reconcile`: an invoice beside what was counted.

use std::{cmp::Ordering, collections::BTreeMap, io::Write, str::FromStr};

use chrono::NaiveDate;

use super::{
    Reconcile,
    invoice::{Billed, Invoice},
    report::dollars,
    source,
    table::{Side, Table, count},
};
use crate::{api::UsageRow, money::Usd};

/// The largest difference that does not count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tolerance {
    /// Of what the invoice says.
    Share(f64),
    Dollars(Usd),
}

impl FromStr for Tolerance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "expected a share such as `1%`, or US dollars such as `0.05`".to_owned();
        match text.strip_suffix('%') {
            Some(share) => {
                let share: f64 = share.trim().parse().map_err(|_| bad())?;
                if (0.0..=100.0).contains(&share) { Ok(Self::Share(share / 100.0)) } else { Err(bad()) }
            }
            None => Usd::parse(text.trim_start_matches('$')).map(Self::Dollars).ok_or_else(bad),
        }
    }
}

type Lines<T> = BTreeMap<(NaiveDate, String), T>;

/// What was counted here for one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ours {
    cost: Usd,
    tokens: u64,
    requests: u64,
    unpriced: u64,
    estimated: u64,
    incomplete: u64,
}

pub(super) fn run(asked: &Reconcile, out: &mut impl Write) -> Result<(), String> {
    let invoice = Invoice::read(&asked.invoice)?;
    let days = invoice.lines.keys().map(|(day, _)| *day);
    let (Some(first), Some(last)) = (days.clone().min(), days.max()) else {
        return Err(format!("{}: no line is a charge", asked.invoice.display()));
    };
    let groups = if invoice.by_model { "day,model" } else { "day" };
    let end = last.succ_opt().unwrap_or(last);
    let mut members: Vec<_> = [("group_by", groups.to_owned()), ("from", first.to_string()), ("to", end.to_string())]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    members.extend(asked.provider.clone().map(|provider| ("provider".to_owned(), provider)));
    let report = source::ask(&asked.place, &members)?;
    let mut ours: Lines<Ours> = BTreeMap::new();
    for row in &report.data {
        if let Some((key, row)) = counted(row) {
            ours.entry(key).or_default().add(&row);
        }
    }
    let compared = compare(&invoice.lines, ours, asked.tolerance);
    let _ = out.write_all(compared.show(invoice.left_out).as_bytes());
    match compared.off() {
        0 => Ok(()),
        off => Err(format!("{off} of {} lines differ by more than the tolerance", compared.lines.len())),
    }
}

fn counted(row: &UsageRow) -> Option<((NaiveDate, String), Ours)> {
    let day = row.day.as_ref()?.parse().ok()?;
    let model = row.model.as_deref().unwrap_or_default().to_lowercase();
    let cost = row.cost_usd.as_deref().and_then(Usd::parse).unwrap_or_default();
    let (requests, unpriced, estimated, incomplete) = (row.requests, row.unpriced, row.estimated, row.incomplete);
    let tokens = row.tokens.input + row.tokens.output;
    Some(((day, model), Ours { cost, tokens, requests, unpriced, estimated, incomplete }))
}

impl Ours {
    fn add(&mut self, other: &Self) {
        self.cost = self.cost + other.cost;
        self.tokens += other.tokens;
        self.requests += other.requests;
        self.unpriced += other.unpriced;
        self.estimated += other.estimated;
        self.incomplete += other.incomplete;
    }

    /// A provider charges nothing for it.
    fn is_free(&self) -> bool {
        self.cost == Usd::default() && self.tokens == 0 && self.unpriced == 0
    }
}

struct Line {
    day: NaiveDate,
    model: String,
    theirs: Option<Billed>,
    ours: Option<Ours>,
    is_off: bool,
}

struct Compared {
    lines: Vec<Line>,
}

/// Both sides line by line. A model that the invoice names with a release date is found without it, and the other way round.
fn compare(theirs: &Lines<Billed>, mut ours: Lines<Ours>, tolerance: Tolerance) -> Compared {
    let mut lines = Vec::new();
    for ((day, model), billed) in theirs {
        let key = (*day, model.clone());
        let mut found = ours.remove(&key);
        if found.is_none() {
            let named = |(_, other): &&(NaiveDate, String)| {
                undated(other) == undated(model) && !theirs.contains_key(&(*day, other.clone()))
            };
            let near: Vec<_> = ours.keys().filter(|(other, _)| other == day).filter(named).cloned().collect();
            for one in near.iter().filter_map(|near| ours.remove(near)) {
                found.get_or_insert_with(Ours::default).add(&one);
            }
        }
        let is_off = off(*billed, found.as_ref(), tolerance);
        lines.push(Line { day: *day, model: model.clone(), theirs: Some(*billed), ours: found, is_off });
    }
    for ((day, model), rest) in ours.into_iter().filter(|(_, ours)| !ours.is_free()) {
        let is_off = off(Billed { amount: Some(Usd::default()), tokens: None }, Some(&rest), tolerance);
        lines.push(Line { day, model, theirs: None, ours: Some(rest), is_off });
    }
    lines.sort_by(|one, other| (one.day, &one.model).cmp(&(other.day, &other.model)));
    Compared { lines }
}

/// `gpt-4o-2024-08-06` and `claude-sonnet-4-20250514` without their dates.
fn undated(model: &str) -> &str {
    let is_date = |part: &str, shape: &[usize]| {
        let parts: Vec<_> = part.split('-').collect();
        parts.iter().map(|part| part.len()).eq(shape.iter().copied())
            && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    for (length, shape) in [(10, &[4, 2, 2][..]), (8, &[8][..])] {
        let Some(at) = model.len().checked_sub(length + 1) else { continue };
        if model.is_char_boundary(at) && model[at..].starts_with('-') && is_date(&model[at + 1..], shape) {
            return &model[..at];
        }
    }
    model
}

fn off(theirs: Billed, ours: Option<&Ours>, tolerance: Tolerance) -> bool {
    let nothing = Ours::default();
    let ours = ours.unwrap_or(&nothing);
    match (theirs.amount, tolerance, theirs.tokens) {
        (Some(amount), Tolerance::Dollars(most), _) => difference(ours.cost, amount).1 > most,
        (Some(amount), Tolerance::Share(share), _) => {
            difference(ours.cost, amount).1.as_f64() > amount.as_f64() * share
        }
        (None, Tolerance::Share(share), Some(tokens)) => ours.tokens.abs_diff(tokens) as f64 > tokens as f64 * share,
        (None, Tolerance::Dollars(_), Some(tokens)) => ours.tokens != tokens,
        (None, _, None) => false,
    }
}

fn difference(ours: Usd, theirs: Usd) -> (Ordering, Usd) {
    (ours.cmp(&theirs), ours.distance(theirs))
}

impl Compared {
    fn off(&self) -> usize {
        self.lines.iter().filter(|line| line.is_off).count()
    }

    fn show(&self, left_out: u64) -> String {
        let left = ["day", "model"].map(|name| (name.to_owned(), Side::Left));
        let right = ["invoice USD", "counted USD", "difference", "%", "invoice tokens", "counted tokens"];
        let heads = left.into_iter().chain(right.map(|name| (name.to_owned(), Side::Right)));
        let mut table = Table::new(heads.chain([("".to_owned(), Side::Left)]));
        let (mut billed, mut counted) = (Billed::default(), Ours::default());
        for line in &self.lines {
            let theirs = line.theirs.unwrap_or_default();
            if let Some(amount) = theirs.amount {
                billed.amount = Some(billed.amount.unwrap_or_default() + amount);
            }
            if let Some(tokens) = theirs.tokens {
                billed.tokens = Some(billed.tokens.unwrap_or_default() + tokens);
            }
            if let Some(ours) = &line.ours {
                counted.add(ours);
            }
            let first = [line.day.to_string(), line.model.clone()];
            let numbers = figures(line.theirs, line.ours.as_ref());
            table.row(first.into_iter().chain(numbers).chain([why(line)]).collect());
        }
        let first = ["total".to_owned(), String::new()];
        let totals = figures(Some(billed), Some(&counted));
        let mut text = table.render(Some(first.into_iter().chain(totals).chain([String::new()]).collect()));
        if left_out > 0 {
            text += &format!(
                "\n{} of the invoice's lines are no charge for usage (credits, sums), and left out.\n",
                count(left_out)
            );
        }
        text
    }
}

fn figures(theirs: Option<Billed>, ours: Option<&Ours>) -> [String; 6] {
    let none = || "-".to_owned();
    let (amount, cost) = (theirs.and_then(|billed| billed.amount), ours.map(|ours| ours.cost));
    let (apart, share) = match amount {
        None if theirs.is_some() => (none(), none()),
        amount => {
            let (amount, cost) = (amount.unwrap_or_default(), cost.unwrap_or_default());
            let (order, apart) = difference(cost, amount);
            let sign = match order {
                Ordering::Less => "-",
                Ordering::Equal => "",
                Ordering::Greater => "+",
            };
            let share = apart.as_f64() / amount.as_f64() * 100.0;
            let share = if share.is_finite() { format!("{sign}{share:.2}") } else { none() };
            (format!("{sign}{}", dollars(&apart.to_string())), share)
        }
    };
    [
        amount.map_or_else(none, |amount| dollars(&amount.to_string())),
        cost.map_or_else(none, |cost| dollars(&cost.to_string())),
        apart,
        share,
        theirs.and_then(|billed| billed.tokens).map_or_else(none, count),
        ours.map_or_else(none, |ours| count(ours.tokens)),
    ]
}

/// What may explain a difference.
fn why(line: &Line) -> String {
    let mut reasons = Vec::new();
    match (&line.theirs, &line.ours) {
        (None, _) => reasons.push("not on the invoice".to_owned()),
        (_, None) => reasons.push("not counted here".to_owned()),
        (Some(theirs), Some(ours)) => {
            let differs = theirs.amount.is_some_and(|amount| amount != ours.cost);
            if line.is_off && differs && theirs.tokens == Some(ours.tokens) && ours.unpriced == 0 {
                reasons.push("the same tokens at another price (`cost_tracking.custom_pricing`)".to_owned());
            }
        }
    }
    if let Some(ours) = &line.ours {
        let counted = [
            (ours.unpriced, "without a price"),
            (ours.estimated, "with estimated tokens"),
            (ours.incomplete, "incomplete"),
        ];
        let named = counted.into_iter().filter(|(many, _)| *many > 0);
        reasons.extend(named.map(|(many, what)| format!("{} of {} {what}", count(many), count(ours.requests))));
    }
    let mark = if line.is_off { "! " } else { "" };
    format!("{mark}{}", reasons.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(model: &str) -> (NaiveDate, String) {
        ("2026-11-01".parse().unwrap(), model.to_owned())
    }

    fn usd(text: &str) -> Usd {
        Usd::parse(text).unwrap()
    }

    fn billed(amount: &str, tokens: Option<u64>) -> Billed {
        Billed { amount: Some(usd(amount)), tokens }
    }

    fn ours(cost: &str) -> Ours {
        Ours { cost: usd(cost), tokens: 10, requests: 2, ..Ours::default() }
    }

    #[test]
    fn tolerances_are_shares_or_dollars() {
        assert_eq!("1%".parse(), Ok(Tolerance::Share(0.01)));
        assert_eq!("$0.05".parse(), Ok(Tolerance::Dollars(usd("0.05"))));
        for text in ["", "%", "-1%", "101%", "NaN%", "-1", "much"] {
            assert!(text.parse::<Tolerance>().is_err(), "{text}");
        }
    }

    #[test]
    fn lines_are_compared_within_the_tolerance_and_explained() {
        let theirs = Lines::from([
            (key("gpt-4o-2024-08-06"), billed("10", None)),
            (key("small"), billed("1", Some(10))),
            (key("gone"), billed("0.5", None)),
        ]);
        let counted = Lines::from([
            (key("gpt-4o"), ours("9.95")),
            (key("small"), ours("2")),
            (key("extra"), Ours { unpriced: 1, ..ours("3") }),
            (key("free"), Ours { requests: 4, ..Ours::default() }),
        ]);
        let compared = compare(&theirs, counted, Tolerance::Share(0.01));
        let lines: Vec<_> = compared.lines.iter().map(|line| (line.model.as_str(), line.is_off, why(line))).collect();
        assert_eq!(
            lines,
            [
                ("extra", true, "! not on the invoice, 1 of 2 without a price".to_owned()),
                ("gone", true, "! not counted here".to_owned()),
                ("gpt-4o-2024-08-06", false, String::new()),
                ("small", true, "! the same tokens at another price (`cost_tracking.custom_pricing`)".to_owned()),
            ]
        );
        assert_eq!(compared.off(), 3);
        let text = compared.show(2);
        assert!(text.contains("10.000000     9.950000   -0.050000    -0.50"), "{text}");
        assert!(text.contains("11.500000    14.950000   +3.450000   +30.00"), "{text}");
    }

    #[test]
    fn dates_are_no_part_of_a_models_name() {
        assert_eq!(undated("gpt-4o-2024-08-06"), "gpt-4o");
        assert_eq!(undated("claude-sonnet-4-20250514"), "claude-sonnet-4");
        for model in ["gpt-4o", "gpt-4-0613", "größer-2024", "20250514", ""] {
            assert_eq!(undated(model), model);
        }
    }
}
