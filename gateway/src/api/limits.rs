//! How the limits of a caller stand.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes::{constant, open_enum};

constant! {
    /// Always `limits`.
    pub struct LimitsObject = "limits";
}

open_enum! {
    /// Who is limited.
    pub enum LimitScope {
        /// Everybody together.
        Organisation = "organisation",
        /// The key that asks.
        Key = "key",
        /// The user on whose behalf is asked.
        User = "user",
        /// All requests for models that a pattern fits.
        Model = "model",
    }
}

open_enum! {
    /// What is counted.
    pub enum LimitUnit {
        Requests = "requests",
        Tokens = "tokens",
    }
}

open_enum! {
    /// When a budget begins anew, in UTC.
    pub enum BudgetPeriod {
        Daily = "daily",
        /// On Monday.
        Weekly = "weekly",
        Monthly = "monthly",
        /// Never.
        Total = "total",
    }
}

/// How the limits of a caller stand. What is not listed is not limited.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    #[schema(inline)]
    pub object: LimitsObject,
    /// Limits a minute.
    pub rates: Vec<RateStanding>,
    pub budgets: Vec<BudgetStanding>,
    /// Absent where the key may have any number of requests in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<ConcurrencyStanding>,
}

/// One limit a minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RateStanding {
    pub scope: LimitScope,
    /// Of the organisation, key, user or pattern.
    pub name: String,
    pub unit: LimitUnit,
    pub limit: u64,
    /// Neither used nor reserved for requests in progress.
    pub remaining: u64,
    /// Until all of it is there again, in milliseconds.
    pub reset_ms: u64,
}

/// One budget; amounts are US dollars as plain decimals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BudgetStanding {
    pub scope: LimitScope,
    /// Of the organisation, key or user.
    pub name: String,
    pub period: BudgetPeriod,
    pub limit: String,
    pub spent: String,
    /// For requests in progress.
    pub reserved: String,
    /// Whether requests beyond it are refused.
    pub hard: bool,
    /// When it begins anew; absent where it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
}

/// Requests of the key in progress, the one that asks aside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConcurrencyStanding {
    pub limit: u64,
    pub in_progress: u64,
}
