//! What is measured, as data: the load, whom it meets, what is read from a sample, and the bar.

use crate::options::Pace;
use crate::pressure::Sample;
use crate::target::Target::{
    self, Direct, Floor, FloorParse, Gateway, GatewayBefore, GatewayCrowded, GatewayLogging, GatewayPublishing,
    GatewayTenant, GatewayTranslating, GatewayUnheard, GatewayWithoutEvents,
};
use crate::verdict::Bar;

pub struct Scenario {
    pub name: &'static str,
    pub about: &'static str,
    pub targets: &'static [Target],
    /// Who is judged, and by whom.
    pub compared: (Target, Target),
    pub work: Work,
    /// The proxy alone on one core, with one worker; mock and load on another.
    pub one_core: bool,
    /// Flags of the mock upstream.
    pub mock: fn(Pace) -> String,
    /// Flags of the load generator.
    pub load: fn(Pace) -> String,
    pub rounds: fn(Pace) -> usize,
    pub metrics: &'static [Metric],
}

/// How a sample is taken.
#[derive(Clone, Copy, PartialEq)]
pub enum Work {
    /// The load generator on a running target.
    Press,
    /// The load generator on all targets at the same time, and then nothing for as long as analytics may still be counting.
    Together,
    /// Starts a process and leaves it alone.
    Start,
    /// The gateway's own translation of a long prompt, without sockets.
    Translate,
}

pub struct Metric {
    pub name: &'static str,
    pub unit: &'static str,
    pub read: fn(&Sample) -> f64,
    /// Shown as what the target adds to `direct` in the same round.
    pub added: bool,
    pub best: Best,
    pub bar: Bar,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Best {
    Least,
    Most,
}

const ALL: &[Target] = &[Direct, Floor, FloorParse, Gateway];
const PROXIES: &[Target] = &[Floor, FloorParse, Gateway];
const LANES: &[Target] = &[Gateway, GatewayTranslating];

const LEAST: Metric =
    Metric { name: "", unit: "", read: |_| f64::NAN, added: false, best: Best::Least, bar: Bar::None };
const CPU: Metric = Metric { name: "CPU per request", unit: "µs", read: Sample::cpu_us_per_request, ..LEAST };
const RATE: Metric = Metric { name: "throughput", unit: "req/s", read: |s| s.load("rps"), best: Best::Most, ..LEAST };

const BASE: Scenario = Scenario {
    name: "",
    about: "",
    targets: ALL,
    compared: (Gateway, FloorParse),
    work: Work::Press,
    one_core: false,
    mock: |_| String::new(),
    load: |_| String::new(),
    rounds: |pace| pace.rounds,
    metrics: &[],
};

/// What is told apart by a few per cent.
const TOGETHER: Scenario = Scenario {
    work: Work::Together,
    load: |pace| format!("-c 32 -d {}", 2.0 * pace.seconds),
    rounds: |pace| 2 * pace.rounds,
    ..BASE
};

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "cpu",
        about: "1 KB prompts, 64 connections (direct: the mock's own CPU)",
        load: |pace| format!("-c 64 -d {}", pace.seconds),
        metrics: &[Metric { bar: Bar::RatioAtMost(1.5), ..CPU }, RATE],
        ..BASE
    },
    Scenario {
        name: "core",
        about: "the proxy alone on one core, 64 connections",
        one_core: true,
        load: |pace| format!("-c 64 -d {}", pace.seconds),
        // 20,000 requests/s where floor --parse makes 30,000.
        metrics: &[
            Metric { bar: Bar::RatioAtLeast(2.0 / 3.0), ..RATE },
            Metric { name: "core in use", unit: "%", read: Sample::busy_percent, best: Best::Most, ..LEAST },
        ],
        ..BASE
    },
    Scenario {
        name: "latency",
        about: "one request at a time; what is added to direct (direct: as it is)",
        load: |pace| format!("-c 1 -d {}", pace.seconds),
        metrics: &[
            Metric { name: "added p50", unit: "µs", read: |s| s.load("latency.p50_us"), added: true, ..LEAST },
            Metric {
                name: "added p99",
                unit: "µs",
                read: |s| s.load("latency.p99_us"),
                added: true,
                bar: Bar::RatioAtMost(1.5),
                ..LEAST
            },
        ],
        ..BASE
    },
    Scenario {
        name: "ttft",
        about: "one stream at a time, 10 chunks 2 ms apart; time to the first token",
        mock: |_| "--chunks 10 --interval-ms 2".into(),
        load: |pace| format!("-c 1 -d {} --stream --expect-chunks 10", pace.seconds),
        metrics: &[
            Metric {
                name: "added p50",
                unit: "ms",
                read: |s| s.load("ttft.p50_us") / 1e3,
                added: true,
                bar: Bar::OverAtMost(0.1),
                ..LEAST
            },
            // 40 ms is what Nagle and delayed ACKs cost a proxy that forgot TCP_NODELAY.
            Metric {
                name: "added p95",
                unit: "ms",
                read: |s| s.load("ttft.p95_us") / 1e3,
                added: true,
                bar: Bar::AtMost(20.0),
                ..LEAST
            },
        ],
        ..BASE
    },
    Scenario {
        name: "large",
        about: "200 KB prompts, 8 connections",
        load: |pace| format!("-c 8 -d {} --prompt-bytes 200000", pace.seconds),
        metrics: &[Metric { bar: Bar::RatioAtMost(1.3), ..CPU }, RATE],
        ..BASE
    },
    Scenario {
        name: "streams",
        about: "500 slow streams at once, a chunk each 50 ms",
        targets: PROXIES,
        mock: |pace| format!("--chunks {} --interval-ms 50", pace.chunks),
        // All 500 are under way before the first ends: the ramp is half as long as a stream.
        load: |pace| {
            let (chunks, ramp_ms) = (pace.chunks, pace.chunks * 50 / 2);
            format!("-c 500 -n 500 -d 60 --ramp-ms {ramp_ms} --stream --expect-chunks {chunks}")
        },
        rounds: |pace| pace.stream_rounds,
        metrics: &[
            Metric {
                name: "CPU per chunk",
                unit: "µs",
                read: Sample::cpu_us_per_chunk,
                bar: Bar::RatioAtMost(1.3),
                ..LEAST
            },
            Metric { name: "RSS, highest", unit: "MB", read: |s| s.rss_mb, bar: Bar::AtMost(35.0), ..LEAST },
        ],
        ..BASE
    },
    Scenario {
        name: "start",
        about: "from exec to the first 200; memory one second later",
        targets: PROXIES,
        work: Work::Start,
        metrics: &[
            Metric { name: "first 200", unit: "ms", read: |s| s.start_ms, bar: Bar::AtMost(50.0), ..LEAST },
            Metric { name: "RSS idle", unit: "MiB", read: Sample::rss_mib, bar: Bar::AtMost(12.0), ..LEAST },
        ],
        ..BASE
    },
    Scenario {
        name: "logs",
        about: "as `cpu`, with the access log written to /dev/null in the last column",
        targets: &[FloorParse, Gateway, GatewayLogging],
        load: |pace| format!("-c 64 -d {}", pace.seconds),
        metrics: &[CPU],
        ..BASE
    },
    Scenario {
        name: "events",
        about: "without usage events and with them, 32 connections each at the same time",
        targets: &[GatewayWithoutEvents, Gateway],
        compared: (Gateway, GatewayWithoutEvents),
        metrics: &[Metric { bar: Bar::RatioAtMost(1.05), ..CPU }],
        ..TOGETHER
    },
    Scenario {
        name: "nats",
        about: "as `cpu`: without usage events, with them, and publishing them to a NATS server (`--nats-server`)",
        targets: &[GatewayWithoutEvents, Gateway, GatewayPublishing],
        compared: (GatewayPublishing, Gateway),
        load: |pace| format!("-c 64 -d {}", pace.seconds),
        metrics: &[CPU],
        ..BASE
    },
    Scenario {
        name: "nats-silent",
        about: "as `events`, 8 connections each: with a NATS server that takes connections and never answers, and without",
        targets: &[Gateway, GatewayUnheard],
        compared: (GatewayUnheard, Gateway),
        load: |pace| format!("-c 8 -d {}", 2.0 * pace.seconds),
        metrics: &[
            Metric { name: "p50", unit: "µs", read: |s| s.load("latency.p50_us"), ..LEAST },
            Metric {
                name: "p99",
                unit: "µs",
                read: |s| s.load("latency.p99_us"),
                bar: Bar::RatioAtMost(1.05),
                ..LEAST
            },
            CPU,
        ],
        ..TOGETHER
    },
    Scenario {
        name: "before",
        about: "an earlier gateway (`--before`), and this one without usage events, which the earlier has not; as `events`",
        targets: &[GatewayBefore, GatewayWithoutEvents],
        compared: (GatewayWithoutEvents, GatewayBefore),
        metrics: &[Metric { bar: Bar::RatioAtMost(1.1), ..CPU }],
        ..TOGETHER
    },
    Scenario {
        name: "tenants",
        about: "as `cpu`: an organisation's key, alone and among 10,000 organisations with 100,000 keys",
        targets: &[Gateway, GatewayTenant, GatewayCrowded],
        compared: (GatewayCrowded, GatewayTenant),
        load: |pace| format!("-c 64 -d {}", pace.seconds),
        metrics: &[Metric { bar: Bar::RatioAtMost(1.05), ..CPU }],
        ..BASE
    },
    Scenario {
        name: "tenants-start",
        about: "from exec to the first 200 with all keys known; memory one second later",
        targets: &[Gateway, GatewayTenant, GatewayCrowded],
        compared: (GatewayCrowded, GatewayTenant),
        work: Work::Start,
        metrics: &[
            Metric { name: "first 200", unit: "ms", read: |s| s.start_ms, bar: Bar::AtMost(2000.0), ..LEAST },
            Metric { name: "RSS idle", unit: "MiB", read: Sample::rss_mib, ..LEAST },
        ],
        ..BASE
    },
    Scenario {
        name: "lanes",
        about: "as `cpu`: OpenAI's bytes passed on, and translated to Anthropic's and back",
        targets: LANES,
        compared: (GatewayTranslating, Gateway),
        load: |pace| format!("-c 64 -d {}", pace.seconds),
        metrics: &[Metric { bar: Bar::RatioAtMost(1.5), ..CPU }, RATE],
        ..BASE
    },
    Scenario {
        name: "lanes-streams",
        about: "64 streams at once, 50 chunks 5 ms apart: passed on, and translated",
        targets: LANES,
        compared: (GatewayTranslating, Gateway),
        mock: |_| "--chunks 50 --interval-ms 5".into(),
        load: |pace| format!("-c 64 -d {} --stream --expect-chunks 50", pace.seconds),
        metrics: &[Metric {
            name: "CPU per chunk",
            unit: "µs",
            read: Sample::cpu_us_per_chunk,
            bar: Bar::RatioAtMost(1.5),
            ..LEAST
        }],
        ..BASE
    },
    Scenario {
        name: "lanes-large",
        about: "200 KB prompts, 8 connections: passed on, and translated",
        targets: LANES,
        compared: (GatewayTranslating, Gateway),
        load: |pace| format!("-c 8 -d {} --prompt-bytes 200000", pace.seconds),
        metrics: &[Metric { bar: Bar::OverAtMost(400.0), ..CPU }],
        ..BASE
    },
    Scenario {
        name: "formats",
        about: "a 200 KB prompt from OpenAI's format into each other one, in the process (median of 200)",
        targets: &[Gateway],
        work: Work::Translate,
        metrics: &[
            Metric { name: "anthropic", unit: "µs", read: |s| s.load("anthropic"), bar: TRANSLATION, ..LEAST },
            Metric { name: "bedrock", unit: "µs", read: |s| s.load("bedrock"), bar: TRANSLATION, ..LEAST },
            Metric { name: "cohere", unit: "µs", read: |s| s.load("cohere"), bar: TRANSLATION, ..LEAST },
            Metric { name: "gemini", unit: "µs", read: |s| s.load("gemini"), bar: TRANSLATION, ..LEAST },
        ],
        ..BASE
    },
];

/// What a prompt of 200 KB may cost on its way into another format, µs.
const TRANSLATION: Bar = Bar::AtMost(400.0);
