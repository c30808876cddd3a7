//! The mock's own routes: read and change its behaviour, read its counters.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hyper::{Method, Response, StatusCode};
use serde_json::{Map, Value};

use crate::behaviour::Behaviour;
use crate::serve::json;
use crate::state::shared;
use crate::stream::Answer;

pub fn control(what: &str, method: &Method, body: &[u8]) -> Response<Answer> {
    match what {
        "config" if method == Method::POST => match configure(body) {
            Ok(()) => config(),
            Err(why) => json(StatusCode::BAD_REQUEST, format!("{{\"error\":\"{why}\"}}")),
        },
        "config" => config(),
        "stats" => stats(),
        _ => json(StatusCode::NOT_FOUND, "{}"),
    }
}

/// `{"reset":true}` starts again from the built-in defaults; other keys are those of [`Behaviour::set`].
fn configure(body: &[u8]) -> Result<(), String> {
    let wishes: Map<String, Value> = serde_json::from_slice(body).map_err(|why| why.to_string())?;
    let reset = wishes.contains_key("reset");
    let mut behaviour = if reset { Behaviour::default() } else { shared().current().0 };
    for (key, value) in wishes.iter().filter(|(key, _)| *key != "reset") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        behaviour.set(key, &value)?;
    }
    shared().adopt(behaviour);
    Ok(())
}

fn config() -> Response<Answer> {
    let behaviour = format!("{:?}", shared().current().0);
    json(StatusCode::OK, serde_json::json!({ "config": behaviour }).to_string())
}

fn stats() -> Response<Answer> {
    let read = |counter: &AtomicU64| counter.load(Relaxed);
    let shared = shared();
    let counters = serde_json::json!({
        "connections": read(&shared.connections),
        "requests": read(&shared.requests),
        "streams": read(&shared.streams),
        "chunks": read(&shared.chunks),
        "faults": read(&shared.faults),
        "body_bytes": read(&shared.body_bytes),
        "aborted_streams": read(&shared.aborted),
    });
    json(StatusCode::OK, counters.to_string())
}
