//! The guard of what one request has taken from limits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use smallvec::SmallVec;

use super::{Account, Estimate, Exceeded, Held, Scope, account::Limits, users::Users};
use crate::{
    api::TokenUsage,
    telemetry::{Fate, Reserved, Standing, Used},
    wire::openai,
};

/// Settled once. Its drop gives back what nobody has settled.
#[derive(Debug)]
pub struct Reservation {
    born: Instant,
    admitted: Duration,
    estimate: Estimate,
    parts: SmallVec<[Part; 2]>,
    standing: Standing,
}

/// What was taken from one of them.
#[derive(Debug)]
struct Part {
    holder: Holder,
    held: Option<Held>,
}

/// Whose limits they are.
#[derive(Debug)]
pub(super) enum Holder {
    Account(Arc<Account>),
    User { users: Arc<Users>, id: u64 },
}

impl Holder {
    fn with<R>(&self, now: Duration, then: impl FnOnce(&mut Limits) -> R) -> R {
        match self {
            Self::Account(account) => then(&mut account.limits()),
            Self::User { users, id } => users.with(now, *id, then),
        }
    }
}

impl Reservation {
    pub(super) fn new(born: Instant, estimate: Estimate) -> Self {
        let standing = Standing::default();
        Self { born, admitted: born.elapsed(), estimate, parts: SmallVec::new(), standing }
    }

    /// Takes from one of them what the request needs.
    pub(super) fn take(&mut self, holder: Holder) -> Result<(), Exceeded> {
        let (now, wanted) = (self.admitted, self.estimate.total());
        let admitted = holder.with(now, |limits| {
            let held = limits.admit(now, wanted)?;
            Ok((held, limits.standing(now)))
        });
        let (held, standing) = admitted.map_err(|(of, level, wait)| {
            let (scope, name) = match &holder {
                Holder::Account(account) => (account.scope, account.name.clone()),
                Holder::User { .. } => (Scope::User, Box::default()),
            };
            Exceeded { scope, name, of, level, wait }
        })?;
        self.standing = self.standing.and(standing);
        self.parts.push(Part { holder, held });
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How the limits stood when the request had been let in.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// What the request used, as far as it is known and estimated beyond that; `None` when it was not sent.
    fn used(&self, used: &Used<'_>) -> Option<TokenUsage> {
        let Estimate { input, output } = self.estimate;
        let estimated = |output| TokenUsage { input, output, ..TokenUsage::default() };
        match (used.fate, used.usage) {
            (Fate::Unsent, _) => None,
            (Fate::Failed, _) => Some(TokenUsage::default()),
            (Fate::Abandoned, _) => Some(estimated(output)),
            (Fate::Answered, Some(usage)) => Some(*usage),
            (Fate::Answered, None) if used.sent == 0 => Some(estimated(output)),
            // what the provider has said so far may be the input alone
            (Fate::Broken | Fate::Answered, usage) => {
                let said = usage.copied().unwrap_or_else(|| estimated(0));
                Some(TokenUsage { output: said.output.max(openai::estimate(used.sent)), ..said })
            }
        }
    }

    fn end(&mut self, used: Option<&TokenUsage>) -> Standing {
        let (now, admitted) = (self.born.elapsed(), self.admitted);
        let tokens = used.map(|usage| usage.input.saturating_add(usage.output));
        self.parts.drain(..).fold(Standing::default(), |standing, Part { holder, held }| {
            let after = holder.with(now, |limits| {
                limits.settle(now, admitted, held, tokens);
                limits.standing(now)
            });
            standing.and(after)
        })
    }
}

impl Reserved for Reservation {
    fn settle(&mut self, used: &Used<'_>) -> Standing {
        let used = self.used(used);
        self.end(used.as_ref())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.parts.is_empty() {
            self.end(None);
        }
    }
}
