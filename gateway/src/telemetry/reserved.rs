//! What a request may use, put aside when it was let in. Whoever puts it aside implements [`Reserved`]; the exchange owns it
//! and settles it once, whatever ends the request.

use std::time::Duration;

use crate::{api::TokenUsage, prices::Price};

/// Dropped without having been settled, it gives everything back.
pub trait Reserved: Send + Sync {
    /// The request has ended. Answers how its limits stand now.
    fn settle(&mut self, used: &Used<'_>) -> Standing;
}

/// What is known of a request's use at its end.
#[derive(Debug)]
pub struct Used<'a> {
    pub fate: Fate,
    /// As the provider counted them; of a stream that did not end perhaps only the first of them.
    pub usage: Option<&'a TokenUsage>,
    /// What the model that answered costs, as far as that is known.
    pub price: Option<&'a Price>,
    /// Bytes of text that a stream has sent to the client.
    pub sent: u64,
}

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// No provider was asked.
    Unsent,
    /// It was asked for nothing: all of them failed or refused.
    Failed,
    /// The client left before there was an answer; what a provider did until then is not known.
    Abandoned,
    /// A stream began and did not come to its end.
    Broken,
    Answered,
}

/// How the limits of a request stand: of each kind the one that has the least left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    pub requests: Option<Level>,
    pub tokens: Option<Level>,
    /// That a budget is nearly spent.
    pub warning: Option<Box<str>>,
}

/// How much is left of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub limit: u64,
    pub remaining: u64,
    /// Until all of it is there again, if nobody uses any.
    pub reset: Duration,
}

impl Standing {
    /// The tighter one of each kind, and the first warning.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let tighter = |one: Option<Level>, other: Option<Level>| match (one, other) {
            (Some(one), Some(other)) => Some(if other.remaining < one.remaining { other } else { one }),
            (one, other) => one.or(other),
        };
        Self {
            requests: tighter(self.requests, other.requests),
            tokens: tighter(self.tokens, other.tokens),
            warning: self.warning.or(other.warning),
        }
    }
}
