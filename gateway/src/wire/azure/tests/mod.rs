//! Claims about Azure OpenAI.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::Azure;
use crate::{
    api::Endpoint,
    config::{Quirks, Settings},
    refusal::{Cause, Refusal},
    wire::{Target, Upstream, WireFormat, openai},
};

static NONE: Quirks = Quirks::NONE;
const CHAT: &str = r#"{"model":"a","messages":[{"role":"user","content":"é"}],  "stream":true}"#;

fn send(endpoint: Endpoint, body: &str, model: &str, version: Option<&str>) -> Upstream {
    let settings = Settings { api_version: version.map(str::to_owned), ..Settings::default() };
    let request = openai::read(endpoint, Bytes::copy_from_slice(body.as_bytes())).unwrap();
    Azure.request(&request, Target { model, quirks: &NONE, settings: &settings, now: 0 }).unwrap()
}

fn refusal(status: u16, body: &str) -> Refusal {
    Azure.refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
}

#[test]
fn a_deployment_is_in_the_path_or_in_the_body() {
    for (version, path) in [
        (Some("2024-10-21"), "/openai/deployments/my%20gpt%2F4/chat/completions?api-version=2024-10-21"),
        (Some("v1"), "/openai/v1/chat/completions"),
        (None, "/openai/v1/chat/completions"),
        (Some("preview"), "/openai/v1/chat/completions?api-version=preview"),
    ] {
        assert_eq!(send(Endpoint::ChatCompletions, CHAT, "my gpt/4", version).path, path);
    }
    let embed = send(Endpoint::Embeddings, r#"{"model":"a","input":"x"}"#, "e.1", Some("2024-10-21&x=1"));
    assert_eq!(embed.path, "/openai/deployments/e.1/embeddings?api-version=2024-10-21%26x%3D1");
}

#[test]
fn the_bytes_are_openais() {
    let sent = send(Endpoint::ChatCompletions, CHAT, "b", Some("2024-10-21"));
    let expected = r#"{"model":"b","messages":[{"role":"user","content":"é"}],  "stream":true,"stream_options":{"include_usage":true}}"#;
    assert_eq!(sent.body.to_bytes(), expected);
    assert!(sent.reading.hide_usage);
}

#[test]
fn the_filters_first_chunk_is_not_the_usage_chunk() {
    const FIRST: &str = "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",\"prompt_filter_results\":[{\"prompt_index\":0}]}\n\n";
    const SAYS: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\",\"index\":0}],\"id\":\"x\",\"usage\":null}\n\n";
    const USAGE: &str =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}\n\n";
    const DONE: &str = "data: [DONE]\n\n";
    let body = [FIRST, SAYS, USAGE, DONE].concat();
    let reading = send(Endpoint::ChatCompletions, CHAT, "b", None).reading;
    for at in 0..=body.len() {
        let (first, second) = body.as_bytes().split_at(at);
        let (mut decoder, mut out) = (Azure.stream(&reading), VecDeque::new());
        decoder.feed(Bytes::copy_from_slice(first), &mut out);
        decoder.feed(Bytes::copy_from_slice(second), &mut out);
        decoder.end(&mut out);
        let bytes: Vec<u8> = out.into_iter().flatten().collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), [FIRST, SAYS, DONE].concat(), "cut at {at}");
        assert!(decoder.seen().complete && decoder.seen().usage.is_some_and(|usage| usage.output == 2));
    }
}

#[test]
fn azures_errors_are_understood() {
    let filtered = r#"{"error":{"message":"The response was filtered due to the prompt","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}"#;
    let unnamed = r#"{"error":{"message":"filtered","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#;
    for (status, body, cause, code) in [
        (400, filtered, Cause::Invalid, Some("content_filter")),
        (400, unnamed, Cause::Invalid, Some("content_filter")),
        (
            401,
            r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key"}}"#,
            Cause::Credential,
            None,
        ),
        (401, r#"{"statusCode":401,"message":"Unauthorized"}"#, Cause::Credential, None),
        (
            404,
            r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment does not exist"}}"#,
            Cause::NotFound,
            Some("model_not_found"),
        ),
        (
            429,
            r#"{"error":{"code":"429","message":"Requests have exceeded call rate limit"}}"#,
            Cause::RateLimited,
            Some("rate_limit_exceeded"),
        ),
        (503, "<html>", Cause::Unavailable, None),
    ] {
        let refusal = refusal(status, body);
        assert_eq!((refusal.cause, refusal.code.as_deref()), (cause, code), "{body}");
    }
    assert_eq!(refusal(400, filtered).param.as_deref(), Some("prompt"));
    assert!(!Cause::Invalid.fails_over());
    let mut headers = HeaderMap::new();
    headers.insert("retry-after-ms", "1500".parse().unwrap());
    let refusal = Azure.refusal(StatusCode::TOO_MANY_REQUESTS, &headers, b"");
    assert_eq!(refusal.retry_after.map(|wait| wait.as_millis()), Some(1500));
}

#[test]
fn lists_are_openais() {
    assert_eq!(Azure.models(br#"{"data":[{"id":"gpt-4o"}]}"#).unwrap().ids, ["gpt-4o"]);
}
