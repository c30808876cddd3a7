//! Conditions of routes: pure, judged against the facts of a request.
//!
//! `fields` lists what may be asked and `operators` how, `read` is the language as people write it.

mod fields;
mod operators;
mod read;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use regex_lite::Regex;
use serde_json::{Number, Value as Json};

pub(super) use read::{Written, read};

/// A condition that a request meets or does not.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// `field` is a path such as `metadata.tier`. A request that has nothing there passes no test.
    Test {
        field: String,
        test: Test,
    },
}

/// Numbers are compared with numbers and texts with texts; anything else does not hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Exists,
    Equal(Json),
    OneOf(Vec<Json>),
    /// On the wanted side of a number or a text.
    Ordered(Relation, Json),
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    /// `*` is any text, `?` any one character.
    Glob(String),
    Matches(Pattern),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Less,
    AtMost,
    AtLeast,
    More,
}

/// A regular expression; it takes time linear in what it is tried on.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// What a condition may ask of a request.
pub trait Facts {
    /// The value at a path (`model`, `metadata.tier`, …; all are in `fields`); `None` when the request has none there.
    fn fact(&self, path: &str) -> Option<Json>;
}

impl Condition {
    pub fn holds(&self, facts: &dyn Facts) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(facts)),
            Self::Any(any) => any.iter().any(|one| one.holds(facts)),
            Self::Not(one) => !one.holds(facts),
            Self::Test { field, test } => {
                facts.fact(field).filter(|fact| !fact.is_null()).is_some_and(|fact| test.passes(&fact))
            }
        }
    }

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

impl Test {
    fn passes(&self, fact: &Json) -> bool {
        let text = |judge: &dyn Fn(&str) -> bool| fact.as_str().is_some_and(judge);
        match self {
            Self::Exists => true,
            Self::Equal(wanted) => same(fact, wanted),
            Self::OneOf(wanted) => wanted.iter().any(|wanted| same(fact, wanted)),
            Self::Ordered(relation, bound) => order(fact, bound).is_some_and(|order| relation.covers(order)),
            Self::Contains(part) => text(&|text| text.contains(part)),
            Self::StartsWith(start) => text(&|text| text.starts_with(start)),
            Self::EndsWith(end) => text(&|text| text.ends_with(end)),
            Self::Glob(glob) => text(&|text| fits(glob, text)),
            Self::Matches(pattern) => text(&|text| pattern.0.is_match(text)),
        }
    }
}

impl Relation {
    fn covers(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::AtLeast => order.is_ge(),
            Self::More => order.is_gt(),
        }
    }
}

fn same(one: &Json, other: &Json) -> bool {
    one == other || order(one, other) == Some(Ordering::Equal)
}

/// `None` for what cannot be compared.
fn order(one: &Json, other: &Json) -> Option<Ordering> {
    let whole = |number: &Number| number.as_i128();
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => match (whole(one), whole(other)) {
            (Some(one), Some(other)) => Some(one.cmp(&other)),
            _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
        },
        (Json::String(one), Json::String(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

/// Whether a text is of the form of a glob. On a mismatch only the last `*` is widened: quadratic at worst.
fn fits(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < text.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&c) if c == '?' || c == text[read] => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((last, from)) = star else { return false };
                star = Some((last, from + 1));
                (at, read) = (last + 1, from + 1);
            }
        }
    }
    glob[at..].iter().all(|&c| c == '*')
}
