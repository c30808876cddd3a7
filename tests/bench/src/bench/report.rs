//! The run for machines: every sample, and what was made of it.

use serde_json::{Map, Value, json};

use crate::bench::Bench;
use crate::pressure::Sample;
use crate::scenario::Metric;
use crate::sheet::{Sheet, best, median};
use crate::verdict::Verdict;

pub fn json(bench: &Bench, sheets: &[Sheet]) -> String {
    let scenarios: Map<String, Value> =
        sheets.iter().map(|sheet| (sheet.scenario.name.to_string(), scenario(sheet))).collect();
    let report = json!({
        "machine": {
            "cores": bench.cores.count,
            "pinned": bench.cores.pinned,
            "cpu": cpu_model(),
            "kernel": file("/proc/sys/kernel/osrelease"),
            "load_average": file("/proc/loadavg"),
        },
        "gateway": bench.gateway,
        "rounds": bench.pace.rounds,
        "seconds": bench.pace.seconds,
        "scenarios": scenarios,
    });
    format!("{report:#}\n")
}

fn scenario(sheet: &Sheet) -> Value {
    let metrics: Vec<Value> = sheet.scenario.metrics.iter().map(|each| metric(sheet, each)).collect();
    let samples: Map<String, Value> = sheet
        .samples
        .iter()
        .map(|(target, samples)| (target.name().to_string(), samples.iter().map(sample).collect()))
        .collect();
    json!({"about": sheet.scenario.about, "metrics": metrics, "samples": samples})
}

fn metric(sheet: &Sheet, metric: &Metric) -> Value {
    let targets: Map<String, Value> = sheet
        .samples
        .keys()
        .map(|&target| {
            let values = sheet.values(metric, target);
            let best = best(metric, &values);
            (target.name().to_string(), json!({"rounds": values, "best": best, "median": median(values)}))
        })
        .collect();
    let met = match Verdict::of(sheet, metric) {
        Verdict::Met => Some(true),
        Verdict::Missed => Some(false),
        Verdict::Open => None,
    };
    json!({
        "name": metric.name,
        "unit": metric.unit,
        "targets": targets,
        "ratio": sheet.ratio(metric),
        "bar": metric.bar.text(metric.unit),
        "met": met,
    })
}

fn sample(sample: &Sample) -> Value {
    json!({"cpu_ns": sample.cpu_ns, "rss_mb": sample.rss_mb, "start_ms": sample.start_ms, "load": sample.load})
}

fn cpu_model() -> String {
    let info = file("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    model.trim_start_matches([' ', '\t', ':']).to_string()
}

fn file(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_string()
}
