//! A provider inside the process: answers as an OpenAI server would, and misbehaves on request.
//!
//! It needs no key and no network, so that the first request works on a machine with nothing set up, and users can test
//! their own failover with it. The model chooses what is answered:
//!
//! | model       | answer |
//! |-------------|--------|
//! | `echo`      | the text of the last user message, or the prompt |
//! | `lorem`     | lorem ipsum |
//! | `tool`      | calls of the first two tools (one, if `parallel_tool_calls` is false), or of the one that `tool_choice` names; after a tool's result, text that quotes it |
//! | `json`      | a JSON object; with a `json_schema` format, an instance of the schema |
//! | `embedding` | unit vectors that depend on nothing but the text; 256 dimensions by default |
//! | `rerank`    | documents by the share of words that they have in common with the query |
//!
//! Options follow the model's name as a query string, since every SDK can send that: `echo?tokens=200&pace=20ms`.
//!
//! | option          | meaning |
//! |-----------------|---------|
//! | `tokens=N`      | the text of `echo` and `lorem` has this many words, at most 100000; their own length by default |
//! | `pace=20ms`     | between the chunks of a stream, at most 60s |
//! | `latency=2s`    | before the answer, at most 600s |
//! | `status=503`    | an error with this status, 400 to 599 |
//! | `retry_after=3` | with `status`: a `Retry-After` header, in seconds |
//! | `stall=N`       | N content chunks, then silence for ever |
//! | `cut=N`         | N content chunks, then the body ends without `[DONE]` |
//! | `reset=N`       | N content chunks, then the connection breaks; with 0, before anything is answered |
//! | `error=N`       | N content chunks, then an error event |
//! | `panic=N`       | N content chunks, then the simulator's code panics: a defect of the gateway, contained as any provider's would be |
//! | `fail=0.5`      | the probability with which the fault happens; 1 by default |
//! | `usage=false`   | no usage is reported |
//!
//! Of `status`, `stall`, `cut`, `reset`, `error` and `panic` one at a time. A stream of fewer content chunks than N ends well.
//! An answer in one piece has no chunks: `stall` sends its head only, `cut`, `reset` and `panic` half of its body (for
//! N > 0), `error` is a 500. Errors that are not asked for (a bad request, an unknown model) come at once.
//!
//! A simulated token is a word; usage, `max_tokens` and `tokens` count words. Not simulated: log probabilities, audio,
//! `best_of`, `suffix`, and of JSON Schema `pattern`, `not`, `if`, `contains` and `dependent…`.

mod body;
mod chat;
mod completions;
mod embeddings;
mod instance;
mod options;
mod rejection;
mod reply;
mod rerank;
mod stream;
#[cfg(test)]
mod tests;
mod text;
mod tool;

use bytes::Bytes;
use http::{Method, Request};

use self::{options::Options, rejection::Rejection, reply::Reply};
use super::{SendFuture, Transport};
use crate::{
    api::{ModelInfo, ModelList},
    wire::Payload,
};

pub const MODELS: &[&str] = &["echo", "lorem", "tool", "json", "embedding", "rerank"];

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simulator;

impl Transport for Simulator {
    fn send(&self, request: Request<Payload>) -> SendFuture {
        Box::pin(async move {
            match answer(request.method(), request.uri().path(), request.body()) {
                Ok((reply, options)) => reply.perform(&options).await,
                Err(rejection) => Ok(rejection.response()),
            }
        })
    }
}

/// What is answered, and how well.
fn answer(method: &Method, path: &str, body: &Payload) -> Result<(Reply, Options), Rejection> {
    let (expected, answer): (_, fn(&[u8]) -> _) = match path {
        _ if path.ends_with("/chat/completions") => (Method::POST, chat::answer),
        _ if path.ends_with("/completions") => (Method::POST, completions::answer),
        _ if path.ends_with("/embeddings") => (Method::POST, embeddings::answer),
        _ if path.ends_with("/rerank") => (Method::POST, rerank::answer),
        _ if path.ends_with("/models") => (Method::GET, list_models),
        _ => return Err(Rejection::unknown_path(method, path)),
    };
    if method != expected {
        return Err(Rejection::wrong_method(method, path));
    }
    answer(&body.to_bytes())
}

fn list_models(_: &[u8]) -> Result<(Reply, Options), Rejection> {
    let data = MODELS.iter().map(|&name| ModelInfo {
        id: name.to_owned(),
        owned_by: "simulator".to_owned(),
        ..ModelInfo::default()
    });
    let list = ModelList { data: data.collect(), ..ModelList::default() };
    Ok((Reply::whole(&list), Options::default()))
}

/// The models behind one endpoint are a subset of [`MODELS`]; asking the wrong endpoint is answered as OpenAI does.
fn require_model(name: &str, offered: &[&str], elsewhere: &str) -> Result<(), Rejection> {
    if offered.contains(&name) {
        Ok(())
    } else if MODELS.contains(&name) {
        Err(Rejection::wrong_endpoint(name, elsewhere))
    } else {
        Err(Rejection::unknown_model(name))
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

fn id(prefix: &str) -> String {
    format!("{prefix}{:016x}", fastrand::u64(..))
}

/// The JSON of something that the simulator made.
fn json<T: serde::Serialize>(value: &T) -> Bytes {
    serde_json::to_vec(value).expect("the api types are maps with string keys").into()
}
