//! Sums the usage of each key and day from Prism's events, exactly once, for as long as it runs.
//!
//!     cargo run -- nats://127.0.0.1:4222 totals.json usage-by-key [--once]
//!
//! The consumer is durable: JetStream remembers what was acknowledged. A message is acknowledged only when its sums are on disk,
//! so that a crash in between brings it again; the ids that are kept beside the sums make that no double. `--once` ends when
//! nothing is left.

use std::{
    collections::{BTreeMap, HashSet},
    error::Error,
    fs,
    path::PathBuf,
    time::Duration,
};

use async_nats::jetstream::{self, consumer::pull};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct UsageEvent {
    request_id: String,
    started_at: String,
    key_id: Option<String>,
    tokens: Option<Tokens>,
    cost_usd: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    input: u64,
    output: u64,
}

#[derive(Default, Serialize, Deserialize)]
struct Total {
    requests: u64,
    input: u64,
    output: u64,
    /// Whole attodollars (10⁻¹⁸), never floating point; as text, for JSON's numbers are too small.
    cost_atto_usd: String,
    /// Requests whose price is not known: that is not zero.
    unpriced: u64,
}

/// Sums by key and day, and the ids that they hold, in one file that is replaced as a whole.
#[derive(Default, Serialize, Deserialize)]
struct Totals {
    totals: BTreeMap<String, Total>,
    /// A service that runs for years forgets those that are older than what can be unacknowledged.
    seen: HashSet<String>,
}

impl Totals {
    fn add(&mut self, event: UsageEvent) {
        if !self.seen.insert(event.request_id) {
            return; // it was counted, and its acknowledgement was lost
        }
        let key = event.key_id.as_deref().unwrap_or("-");
        let total = self.totals.entry(format!("{key} {}", &event.started_at[..10])).or_default();
        total.requests += 1;
        if let Some(tokens) = &event.tokens {
            total.input += tokens.input;
            total.output += tokens.output;
        }
        match event.cost_usd {
            Some(cost) => {
                let before: u128 = total.cost_atto_usd.parse().unwrap_or(0);
                total.cost_atto_usd = (before + atto(&cost)).to_string();
            }
            None => total.unpriced += u64::from(event.tokens.is_some()),
        }
    }

    fn save(&self, path: &PathBuf) -> Result<(), Box<dyn Error>> {
        let fresh = path.with_extension("new");
        fs::write(&fresh, serde_json::to_vec_pretty(self)?)?;
        Ok(fs::rename(fresh, path)?)
    }
}

/// A plain decimal with up to 18 places.
fn atto(dollars: &str) -> u128 {
    let (whole, part) = dollars.split_once('.').unwrap_or((dollars, ""));
    format!("{whole}{part:0<18}").parse().unwrap_or(0)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let (url, path, durable) = (argument("nats://127.0.0.1:4222"), PathBuf::from(argument("totals.json")), argument("usage-by-key"));
    let once = argument("") == "--once";
    let mut totals: Totals = match fs::read(&path) {
        Ok(kept) => serde_json::from_slice(&kept)?,
        Err(_) => Totals::default(),
    };

    let client = async_nats::connect(url).await?;
    let stream = jetstream::new(client).get_stream("PRISM_USAGE").await?;
    let config = pull::Config {
        durable_name: Some(durable.clone()),
        filter_subject: "prism.usage.v1.>".to_owned(),
        ack_wait: Duration::from_secs(30),
        ..Default::default()
    };
    let consumer = stream.get_or_create_consumer(&durable, config).await?;
    loop {
        let mut batch = consumer.fetch().max_messages(500).expires(Duration::from_secs(1)).messages().await?;
        let mut messages = Vec::new();
        while let Some(message) = batch.next().await {
            messages.push(message.map_err(|error| error.to_string())?);
        }
        if messages.is_empty() {
            if once {
                break;
            }
            // `fetch` answers at once when there is nothing
            tokio::time::sleep(Duration::from_millis(500)).await;
            continue;
        }
        for message in &messages {
            totals.add(serde_json::from_slice(&message.payload)?);
        }
        totals.save(&path)?;
        for message in messages {
            message.double_ack().await.map_err(|error| error.to_string())?;
        }
    }
    for (name, total) in &totals.totals {
        println!("{name} {} {} {} {}", total.requests, total.input, total.output, total.cost_atto_usd);
    }
    Ok(())
}
