//! Load generator for chat-completion endpoints. Loopback only; bounded in time and count. Prints one JSON object.
//!
//! - closed loop: `load --url http://127.0.0.1:9100/v1/chat/completions -c 64 -d 5`
//! - open loop: `--rate 200 -d 10`; latency counts from the planned send time
//! - streaming: `--stream`; time to first token, total, gap between chunks

mod closed;
mod exchange;
mod open;
mod options;
mod prompt;
mod reading;
mod tally;

use std::sync::Arc;

use options::Options;
use tally::{Tally, distribution};

/// What a run came to, and how late the generator itself was (open loop only).
struct Outcome {
    tally: Tally,
    wall_s: f64,
    late: serde_json::Value,
}

fn main() {
    let options = Arc::new(Options::from_args());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.workers)
        .enable_all()
        .build()
        .expect("a runtime needs only threads and an epoll handle");
    let outcome = runtime.block_on(async {
        if options.rate > 0.0 { open::run(options.clone()).await } else { closed::run(options.clone()).await }
    });
    println!("{}", report(&options, outcome));
}

fn report(options: &Options, outcome: Outcome) -> serde_json::Value {
    let Outcome { mut tally, wall_s, late } = outcome;
    serde_json::json!({
        "mode": if options.rate > 0.0 { "open" } else { "closed" },
        "concurrency": options.concurrency,
        "rate": options.rate,
        "stream": options.stream,
        "body_bytes": options.body.len(),
        "wall_s": (wall_s * 1e4).round() / 1e4,
        "ok": tally.ok,
        "errors": tally.errors.values().sum::<u64>(),
        "error_kinds": tally.errors,
        "first_error_body": tally.first_error_body,
        "rps": (tally.ok as f64 / wall_s * 10.0).round() / 10.0,
        "usage_seen": tally.usage_seen,
        "stream_no_done": tally.no_done,
        "recv_bytes": tally.bytes,
        "chunks": tally.chunks,
        "latency": distribution(&mut tally.latency),
        "ttft": distribution(&mut tally.ttft),
        "gap": distribution(&mut tally.gap),
        "send_late": late,
    })
}
