//! What can go wrong in a run.

use std::io;
use std::path::PathBuf;

pub type Result<T> = std::result::Result<T, Trouble>;

#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("no gateway at `{path}`: build it with `{build}`, name another with --gateway, or say --without-gateway")]
    NoGateway { path: PathBuf, build: String },
    #[error("no `{path}`: build it with `{build}`")]
    NoSibling { path: PathBuf, build: String },
    #[error("no scenario `{0}` (known: {1})")]
    NoScenario(String, String),
    #[error("cannot start {name}")]
    Start {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("{name} was not ready after {seconds} s{output}")]
    NotReady { name: String, seconds: u64, output: String },
    #[error("{name} ended early: {status}{output}")]
    Ended { name: String, status: String, output: String },
    #[error("the load on {target} did not end in {seconds} s")]
    LoadHung { target: String, seconds: u64 },
    #[error("the load on {target} came to nothing: {why}")]
    LoadFailed { target: String, why: String },
    #[error("{target} failed {errors} of {requests} requests ({kinds}); the first bad answer: {body}")]
    TooManyErrors { target: String, errors: u64, requests: u64, kinds: String, body: String },
    #[error("the gateway does not answer a POST to {path} as it should")]
    NoAnswer { path: String },
    #[error("stopped")]
    Stopped,
    #[error("{what}")]
    File { what: String, source: io::Error },
}

impl Trouble {
    /// For `map_err`: an I/O failure with what was being done.
    pub fn file(what: impl Into<String>) -> impl FnOnce(io::Error) -> Trouble {
        let what = what.into();
        move |source| Trouble::File { what, source }
    }
}
