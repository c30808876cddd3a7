//! `cargo run -p sdk-gen`: the gateway's OpenAPI document in, `clients/python` and `clients/typescript` out.
//!
//! Reading order: [`document`] walks the document, [`lint`] refuses what cannot become a good SDK, [`prepare`] derives
//! what templates need, [`generate`] drives openapi-generator (which [`toolchain`] installs) and puts the result in place
//! by [`owned`]'s rules, and [`breaking`] compares two documents.

mod breaking;
mod document;
mod generate;
mod lint;
mod owned;
mod prepare;
mod toolchain;
mod trouble;

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::trouble::Trouble;

/// Makes the SDKs from openapi/openapi.json.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Which SDKs: `python`, `typescript`; all without a name
    languages: Vec<String>,
    /// Write nothing; fail when a committed file differs
    #[arg(long)]
    check: bool,
    /// Another document [default: openapi/openapi.json]
    #[arg(long)]
    document: Option<PathBuf>,
    /// Another folder than clients/<language>, for one language
    #[arg(long)]
    output: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Print the document as the templates see it
    Prepare {
        /// Another document [default: openapi/openapi.json]
        #[arg(long)]
        document: Option<PathBuf>,
    },
    /// Name the changes since the last published document that break programs written for it
    Breaking {
        /// A git revision or a file [default: openapi/baseline.json]
        #[arg(long)]
        base: Option<String>,
        /// Another document [default: openapi/openapi.json]
        #[arg(long)]
        document: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprint!("error: {trouble}");
            let mut cause = trouble.source();
            while let Some(source) = cause {
                eprint!(": {source}");
                cause = source.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Trouble> {
    let document =
        |path: Option<PathBuf>| document::read(&path.unwrap_or_else(|| repository().join("openapi/openapi.json")));
    match arguments.command {
        Some(Command::Prepare { document: path }) => {
            let document = document(path)?;
            lint::check(&document)?;
            println!("{:#}", prepare::prepare(document));
            Ok(())
        }
        Some(Command::Breaking { base, document: path }) => {
            breaking::run(&repository(), base.as_deref(), &document(path)?)
        }
        None => {
            let document = document(arguments.document)?;
            lint::check(&document)?;
            generate::run(
                &repository(),
                &prepare::prepare(document),
                &arguments.languages,
                arguments.check,
                arguments.output,
            )
        }
    }
}

/// The workspace: this crate lives one level below its root.
fn repository() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}
