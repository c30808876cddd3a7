//! The closed loop: so many connections, each sending its next request when the last is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::Outcome;
use crate::exchange::{connect, one};
use crate::options::Options;
use crate::tally::Tally;

/// A connection gives up after so many failures: a target that is gone ends the run early.
const MAX_FAILURES: u32 = 200;

pub async fn run(options: Arc<Options>) -> Outcome {
    let start = Instant::now();
    let stop = start + Duration::from_secs_f64(options.seconds);
    let left = Arc::new(AtomicU64::new(options.max_requests));
    let clients: Vec<_> = (0..options.concurrency)
        .map(|i| {
            let (options, left) = (options.clone(), left.clone());
            tokio::spawn(async move {
                if options.ramp_ms > 0 {
                    sleep(Duration::from_millis(options.ramp_ms * i as u64 / options.concurrency as u64)).await;
                }
                client(&options, stop, &left).await
            })
        })
        .collect();
    let mut tally = Tally::default();
    for client in clients {
        if let Ok(seen) = client.await {
            tally.merge(seen);
        }
    }
    Outcome { tally, wall_s: start.elapsed().as_secs_f64(), late: serde_json::Value::Null }
}

async fn client(options: &Options, stop: Instant, left: &AtomicU64) -> Tally {
    let mut tally = Tally::default();
    let mut idle = None;
    let mut failures = 0;
    while Instant::now() < stop && failures < MAX_FAILURES {
        if left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err() {
            break;
        }
        let start = Instant::now();
        let connected = match idle.take() {
            Some(connection) => Ok(connection),
            None => connect(options).await,
        };
        match connected {
            Ok(mut connection) => {
                if one(options, &mut connection, start, &mut tally).await {
                    idle = Some(connection);
                } else {
                    failures += 1;
                }
            }
            Err(why) => {
                tally.error(why);
                failures += 1;
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
    tally
}
