//! How long the gateway takes to translate a long prompt: its own `translate --measure`, the same code without sockets.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Map, Value, json};

use crate::pressure::Sample;
use crate::target::Targets;
use crate::trouble::{Result, Trouble};

/// A provider of each format, and a model of its.
const FORMATS: [(&str, &str); 4] = [
    ("anthropic", "claude-sonnet-4-5"),
    ("bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("cohere", "command-a-03-2025"),
    ("gemini", "gemini-2.5-flash"),
];
const TIMES: &str = "200";
const PROMPT: usize = 200_000;
/// The load generator's text: quotes, a backslash and an `n`, so that there is something to escape.
const TEXT: &str = concat!(
    "Summarise the incident: latency rose at \"edge-7\" after the deploy; ",
    "list causes, risks and next steps.\\n "
);

/// `load` holds the median time of each format by its name, µs.
pub fn sample(targets: &Targets) -> Result<Sample> {
    let failed = |source| Trouble::Start { name: "prism translate".into(), source };
    let mut command = std::process::Command::new(targets.gateway());
    command.args(["translate", "--measure", TIMES]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let mut input = child.stdin.take().expect("stdin was piped above");
    // It reads a line, writes a line: the answers have to be read meanwhile.
    let writer = std::thread::spawn(move || input.write_all(lines().as_bytes()));
    let output = child.wait_with_output().map_err(failed)?;
    writer.join().expect("writing does not panic").map_err(failed)?;
    let times: Option<Map<String, Value>> = String::from_utf8_lossy(&output.stdout).lines().map(time).collect();
    let load = times.filter(|times| times.len() == FORMATS.len()).ok_or_else(|| Trouble::LoadFailed {
        target: "prism translate".into(),
        why: format!("{} and not a time for each format", output.status),
    })?;
    Ok(Sample { load: Value::Object(load), ..Sample::idle(0) })
}

fn lines() -> String {
    let text: String = TEXT.chars().cycle().take(PROMPT).collect();
    let messages =
        json!([{"role": "system", "content": "You are a careful assistant."}, {"role": "user", "content": text}]);
    let line = |(kind, model): (&str, &str)| {
        let request = json!({"model": model, "messages": messages, "max_tokens": 512, "temperature": 0.2});
        format!("{}\n", json!({"name": kind, "type": kind, "model": model, "request": request}))
    };
    FORMATS.into_iter().map(line).collect()
}

fn time(line: &str) -> Option<(String, Value)> {
    let line: Value = serde_json::from_str(line).ok()?;
    Some((line["name"].as_str()?.to_owned(), line.get("translate_us")?.clone()))
}
