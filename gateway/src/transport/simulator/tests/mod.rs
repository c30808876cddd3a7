//! What the simulator answers, seen from its transport.

mod faults;
mod instance;
mod stream;
mod whole;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;

use super::Simulator;
use crate::{
    transport::{Transport, TransportError, UpstreamBody},
    wire::Payload,
};

async fn send(method: Method, path: &str, body: &str) -> Result<Response<UpstreamBody>, TransportError> {
    let uri = format!("http://simulator{path}");
    let payload = Payload::from(Bytes::from(body.to_owned()));
    Simulator.send(Request::builder().method(method).uri(uri).body(payload).unwrap()).await
}

async fn post(path: &str, body: &Value) -> Response<UpstreamBody> {
    send(Method::POST, path, &body.to_string()).await.unwrap()
}

/// The answer's status and JSON.
async fn ask(path: &str, body: &Value) -> (StatusCode, Value) {
    let response = post(path, body).await;
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// A well answered chat of one user message.
async fn chat(model: &str, text: &str, more: Value) -> Value {
    let (status, answer) = ask("/v1/chat/completions", &chat_body(model, text, more)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

fn chat_body(model: &str, text: &str, more: Value) -> Value {
    let mut body = serde_json::json!({ "model": model, "messages": [{ "role": "user", "content": text }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// The data of each event, one frame each.
async fn events(path: &str, body: &Value) -> Vec<String> {
    let response = post(path, body).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    let mut body = response.into_body();
    let mut events = Vec::new();
    while let Some(frame) = body.frame().await {
        events.push(event(&frame.unwrap().into_data().unwrap()));
    }
    events
}

fn event(frame: &Bytes) -> String {
    let text = std::str::from_utf8(frame).unwrap();
    text.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap().to_owned()
}
