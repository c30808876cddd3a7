//! From the text of a file to the [`Config`], or to everything that is wrong with it.

use std::{net::IpAddr, net::Ipv4Addr, path::Path, time::Duration};

use http::Uri;
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{
    BUILT_FORMATS, Config, Cors, LogFormat, Logging, Mistake, Mistakes, Prometheus, Server, Tls, access, budgets,
    check::{Report, suggestion},
    control_plane, costs,
    expand::{Environment, expand},
    file::{self, File},
    nats::nats,
    otel, provider, rates, resolve_routing,
    security::security,
    shape,
    tree::{self, Node, Trail},
    units::Span,
    usage,
};

/// What the parts of a file are resolved with.
pub(super) struct Context<'a> {
    pub tree: &'a Node,
    /// Relative file paths start here.
    pub folder: &'a Path,
    pub report: &'a mut Report,
    pub around: Around<'a>,
    /// The names of the file's providers; `None` where they are not known.
    pub providers: Option<Vec<&'a str>>,
}

/// What a configuration depends on besides its text.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub env: Environment<'a>,
    /// Formats that may be used.
    pub formats: &'a [&'a str],
}

impl<'a> Around<'a> {
    pub(super) fn of(env: Environment<'a>) -> Self {
        Self { env, formats: BUILT_FORMATS }
    }
}

impl Context<'_> {
    pub(super) fn mistake(&mut self, trail: &Trail, message: impl Into<String>) {
        self.report.semantic(self.tree, trail, message);
    }

    /// The name has to be one of the file's providers. As written: one that is wrong or switched off exists all the same.
    pub(super) fn check_provider(&mut self, trail: &Trail, name: &str) {
        let Some(known) = &self.providers else { return };
        if known.contains(&name) {
            return;
        }
        let message = match known.as_slice() {
            [] => "no such provider: none is configured".to_owned(),
            known => format!("no such provider{}", suggestion(name, known.iter().copied())),
        };
        self.mistake(trail, message);
    }

    /// A duration that may not be zero.
    pub(super) fn positive(&mut self, trail: &Trail, written: Option<Span>, default: Duration) -> Duration {
        if written == Some(Span(Duration::ZERO)) {
            self.mistake(trail, "has to be longer than 0");
        }
        written.map_or(default, |span| span.0)
    }
}

/// Reads a file; the environment is the process's.
///
/// # Errors
/// With every mistake in it.
pub fn load(path: &Path) -> Result<Config, Mistakes> {
    load_with_notes(path).map(|(config, _)| config)
}

/// Reads a file and names what is right and has a preferred spelling, for `prism check`.
///
/// # Errors
/// With every mistake in it.
pub fn load_with_notes(path: &Path) -> Result<(Config, Vec<Mistake>), Mistakes> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot be read: {error}");
        Mistakes(vec![Mistake { file: file.clone(), line: None, path: String::new(), message }])
    })?;
    read(&text, &file, Around::of(&|name| std::env::var(name).ok()))
}

/// Reads a text as if it stood in a file of that name.
///
/// # Errors
/// With every mistake in it.
pub fn parse(text: &str, file_name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Mistakes> {
    read(text, file_name, Around::of(env)).map(|(config, _)| config)
}

/// The configuration of an empty file.
pub(super) fn defaults() -> Config {
    let tree = Node { line: 1, value: tree::Value::Map(Vec::new()) };
    let mut report = Report::new("");
    let around = Around::of(&|_| None);
    let folder = Path::new("");
    config(File::default(), &mut Context { tree: &tree, folder, report: &mut report, around, providers: None })
}

pub(super) fn read(text: &str, file_name: &str, around: Around<'_>) -> Result<(Config, Vec<Mistake>), Mistakes> {
    let mut tree = tree::read(text).map_err(|(line, message)| {
        Mistakes(vec![Mistake { file: file_name.to_owned(), line: Some(line), path: String::new(), message }])
    })?;
    let mut report = Report::new(file_name);
    expand(&mut tree, &Trail::default(), 1, around.env, &mut report);
    let json = shape::fit(&tree, &file::schema(), &mut report);
    let file = filled(json, &tree, &mut report);
    let folder = Path::new(file_name).parent().unwrap_or(Path::new(""));
    let providers = Some(tree.get("providers").map(|entry| entry.node.keys()).unwrap_or_default());
    let config = config(file, &mut Context { tree: &tree, folder, report: &mut report, around, providers });
    report.finish(config)
}

/// The structs, filled. `shape` let nothing pass that does not fit; if it did, that is said without serde's text, which
/// would quote values.
fn filled(json: Json, tree: &Node, report: &mut Report) -> File {
    if let Ok(file) = serde_json::from_value(json.clone()) {
        return file;
    }
    for (key, value) in json.as_object().into_iter().flatten() {
        if serde_json::from_value::<File>(serde_json::json!({ key: value })).is_err() {
            report.semantic(tree, &Trail::of([key]), "passed every check and could not be read: a mistake in Prism");
        }
    }
    File::default()
}

fn config(file: File, context: &mut Context<'_>) -> Config {
    let server = server(file.server.unwrap_or_default(), context);
    let written = file.providers.unwrap_or_default();
    let mut providers = provider::providers(&written, server.max_in_flight, context);
    let budgets = file.budgets.unwrap_or_default();
    let mut auth = access::auth(file.auth.unwrap_or_default(), &budgets.common(), context);
    let security = file.security.unwrap_or_default();
    let control_plane =
        control_plane::control_plane(file.control_plane, file.admin, &security, file.nats.is_some(), context);
    let has_keys = !auth.keys.is_empty() || control_plane.is_some();
    let rate_limits = rates::rates(file.rate_limiting.unwrap_or_default(), has_keys, context);
    let cost_tracking = costs::costs(file.cost_tracking.unwrap_or_default(), context);
    let budgets = budgets::budgets(budgets, &mut auth.keys, cost_tracking.enabled, context);
    for key in &mut auth.keys {
        key.rates = rate_limits.per_key.of(key.rates);
    }
    if let Err(message) = access::exposure(server.host, &auth, control_plane.is_some())
        && !context.report.is_spoiled(&Trail::of(["auth"]))
    {
        context.mistake(&Trail::of(["server", "host"]), message);
    }
    for message in access::names(&auth, control_plane.is_some()) {
        context.mistake(&Trail::of(["auth", "keys"]), message);
    }
    let model_map = file.model_map.unwrap_or_default();
    check_model_map(&model_map, context);
    let routing = resolve_routing::routing(&file.routing.unwrap_or_default(), context);
    providers.iter_mut().for_each(|provider| provider.breaker = routing.breaker.clone());
    Config {
        server,
        providers,
        model_map,
        auth,
        routing,
        rate_limits,
        budgets,
        cost_tracking,
        logging: logging(file.logging.unwrap_or_default(), context),
        prometheus: prometheus(file.prometheus.unwrap_or_default(), context),
        cors: cors(file.cors.unwrap_or_default(), context),
        security: self::security(security, context),
        usage: usage::usage(file.usage.unwrap_or_default(), context),
        store: usage::store(file.store.unwrap_or_default(), context),
        otel: otel::otel(file.otel.unwrap_or_default(), context),
        control_plane,
        nats: file.nats.map(|written| nats(written, context)),
    }
}

fn server(written: file::Server, context: &mut Context<'_>) -> Server {
    let at = |key: &str| Trail::of(["server", key]);
    let seconds = Duration::from_secs;
    let max_request_body_size = written.max_request_body_size.map_or(32 << 20, |size| size.0);
    if max_request_body_size == 0 {
        context.mistake(&at("max_request_body_size"), "has to be larger than 0");
    }
    let max_body_memory = written.max_body_memory.map(|size| size.0);
    if max_body_memory.is_some_and(|memory| memory < max_request_body_size) {
        let message = "has no room for one body of the largest size (`server.max_request_body_size`)";
        context.mistake(&at("max_body_memory"), message);
    }
    Server {
        host: written.host.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |host| host.0),
        port: written.port.unwrap_or(8080),
        reuse_port: written.reuse_port.unwrap_or(false),
        tls: written.tls.map(|tls| self::tls(tls, context)),
        workers: written.workers.filter(|&workers| workers > 0).unwrap_or_else(cores),
        max_request_body_size,
        max_body_memory,
        header_timeout: context.positive(&at("header_timeout"), written.header_timeout, seconds(10)),
        idle_timeout: context.positive(&at("idle_timeout"), written.idle_timeout, seconds(75)),
        body_timeout: context.positive(&at("body_timeout"), written.body_timeout, seconds(60)),
        shutdown_timeout: written.shutdown_timeout.map_or(seconds(600), |span| span.0),
        pre_stop: written.pre_stop.map_or(Duration::ZERO, |span| span.0),
        max_in_flight: written.max_in_flight.unwrap_or(10_000),
        trusted_proxies: written.trusted_proxies.unwrap_or_default().iter().map(|network| network.0).collect(),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(256))
}

fn tls(written: file::Tls, context: &mut Context<'_>) -> Tls {
    for (key, path) in [
        ("cert_file", Some(&written.cert_file)),
        ("key_file", Some(&written.key_file)),
        ("client_ca_file", written.client_ca_file.as_ref()),
    ] {
        if path.is_some_and(|path| path.as_os_str().is_empty()) {
            context.mistake(&Trail::of(["server", "tls", key]), "names no file");
        }
    }
    Tls {
        cert_file: context.folder.join(written.cert_file),
        key_file: context.folder.join(written.key_file),
        client_ca_file: written.client_ca_file.map(|path| context.folder.join(path)),
    }
}

/// An alias may lead to an alias, and never back to itself. Where it ends cannot be judged here: any model name may be
/// discovered later.
pub(super) fn check_model_map(map: &IndexMap<String, String>, context: &mut Context<'_>) {
    for (alias, target) in map {
        let trail = Trail::of(["model_map", alias]);
        if alias.trim().is_empty() || target.trim().is_empty() {
            context.mistake(&trail, "needs an alias and the model or provider that it stands for");
            continue;
        }
        let path: Vec<&String> =
            std::iter::successors(Some(target), |next| map.get(*next)).take(map.len() + 1).collect();
        if path.contains(&alias) {
            context.mistake(&trail, "leads back to itself");
        }
    }
}

fn logging(written: file::Logging, context: &mut Context<'_>) -> Logging {
    let level = written.level.filter(|level| !level.is_empty()).unwrap_or_else(|| "info".to_owned());
    // `tracing` reads an unknown word as the name of a target and then logs everything of it.
    let is_level = |word: &str| {
        ["trace", "debug", "info", "warn", "error", "off"].iter().any(|level| word.trim().eq_ignore_ascii_case(level))
    };
    if !level.split(',').all(|directive| is_level(directive.rsplit('=').next().unwrap_or_default())) {
        let message = "expected trace, debug, info, warn, error, off, or a filter such as `prism=debug,warn`";
        context.mistake(&Trail::of(["logging", "level"]), message);
    }
    let format = match written.format {
        None | Some(file::LogFormat::Auto) => LogFormat::Auto,
        Some(file::LogFormat::Text) => LogFormat::Text,
        Some(file::LogFormat::Json) => LogFormat::Json,
    };
    Logging { level, format, include_bodies: written.include_bodies.unwrap_or(false) }
}

fn cors(written: file::Cors, context: &mut Context<'_>) -> Cors {
    let enabled = written.enabled.unwrap_or(false);
    let origins = written.allowed_origins.unwrap_or_default();
    let at = Trail::of(["cors", "allowed_origins"]);
    if enabled && origins.is_empty() {
        context.mistake(&at, "names no origin; write those of your pages, such as `https://app.example.com`, or `*`");
    }
    let is_origin = |origin: &str| {
        let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        rest.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@']))
    };
    if origins.iter().any(|origin| origin != "*" && !is_origin(origin)) {
        context.mistake(&at, "an origin is a scheme, a host and perhaps a port, without a path");
    }
    if origins.len() > 1 && origins.iter().any(|origin| origin == "*") {
        context.mistake(&at, "`*` stands for every origin, so it stands alone");
    }
    let allowed_origins = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    Cors { enabled, allowed_origins }
}

fn prometheus(written: file::Prometheus, context: &mut Context<'_>) -> Prometheus {
    let path = written.path.unwrap_or_else(|| "/metrics".to_owned());
    let taken = ["/healthz", "/livez", "/readyz", "/openapi.json", "/docs"];
    let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c));
    let at = Trail::of(["prometheus", "path"]);
    if !path.starts_with('/') || path.len() == 1 || !plain || path.parse::<Uri>().is_err() {
        context.mistake(&at, "expected a path such as `/metrics`");
    } else if path.starts_with("/v1/") || taken.contains(&path.as_str()) {
        context.mistake(&at, "this path is taken");
    }
    Prometheus { enabled: written.enabled.unwrap_or(true), path }
}
