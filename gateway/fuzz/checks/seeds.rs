//! The first corpus: the fixtures of `tests/wire`, each behind the bytes that say whose answer to what it is.

use serde_json::Value;

use super::{
    frames::{KINDS, frame},
    question::{ASKED, QUESTIONS},
};

const INDEX: &str = include_str!("../../../tests/wire/answers/index.json");
const CASES: &str = include_str!("../../../tests/wire/cases.jsonl");
const ANSWERS: [(&str, &str); 7] = [
    ("openai", include_str!("../../../tests/wire/answers/openai.jsonl")),
    ("azure", include_str!("../../../tests/wire/answers/azure.jsonl")),
    ("anthropic", include_str!("../../../tests/wire/answers/anthropic.jsonl")),
    ("cohere", include_str!("../../../tests/wire/answers/cohere.jsonl")),
    ("gemini", include_str!("../../../tests/wire/answers/gemini.jsonl")),
    ("bedrock", include_str!("../../../tests/wire/answers/bedrock.jsonl")),
    ("replicate", include_str!("../../../tests/wire/answers/replicate.jsonl")),
];
/// Bytes of a piece; odd, so that a stream is cut at every place in its course.
const PIECE: u8 = 7;

/// An input of a fuzz target.
pub struct Seed {
    /// The check's name.
    pub of: &'static str,
    pub name: String,
    pub data: Vec<u8>,
}

/// Every seed.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (at, asked) in (0..).zip(ASKED.iter()) {
        let (_, answers) =
            ANSWERS.iter().find(|(format, _)| *format == asked.format.name()).expect("answers of a format");
        for row in lines(answers) {
            returned(&mut seeds, at, asked.format.name(), &row);
        }
        for case in lines(CASES) {
            let data = [&[at, 0][..], case["request"].to_string().as_bytes()].concat();
            seeds.push(Seed { of: "requests", name: format!("{}-{}", asked.name, text(&case["name"])), data });
        }
    }
    seeds
}

/// What a target answers to the case that its answer belongs to.
fn returned(seeds: &mut Vec<Seed>, asked: u8, format: &str, row: &Value) {
    let name = text(&row["name"]);
    let head = [asked, question(name)];
    let mut seed = |of, head: &[u8], body: &[u8]| {
        let name = format!("{}-{name}", ASKED[usize::from(asked)].name);
        seeds.push(Seed { of, name, data: [head, body].concat() });
    };
    if let Some(answer) = row.get("answer").or(row.get("error")) {
        let body = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        seed("answers", &head, body.as_bytes());
    }
    let Some(events) = row["stream"].as_array() else { return };
    let bytes: Vec<u8> =
        events.iter().flat_map(|event| written(format, event)).chain(end(format).iter().copied()).collect();
    seed("streams", &[head[0], head[1], PIECE], &bytes);
    if format == "bedrock" {
        let lines: Vec<u8> = events.iter().flat_map(framed).collect();
        seed("frames", &[head[0], head[1], PIECE], &lines);
    } else {
        seed("sse", &[PIECE], &bytes);
    }
}

/// The byte of the case in which a provider answers so.
fn question(answer: &str) -> u8 {
    let index: Value = serde_json::from_str(INDEX).expect("the index is JSON");
    let case = index[answer]["case"].as_str().unwrap_or("plain");
    let at = QUESTIONS.iter().position(|question| question.name == case).expect("a case of that name");
    u8::try_from(at).expect("fewer than 256 cases")
}

/// An event as its provider writes it (`tests/wire/framing.py` is the same for the gateway's own tests).
fn written(format: &str, event: &Value) -> Vec<u8> {
    match format {
        "anthropic" | "cohere" => {
            let kind = event["type"].as_str().map(|kind| format!("event: {kind}\n")).unwrap_or_default();
            format!("{kind}data: {event}\n\n").into()
        }
        "gemini" => format!("data: {event}\r\n\r\n").into(),
        "bedrock" => {
            let (kind, payload) = member(event);
            frame(&KINDS[kind_of(kind)], payload.to_string().as_bytes()).into()
        }
        "replicate" => match member(event) {
            ("prediction", prediction) => format!("event: prism.job\ndata: {prediction}\n\n").into(),
            (kind, data) => format!("event: {kind}\ndata: {}\n\n", text(data).replace('\n', "\ndata: ")).into(),
        },
        _ => format!("data: {event}\n\n").into(),
    }
}

/// A line of the target `frames`.
fn framed(event: &Value) -> Vec<u8> {
    let (kind, payload) = member(event);
    // Of the bytes that stand for a kind, a letter, which ends no line.
    let kind = b'`' + u8::try_from(kind_of(kind)).expect("few kinds");
    [&[kind][..], payload.to_string().as_bytes(), b"\n"].concat()
}

fn kind_of(name: &str) -> usize {
    KINDS.iter().position(|[_, (_, kind)]| *kind == name).expect("a kind of frame")
}

fn member(event: &Value) -> (&str, &Value) {
    let (name, value) = event.as_object().and_then(|members| members.iter().next()).expect("one member");
    (name, value)
}

fn end(format: &str) -> &'static [u8] {
    if matches!(format, "openai" | "azure" | "cohere") { b"data: [DONE]\n\n" } else { b"" }
}

fn lines(text: &'static str) -> impl Iterator<Item = Value> {
    let lines = text.split('\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).expect("a line is JSON"))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
