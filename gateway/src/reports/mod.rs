//! `prism usage`: what has been used, for people at a terminal.

mod invoice;
mod reconcile;
mod report;
mod source;
mod stream;
mod table;
mod tail;

use std::{io::Write, path::PathBuf};

use clap::{Args, Subcommand};

use reconcile::Tolerance;

use crate::usage::schema;

/// Where usage is read, and in which shape it is told.
#[derive(Debug, Subcommand)]
pub enum Usage {
    /// What has been used, by model, key, day, …
    ///
    ///   prism usage report --by day,model
    ///   prism usage report --by key,user --from 2026-11-01 --to 2026-12-01 --csv > november.csv
    ///   prism usage report --by metadata.team --where provider=openai --where status=answered
    ///   prism usage report --store ./data          # without a gateway, from its file
    #[command(verbatim_doc_comment)]
    Report(Report),
    /// Every request as it ends, one a line.
    ///
    ///   prism usage tail                           # what a gateway that was started in this folder keeps in ./data
    ///   prism usage tail --config prism.yaml       # where that publishes to NATS: the requests of all gateways
    ///   prism usage tail --store /var/lib/prism --json | jq 'select(.status == "failed")'
    ///
    /// Looks on: nothing is taken from the gateway, and it does not have to run.
    #[command(verbatim_doc_comment)]
    Tail(Tail),
    /// Compare a provider's invoice with what was counted here.
    ///
    ///   prism usage reconcile invoice.csv --provider openai
    ///   prism usage reconcile costs.csv --tolerance 0.5%
    ///
    /// Columns are found by their names: a day (`day`, `date`, …), a `model`, tokens (`input_tokens`, `output_tokens`, …, or
    /// `tokens`), an amount (`amount`, `cost`, `cost_usd`, …); days and models that are named more than once are added up.
    /// For each line: theirs, ours, the difference, and what may explain it. The exit code is 1 when one is larger than
    /// `--tolerance`.
    #[command(verbatim_doc_comment)]
    Reconcile(Reconcile),
    /// Print the JSON Schema of usage events, or another document about events.
    Schema {
        /// `usage.v1.schema.json`, `provider.v1.schema.json`, `config.v1.schema.json`, `key.v1.schema.json` or `asyncapi.json`.
        #[arg(default_value = "usage.v1.schema.json")]
        document: String,
    },
}

#[derive(Debug, Args)]
pub struct Report {
    /// What rows are told apart by: day, hour, org, key, user, model, provider, endpoint, status, metadata.NAME.
    #[arg(long, value_name = "GROUPS", default_value = "day,model")]
    by: String,
    #[command(flatten)]
    span: Span,
    /// Only what has this value: key=app, model=gpt-4o, user=…, provider=…, status=failed, metadata.team=search. Several of one
    /// name: any of them.
    #[arg(long = "where", value_name = "NAME=VALUE", value_parser = filter)]
    filters: Vec<(String, String)>,
    /// As comma-separated values, with every figure.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub struct Span {
    /// The first day, or moment (RFC 3339), in UTC; 30 days before the end without it.
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// The first day or moment that does not count any more; now without it.
    #[arg(long, value_name = "WHEN")]
    to: Option<String>,
}

#[derive(Debug, Args)]
pub struct Tail {
    /// The gateway's configuration, which says where its events go: to NATS, or to its `store.path` (`data` without one).
    #[arg(long, short, value_name = "FILE", env = "PRISM_CONFIG")]
    config: Option<PathBuf>,
    /// NATS servers in place of the configuration's.
    #[arg(long, value_name = "URL", env = "PRISM_NATS_URL", hide_env_values = true)]
    nats_url: Option<String>,
    /// Read this `store.path`, whatever the configuration says.
    #[arg(long, value_name = "FOLDER")]
    store: Option<PathBuf>,
    /// The events as they are, for programs.
    #[arg(long)]
    json: bool,
    /// Begin with what is still in the stream, or in the spool.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub struct Reconcile {
    /// CSV with a line of column names.
    invoice: PathBuf,
    /// The provider that it is from, by its name in the configuration; without it, all providers are compared.
    #[arg(long)]
    provider: Option<String>,
    /// The largest difference that does not count: a share of the invoice's amount (1%) or US dollars (0.05).
    #[arg(long, value_name = "SHARE", default_value = "1%")]
    tolerance: Tolerance,
    #[command(flatten)]
    place: Place,
}

/// A running gateway, or its file.
#[derive(Debug, Args)]
pub struct Place {
    /// The gateway, with or without `/v1`.
    #[arg(long, env = "PRISM_BASE_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Client key.
    #[arg(long, env = "PRISM_API_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Authorities that the gateway's certificate may be from, beside Mozilla's (PEM).
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Read this `store.path` itself, every organisation in it; no gateway has to run.
    #[arg(long, value_name = "FOLDER")]
    store: Option<PathBuf>,
}

/// Runs one of them.
///
/// # Errors
/// What kept it from an answer; an invoice that differs.
pub fn run(usage: &Usage, mut out: impl Write) -> Result<(), String> {
    match usage {
        Usage::Report(asked) => report::run(asked, &mut out),
        Usage::Tail(asked) => tail::run(asked, &mut out),
        Usage::Reconcile(asked) => reconcile::run(asked, &mut out),
        Usage::Schema { document } => describe(document, &mut out),
    }
}

fn describe(document: &str, out: &mut impl Write) -> Result<(), String> {
    let documents = schema::documents();
    let Some((_, text)) = documents.iter().find(|(file, _)| *file == document) else {
        let known: Vec<_> = documents.iter().map(|(file, _)| *file).collect();
        return Err(format!("no such document `{document}` (there are: {})", known.join(", ")));
    };
    let _ = out.write_all(text.as_bytes()); // a closed pipe is no mistake
    Ok(())
}

fn filter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
