//! What has been used: usage events added up by the hour.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EventTokens, ListObject};

/// A page of a report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageReport {
    #[schema(inline)]
    pub object: ListObject,
    /// One row for each group, in the order of `group_by`.
    pub data: Vec<UsageRow>,
    /// Ask for the next page with it as `cursor`; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Of all pages.
    pub totals: UsageRow,
    /// The first moment that is counted (RFC 3339): what was asked for, down to the hour.
    pub since: String,
    /// The first moment that is not counted any more: what was asked for, up to the hour.
    pub until: String,
    pub freshness: UsageFreshness,
}

/// How much of what has happened has been counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageFreshness {
    /// When the last event that has been counted was written (RFC 3339); absent when there was none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted_until: Option<String>,
    /// For how long the oldest event that has not been counted has been waiting; 0 when none waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind_ms: Option<u64>,
}

/// What one group has used. Of the first members it has those that `group_by` names and the group's requests have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageRow {
    /// In UTC: `2026-11-28`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// In UTC: `2026-11-28T09:00:00Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// Which client key; never the key itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `x-prism-user-id`, else the body's `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// As the provider knows it; as the client named it where no provider was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Who answered, or was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// `chat.completions`, `completions`, `embeddings`, `rerank`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// `answered`, `failed`, `cancelled`, `cut`, `replayed`, `interrupted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The grouped members of `x-prism-metadata`, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    pub requests: u64,
    /// Those that failed, broke off or were interrupted.
    pub errors: u64,
    /// Those whose client left.
    pub cancelled: u64,
    /// Those that were answered with an answer that had been kept.
    pub replayed: u64,
    /// Calls of providers.
    pub attempts: u64,
    /// Requests whose answers did not reach their end, so that their tokens may not be all.
    pub incomplete: u64,
    /// Requests whose tokens the gateway has estimated, because the provider had not counted them.
    pub estimated: u64,
    pub tokens: EventTokens,
    /// US dollars as a plain decimal, exact. Absent when no price is known: unknown is never 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<String>,
    /// Requests that are not in `cost_usd` because their price is not known.
    pub unpriced: u64,
    /// From the request's head to the end of its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<UsageQuantiles>,
    /// From the request's head to a stream's first content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<UsageQuantiles>,
}

/// What half of all do not exceed, and 95 and 99 in a hundred; within 2 % of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageQuantiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}
