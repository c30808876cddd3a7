//! Whole answers, embeddings, errors and model lists.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Cohere, NONE, reading};
use crate::{
    api::Endpoint,
    config::Settings,
    refusal::Cause,
    wire::{Target, WireFormat, hub::golden, openai},
};

#[test]
fn every_answer_gives_its_golden_completion() {
    golden::check(&Cohere, "answers", include_str!("answers.json"), |case| golden::answer(&Cohere, case, &reading()));
}

#[test]
fn embeddings_go_there_and_back() {
    let send = |body: Value| {
        let request = openai::read(Endpoint::Embeddings, Bytes::from(body.to_string())).unwrap();
        let target = Target { model: "embed-v4.0", quirks: &NONE, settings: &Settings::default(), now: 7 };
        Cohere.request(&request, target)
    };
    let sent = send(json!({"model": "m", "input": "a", "dimensions": 256, "encoding_format": "base64"})).unwrap();
    assert_eq!(
        sent.body.to_bytes(),
        r#"{"model":"embed-v4.0","input_type":"search_document","texts":["a"],"embedding_types":["float"],"output_dimension":256}"#
    );
    let body = r#"{"id":"x","embeddings":{"float":[[1.0,-2.5]]},"meta":{"billed_units":{"input_tokens":3.0}}}"#;
    let answer = |reading| {
        let answer = Cohere.answer(reading, &HeaderMap::new(), Bytes::from_static(body.as_bytes())).unwrap();
        serde_json::from_slice::<Value>(&answer.body).unwrap()
    };
    assert_eq!(answer(&sent.reading)["data"][0]["embedding"], "AACAPwAAIMA=");
    assert_eq!(answer(&sent.reading)["usage"], json!({"prompt_tokens": 3, "total_tokens": 3}));
    let sent = send(json!({"model": "m", "input": ["a"]})).unwrap();
    assert_eq!(answer(&sent.reading)["data"][0]["embedding"], json!([1.0, -2.5]));
    assert_eq!(send(json!({"model": "m", "input": [1, 2]})).unwrap_err().param.unwrap(), "input");
    assert_eq!(send(json!({"model": "m", "input": []})).unwrap_err().param.unwrap(), "input");
    let refusal = send(json!({"model": "m", "input": "a", "encoding_format": "ubinary"})).unwrap_err();
    assert_eq!(refusal.param.unwrap(), "encoding_format");
    let parts = send(json!({"model": "m", "input": vec!["a"; 193]})).unwrap();
    let sizes: Vec<usize> = parts.more.iter().map(|part| part.reading.inputs).collect();
    assert_eq!((parts.reading.inputs, sizes), (96, vec![96, 1]));
}

#[test]
fn errors_have_the_cause_of_their_status() {
    for (status, message, cause) in [
        (400, "invalid request", Cause::Invalid),
        (401, "invalid api token", Cause::Credential),
        (404, "model 'x' not found", Cause::NotFound),
        (422, "bad", Cause::Unprocessable),
        (429, "trial key", Cause::RateLimited),
        (498, "content was blocked", Cause::Invalid),
        (500, "oops", Cause::Upstream),
        (503, "later", Cause::Unavailable),
        (504, "late", Cause::UpstreamTimeout),
    ] {
        let body = json!({"id": "x", "message": message}).to_string();
        let refusal = Cohere.refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes());
        assert_eq!(refusal.cause, cause, "{status}");
    }
}

#[test]
fn model_pages_follow_one_another() {
    let body = br#"{"models":[{"name":"a","endpoints":["chat"]},{"name":"b","endpoints":["classify"]}],"next_page_token":"x/y"}"#;
    let page = Cohere.models(body).unwrap();
    assert_eq!(page.ids, ["a"]);
    assert_eq!(page.next.as_deref(), Some("?page_size=1000&page_token=x%2Fy"));
}
