//! The command line.

use std::{
    net::IpAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{app, config, formats, http, office, options::Options, price_list, reports, secret::Secret, translate};

/// One OpenAI-compatible door in front of every LLM provider.
///
/// Without a configuration file, providers are taken from the environment (OPENAI_API_KEY, GROQ_API_KEY, …), local
/// servers that answer join in, and `simulator/echo` answers with no key at all:
///
///   curl localhost:8080/v1/chat/completions -H 'content-type: application/json' \
///     -d '{"model":"simulator/echo","messages":[{"role":"user","content":"hello"}]}'
#[derive(Debug, Parser)]
#[command(name = "prism", version, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway (the default).
    Serve(Serve),
    /// Check a configuration file and report every mistake in it.
    Check {
        /// The file to check.
        #[arg(long, short, value_name = "FILE", env = "PRISM_CONFIG")]
        config: PathBuf,
    },
    /// Administer organisations and what they have configured.
    Org {
        #[command(subcommand)]
        command: office::OrgCommand,
        #[command(flatten)]
        asking: office::Asking,
    },
    /// Administer client keys of organisations.
    Key {
        #[command(subcommand)]
        command: office::KeyCommand,
        #[command(flatten)]
        asking: office::Asking,
    },
    /// Look at the providers of organisations.
    Provider {
        #[command(subcommand)]
        command: office::ProviderCommand,
        #[command(flatten)]
        asking: office::Asking,
    },
    /// Check the audit log of the control plane.
    Audit {
        #[command(subcommand)]
        command: office::AuditCommand,
        #[command(flatten)]
        cupboard: office::Cupboard,
    },
    /// Rotate the key that seals the credentials of organisations.
    MasterKey {
        #[command(subcommand)]
        command: office::MasterKeyCommand,
        #[command(flatten)]
        cupboard: office::Cupboard,
    },
    /// Save everything that is kept of organisations in a file, or bring it back.
    Store {
        #[command(subcommand)]
        command: office::StoreCommand,
        #[command(flatten)]
        cupboard: office::Cupboard,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Show what becomes of every chat field in every provider format.
    Formats {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Show what models cost, and who says so.
    Prices {
        /// Part of a model's name, or `provider/model`; all are shown without it.
        model: Option<String>,
        /// Configuration file, for the prices in it.
        #[arg(long, short, value_name = "FILE", env = "PRISM_CONFIG")]
        config: Option<PathBuf>,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Show what would be sent to a provider.
    ///
    /// Reads one JSON object a line from standard input: {"type":"anthropic","model":"…","request":{…}}, and writes the
    /// path and body of the upstream request, or the error, one a line.
    Translate {
        /// Translate each this many times more and tell the median time, in µs.
        #[arg(long, value_name = "TIMES")]
        measure: Option<NonZeroUsize>,
    },
    /// Show what has been used: reports, live events, invoices compared.
    #[command(subcommand)]
    Usage(reports::Usage),
    /// Print the JSON Schema of the configuration file, for editors.
    Schema,
}

#[derive(Debug, Default, clap::Args)]
struct Serve {
    /// Configuration file (YAML); changes to it are applied while running.
    #[arg(long, short, value_name = "FILE", env = "PRISM_CONFIG")]
    config: Option<PathBuf>,
    /// Address to listen on; any but loopback needs client keys.
    #[arg(long, value_name = "IP", env = "PRISM_HOST")]
    host: Option<IpAddr>,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, short, env = "PRISM_PORT")]
    port: Option<u16>,
    /// What to log: error, warn, info, debug, trace, or a filter such as `prism=debug,warn`.
    #[arg(long, value_name = "LEVEL", env = "PRISM_LOG")]
    log_level: Option<String>,
    /// NATS servers that events are published to, with commas between them.
    #[arg(long, value_name = "URL", env = "PRISM_NATS_URL", hide_env_values = true)]
    nats_url: Option<String>,
    /// Switch organisations on: providers and keys that are administered over HTTP, kept in `store.path`.
    #[arg(long, env = "PRISM_CONTROL_PLANE")]
    control_plane: bool,
    /// A token that administers every organisation; switches them on too.
    #[arg(long, env = "PRISM_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN", value_parser = secret)]
    admin_token: Option<Secret>,
}

/// Wrapped as soon as it has been read.
#[expect(clippy::unnecessary_wraps, reason = "a parser's type")]
fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

/// Runs the command line; mistakes go to standard error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        None => serve(cli.serve),
        Some(Command::Serve(serve_)) => serve(serve_),
        Some(Command::Check { config }) => check(&config),
        Some(Command::Org { command, asking }) => office::org(&asking, command).and_then(|shown| print(&shown.text())),
        Some(Command::Key { command, asking }) => office::key(&asking, command).and_then(|shown| print(&shown.text())),
        Some(Command::Provider { command, asking }) => {
            office::provider(&asking, command).and_then(|shown| print(&shown.text()))
        }
        Some(Command::Audit { command, cupboard }) => office::audit(&cupboard, command).and_then(|text| print(&text)),
        Some(Command::MasterKey { command, cupboard }) => {
            office::master_key(&cupboard, command).and_then(|text| print(&text))
        }
        Some(Command::Store { command, cupboard }) => office::store(&cupboard, command).and_then(|text| print(&text)),
        Some(Command::Openapi) => print(&http::document()),
        Some(Command::Formats { json }) => print(&formats::describe(json)),
        Some(Command::Prices { model, config, json }) => prices(model.as_deref(), config.as_deref(), json),
        Some(Command::Translate { measure }) => {
            translate::run(std::io::stdin().lock(), std::io::stdout().lock(), measure)
        }
        Some(Command::Usage(usage)) => reports::run(&usage, std::io::stdout().lock()),
        Some(Command::Schema) => {
            print(&(serde_json::to_string_pretty(&config::json_schema()).expect("a schema serialises") + "\n"))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(serve: Serve) -> Result<(), String> {
    let Serve { config, host, port, log_level, control_plane, admin_token, nats_url } = serve;
    app::run(Options { config, host, port, log_level, control_plane, admin_token, nats_url })
        .map_err(|error| format!("prism cannot start:\n{error}"))
}

fn check(path: &Path) -> Result<(), String> {
    let (config, notes) = config::load_with_notes(path).map_err(|mistakes| mistakes.to_string())?;
    for note in notes {
        print(&format!("{note}\n"))?;
    }
    let models: usize = config.providers.iter().map(|provider| provider.models.len()).sum();
    print(&format!(
        "{}: good ({} providers, {models} listed models, {} client keys)\n",
        path.display(),
        config.providers.len(),
        config.auth.keys.len()
    ))
}

fn prices(model: Option<&str>, path: Option<&Path>, as_json: bool) -> Result<(), String> {
    let costs = match path {
        Some(path) => config::load(path).map_err(|mistakes| mistakes.to_string())?.cost_tracking,
        None => config::CostTracking::default(),
    };
    print(&price_list::describe(model, &costs, as_json)?)
}

/// A closed pipe is no mistake.
fn print(text: &str) -> Result<(), String> {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}
