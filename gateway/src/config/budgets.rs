//! `budgets`: how many US dollars may be spent, by whom, and in which time.

use std::collections::HashMap;

use super::{ClientKey, check::suggestion, resolve::Context, tree::Trail};
use crate::money::Usd;

/// What somebody may spend in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub limit: Usd,
    pub period: Period,
    /// From here on it is warned of.
    pub warn_at: Usd,
    /// Whether requests beyond it are refused; if not, it only warns.
    pub hard: bool,
}

/// In UTC; weeks begin on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Daily,
    Weekly,
    Monthly,
    /// One that never ends.
    Total,
}

impl Period {
    pub const ALL: [Self; 4] = [Self::Daily, Self::Weekly, Self::Monthly, Self::Total];

    pub fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Total => "total",
        }
    }
}

/// The budgets of one organisation, but for those of its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budgets {
    /// Of all its requests together.
    pub global: Option<Budget>,
    /// By the name that requests give.
    pub users: HashMap<String, Budget>,
}

/// What may be written.
pub(super) mod written {
    use indexmap::IndexMap;
    use schemars::JsonSchema;
    use serde::Deserialize;

    use crate::config::units::Money;

    /// What may be spent in a period (UTC). What a request may cost is reserved when it comes, and settled when it ends; a
    /// hard budget refuses with 429 what it cannot pay for, and models whose price is not known.
    #[derive(Debug, Default, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    pub(in crate::config) struct Budgets {
        /// US dollars for all requests together; 0, the default, is no limit.
        pub limit: Option<Money>,
        /// By default `monthly`.
        pub period: Option<Period>,
        /// Share of the limit from which on it is warned of, by default 0.8: log, metric, and the header
        /// `x-prism-budget-warning`.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub warn_threshold: Option<f64>,
        /// `false` only warns; by default true.
        pub hard: Option<bool>,
        /// User (`x-prism-user-id`, or the request's `user`) → US dollars, or a budget whose other keys are by default those
        /// above.
        pub users: Option<IndexMap<String, Own>>,
        /// Key of `auth.keys` → the same.
        pub keys: Option<IndexMap<String, Own>>,
    }

    #[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    pub(in crate::config) enum Period {
        Daily,
        /// From Monday on.
        Weekly,
        Monthly,
        /// Never begins anew.
        Total,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(untagged)]
    pub(in crate::config) enum Own {
        Limit(Money),
        Terms(Terms),
    }

    #[derive(Debug, Default, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    #[schemars(extend("required" = ["limit"]), rename = "OwnBudget")]
    pub(in crate::config) struct Terms {
        /// US dollars.
        pub limit: Option<Money>,
        /// By default that of `budgets`.
        pub period: Option<Period>,
        /// By default that of `budgets`.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub warn_threshold: Option<f64>,
        /// By default that of `budgets`.
        pub hard: Option<bool>,
    }
}

impl written::Budgets {
    /// What holds for everybody who says nothing else.
    pub(super) fn common(&self) -> written::Terms {
        written::Terms { limit: self.limit, period: self.period, warn_threshold: self.warn_threshold, hard: self.hard }
    }
}

/// Those of keys go to the keys. `priced`: whether costs are tracked at all.
pub(super) fn budgets(
    written: written::Budgets,
    keys: &mut [ClientKey],
    priced: bool,
    context: &mut Context<'_>,
) -> Budgets {
    let common = written.common();
    let own = |own: written::Own| match own {
        written::Own::Limit(limit) => budget(&written::Terms { limit: Some(limit), ..Default::default() }, &common),
        written::Own::Terms(terms) => budget(&terms, &common),
    };
    for (name, terms) in written.keys.into_iter().flatten() {
        match keys.iter().position(|key| key.name == name) {
            Some(at) if keys[at].budget.is_some() => {
                let at = Trail::of(["budgets", "keys", &name]);
                context.mistake(&at, "given twice: the key has a `budget` of its own");
            }
            Some(at) => keys[at].budget = own(terms),
            None if keys.is_empty() => {
                context.mistake(&Trail::of(["budgets", "keys", &name]), "no such key: there is no `auth.keys`");
            }
            None => {
                let hint = suggestion(&name, keys.iter().map(|key| key.name.as_str()));
                context.mistake(&Trail::of(["budgets", "keys", &name]), format!("no such key{hint}"));
            }
        }
    }
    let users = written.users.into_iter().flatten();
    let users = users.filter_map(|(name, terms)| Some((name, own(terms)?))).collect();
    let budgets = Budgets { global: budget(&common, &common), users };
    let is_any = budgets != Budgets::default() || keys.iter().any(|key| key.budget.is_some());
    if is_any && !priced {
        context
            .mistake(&Trail::of(["budgets"]), "would count nothing: `cost_tracking.enabled: false` prices no answer");
    }
    budgets
}

/// `None` where the limit is 0 or not given.
pub(super) fn budget(own: &written::Terms, common: &written::Terms) -> Option<Budget> {
    let limit = own.limit.map(|limit| limit.0).filter(|limit| *limit > Usd::default())?;
    let threshold = own.warn_threshold.or(common.warn_threshold).unwrap_or(0.8);
    let period = match own.period.or(common.period) {
        Some(written::Period::Daily) => Period::Daily,
        Some(written::Period::Weekly) => Period::Weekly,
        None | Some(written::Period::Monthly) => Period::Monthly,
        Some(written::Period::Total) => Period::Total,
    };
    Some(Budget { limit, period, warn_at: limit.share(threshold), hard: own.hard.or(common.hard).unwrap_or(true) })
}
