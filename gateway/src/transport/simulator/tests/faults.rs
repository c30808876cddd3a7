use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::{chat_body, event, post, send};
use crate::transport::TransportError;

const CHAT: &str = "/v1/chat/completions";
const FOREVER: Duration = Duration::from_secs(3600);

/// What of a stream arrives, and how it ends; `None` if it does not.
async fn streamed(model: &str) -> (Vec<Bytes>, Option<Result<(), TransportError>>) {
    let mut body = post(CHAT, &chat_body(model, "a b c d", json!({ "stream": true }))).await.into_body();
    let mut frames = Vec::new();
    loop {
        match timeout(FOREVER, body.frame()).await {
            Err(_) => return (frames, None),
            Ok(None) => return (frames, Some(Ok(()))),
            Ok(Some(Err(error))) => return (frames, Some(Err(error))),
            Ok(Some(Ok(frame))) => frames.push(frame.into_data().unwrap()),
        }
    }
}

/// The pieces of content in some frames.
fn said(frames: &[Bytes]) -> String {
    let content = |frame: &Bytes| {
        let chunk: Value = serde_json::from_str(&event(frame)).ok()?;
        Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned())
    };
    frames.iter().filter_map(content).collect()
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_as_asked_after_so_many_words() {
    for (model, text, end) in [
        ("echo?stall=2", "a b", None),
        ("echo?stall=0", "", None),
        ("echo?cut=3", "a b c", Some(Ok(()))),
        ("echo?reset=1", "a", Some(Err(()))),
        ("echo?error=2", "a b", Some(Ok(()))),
        ("echo?cut=9", "a b c d", Some(Ok(()))),
        ("echo?cut=1&fail=0", "a b c d", Some(Ok(()))),
    ] {
        let (frames, ended) = streamed(model).await;
        assert_eq!(said(&frames), text, "{model}");
        assert_eq!(ended.map(|end| end.map_err(|_| ())), end, "{model}");
        let done = frames.iter().any(|frame| &frame[..] == b"data: [DONE]\n\n");
        assert_eq!(done, text == "a b c d", "{model}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_may_come_in_the_middle_of_a_stream() {
    let (frames, _) = streamed("echo?error=1").await;
    let last: Value = serde_json::from_str(&event(frames.last().unwrap())).unwrap();
    assert_eq!(last["error"]["type"], "server_error");
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_break_before_any_answer() {
    for stream in [false, true] {
        let body = chat_body("echo?reset=0&latency=2s", "a", json!({ "stream": stream })).to_string();
        let begun = Instant::now();
        assert!(matches!(send(Method::POST, CHAT, &body).await, Err(TransportError::Broken(_))));
        assert_eq!(begun.elapsed().as_secs(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_one_piece_breaks_in_the_middle() {
    let whole = post(CHAT, &chat_body("echo", "a", json!({}))).await.into_body().collect().await.unwrap().to_bytes();
    let half = whole.len() / 2;
    for (model, left, end) in [
        ("cut=1", half, Some(Ok(()))),
        ("reset=1", half, Some(Err(()))),
        ("stall=1", 0, None),
        ("cut=0", 0, Some(Ok(()))),
    ] {
        let response = post(CHAT, &chat_body(&format!("echo?{model}"), "a", json!({}))).await;
        assert_eq!(response.status(), 200);
        let mut body = response.into_body();
        let mut arrived = 0;
        let ended = loop {
            match timeout(FOREVER, body.frame()).await {
                Err(_) => break None,
                Ok(None) => break Some(Ok(())),
                Ok(Some(Err(_))) => break Some(Err(())),
                Ok(Some(Ok(frame))) => arrived += frame.into_data().unwrap().len(),
            }
        };
        assert_eq!(ended, end, "{model}");
        assert_eq!(arrived, left, "{model}");
    }
    let failed = post(CHAT, &chat_body("echo?error=1", "a", json!({}))).await;
    assert_eq!(failed.status(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_status_comes_with_its_envelope() {
    for (model, status, code) in [
        ("echo?status=429&retry_after=3", 429, json!("rate_limit_exceeded")),
        ("echo?status=503", 503, Value::Null),
        ("echo?status=418", 418, Value::Null),
        ("echo?status=401", 401, json!("invalid_api_key")),
    ] {
        let response = post(CHAT, &chat_body(model, "a", json!({ "stream": true }))).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers().contains_key("retry-after"), model.contains("retry_after"));
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap()["error"]["code"], code);
    }
}

#[tokio::test(start_paused = true)]
async fn latency_and_pace_take_the_time_they_say() {
    let begun = Instant::now();
    let body = chat_body("lorem?tokens=50&latency=2s&pace=20ms", "", json!({ "stream": true }));
    let mut body = post(CHAT, &body).await.into_body();
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    let mut frames = Vec::new();
    while let Some(frame) = body.frame().await {
        frames.push((begun.elapsed(), frame.unwrap()));
    }
    // The role, 50 words, the end and `[DONE]`.
    assert_eq!(frames.len(), 53);
    assert_eq!(frames[1].0, Duration::from_secs(2));
    assert_eq!(frames[2].0 - frames[1].0, Duration::from_millis(20));
    assert_eq!(frames[52].0, Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn embeddings_fail_too() {
    let body = json!({ "model": "embedding?status=500", "input": "a" });
    assert_eq!(post("/v1/embeddings", &body).await.status(), 500);
}
