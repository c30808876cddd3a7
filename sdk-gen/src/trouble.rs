//! Why this program gives up. Every message says what to do next where there is something to do.

use std::{io, path::Path};

#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("cannot {action} `{path}`")]
    File { action: &'static str, path: String, source: io::Error },
    #[error("`{name}` is not JSON")]
    NotJson { name: String, source: serde_json::Error },
    #[error("the document cannot become an SDK ({} mistakes):\n{}", .0.len(), .0.join("\n"))]
    Lint(Vec<String>),
    #[error("cannot run `{program}`")]
    NoProgram { program: String, source: io::Error },
    #[error("`{command}` failed ({status}):\n{output}")]
    Failed { command: String, status: std::process::ExitStatus, output: String },
    #[error("`{name}` differs from what the document and the templates say (run `cargo run -p sdk-gen`):\n{}", .differences.join("\n"))]
    Differs { name: String, differences: Vec<String> },
    #[error("`{0}` was written by hand and the generator wants to write it: move one of them")]
    NotOurs(String),
    #[error("{} breaking changes that openapi/CHANGELOG.md does not announce:\n{}\nA deliberate one is announced by a line of the changelog with its text in backquotes.", .0.len(), .0.join("\n"))]
    Breaks(Vec<String>),
    #[error("unknown language `{given}` (known: {known})")]
    Language { given: String, known: String },
}

impl Trouble {
    pub fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { action, path: path.display().to_string(), source }
    }
}
