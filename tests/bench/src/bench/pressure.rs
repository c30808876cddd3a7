//! The load generator at work on one target: one sample.

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::clock::{cpu_ns, rss_kib};
use crate::process::Process;
use crate::signal;
use crate::target::{Target, Targets};
use crate::trouble::{Result, Trouble};

/// What one target did in one round. A part that was not measured is NaN or null.
pub struct Sample {
    pub cpu_ns: u64,
    pub rss_mb: f64,
    pub start_ms: f64,
    /// What the load generator printed.
    pub load: Value,
}

/// No load runs longer than its scenario's samples by more than this.
const LIMIT: Duration = Duration::from_secs(90);
/// A share of errors that a comparison survives; above it, a target that fails fast would look fast.
const MAX_ERRORS: f64 = 0.001;

impl Sample {
    pub fn idle(rss_kib: u64) -> Sample {
        Sample { cpu_ns: 0, rss_mb: rss_kib as f64 * 1024.0 / 1e6, start_ms: f64::NAN, load: Value::Null }
    }

    /// A number of the load generator's by its path, `latency.p50_us`.
    pub fn load(&self, path: &str) -> f64 {
        path.split('.').fold(&self.load, |value, key| &value[key]).as_f64().unwrap_or(f64::NAN)
    }

    pub fn cpu_us_per_request(&self) -> f64 {
        self.cpu_ns as f64 / 1e3 / self.load("ok")
    }

    pub fn cpu_us_per_chunk(&self) -> f64 {
        self.cpu_ns as f64 / 1e3 / self.load("chunks")
    }

    pub fn busy_percent(&self) -> f64 {
        self.cpu_ns as f64 / 1e9 / self.load("wall_s") * 100.0
    }

    pub fn rss_mib(&self) -> f64 {
        self.rss_mb * 1e6 / f64::from(1 << 20)
    }
}

/// Loads one target.
pub fn press(targets: &Targets, target: Target, load: &str) -> Result<Sample> {
    let mut samples = press_together(targets, &[target], load, Duration::ZERO)?;
    Ok(samples.remove(0))
}

/// Loads these targets at the same time: whatever else the machine does, it does to all of them. What one does in `behind`, after
/// the last request, belongs to its sample.
pub fn press_together(targets: &Targets, all: &[Target], load: &str, behind: Duration) -> Result<Vec<Sample>> {
    let mut commands = Vec::new();
    for &target in all {
        let process = targets.process(target);
        let mut command = targets.load_command();
        command.args(["--url", &format!("http://127.0.0.1:{}/v1/chat/completions", process.port)]);
        command.args(["-H", &format!("authorization: Bearer {}", targets.key(target)?)]);
        command.args(load.split_whitespace());
        commands.push((target, process, command, cpu_ns(process.id())?));
    }
    let watched: Vec<_> = std::thread::scope(|scope| {
        let watch = |(target, process, command, before)| {
            scope.spawn(move || Ok((target, process, before, watch(command, process, target)?)))
        };
        let watching: Vec<_> = commands.into_iter().map(watch).collect();
        watching.into_iter().map(|thread| thread.join().expect("it has no reason to panic")).collect()
    });
    std::thread::sleep(behind);
    let sample = |watched: Result<_>| {
        let (target, process, before, (output, rss)): (Target, &Process, u64, (String, u64)) = watched?;
        let cpu_ns = cpu_ns(process.id())? - before;
        Ok(Sample { cpu_ns, load: checked(&output, target)?, ..Sample::idle(rss) })
    };
    watched.into_iter().map(sample).collect()
}

/// Runs the load to its end; gives what it printed and the target's highest resident memory meanwhile.
fn watch(mut command: std::process::Command, process: &Process, target: Target) -> Result<(String, u64)> {
    let failed = |source| Trouble::Start { name: "load".into(), source };
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let (begun, mut rss) = (Instant::now(), 0);
    // It prints one line, which the pipe holds until it is read below.
    while child.try_wait().map_err(failed)?.is_none() {
        rss = rss.max(rss_kib(process.id()).unwrap_or(0));
        let late = || Err(Trouble::LoadHung { target: target.name().into(), seconds: LIMIT.as_secs() });
        if let Err(trouble) = signal::check().and_then(|()| if begun.elapsed() > LIMIT { late() } else { Ok(()) }) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(trouble);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut output = String::new();
    let mut pipe = child.stdout.take().expect("stdout was piped above");
    pipe.read_to_string(&mut output).map_err(Trouble::file("cannot read the load's report"))?;
    Ok((output, rss))
}

fn checked(output: &str, target: Target) -> Result<Value> {
    let failed = |why: String| Trouble::LoadFailed { target: target.name().into(), why };
    let load: Value = serde_json::from_str(output).map_err(|why| failed(why.to_string()))?;
    let (ok, errors) = (load["ok"].as_u64().unwrap_or(0), load["errors"].as_u64().unwrap_or(0));
    let requests = ok + errors;
    if requests == 0 {
        return Err(failed("no request was answered".into()));
    }
    if errors as f64 > requests as f64 * MAX_ERRORS {
        let body = load["first_error_body"].as_str().unwrap_or("none").into();
        let kinds = load["error_kinds"].to_string();
        return Err(Trouble::TooManyErrors { target: target.name().into(), errors, requests, kinds, body });
    }
    Ok(load)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_fails_fast_is_no_sample() {
        assert!(checked(r#"{"ok":10000,"errors":2}"#, Target::Gateway).is_ok());
        let trouble = checked(r#"{"ok":5,"errors":9000,"error_kinds":{"http_401":9000}}"#, Target::Gateway);
        assert!(trouble.err().unwrap().to_string().starts_with("gateway failed 9000 of 9005"));
        assert!(checked("", Target::Gateway).is_err());
    }
}
