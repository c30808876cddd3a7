//! What is said of a request when it is over: the usage event, version 1, as consumers read it. Names and meanings do not
//! change within a version; members are only added. How it is written: [`Opening`](super::Opening), [`Ending`](super::Ending).

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::TokenUsage;

/// What `schema` says in this version.
pub const USAGE_SCHEMA: &str = "prism.usage.v1";

/// One request, from its admission to its end. Members that do not apply are absent.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(title = "Prism usage event, version 1")]
pub struct UsageEvent {
    /// `prism.usage.v1`.
    pub schema: String,
    /// The request's id, as `x-prism-request-id` says it: unique over all gateways, also the message's `Nats-Msg-Id`. Two
    /// events with the same id are the same event.
    pub request_id: String,
    /// The request that this is a copy of (`routing.mirror`). A copy answers nobody and is charged to no key and no user: it has none.
    pub mirror_of: Option<String>,
    /// When the request's head had arrived, in UTC with milliseconds (RFC 3339).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: DateTime<Utc>,
    /// The gateway that served it.
    pub gateway: String,
    /// The organisation that the key belongs to.
    pub org: String,
    /// Which client key; never the key itself. Absent where the gateway is open.
    pub key_id: Option<String>,
    /// `chat.completions`, `completions`, `embeddings`, `rerank`, …
    pub endpoint: String,
    /// The client asked for a stream.
    pub stream: bool,
    /// The model as the client named it.
    pub model: String,
    /// `x-prism-user-id`, else the body's `user`.
    pub user_id: Option<String>,
    pub session_id: Option<String>,
    pub session_name: Option<String>,
    pub session_path: Option<String>,
    /// The client's own name for the request (`x-prism-request-id` of the request).
    pub client_request_id: Option<String>,
    pub trace_id: Option<String>,
    /// `x-prism-metadata`: scalars by name.
    #[serde(default)]
    pub metadata: IndexMap<String, Json>,
    /// `x-prism-property-NAME`, by name.
    #[serde(default)]
    pub properties: IndexMap<String, String>,
    /// How it ended.
    pub status: UsageStatus,
    /// What the client was answered with; 499 when it left before there was an answer. Absent when interrupted, and of a copy.
    pub http_status: Option<u16>,
    /// The answer reached its end, and the token counts are those of the whole.
    pub complete: bool,
    /// Who answered, or was asked last.
    pub provider: Option<String>,
    pub region: Option<String>,
    /// The model as that provider knows it.
    pub model_served: Option<String>,
    /// OpenAI's word for why the answer ended: `stop`, `length`, `tool_calls`, `content_filter`.
    pub finish_reason: Option<String>,
    pub tokens: Option<EventTokens>,
    /// Who counted the tokens.
    pub usage_source: Option<UsageSource>,
    /// US dollars as a plain decimal. Absent when the price is not known: unknown is never 0.
    pub cost_usd: Option<String>,
    /// The price catalogue that the cost comes from: the bundled one's version, or `custom`.
    pub price_version: Option<String>,
    /// The provider's tier where it is not the ordinary one: `batch`, `flex`, `priority`, `other`.
    pub tier: Option<String>,
    /// From the request's head to the end of its answer.
    pub duration_ms: Option<u64>,
    /// From the request's head to a stream's first content.
    pub first_token_ms: Option<u64>,
    /// How candidates were ordered.
    pub routing_strategy: Option<String>,
    /// Somebody else than the first choice was asked.
    #[serde(default)]
    pub fallback_used: bool,
    /// Upstream calls that were made.
    pub attempt_count: u32,
    /// The last of them, at most eight, in their order.
    #[serde(default)]
    pub attempts: Vec<UsageAttempt>,
    /// What the client was told went wrong, shortened.
    pub error: Option<String>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageStatus {
    /// The client has the whole answer.
    Answered,
    /// The client was answered with an error.
    Failed,
    /// The client left.
    Cancelled,
    /// The provider's stream broke after its head had been sent.
    Cut,
    /// A kept answer was sent again: nothing was asked upstream, nothing is charged.
    Replayed,
    /// The gateway was killed, or failed, while the request was under way.
    #[default]
    Interrupted,
}

impl UsageStatus {
    pub const ALL: [Self; 6] =
        [Self::Answered, Self::Failed, Self::Cancelled, Self::Cut, Self::Replayed, Self::Interrupted];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Cut => "cut",
            Self::Replayed => "replayed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Who counted the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    Provider,
    /// The gateway, from the text's length, because the provider had not said.
    Estimated,
}

impl UsageSource {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Estimated => "estimated",
        }
    }
}

/// Token counts. `input` and `output` are totals, the others are parts of them; a part of 0 is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct EventTokens {
    pub input: u64,
    pub output: u64,
    /// Part of `input` read from the provider's prompt cache.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_read: u64,
    /// Part of `input` written to the provider's prompt cache.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_write: u64,
    /// Part of `cached_write` that is kept for an hour.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_write_1h: u64,
    /// Part of `output`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reasoning: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_input: u64,
    /// Part of both `audio_input` and `cached_read`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_cached: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_output: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub image_input: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub image_output: u64,
    /// Part of `input` that the provider does not charge for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub free_input: u64,
    /// What a reranker counts in place of tokens, and the searches of the web that a model has made and is paid for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub search_units: u64,
}

/// What goes through all counts of [`EventTokens`] goes in the order of this list.
macro_rules! all_counts {
    ($($name:ident),+) => {
        impl EventTokens {
            /// The names of all counts, in the order of [`EventTokens::counts`].
            pub const NAMES: [&str; 13] = [$(stringify!($name)),+];

            pub fn counts(&self) -> [u64; 13] {
                [$(self.$name),+]
            }

            /// What [`EventTokens::counts`] has told.
            pub fn of([$($name),+]: [u64; 13]) -> Self {
                Self { $($name),+ }
            }
        }
    };
}

all_counts!(
    input,
    output,
    cached_read,
    cached_write,
    cached_write_1h,
    reasoning,
    audio_input,
    audio_cached,
    audio_output,
    image_input,
    image_output,
    free_input,
    search_units
);

impl From<TokenUsage> for EventTokens {
    fn from(usage: TokenUsage) -> Self {
        let TokenUsage { input, output, cached_read, cached_write, cached_write_1h, reasoning, .. } = usage;
        let TokenUsage { audio_input, audio_cached, audio_output, image_input, image_output, free_input, .. } = usage;
        Self {
            input,
            output,
            cached_read,
            cached_write,
            cached_write_1h,
            reasoning,
            audio_input,
            audio_cached,
            audio_output,
            image_input,
            image_output,
            free_input,
            search_units: usage.searches,
        }
    }
}

/// One upstream call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct UsageAttempt {
    pub provider: String,
    pub region: Option<String>,
    /// The model as that provider knows it.
    pub model: String,
    /// `first`, `failover`, `next_key`, `retry`, `hedge`, `mirror`.
    pub kind: String,
    /// `answered`, `failed`, `outrun` (the other request of a hedge was quicker), or absent when it was cancelled with its request.
    pub outcome: Option<String>,
    /// Why it failed.
    pub cause: Option<String>,
    /// What the provider answered with.
    pub http_status: Option<u16>,
    /// Until its answer began, or it failed.
    pub duration_ms: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
