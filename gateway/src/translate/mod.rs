//! What would be sent: one translated request for each line of input. For people who wonder, and for tests.
//!
//! `returned` is the way back, which only tests ask for.

mod returned;

use std::{
    hint::black_box,
    io::{BufRead, Write},
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use returned::Returned;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    api::{ClientRequest, Endpoint},
    config::{Quirks, Settings, preset},
    refusal::Refusal,
    wire::{self, Target, Upstream, WireFormat, openai},
};

/// One line of input.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Repeated in the output.
    #[serde(default)]
    name: Option<String>,
    /// The provider's type: `anthropic`, `groq`, ….
    #[serde(rename = "type")]
    kind: String,
    /// The model as the provider knows it.
    model: String,
    #[serde(default)]
    endpoint: Option<String>,
    #[serde(default)]
    settings: Written,
    /// The request as a client would send it.
    request: Box<RawValue>,
    /// What the provider answers to it.
    #[serde(default)]
    answer: Option<Returned>,
    /// What it answers in a stream.
    #[serde(default)]
    stream: Option<Returned>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    api_version: Option<String>,
    project: Option<String>,
    location: Option<String>,
    region: Option<String>,
}

/// Reads `{"type","model","request"}` lines and writes `{"path","body","translation"}` or `{"error"}` lines. With `measure`
/// each is translated that many times more, and `translate_us` is the median. Lines with an `answer` or a `stream` get it
/// in OpenAI's form besides.
///
/// # Errors
/// When a line is not of that form, or output is closed.
pub fn run(input: impl BufRead, mut output: impl Write, measure: Option<NonZeroUsize>) -> Result<(), String> {
    for (number, line) in input.lines().enumerate() {
        let line = line.map_err(|error| error.to_string())?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&line).map_err(|error| format!("line {}: {error}", number + 1))?;
        let told = Translation::of(&line).and_then(|translation| translation.tell(measure, &line));
        let mut result = match told {
            Ok(sent) => sent,
            Err(refusal) => refused(&refusal),
        };
        if let Some(name) = line.name {
            result["name"] = name.into();
        }
        writeln!(output, "{result}").map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// What one line asks for.
struct Translation<'a> {
    format: &'static dyn WireFormat,
    request: ClientRequest,
    model: &'a str,
    quirks: &'static Quirks,
    settings: Settings,
}

impl<'a> Translation<'a> {
    fn of(line: &'a Line) -> Result<Self, Refusal> {
        let known = preset(&line.kind);
        let name = known.map_or(line.kind.as_str(), |preset| preset.api_format);
        let format = wire::format(name)
            .ok_or_else(|| Refusal::invalid("type", format!("`{}` is no provider type that is built", line.kind)))?;
        let endpoint = match &line.endpoint {
            None => Endpoint::ChatCompletions,
            Some(wanted) => Endpoint::ALL
                .into_iter()
                .find(|endpoint| endpoint.name() == wanted)
                .ok_or_else(|| Refusal::invalid("endpoint", format!("unknown endpoint `{wanted}`")))?,
        };
        let request = openai::read(endpoint, line.request.get().to_owned().into())?;
        let Written { api_version, project, location, region } = &line.settings;
        let settings = Settings {
            api_version: api_version.clone(),
            project: project.clone(),
            location: location.clone(),
            region: region.clone(),
            ..Settings::default()
        };
        let quirks = known.map_or(&Quirks::NONE, |preset| preset.quirks);
        Ok(Self { format, request, model: &line.model, quirks, settings })
    }

    fn tell(&self, measure: Option<NonZeroUsize>, line: &Line) -> Result<Value, Refusal> {
        let upstream = self.upstream()?;
        let mut told = sent(&upstream);
        if let Some(answer) = &line.answer {
            told["answer"] = answer.answer(self.format, &upstream.reading);
        }
        if let Some(stream) = &line.stream {
            told["stream"] = stream.stream(self.format, &upstream.reading);
        }
        if let Some(times) = measure {
            told["translate_us"] = (self.median(times).as_nanos() as f64 / 1e3).into();
        }
        Ok(told)
    }

    fn upstream(&self) -> Result<Upstream, Refusal> {
        let target = Target { model: self.model, quirks: self.quirks, settings: &self.settings, now: 0 };
        self.format.request(&self.request, target)
    }

    /// From the client's bytes to the provider's; the pass over the request that every format has is not counted.
    fn median(&self, times: NonZeroUsize) -> Duration {
        let mut took: Vec<Duration> = (0..times.get())
            .map(|_| {
                let begun = Instant::now();
                drop(black_box(self.upstream()));
                begun.elapsed()
            })
            .collect();
        took.sort_unstable();
        took[took.len() / 2]
    }
}

fn sent(upstream: &Upstream) -> Value {
    let body: Value = serde_json::from_slice(&upstream.body.to_bytes()).unwrap_or(Value::Null);
    let headers: Vec<String> =
        upstream.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?"))).collect();
    let losses: Vec<Value> = upstream
        .losses
        .iter()
        .map(|loss| json!({ "field": loss.field, "fate": format!("{:?}", loss.fate).to_lowercase() }))
        .collect();
    let mut sent = json!({ "path": upstream.path, "headers": headers, "body": body, "translation": losses });
    if let Some(tool) = &upstream.reading.json_tool {
        sent["json_tool"] = json!(tool);
    }
    if !upstream.more.is_empty() {
        sent["more"] = upstream.more.iter().map(self::sent).collect();
    }
    sent
}

fn refused(refusal: &Refusal) -> Value {
    json!({ "error": { "message": refusal.message, "param": refusal.param, "code": refusal.code } })
}
