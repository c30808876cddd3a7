//! The configuration file as written. Docstrings become the descriptions in the JSON Schema that editors read.
//!
//! Every field is optional here: `shape` has reported what is missing before these structs are filled, and `resolve`
//! gives the defaults that the docstrings name.

use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Number, Value as Json, json};

use super::{
    budgets::{self, written::Budgets},
    costs::written::CostTracking,
    file_provider::Provider,
    file_routing::Routing,
    nats::written::Nats,
    rates::written::RateLimiting,
    units::{Address, Host, Moment, Network, Size, Span},
};
use crate::secret::Secret;

/// The JSON Schema of the file, for editors: the text may hold `${VAR}` where a number or a truth value belongs.
pub fn json_schema() -> Json {
    let mut schema = schema();
    allow_references(&mut schema);
    schema
}

/// The schema of the file once the environment is filled in.
pub(super) fn schema() -> Json {
    schemars::schema_for!(File).to_value()
}

fn allow_references(schema: &mut Json) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(allow_references),
        Json::Object(object) => {
            object.values_mut().for_each(allow_references);
            let kinds = object.get("type").filter(|kinds| !kinds.is_object()).map(Json::to_string).unwrap_or_default();
            let needs_one = ["\"integer\"", "\"number\"", "\"boolean\""].iter().any(|kind| kinds.contains(kind));
            if needs_one && !kinds.contains("\"string\"") {
                let description = object.shift_remove("description");
                let literal = Json::Object(std::mem::take(object));
                object.insert("anyOf".into(), json!([literal, { "type": "string", "pattern": "\\$\\{" }]));
                object.extend(description.map(|text| ("description".to_owned(), text)));
            }
        }
        _ => {}
    }
}

/// The configuration of Prism. Every key is optional; `${VAR}` and `${VAR:-default}` in values are expanded.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Prism")]
pub(super) struct File {
    /// Where and how the gateway listens.
    pub server: Option<Server>,
    /// Providers by name. A name that is a known type brings its preset: `groq: {api_key: "${GROQ_API_KEY}"}` is complete.
    pub providers: Option<IndexMap<String, Provider>>,
    /// Alias → model, or model → provider.
    pub model_map: Option<IndexMap<String, String>>,
    /// Who may use the gateway.
    pub auth: Option<Auth>,
    /// Which provider a request goes to, and to which next.
    pub routing: Option<Routing>,
    /// How many requests and tokens a minute are let in.
    pub rate_limiting: Option<RateLimiting>,
    /// How many US dollars may be spent.
    pub budgets: Option<Budgets>,
    /// What answers cost.
    pub cost_tracking: Option<CostTracking>,
    /// What is logged, and how.
    pub logging: Option<Logging>,
    /// The metrics endpoint.
    pub prometheus: Option<Prometheus>,
    /// Which pages may call the gateway from a browser.
    pub cors: Option<Cors>,
    /// What the gateway may do on a client's behalf, and how it keeps the credentials of organisations.
    pub security: Option<Security>,
    /// One event for each request: who asked what of whom, and what it cost.
    pub usage: Option<Usage>,
    /// Where the gateway keeps data.
    pub store: Option<Store>,
    /// Traces of requests, for a collector.
    pub otel: Option<Otel>,
    /// The NATS servers that events are published to, and that usage is then counted from, for all gateways.
    pub nats: Option<Nats>,
    /// Switches organisations on, however little is written below it.
    pub control_plane: Option<ControlPlane>,
    /// Administration with a token, which switches organisations on as well.
    pub admin: Option<Admin>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    /// Address to listen on, by default `127.0.0.1`. Any other needs keys, or `auth.enabled: false` written out.
    pub host: Option<Host>,
    /// Port to listen on, by default 8080; 0 takes any free one.
    pub port: Option<u16>,
    /// Lets a second gateway listen on the same address while the first one stops, by default false: nobody is refused in
    /// between. Both have to say so; the system then divides new connections between them.
    pub reuse_port: Option<bool>,
    /// Certificate and key; without them the gateway speaks plain HTTP.
    pub tls: Option<Tls>,
    /// Data-plane threads, by default (0) one per core.
    #[schemars(range(max = 256))]
    pub workers: Option<usize>,
    /// Largest request body, by default `32MiB`.
    pub max_request_body_size: Option<Size>,
    /// Memory for request bodies, what is made of them for providers of other formats, media that are fetched, and collected
    /// answers, of more than 16 KiB each, all together; beyond it 503 with `Retry-After`. By default a quarter of the memory
    /// that the control group or the machine has.
    pub max_body_memory: Option<Size>,
    /// Time for a request's head to arrive, by default `10s`.
    pub header_timeout: Option<Span>,
    /// Time between two requests on one HTTP/1.1 connection before it is closed, by default `75s`: longer than the 60 s of
    /// most balancers, which should be the ones that close.
    pub idle_timeout: Option<Span>,
    /// Time for a request's body to arrive, by default `60s`.
    pub body_timeout: Option<Span>,
    /// Grace for running streams at shutdown, by default `600s`.
    pub shutdown_timeout: Option<Span>,
    /// Time between readiness turning 503 and the listener closing, by default `0s`.
    pub pre_stop: Option<Span>,
    /// Requests in progress at once, by default 10000; beyond it 503.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_in_flight: Option<usize>,
    /// Addresses and networks whose `X-Forwarded-For` is believed, by default none.
    pub trusted_proxies: Option<Vec<Network>>,
}

/// Files are relative to the configuration file, and read again when they change.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["cert_file", "key_file"]))]
pub(super) struct Tls {
    /// PEM file with the certificate and its chain.
    pub cert_file: PathBuf,
    /// PEM file with the private key.
    pub key_file: PathBuf,
    /// PEM file with authorities; clients must then present a certificate that one of them signed.
    pub client_ca_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Auth {
    /// `false` opens the gateway to everybody who can reach it; `true`, the default, needs keys on any address but
    /// loopback.
    pub enabled: Option<bool>,
    /// Keys of clients.
    pub keys: Option<Vec<ClientKey>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["name", "key"]))]
pub(super) struct ClientKey {
    /// Name in logs and metrics.
    pub name: String,
    /// The key itself, as clients send it.
    pub key: Secret,
    /// What the key may do where organisations are on: `member` (the default) calls models, `viewer` reads what is
    /// configured, `admin` does both and changes it, `owner` gives out keys of any role as well.
    pub role: Option<Role>,
    /// Models it may use, with `*` as wildcard; empty for all.
    pub models: Option<Vec<String>>,
    /// Providers it may use; empty for all.
    pub providers: Option<Vec<String>>,
    /// Addresses and networks it may come from; empty for all.
    pub allowed_ips: Option<Vec<Network>>,
    /// Tools that its requests may offer to a model, with `*` as wildcard: functions by their names, a provider's own tools by
    /// their types (`web_search`, `mcp`, …); empty for all.
    pub allowed_tools: Option<Vec<String>>,
    /// Tools that its requests may not offer, whatever is allowed.
    pub denied_tools: Option<Vec<String>>,
    /// Requests a minute, in place of `rate_limiting.per_key_rpm`; 0 leaves it to that.
    pub rate_limit_rpm: Option<u64>,
    /// Tokens a minute, in place of `rate_limiting.per_key_tpm`; 0 leaves it to that.
    pub rate_limit_tpm: Option<u64>,
    /// Requests in progress at once, by default (0) as many as the gateway takes; beyond it 429.
    pub max_concurrent: Option<usize>,
    /// What it may spend, as `budgets.keys` may say instead.
    pub budget: Option<budgets::written::Terms>,
    /// When it stops working, as `2027-01-01T00:00:00Z`.
    pub expires_at: Option<Moment>,
    /// What is known of its owner, as texts, numbers and truth values by name: in the log, and for conditions of routes as
    /// `key.metadata.*`.
    pub metadata: Option<IndexMap<String, Scalar>>,
}

impl Default for ClientKey {
    fn default() -> Self {
        Self {
            name: String::new(),
            key: Secret::new(""),
            role: None,
            models: None,
            providers: None,
            allowed_ips: None,
            rate_limit_rpm: None,
            rate_limit_tpm: None,
            max_concurrent: None,
            budget: None,
            expires_at: None,
            allowed_tools: None,
            denied_tools: None,
            metadata: None,
        }
    }
}

/// A text, a number, or a truth value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Scalar {
    Truth(bool),
    Number(Number),
    Text(String),
}

impl From<Scalar> for Json {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Truth(truth) => truth.into(),
            Scalar::Number(number) => number.into(),
            Scalar::Text(text) => text.into(),
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    Viewer,
    Member,
    Admin,
    Owner,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Logging {
    /// `trace`, `debug`, `info` (the default), `warn`, `error`, `off`, or a filter such as `prism=debug,warn`.
    pub level: Option<String>,
    /// `auto` (the default) is text on a terminal and JSON otherwise.
    pub format: Option<LogFormat>,
    /// Logs requests and answers, which may hold personal data; by default false.
    pub include_bodies: Option<bool>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    Auto,
    Text,
    Json,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Prometheus {
    /// By default true.
    pub enabled: Option<bool>,
    /// By default `/metrics`.
    pub path: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Cors {
    /// By default false.
    pub enabled: Option<bool>,
    /// Origins such as `https://app.example.com`; `*` for any.
    pub allowed_origins: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Usage {
    /// By default true.
    pub enabled: Option<bool>,
    /// Most bytes of events on disk that nobody has taken away yet, by default `1GiB`, at least `64MiB`.
    pub spool_max: Option<Size>,
    /// What happens then: `refuse` (the default) answers requests with 503 until there is room again, `drop_oldest` gives
    /// up the oldest events and counts them.
    pub when_full: Option<WhenFull>,
    /// The JetStream stream that events are published to, by default `PRISM_USAGE`; it is made where it does not exist.
    pub stream: Option<String>,
    /// Copies that the NATS cluster keeps of the stream, by default 1.
    #[schemars(range(min = 1, max = 5))]
    pub replicas: Option<usize>,
    /// For how long the stream recognises an event that comes a second time, by default `2m`.
    pub dedup_window: Option<Span>,
    /// For how long events are kept, by default `30d`.
    pub max_age: Option<Span>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WhenFull {
    Refuse,
    DropOldest,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Otel {
    /// The collector's OTLP endpoint, such as `http://127.0.0.1:4318`; without one nothing is traced.
    pub endpoint: Option<String>,
    /// By default, and so far only, `http/protobuf`.
    pub protocol: Option<OtelProtocol>,
    /// Headers that the collector asks for.
    pub headers: Option<IndexMap<String, Secret>>,
    /// PEM file with authorities that are trusted beside Mozilla's; relative to the configuration file.
    pub ca_file: Option<PathBuf>,
    /// Share of the requests that are traced, from 0 to 1; by default 1. A caller's `traceparent` decides for its own.
    #[schemars(range(min = 0, max = 1))]
    pub sample_rate: Option<f64>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) enum OtelProtocol {
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Store {
    /// Folder for everything that outlives the process, by default `data` beside the configuration file; without a file, in
    /// the folder that the gateway is started in.
    pub path: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ControlPlane {
    /// Whether the providers of organisations may be at private addresses; by default false.
    pub allow_private: Option<bool>,
    /// Bucket of NATS JetStream (`nats`) that several gateways keep their organisations in together, such as `PRISM_CONFIG`;
    /// made where there is none, with `usage.replicas` copies. By default they are kept in `store.path`, for this gateway alone.
    pub kv_bucket: Option<String>,
    /// How long keys of organisations are good while the bucket is out of reach and nobody knows which have been revoked; by
    /// default `24h`. Keys of the file are good all the time.
    pub max_staleness: Option<Span>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Admin {
    /// A credential that administers every organisation, of at least 16 characters; `PRISM_ADMIN_TOKEN` beats it.
    pub token: Option<Secret>,
    /// Another address (`127.0.0.1:9090`) to administer at; then nothing is administered where models are called.
    pub listen: Option<Address>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Security {
    /// File with the key that seals the credentials of organisations, 32 bytes in base64; further lines are earlier keys.
    /// `PRISM_MASTER_KEY` beats it; by default `master.key` in `store.path`, made when there is none.
    pub master_key_file: Option<PathBuf>,
    /// Images and documents that a request names by an `https` address are fetched for providers that take only bytes
    /// (Bedrock); by default false. They have to be at public addresses; at most two redirects are followed.
    pub fetch_remote_media: Option<bool>,
    /// Hosts with their ports, such as `images.internal:443`, that media may come from although their address is private;
    /// by default none.
    pub remote_media_hosts: Option<Vec<String>>,
    /// PEM file with authorities that are trusted for media beside Mozilla's; relative to the configuration file.
    pub remote_media_ca_file: Option<PathBuf>,
    /// Largest image or document, by default `20MiB`.
    pub remote_media_max_size: Option<Size>,
    /// All images and documents of one request together, by default `50MiB`.
    pub remote_media_max_total: Option<Size>,
    /// Addresses in one request, by default 20.
    #[schemars(range(min = 1, max = 1000))]
    pub remote_media_max_count: Option<usize>,
    /// Time for each to arrive, by default `10s`; never beyond the request's own.
    pub remote_media_timeout: Option<Span>,
}
