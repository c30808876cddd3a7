//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Measures direct, floor pass-through, floor --parse and the gateway in one interleaved run.
#[derive(Parser)]
pub struct Options {
    /// The gateway's binary [default: `prism` beside this one]
    #[arg(long, value_name = "PATH")]
    pub gateway: Option<PathBuf>,
    /// An earlier gateway's binary, to be compared with in the scenario `before`
    #[arg(long, value_name = "PATH", conflicts_with = "without_gateway")]
    pub before: Option<PathBuf>,
    /// A `nats-server`, to be published to in the scenario `nats`
    #[arg(long, value_name = "PATH")]
    pub nats_server: Option<PathBuf>,
    /// Measure the floors only
    #[arg(long, conflicts_with = "gateway")]
    pub without_gateway: bool,
    /// A run of about a minute: fewer rounds, shorter samples
    #[arg(long)]
    pub quick: bool,
    /// Rounds of each scenario [default: 5, quick: 3]
    #[arg(long, value_name = "N")]
    pub rounds: Option<usize>,
    /// Only this scenario (may be repeated)
    #[arg(long, value_name = "SCENARIO")]
    pub only: Vec<String>,
    /// Write the raw numbers here
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// How long a run takes its time.
#[derive(Clone, Copy)]
pub struct Pace {
    pub rounds: usize,
    /// Length of one sample.
    pub seconds: f64,
    /// Chunks of each slow stream.
    pub chunks: u32,
    /// Rounds of the slow streams: a round of them takes many seconds, and their samples are steady.
    pub stream_rounds: usize,
}

impl Options {
    pub fn pace(&self) -> Pace {
        let mut pace = if self.quick {
            Pace { rounds: 3, seconds: 0.5, chunks: 50, stream_rounds: 1 }
        } else {
            Pace { rounds: 5, seconds: 2.0, chunks: 100, stream_rounds: 3 }
        };
        if let Some(rounds) = self.rounds {
            pace.rounds = rounds.clamp(1, 100);
            pace.stream_rounds = pace.rounds;
        }
        pace
    }
}
