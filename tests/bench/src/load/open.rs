//! The open loop: requests leave on a schedule whether or not earlier ones are answered.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::Outcome;
use crate::exchange::{Connection, connect, one};
use crate::options::Options;
use crate::tally::{Tally, distribution, micros};

/// What the senders share.
struct Field {
    options: Arc<Options>,
    idle: Mutex<Vec<Connection>>,
    tally: Mutex<Tally>,
    in_flight: AtomicU64,
}

const UNPOISONED: &str = "no one panics with the lock held";

pub async fn run(options: Arc<Options>) -> Outcome {
    let field = Arc::new(Field {
        options: options.clone(),
        idle: Mutex::default(),
        tally: Mutex::default(),
        in_flight: AtomicU64::new(0),
    });
    let runtime = Handle::current();
    let start = Instant::now() + Duration::from_millis(5);
    let pacing = field.clone();
    let pacer = tokio::task::spawn_blocking(move || pace(pacing, runtime, start));
    let mut late = pacer.await.expect("the pacer does not panic");

    let deadline = Instant::now() + options.timeout + Duration::from_secs(1);
    while field.in_flight.load(Relaxed) > 0 && Instant::now() < deadline {
        sleep(Duration::from_millis(2)).await;
    }
    let wall_s = start.elapsed().as_secs_f64();
    let tally = std::mem::take(&mut *field.tally.lock().expect(UNPOISONED));
    Outcome { tally, wall_s, late: distribution(&mut late) }
}

/// Starts every request when it is due, on a thread of its own; returns how late each start was.
fn pace(field: Arc<Field>, runtime: Handle, start: Instant) -> Vec<u32> {
    let options = &field.options;
    let planned = ((options.rate * options.seconds) as u64).min(options.max_requests);
    let mut late = Vec::new();
    for i in 0..planned {
        let due = start + Duration::from_secs_f64(i as f64 / options.rate);
        let now = Instant::now();
        if due > now {
            std::thread::sleep(due - now);
        }
        late.push(micros(Instant::now().saturating_duration_since(due)));
        if field.in_flight.load(Relaxed) >= options.concurrency as u64 {
            field.tally.lock().expect(UNPOISONED).error("overload_dropped");
            continue;
        }
        field.in_flight.fetch_add(1, Relaxed);
        runtime.spawn(send(field.clone(), due));
    }
    late
}

async fn send(field: Arc<Field>, due: Instant) {
    let mut tally = Tally::default();
    let connected = match field.idle_connection() {
        Some(connection) => Ok(connection),
        None => connect(&field.options).await,
    };
    match connected {
        Ok(mut connection) => {
            if one(&field.options, &mut connection, due, &mut tally).await {
                field.idle.lock().expect(UNPOISONED).push(connection);
            }
        }
        Err(why) => tally.error(why),
    }
    field.tally.lock().expect(UNPOISONED).merge(tally);
    field.in_flight.fetch_sub(1, Relaxed);
}

impl Field {
    fn idle_connection(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().expect(UNPOISONED);
        while let Some(connection) = idle.pop() {
            if !connection.is_closed() {
                return Some(connection);
            }
        }
        None
    }
}
