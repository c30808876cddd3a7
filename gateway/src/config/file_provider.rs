//! One provider as written.

use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::units::Span;
use crate::secret::Secret;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Provider {
    /// The preset: `openai`, `groq`, `ollama`, …; by default the provider's own name when that is one.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The format that its API speaks; by default the preset's, `openai` for any other.
    pub api_format: Option<String>,
    /// By default true.
    pub enabled: Option<bool>,
    /// Root of its API, with or without a trailing slash and the version segment.
    pub base_url: Option<String>,
    /// Its key.
    pub api_key: Option<Secret>,
    /// Further keys, each with its own quota: `KEY` or `{key, weight}`.
    pub api_keys: Option<Vec<ApiKey>>,
    /// How the key is sent: `bearer` (`Authorization: Bearer`), `api-key` (a header of that name) or `none`.
    pub auth: Option<Auth>,
    /// `true` for a local server that needs no key: the same as `auth: none`, and its models are read every 30 s.
    pub local: Option<bool>,
    /// Version of its API: a date for `anthropic` and `azure` (or `v1`, the default), `v1` or `v1beta` for `gemini`.
    pub api_version: Option<String>,
    /// Azure: directory of the Entra application that fetches tokens.
    pub tenant_id: Option<String>,
    /// Azure: the Entra application.
    pub client_id: Option<String>,
    /// Azure: the Entra application's secret.
    pub client_secret: Option<Secret>,
    /// AWS region; by default `AWS_REGION` or `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// Another spelling of `region`.
    #[schemars(extend("x-prefer" = "region"))]
    pub aws_region: Option<String>,
    /// Where its models are found when this place fails: `{region, base_url}`; of AWS the region's name is enough.
    pub failover_regions: Option<Vec<Region>>,
    /// AWS key; without one (and without `profile` and `api_key`) the usual AWS credential chain is asked.
    pub access_key_id: Option<Secret>,
    /// Another spelling of `access_key_id`.
    #[schemars(extend("x-prefer" = "access_key_id"))]
    pub aws_access_key_id: Option<Secret>,
    /// The AWS key's secret.
    pub secret_access_key: Option<Secret>,
    /// Another spelling of `secret_access_key`.
    #[schemars(extend("x-prefer" = "secret_access_key"))]
    pub aws_secret_access_key: Option<Secret>,
    /// Session token of a temporary AWS key.
    pub session_token: Option<Secret>,
    /// Another spelling of `session_token`.
    #[schemars(extend("x-prefer" = "session_token"))]
    pub aws_session_token: Option<Secret>,
    /// Profile in the AWS credentials and config files.
    pub profile: Option<String>,
    /// Google Cloud project; by default `GOOGLE_CLOUD_PROJECT`, or that of the credentials file.
    pub project: Option<String>,
    /// Google Cloud location; by default `GOOGLE_CLOUD_LOCATION`, or `global`.
    pub location: Option<String>,
    /// Google Cloud credentials file (JSON); relative to the configuration file. By default the application-default
    /// credentials.
    pub credentials_file: Option<PathBuf>,
    /// Key of a Google Cloud service account: the JSON itself, as one text.
    pub service_account: Option<Secret>,
    /// Google Cloud access token that somebody else renews.
    pub access_token: Option<Secret>,
    /// What embeddings are for, where the provider asks: `search_document` by default.
    pub embedding_input_type: Option<EmbeddingInput>,
    /// Headers sent with every request to it.
    pub headers: Option<IndexMap<String, Secret>>,
    /// Models it has: names, or `{id, upstream}` where clients call a model otherwise than the provider.
    pub models: Option<Vec<Model>>,
    /// Whether its model list is read, or how often: `false`, `true` or a period. By default every hour (local servers:
    /// 30 s), and not when `models` are given.
    pub discover: Option<Discover>,
    /// Another spelling of `discover`.
    #[schemars(extend("deprecated" = true, "x-prefer" = "discover"))]
    pub auto_discover: Option<Discover>,
    /// Share of the requests under the `weighted` strategy, by default 1; 0 is for failover only.
    #[schemars(range(max = 1_000_000))]
    pub weight: Option<u32>,
    /// Lower goes first, the others are for failover; by default 0.
    #[schemars(range(max = 1_000_000))]
    pub priority: Option<u32>,
    /// Requests in progress there at once; by default as many as `server.max_in_flight`.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_concurrent: Option<usize>,
    /// Idle connections kept per core; by default 256.
    #[schemars(range(min = 1, max = 65_536))]
    pub conn_pool_size: Option<usize>,
    /// Another spelling of `timeouts.request`.
    #[schemars(extend("x-prefer" = "timeouts.request"))]
    pub default_timeout: Option<Span>,
    /// Limits on its time.
    pub timeouts: Option<Timeouts>,
    /// Whether the keys of organisations may use it; by default false. Only for the providers of this file.
    pub shared: Option<bool>,
    /// Whether it may be at a private address: by default true for the providers of this file, and for those of
    /// organisations as `control_plane.allow_private` says.
    pub allow_private: Option<bool>,
    /// Accepts any certificate; for tests only. By default false.
    pub skip_tls: Option<bool>,
    /// PEM file with authorities to trust besides the usual ones; relative to the configuration file.
    pub ca_file: Option<PathBuf>,
    /// HTTP proxy to reach it through, as `http://host:port`.
    pub proxy: Option<Secret>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Auth {
    Bearer,
    ApiKey,
    None,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum EmbeddingInput {
    SearchDocument,
    SearchQuery,
    Classification,
    Clustering,
}

/// A model's name, or the two names that it has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Model {
    Name(String),
    Pair(ModelPair),
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["id"]))]
pub(in crate::config) struct ModelPair {
    /// As clients name it.
    pub id: String,
    /// As the provider names it; by default the same.
    pub upstream: Option<String>,
    /// The model that it is, for its price, where neither name says so (a deployment, an inference profile).
    pub base_model: Option<String>,
}

/// A key, or a key and its share of the requests.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum ApiKey {
    Key(Secret),
    Weighted(WeightedKey),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct WeightedKey {
    /// The key itself.
    pub key: Secret,
    /// Its share of the requests, by default 1; 0 is for when the others are used up.
    #[schemars(range(max = 1_000_000))]
    pub weight: Option<u32>,
}

/// A region's name, or the name and where it answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Region {
    Name(String),
    At(RegionAddress),
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["region"]))]
pub(in crate::config) struct RegionAddress {
    /// Name of the region.
    pub region: String,
    /// Where it answers; by default AWS's own address.
    pub base_url: Option<String>,
}

/// `false`, `true` or a period.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Discover {
    Switch(bool),
    Every(Span),
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Timeouts {
    /// To open a connection; by default `5s`.
    pub connect: Option<Span>,
    /// From sending the request to the first byte of content; by default `60s`.
    pub first_byte: Option<Span>,
    /// Between two reads of a stream; by default `60s`.
    pub idle: Option<Span>,
    /// The whole of an answer that is not a stream; by default `600s`.
    pub request: Option<Span>,
}
