//! The guard of what one request has taken from limits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use smallvec::SmallVec;

use super::{
    Account, Estimate, Exceeded, Scope,
    account::{Holding, Limits, Spent, Wanted, who},
    gossip::{Realm, Uses},
    users::Users,
};
use crate::{
    admission::budgets::PurseView,
    api::TokenUsage,
    money::Usd,
    telemetry::{Fate, Reserved, Standing, Used},
    wire::openai,
};

/// Settled once. Its drop gives back what nobody has settled.
#[derive(Debug)]
pub struct Reservation {
    born: Instant,
    admitted: Duration,
    estimate: Estimate,
    /// The most that it may cost; `None` where nobody knows.
    cost: Option<Usd>,
    parts: SmallVec<[Part; 2]>,
    standing: Standing,
}

/// What was taken from one of them.
#[derive(Debug)]
struct Part {
    holder: Holder,
    holding: Holding,
}

/// Whose limits they are.
#[derive(Debug, Clone)]
pub(super) enum Holder {
    Account(Arc<Account>),
    /// The name is only needed where other gateways are told.
    User {
        users: Arc<Users>,
        id: u64,
        name: Option<Box<str>>,
    },
}

impl Holder {
    fn with<R>(&self, now: Duration, then: impl FnOnce(&mut Limits) -> R) -> R {
        match self {
            Self::Account(account) => then(&mut account.limits()),
            Self::User { users, id, .. } => users.with(now, *id, then),
        }
    }

    /// Where other gateways hear what is taken.
    fn realm(&self) -> Option<&Arc<Realm>> {
        match self {
            Self::Account(account) => account.realm.as_ref(),
            Self::User { users, .. } => users.realm.as_ref(),
        }
    }

    /// [`Holder::with`], after which the others are told of what was taken.
    fn change<R>(&self, now: Duration, then: impl FnOnce(&mut Limits) -> R) -> R {
        let Some(realm) = self.realm() else { return self.with(now, then) };
        let (changed, is_news) = self.with(now, |limits| (then(limits), limits.is_news()));
        if is_news {
            realm.note(self.clone());
        }
        changed
    }

    /// What was taken since this was last asked, and by whom.
    pub(super) fn tell(&self, now: Duration) -> (String, Uses) {
        let uses = self.with(now, Limits::tell);
        match self {
            Self::Account(account) => (account.who(), uses),
            Self::User { name, .. } => (who(Scope::User, name.as_deref().unwrap_or_default()), uses),
        }
    }

    /// How it stands, with a word on its budget where there is something to warn of.
    fn standing(&self, mut standing: Standing) -> Standing {
        if let Self::Account(account) = self
            && account.has_budget()
            && let Some(view) = account.budget().filter(PurseView::warns)
        {
            standing.warning = Some(warning(account, &view).into());
        }
        standing
    }
}

/// `key app: 8.5 of 10 USD (monthly)`.
fn warning(account: &Account, view: &PurseView) -> String {
    let (scope, name) = (account.scope.name(), &account.name);
    format!("{scope} {name}: {} of {} USD ({})", view.spent, view.budget.limit, view.budget.period.name())
}

impl Reservation {
    pub(super) fn new(born: Instant, estimate: Estimate, cost: Option<Usd>) -> Self {
        let standing = Standing::default();
        Self { born, admitted: born.elapsed(), estimate, cost, parts: SmallVec::new(), standing }
    }

    /// Takes from one of them what the request needs.
    pub(super) fn take(&mut self, holder: Holder) -> Result<(), Exceeded> {
        let (now, wanted) = (self.admitted, Wanted { tokens: self.estimate.total(), cost: self.cost });
        let admitted = holder.change(now, |limits| {
            let holding = limits.admit(now, wanted)?;
            Ok((holding, limits.standing(now)))
        });
        let (holding, standing) = admitted.map_err(|of| {
            let (scope, name) = match &holder {
                Holder::Account(account) => (account.scope, account.name.clone()),
                Holder::User { .. } => (Scope::User, Box::default()),
            };
            Exceeded { scope, name, of }
        })?;
        let standing = holder.standing(standing);
        self.standing = std::mem::take(&mut self.standing).and(standing);
        self.parts.push(Part { holder, holding });
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How the limits stood when the request had been let in.
    pub fn standing(&self) -> Standing {
        self.standing.clone()
    }

    /// What the request used, as far as it is known and estimated beyond that; `None` when it was not sent. What is answered
    /// and whose cost nobody knows costs what was put aside for it.
    fn spent(&self, used: &Used<'_>) -> Option<Spent> {
        let Estimate { input, output } = self.estimate;
        let estimated = |output| TokenUsage { input, output, ..TokenUsage::default() };
        let usage = match (used.fate, used.usage) {
            (Fate::Unsent, _) => return None,
            (Fate::Failed, _) => return Some(Spent::default()),
            (Fate::Abandoned, _) => estimated(output),
            (Fate::Answered, Some(usage)) => *usage,
            (Fate::Answered, None) if used.sent == 0 => estimated(output),
            // what the provider has said so far may be the input alone
            (Fate::Broken | Fate::Answered, usage) => {
                let said = usage.copied().unwrap_or_else(|| estimated(0));
                TokenUsage { output: said.output.max(openai::estimate(used.sent)), ..said }
            }
        };
        let cost = used.price.and_then(|price| price.cost(&usage)).or(self.cost);
        Some(Spent { tokens: usage.input.saturating_add(usage.output), cost: cost.unwrap_or_default() })
    }

    fn end(&mut self, spent: Option<Spent>) -> Standing {
        let (now, admitted) = (self.born.elapsed(), self.admitted);
        self.parts.drain(..).fold(Standing::default(), |standing, Part { holder, holding }| {
            let (warned, after) = holder.change(now, |limits| {
                let warned = limits.settle(now, admitted, holding, spent);
                (warned, limits.standing(now))
            });
            if let Holder::Account(account) = &holder
                && holding.cost.is_some()
            {
                account.spent.notify_one();
            }
            if let (Some(view), Holder::Account(account)) = (warned, &holder) {
                tracing::warn!(ratio = view.ratio(), "budget: {}", warning(account, &view));
            }
            standing.and(holder.standing(after))
        })
    }
}

impl Reserved for Reservation {
    fn settle(&mut self, used: &Used<'_>) -> Standing {
        let spent = self.spent(used);
        self.end(spent)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.parts.is_empty() {
            self.end(None);
        }
    }
}
