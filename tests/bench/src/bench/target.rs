//! Who is measured, and how each is started.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bench::Bench;
use crate::process::{Process, free_port};
use crate::scenario::Scenario;
use crate::trouble::{Result, Trouble};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Direct,
    Floor,
    FloorParse,
    Gateway,
    /// The gateway with its access log on.
    GatewayLogging,
    /// The gateway without usage events.
    GatewayWithoutEvents,
    /// An earlier gateway, as it was.
    GatewayBefore,
    /// The gateway publishing its events to a NATS server.
    GatewayPublishing,
    /// The gateway with a NATS server that takes connections and never answers.
    GatewayUnheard,
    /// The gateway before the mock's Messages API instead of its chat completions.
    GatewayTranslating,
    /// The gateway called by an organisation's key, the only one.
    GatewayTenant,
    /// The same among ten thousand organisations.
    GatewayCrowded,
}

/// The client's key; the mock and the floors pay it no heed.
const KEY: &str = "sk-prism-bench-0123456789abcdef";

impl Target {
    pub const ALL: [Target; 12] = [
        Target::Direct,
        Target::Floor,
        Target::FloorParse,
        Target::Gateway,
        Target::GatewayLogging,
        Target::GatewayWithoutEvents,
        Target::GatewayBefore,
        Target::GatewayPublishing,
        Target::GatewayUnheard,
        Target::GatewayTranslating,
        Target::GatewayTenant,
        Target::GatewayCrowded,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Target::Direct => "direct",
            Target::Floor => "floor",
            Target::FloorParse => "floor-parse",
            Target::Gateway => "gateway",
            Target::GatewayLogging => "gateway+log",
            Target::GatewayWithoutEvents => "no events",
            Target::GatewayBefore => "before",
            Target::GatewayPublishing => "with NATS",
            Target::GatewayUnheard => "NATS silent",
            Target::GatewayTranslating => "translating",
            Target::GatewayTenant => "one of 1",
            Target::GatewayCrowded => "one of 10,000",
        }
    }

    /// It has organisations.
    pub fn has_tenants(self) -> bool {
        matches!(self, Target::GatewayTenant | Target::GatewayCrowded)
    }

    pub fn is_gateway(self) -> bool {
        !matches!(self, Target::Direct | Target::Floor | Target::FloorParse)
    }

    /// Answers 200 once the process is up.
    pub fn health(self) -> &'static str {
        match self {
            Target::Direct => "/v1/models",
            Target::Floor | Target::FloorParse => "/stats",
            // it listens once it knows its keys
            _ => "/healthz",
        }
    }

    /// Answers 200 once requests may be sent.
    fn ready(self) -> &'static str {
        if self.is_gateway() { "/readyz" } else { self.health() }
    }
}

/// With JetStream, in memory that the run gives back.
fn start_nats(bench: &Bench, server: &Path) -> Result<Process> {
    let (port, monitor) = (free_port()?, free_port()?);
    let mut command = Command::new(server);
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-m", &monitor.to_string(), "-js", "-sd"]);
    command.arg(bench.workdir.path().join(format!("nats-{port}"))).stdout(Stdio::null()).stderr(Stdio::null());
    let mut nats = Process::start("nats-server", port, command, None)?;
    nats.wait_ready_at(monitor, "/healthz")?;
    Ok(nats)
}

/// One scenario's processes; the mock is up as long as this is held.
pub struct Targets<'a> {
    bench: &'a Bench,
    one_core: bool,
    mock: Process,
    proxies: BTreeMap<Target, Process>,
    /// Behind the gateways that publish to it; the last to end.
    nats: Option<Process>,
    /// Nobody accepts what connects here.
    silence: TcpListener,
}

impl<'a> Targets<'a> {
    pub fn open(bench: &'a Bench, scenario: &Scenario) -> Result<Self> {
        let port = free_port()?;
        let mut command = bench.cores.beside(scenario.one_core, &bench.siblings.mock);
        command.args(["--port", &port.to_string()]).args((scenario.mock)(bench.pace).split_whitespace());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut mock = Process::start("mock-upstream", port, command, None)?;
        mock.wait_ready(Target::Direct.ready())?;
        let nats = match &bench.nats_server {
            Some(server) if scenario.targets.contains(&Target::GatewayPublishing) => Some(start_nats(bench, server)?),
            _ => None,
        };
        let silence = TcpListener::bind(("127.0.0.1", 0)).map_err(Trouble::file("no free loopback port"))?;
        Ok(Targets { bench, one_core: scenario.one_core, mock, proxies: BTreeMap::new(), nats, silence })
    }

    pub fn start(&mut self, targets: &[Target]) -> Result<()> {
        for &target in targets.iter().filter(|target| **target != Target::Direct) {
            self.proxies.remove(&target); // the one before: its store is to be free
            let mut process = self.launch(target)?;
            process.wait_ready(target.ready())?;
            self.proxies.insert(target, process);
        }
        Ok(())
    }

    pub fn process(&self, target: Target) -> &Process {
        self.proxies.get(&target).unwrap_or(&self.mock)
    }

    /// The load generator, placed where it does not disturb the proxy.
    pub fn load_command(&self) -> Command {
        self.bench.cores.beside(self.one_core, &self.bench.siblings.load)
    }

    /// Starts a proxy without waiting for it.
    pub fn launch(&self, target: Target) -> Result<Process> {
        if target.is_gateway() { self.launch_gateway(target) } else { self.launch_floor(target) }
    }

    fn launch_floor(&self, target: Target) -> Result<Process> {
        let port = free_port()?;
        let mut command = self.bench.cores.proxy(self.one_core, &self.bench.siblings.floor);
        command.args(["--port", &port.to_string(), "--workers", &self.workers().to_string()]);
        command.args(["--upstream", &format!("127.0.0.1:{}", self.mock.port)]);
        if target == Target::FloorParse {
            command.arg("--parse");
        }
        command.stdout(Stdio::null());
        Process::start(target.name(), port, command, None)
    }

    fn launch_gateway(&self, target: Target) -> Result<Process> {
        let port = free_port()?;
        let binary = match (target, &self.bench.before) {
            (Target::GatewayBefore, Some(before)) => before,
            _ => self.gateway(),
        };
        let config = self.bench.workdir.path().join(format!("{}-{port}.yaml", target.name()));
        let cannot = |path: &Path| Trouble::file(format!("cannot write `{}`", path.display()));
        std::fs::write(&config, self.config(target)?).map_err(cannot(&config))?;
        let output = config.with_extension("log");
        let stderr = File::create(&output).map_err(cannot(&output))?;
        let mut command = self.bench.cores.proxy(self.one_core, binary);
        command.arg("--config").arg(&config).args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.stdout(Stdio::null()).stderr(stderr);
        Process::start(target.name(), port, command, Some(output))
    }

    pub fn gateway(&self) -> &Path {
        self.bench.gateway.as_deref().expect("gateway targets are measured only when there is one")
    }

    /// Key auth, usage capture and metrics are on: what is measured is what is deployed.
    fn config(&self, target: Target) -> Result<String> {
        let level = if target == Target::GatewayLogging { "info" } else { "warn" };
        let (kind, version, upstream) = match target {
            Target::GatewayTranslating => ("anthropic", "", "claude-3-5-haiku-latest"),
            _ => ("openai", "/v1", "gpt-4o-mini"),
        };
        let base_url = format!("http://127.0.0.1:{}{version}", self.mock.port);
        let shared = if target.has_tenants() { ", shared: true" } else { "" };
        let provider = format!("type: {kind}, base_url: \"{base_url}\", api_key: sk-upstream{shared}");
        let store = match target {
            Target::GatewayTenant => self.bench.crowd()?.one.clone(),
            Target::GatewayCrowded => self.bench.crowd()?.many.clone(),
            _ => self.bench.workdir.path().join(target.name()),
        };
        let store = format!("store: {{path: \"{}\"}}", store.display());
        let nats = match (target, &self.nats) {
            (Target::GatewayPublishing, Some(nats)) => Some(nats.port),
            (Target::GatewayUnheard, _) => self.silence.local_addr().ok().map(|at| at.port()),
            _ => None,
        };
        let models = format!("models: [{{id: gpt-4o-mini, upstream: {upstream}}}]");
        let lines = [
            format!("server: {{workers: {}}}", self.workers()),
            "providers:".into(),
            format!("  mock: {{{provider}, {models}, discover: false}}"),
            format!("auth: {{enabled: true, keys: [{{name: bench, key: {KEY}}}]}}"),
            format!("logging: {{level: {level}}}"),
            // the first gateways had none
            if target == Target::GatewayBefore { String::new() } else { store },
            if target == Target::GatewayWithoutEvents { "usage: {enabled: false}".into() } else { String::new() },
            if target.has_tenants() { "control_plane: {}".into() } else { String::new() },
            nats.map_or_else(String::new, |port| format!("nats: {{url: \"nats://127.0.0.1:{port}\"}}")),
            String::new(),
        ];
        Ok(lines.join("\n"))
    }

    /// What clients of the target send.
    pub fn key(&self, target: Target) -> Result<&str> {
        if target.has_tenants() { self.bench.crowd().map(|crowd| crowd.key.as_str()) } else { Ok(KEY) }
    }

    fn workers(&self) -> usize {
        if self.one_core { 1 } else { 2 }
    }
}
