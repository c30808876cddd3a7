//! What was asked of whom: the shared cases of `tests/wire` and its targets, each under a byte.

use std::sync::{LazyLock, OnceLock};

use prism::{
    api::{ClientRequest, Endpoint},
    config::{Quirks, Settings, preset},
    wire::{self, Reading, Target, WireFormat},
};
use serde_json::{Map, Value, json};

const TARGETS: &str = include_str!("../../../tests/wire/targets.json");
const CASES: &str = include_str!("../../../tests/wire/cases.jsonl");
const ENDPOINTS: &str = include_str!("../../../tests/wire/endpoints.jsonl");

/// Whom the gateway asks.
pub struct Asked {
    pub name: String,
    pub format: &'static dyn WireFormat,
    pub model: String,
    pub quirks: &'static Quirks,
    pub settings: Settings,
}

impl Asked {
    pub fn target(&self) -> Target<'_> {
        Target { model: &self.model, quirks: self.quirks, settings: &self.settings, now: 1_700_000_000 }
    }

    /// What the answer's reader knows of a request; of one that is refused, what it knows of any.
    fn reading(&self, request: &ClientRequest) -> Reading {
        let sent = self.format.request(request, self.target());
        sent.map_or_else(|_| Reading::of(request, self.target()), |upstream| upstream.reading)
    }
}

/// Every target of `tests/wire`, in its order.
pub static ASKED: LazyLock<Vec<Asked>> = LazyLock::new(|| {
    let targets: Map<String, Value> = serde_json::from_str(TARGETS).expect("the targets are JSON");
    let text = |about: &Value, name: &str| about[name].as_str().map(str::to_owned);
    let asked = targets.into_iter().map(|(name, about)| {
        let preset = preset(about["type"].as_str().expect("a type")).expect("a type that is built");
        let settings = Settings {
            api_version: text(&about["settings"], "api_version"),
            project: text(&about["settings"], "project"),
            location: text(&about["settings"], "location"),
            region: text(&about["settings"], "region"),
            ..Settings::default()
        };
        let format = wire::format(preset.api_format).expect("a format that is built");
        Asked { name, format, model: text(&about, "model").expect("a model"), quirks: preset.quirks, settings }
    });
    asked.collect()
});

/// A request, by the name of its case.
pub struct Question {
    pub name: String,
    endpoint: Endpoint,
    request: Value,
}

impl Question {
    fn read(&self, stream: bool) -> ClientRequest {
        let mut request = self.request.clone();
        if stream && request.get("stream").is_none() {
            request["stream"] = json!(true);
            request["stream_options"] = json!({ "include_usage": true });
        }
        let body = serde_json::to_vec(&request).expect("a request serialises");
        wire::openai::read(self.endpoint, body.into()).expect("a case is a request")
    }
}

/// Every chat case, and one of each kind for the other endpoints.
pub static QUESTIONS: LazyLock<Vec<Question>> = LazyLock::new(|| {
    let lines = |text: &'static str| {
        let lines = text.split('\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_str::<Value>(line).expect("a case is JSON"))
    };
    let named = |mut case: Value, endpoint: Endpoint| {
        let name = case["name"].as_str().expect("a name").to_owned();
        Question { name, endpoint, request: case["request"].take() }
    };
    let other = |case: Value| {
        let endpoint = Endpoint::ALL.into_iter().find(|endpoint| case["endpoint"] == endpoint.name());
        named(case, endpoint.expect("an endpoint"))
    };
    let completion = json!({ "name": "completion", "request": { "model": "m", "prompt": "x" } });
    let mut questions: Vec<Question> = lines(CASES).map(|case| named(case, Endpoint::ChatCompletions)).collect();
    questions.push(named(completion, Endpoint::Completions));
    questions.extend(lines(ENDPOINTS).map(other));
    questions
});

/// What is known of each question to each target, for a whole answer and for a stream. Made when it is wanted: all of them
/// at once would be a slow first input.
static READINGS: LazyLock<Vec<OnceLock<[Reading; 2]>>> =
    LazyLock::new(|| (0..ASKED.len() * QUESTIONS.len()).map(|_| OnceLock::new()).collect());

/// Target and question by the first two bytes, and what is left.
pub fn split(data: &[u8], stream: bool) -> Option<(&'static Asked, &'static Reading, &[u8])> {
    let [asked, question, rest @ ..] = data else { return None };
    let (at, question) = (usize::from(*asked) % ASKED.len(), usize::from(*question) % QUESTIONS.len());
    let asked = &ASKED[at];
    let readings = READINGS[at * QUESTIONS.len() + question].get_or_init(|| {
        let question = &QUESTIONS[question];
        [false, true].map(|stream| asked.reading(&question.read(stream)))
    });
    Some((asked, &readings[usize::from(stream)], rest))
}
