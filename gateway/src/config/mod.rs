//! Configuration: what the operator wrote, checked as a whole and made into values that cannot be wrong.
//!
//! What may be written: `file`, `file_provider` and `file_routing` as structs, `units` as values; `unbuilt` lists what may be later.
//! What is known: [`preset`] is the table of providers, [`quirks`] the vocabulary of their deviations, `deviations`
//! who has which.
//! How a text becomes a [`Config`]: `tree` is its YAML with lines, `expand` fills in the environment, `shape` compares
//! it with the schema, `resolve` says what it means (`provider`, `address`, `key`, `credentials`, `settings`, `headers`,
//! `models` and `spares` for providers, `resolve_routing`, `routes` and `condition` for routing, `access` for clients, `rates`, `budgets`, `security`, `usage`, `otel`, `nats`, `control_plane`), and `check` collects every mistake of all of them. `organisation` does
//! the same for what an organisation has configured over HTTP, and `secrets` finds the secrets in it. `environment`
//! makes a [`Config`] when there is no file, `request` reads what one request says of its own routing.

mod access;
mod address;
mod budgets;
mod check;
mod condition;
mod control_plane;
mod costs;
mod credentials;
mod deviations;
mod environment;
mod expand;
mod file;
mod file_provider;
mod file_routing;
mod headers;
mod key;
mod models;
mod nats;
mod organisation;
mod otel;
mod preset;
mod provider;
mod provider_types;
mod quirks;
mod rates;
mod request;
mod resolve;
mod resolve_routing;
mod role;
mod routes;
mod routing;
mod secrets;
mod security;
mod settings;
mod shape;
mod spares;
#[cfg(test)]
mod tests;
mod tree;
mod unbuilt;
mod units;
mod usage;
mod wildcard;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use http::{HeaderName, HeaderValue};
use indexmap::IndexMap;
use ipnet::IpNet;

pub use access::{exposure, names};
pub use budgets::{Budget, Budgets, Period};
pub use check::{Mistake, Mistakes};
pub use condition::{Condition, Facts, Test};
pub use control_plane::admin_token;
pub use costs::CostTracking;
pub use credentials::{AwsSource, Credentials, Entra, GoogleSource};
pub use environment::from_environment;
pub use file::json_schema;
pub use nats::{Nats, NatsLogin, NatsServer, NatsTls, nats_servers};
pub use organisation::{Terms, accepted_key, organisation, organisation_key};
pub use otel::Otel;
pub use preset::{BUILT_FORMATS, FAMILIES, PRESETS, Preset, SIMULATOR_MODELS, preset};
pub use provider_types::{ProviderField, ProviderType, provider_types};
pub use quirks::{Mend, Quirks, ToolIds};
pub use rates::{KeyRates, RateLimits, Rates};
pub use request::RequestConfig;
pub use resolve::{load, load_with_notes, parse};
pub use role::Role;
pub use routing::{
    BreakerRules, ConditionalRoute, Failover, Hedge, Mirror, Retry, RouteTarget, Routing, Sticky, Strategy,
};
pub use secrets::{Place, each_secret};
pub use security::{RemoteMedia, Security};
pub use usage::{Store, USUAL_STORE, USUAL_STREAM, Usage};
pub use wildcard::{names_model, wildcard};

use crate::{memory, secret::Secret};

/// Everything that a running gateway was told. Immutable: a reload makes a new one.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub server: Server,
    /// Enabled providers in the order of the file; the order breaks ties in routing.
    pub providers: Vec<Provider>,
    /// Alias → model, or model → provider.
    pub model_map: IndexMap<String, String>,
    pub auth: Auth,
    pub routing: Routing,
    pub rate_limits: RateLimits,
    pub budgets: Budgets,
    pub cost_tracking: CostTracking,
    pub logging: Logging,
    pub prometheus: Prometheus,
    pub cors: Cors,
    pub security: Security,
    pub usage: Usage,
    pub store: Store,
    /// `None`: nothing is traced.
    pub otel: Option<Otel>,
    /// Where events are published; `None`: nowhere.
    pub nats: Option<Nats>,
    /// `None` where there are no organisations.
    pub control_plane: Option<ControlPlane>,
}

impl Config {
    /// Whether anybody's spending is counted.
    pub fn has_budgets(&self) -> bool {
        self.budgets != Budgets::default() || self.auth.keys.iter().any(|key| key.budget.is_some())
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    pub host: IpAddr,
    pub port: u16,
    /// Another process may listen on the same address at the same time.
    pub reuse_port: bool,
    pub tls: Option<Tls>,
    /// Data-plane threads; by default one per core.
    pub workers: usize,
    /// Bytes.
    pub max_request_body_size: u64,
    /// Bytes of all bodies together; `None` for a share of what the machine has.
    pub max_body_memory: Option<u64>,
    pub header_timeout: Duration,
    /// Between two requests on one connection.
    pub idle_timeout: Duration,
    pub body_timeout: Duration,
    /// Grace for running streams after SIGTERM.
    pub shutdown_timeout: Duration,
    /// Between readiness turning 503 and the listener closing.
    pub pre_stop: Duration,
    /// Requests in progress at once; beyond it 503.
    pub max_in_flight: usize,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Server {
    /// Bytes that all bodies may take together.
    pub fn body_memory(&self) -> u64 {
        self.max_body_memory.unwrap_or_else(|| memory::usual().max(self.max_request_body_size))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Tls {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
    /// Clients must present a certificate signed by one of these.
    pub client_ca_file: Option<PathBuf>,
}

/// One provider, its preset already applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    pub name: String,
    /// The preset's name, or `openai-compatible` for any other.
    pub kind: String,
    /// Key into `wire::FORMATS`, or `simulator`'s format, which is `openai`.
    pub api_format: String,
    /// Answers inside the process; no socket is opened.
    pub simulated: bool,
    /// Without a trailing slash; with the version segment where the format does not write it into its paths.
    pub base_url: String,
    pub key: Option<Secret>,
    pub auth: AuthScheme,
    /// What is computed or fetched for each request in place of a fixed key.
    pub credentials: Option<Credentials>,
    /// Sent with every request to this provider.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub models: Vec<Model>,
    /// How often its model list is read; `None` for never.
    pub discover: Option<Duration>,
    /// Path of the model list under the base URL.
    pub models_path: &'static str,
    /// A local server that may not be running: silent until it answers.
    pub opportunistic: bool,
    /// Share of the requests under the `weighted` strategy.
    pub weight: u32,
    /// Lower goes first; the others are for failover.
    pub priority: u32,
    /// All its keys when there are several, `key` the first, each with its own quota: (key, weight). Else empty.
    pub keys: Vec<(Secret, u32)>,
    /// When it is given a rest.
    pub breaker: BreakerRules,
    /// Where else the same provider is found when its own region fails: (region, base URL).
    pub failover_regions: Vec<(String, String)>,
    pub max_concurrent: usize,
    /// Idle connections kept per core.
    pub conn_pool_size: usize,
    pub timeouts: Timeouts,
    /// Organisations' keys may use it.
    pub shared: bool,
    /// Connections to it go to public addresses only.
    pub guarded: bool,
    /// Whose it is; `None` for those of the file.
    pub organisation: Option<Arc<str>>,
    pub skip_tls: bool,
    pub ca_file: Option<PathBuf>,
    pub proxy: Option<String>,
    pub quirks: &'static Quirks,
    pub settings: Settings,
}

impl Provider {
    /// Its name in metrics. Organisations choose names as they like, and what they call their providers is theirs: they
    /// appear by their kind.
    pub fn label(&self) -> &str {
        if self.organisation.is_some() { &self.kind } else { &self.name }
    }

    /// The provider in its own region, then in each that it fails over to.
    pub fn sites(&self) -> Vec<Self> {
        let elsewhere = self.failover_regions.iter().map(|(region, base_url)| Self {
            base_url: base_url.clone(),
            settings: Settings { region: Some(region.clone()), ..self.settings.clone() },
            credentials: self.credentials.as_ref().map(|credentials| credentials.in_region(region)),
            discover: None,
            failover_regions: Vec::new(),
            ..self.clone()
        });
        std::iter::once(self.clone()).chain(elsewhere).collect()
    }
}

/// What only some formats need to know of a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Anthropic's date, Azure's `api-version` (`v1` selects its v1 path).
    pub api_version: Option<String>,
    /// Google Cloud project; with it the `gemini` format speaks to Vertex AI.
    pub project: Option<String>,
    /// Google Cloud location (`global`, `us-central1`, …).
    pub location: Option<String>,
    /// AWS region.
    pub region: Option<String>,
    /// `input_type` of Cohere's embeddings, `search_document` by default.
    pub embedding_input_type: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// As clients name it.
    pub id: String,
    /// As the provider names it.
    pub upstream: String,
    /// As a price list names it, where neither of the other names says what it is.
    pub base_model: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthScheme {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `api-key: KEY`.
    ApiKey,
    /// `x-api-key: KEY`.
    XApiKey,
    /// `x-goog-api-key: KEY`.
    XGoogApiKey,
    /// No fixed header.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub connect: Duration,
    /// From sending the request to the first byte of content.
    pub first_byte: Duration,
    /// Between two reads of a stream.
    pub idle: Duration,
    /// The whole of an answer that is not a stream.
    pub request: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Auth {
    /// `false` opens the gateway to everybody who can reach it.
    pub enabled: bool,
    pub keys: Vec<ClientKey>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ClientKey {
    pub name: String,
    pub key: Secret,
    pub role: Role,
    /// Patterns with `*`; empty allows all.
    pub models: Vec<String>,
    /// Provider names; empty allows all.
    pub providers: Vec<String>,
    /// Empty allows all.
    pub allowed_ips: Vec<IpNet>,
    /// Its own, or those of every key.
    pub rates: Rates,
    pub budget: Option<Budget>,
    /// Requests in progress at once; `None` for as many as the gateway takes.
    pub max_concurrent: Option<usize>,
    pub tools: ToolRules,
    /// Scalars by name; empty where nothing is known.
    pub metadata: serde_json::Map<String, serde_json::Value>,
    pub expires_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// Patterns with `*` for the names of functions and the types of a provider's own tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolRules {
    /// Empty allows all.
    pub allowed: Vec<String>,
    pub denied: Vec<String>,
}

/// How organisations are administered.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlPlane {
    /// Organisations' providers may be at private addresses.
    pub allow_private: bool,
    /// Administers every organisation.
    pub admin_token: Option<Secret>,
    /// Where alone that is done.
    pub listen: Option<SocketAddr>,
    pub master_key_file: Option<PathBuf>,
    /// `None` where they are kept for this gateway alone.
    pub shared: Option<SharedPlane>,
}

/// Organisations that several gateways have together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPlane {
    pub bucket: String,
    /// How long their keys are good without it.
    pub max_staleness: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Logging {
    /// A `tracing` filter: `info`, `debug`, `prism=debug,warn`, ….
    pub level: String,
    pub format: LogFormat,
    pub include_bodies: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    Text,
    Json,
}

/// Pages of other origins that may call the gateway from a browser.
#[derive(Debug, Clone, PartialEq)]
pub struct Cors {
    pub enabled: bool,
    /// Origins (`https://app.example.com`), or `*` alone for any.
    pub allowed_origins: Vec<HeaderValue>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Prometheus {
    pub enabled: bool,
    pub path: String,
}
