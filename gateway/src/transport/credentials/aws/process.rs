//! `credential_process`: a program of the operator's that prints a credential.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>

use std::process::Stdio;

use serde::Deserialize;
use tokio::{io::AsyncReadExt, process::Command};

use super::{Found, Fresh, credentials, life};
use crate::{
    secret::Secret,
    transport::credentials::{Failure, asking::json},
};

/// Bytes; a credential is a few KB.
const MAX_OUTPUT: u64 = 256 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    version: u32,
    access_key_id: Secret,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    expiration: Option<String>,
}

/// Runs it without a shell. What it writes to its error output may hold secrets and is thrown away; it is killed with the
/// fetch that waits for it.
pub(super) async fn run(command: &str, profile: &str) -> Found {
    let who = format!("`credential_process` of AWS profile `{profile}`");
    let words = shlex::split(command).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| Failure::new(format!("{who} is no command: a quote is not closed")))?;
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failure::new(format!("{who} cannot be started: {}", error.kind())))?;
    let mut printed = Vec::new();
    if let Some(output) = child.stdout.take() {
        let read = output.take(MAX_OUTPUT).read_to_end(&mut printed).await;
        read.map_err(|_| Failure::new(format!("what {who} prints cannot be read")))?;
    }
    let ended = child.wait().await.map_err(|_| Failure::new(format!("{who} cannot be waited for")))?;
    if !ended.success() {
        return Err(Failure::new(format!("{who} failed ({ended}); run it by hand to see why")));
    }
    let output: Output = json(&who, &printed)?;
    if output.version != 1 {
        return Err(Failure::new(format!("{who} prints version {}; only version 1 is known", output.version)));
    }
    let value = credentials(&output.access_key_id, &output.secret_access_key, output.session_token.as_ref());
    Ok(Some(Fresh { value, life: life(output.expiration.as_deref()) }))
}
