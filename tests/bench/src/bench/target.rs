//! Who is measured, and how each is started.

use std::collections::BTreeMap;
use std::fs::File;
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
    pub const ALL: [Target; 10] = [
        Target::Direct,
        Target::Floor,
        Target::FloorParse,
        Target::Gateway,
        Target::GatewayLogging,
        Target::GatewayWithoutEvents,
        Target::GatewayBefore,
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

/// One scenario's processes; the mock is up as long as this is held.
pub struct Targets<'a> {
    bench: &'a Bench,
    one_core: bool,
    mock: Process,
    proxies: BTreeMap<Target, Process>,
}

impl<'a> Targets<'a> {
    pub fn open(bench: &'a Bench, scenario: &Scenario) -> Result<Self> {
        let port = free_port()?;
        let mut command = bench.cores.beside(scenario.one_core, &bench.siblings.mock);
        command.args(["--port", &port.to_string()]).args((scenario.mock)(bench.pace).split_whitespace());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut mock = Process::start("mock-upstream", port, command, None)?;
        mock.wait_ready(Target::Direct.ready())?;
        Ok(Targets { bench, one_core: scenario.one_core, mock, proxies: BTreeMap::new() })
    }

    pub fn start(&mut self, targets: &[Target]) -> Result<()> {
        for &target in targets.iter().filter(|target| **target != Target::Direct) {
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
            Target::GatewayTenant => Some(&self.bench.crowd()?.one),
            Target::GatewayCrowded => Some(&self.bench.crowd()?.many),
            _ => None,
        };
        let tenants = store.map(|store| format!("control_plane: {{}}\nstore: {{path: \"{}\"}}\n", store.display()));
        let models = format!("models: [{{id: gpt-4o-mini, upstream: {upstream}}}]");
        let lines = [
            format!("server: {{workers: {}}}", self.workers()),
            "providers:".into(),
            format!("  mock: {{{provider}, {models}, discover: false}}"),
            format!("auth: {{enabled: true, keys: [{{name: bench, key: {KEY}}}]}}"),
            format!("logging: {{level: {level}}}\n"),
            if target == Target::GatewayWithoutEvents { "usage: {enabled: false}\n".into() } else { String::new() },
            tenants.unwrap_or_default(),
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
