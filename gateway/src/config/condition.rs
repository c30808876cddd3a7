//! Conditions of routes: pure, judged against the facts of a request.

use serde_json::Value as Json;

/// A condition that a request meets or does not.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// `field` is a path such as `metadata.tier`.
    Test {
        field: String,
        test: Test,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Equal(Json),
}

/// What a condition may ask of a request.
pub trait Facts {
    /// The value at a path (`model`, `metadata.tier`, …); `None` when the request has none there.
    fn fact(&self, path: &str) -> Option<Json>;
}

impl Condition {
    pub fn holds(&self, facts: &dyn Facts) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(facts)),
            Self::Any(any) => any.iter().any(|one| one.holds(facts)),
            Self::Not(one) => !one.holds(facts),
            Self::Test { field, test: Test::Equal(wanted) } => facts.fact(field).as_ref() == Some(wanted),
        }
    }
}
