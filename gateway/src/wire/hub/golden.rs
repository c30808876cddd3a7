//! The golden files of a format's tests: what every case gives, compared; `PRISM_BLESS=1` writes them anew.

use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::{
    api::{ChatCompletion, ChatCompletionChunk, ClientRequest, Endpoint},
    refusal::Refusal,
    wire::{Reading, Upstream, WireFormat, openai},
};

/// The crate, wherever it is tested from.
const GATEWAY: &str = match option_env!("PRISM_GATEWAY") {
    Some(path) => path,
    None => env!("CARGO_MANIFEST_DIR"),
};

/// Compares what every case of `tests/NAME.json` gives with the golden file beside it.
pub fn check(format: &dyn WireFormat, name: &str, cases: &str, run: impl Fn(&Value) -> Value) {
    let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
    let given: Vec<Value> = cases.iter().map(|case| json!({"name": case["name"], "gives": run(case)})).collect();
    let path = format!("{GATEWAY}/src/wire/{}/tests/{name}.golden.json", format.name());
    if std::env::var_os("PRISM_BLESS").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&given).unwrap() + "\n").unwrap();
    }
    let golden: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(golden.len(), given.len(), "{path}");
    for (golden, given) in golden.iter().zip(&given) {
        assert_eq!(golden, given, "{}", given["name"]);
    }
}

pub fn client(body: &Value) -> ClientRequest {
    openai::read(Endpoint::ChatCompletions, Bytes::from(body.to_string())).unwrap()
}

/// What a request becomes, which is the same every time.
pub fn request(send: impl Fn() -> Result<Upstream, Refusal>) -> Value {
    let sent = match send() {
        Err(refusal) => return json!({ "refused": report(&refusal) }),
        Ok(sent) => sent,
    };
    assert_eq!(sent.body.to_bytes(), send().unwrap().body.to_bytes());
    let mut given = json!({"body": serde_json::from_slice::<Value>(&sent.body.to_bytes()).unwrap()});
    if !sent.losses.is_empty() {
        given["losses"] = json!(losses(&sent));
    }
    if !sent.headers.is_empty() {
        given["headers"] = json!(format!("{:?}", sent.headers));
    }
    if !sent.reading.tool_ids.is_empty() {
        given["tool_ids"] = json!(sent.reading.tool_ids);
    }
    if let Some(tool) = sent.reading.json_tool {
        given["json_tool"] = json!(tool);
    }
    given
}

pub fn losses(sent: &Upstream) -> Vec<String> {
    sent.losses.iter().map(|loss| format!("{:?} {}", loss.fate, loss.field)).collect()
}

/// What a client gets of a case's `answer`.
pub fn answer(format: &dyn WireFormat, case: &Value, reading: &Reading) -> Value {
    match format.answer(reading, &HeaderMap::new(), Bytes::from(case["answer"].to_string())) {
        Err(refusal) => json!({ "refused": report(&refusal) }),
        Ok(answer) => {
            serde_json::from_slice::<ChatCompletion>(&answer.body).unwrap();
            json!({"body": serde_json::from_slice::<Value>(&answer.body).unwrap(), "usage": answer.usage})
        }
    }
}

/// What a client gets of a stream, which is the same in pieces of every size: deltas, finish reasons and usage.
pub fn stream(format: &dyn WireFormat, stream: &[u8], reading: &Reading) -> Value {
    let whole = run(format, stream, stream.len(), reading);
    for size in 1..stream.len() {
        assert!(run(format, stream, size, reading) == whole, "pieces of {size}");
    }
    let (bytes, complete, error) = whole;
    let out = String::from_utf8(bytes).unwrap();
    let data = out.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    let chunks: Vec<Value> = data.map(|data| if data == "[DONE]" { json!(data) } else { chunk(data) }).collect();
    assert_eq!(out.matches("[DONE]").count(), usize::from(complete));
    assert_eq!(chunks.iter().filter(|chunk| chunk[1].is_string()).count(), usize::from(complete));
    json!({"chunks": chunks, "complete": complete, "error": error.as_ref().map(report)})
}

fn chunk(data: &str) -> Value {
    serde_json::from_str::<ChatCompletionChunk>(data).unwrap();
    let chunk: Value = serde_json::from_str(data).unwrap();
    match &chunk["choices"][0] {
        Value::Null => chunk["usage"].clone(),
        choice => json!([choice["delta"], choice["finish_reason"]]),
    }
}

/// Feeds a stream in pieces of this size: what came out, whether it was complete, and the error.
pub fn run(format: &dyn WireFormat, stream: &[u8], size: usize, reading: &Reading) -> (Vec<u8>, bool, Option<Refusal>) {
    let mut decoder = format.stream(reading);
    let mut out = VecDeque::new();
    for piece in stream.chunks(size) {
        decoder.feed(Bytes::copy_from_slice(piece), &mut out);
    }
    decoder.end(&mut out);
    let bytes = out.iter().flat_map(|event| event.to_vec()).collect();
    (bytes, decoder.seen().complete, decoder.seen().error.clone())
}

pub fn report(refusal: &Refusal) -> Value {
    json!({"cause": format!("{:?}", refusal.cause), "param": refusal.param, "code": refusal.code, "message": refusal.message})
}
