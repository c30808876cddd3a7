//! Two stores of organisations: one with a single key, and the same with ten thousand organisations of ten keys each.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::http::post;
use crate::process::{Process, free_port};
use crate::trouble::{Result, Trouble};

const TOKEN: &str = "admin-token-of-the-bench";
const ORG: &str = "acme";
const ORGANISATIONS: usize = 10_000;
const KEYS_OF_EACH: usize = 10;

pub struct Crowd {
    /// Folders for `store.path`.
    pub one: PathBuf,
    pub many: PathBuf,
    /// Opens both.
    pub key: String,
}

impl Crowd {
    /// Has the gateway make the first store, and multiplies a backup of it.
    pub fn make(gateway: &Path, folder: &Path) -> Result<Crowd> {
        let (one, many) = (folder.join("crowd-one"), folder.join("crowd-many"));
        let key = found(gateway, folder, &one)?;
        let (saved, grown) = (folder.join("crowd-one.backup"), folder.join("crowd-many.backup"));
        prism(gateway, &["store", "backup"], &saved, &one)?;
        let records = fs::read_to_string(&saved).map_err(Trouble::file("cannot read the backup"))?;
        fs::write(&grown, multiplied(&records)).map_err(Trouble::file("cannot write the store of many"))?;
        fs::create_dir(&many).map_err(Trouble::file("cannot make a folder"))?;
        fs::copy(one.join("master.key"), many.join("master.key"))
            .map_err(Trouble::file("cannot copy the master key"))?;
        prism(gateway, &["store", "restore"], &grown, &many)?;
        Ok(Crowd { one, many, key })
    }
}

/// An organisation with a key, in that folder; answers the key.
fn found(gateway: &Path, folder: &Path, store: &Path) -> Result<String> {
    let port = free_port()?;
    let config = folder.join("crowd.yaml");
    let text =
        format!("control_plane: {{}}\nstore: {{path: \"{}\"}}\nproviders: {{simulator: {{}}}}\n", store.display());
    fs::write(&config, text).map_err(Trouble::file("cannot write a configuration"))?;
    let mut command = Command::new(gateway);
    command.arg("--config").arg(&config).args(["--port", &port.to_string()]).env("PRISM_ADMIN_TOKEN", TOKEN);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = Process::start("gateway", port, command, None)?;
    process.wait_ready("/readyz")?;
    let made = |path: &str, body: Value| {
        let answer = post(port, path, TOKEN, &body.to_string());
        answer.ok_or_else(|| Trouble::NoAnswer { path: path.to_owned() })
    };
    made(&format!("/v1/orgs/{ORG}/config"), json!({}))?;
    let path = format!("/v1/orgs/{ORG}/keys");
    let key: Value = serde_json::from_str(&made(&path, json!({"name": "app"}))?).unwrap_or_default();
    key["key"].as_str().map(str::to_owned).ok_or(Trouble::NoAnswer { path })
}

fn prism(gateway: &Path, words: &[&str], file: &Path, store: &Path) -> Result<()> {
    let mut command = Command::new(gateway);
    let done = command.args(words).arg(file).arg("--store").arg(store).stdout(Stdio::null()).status();
    let status = done.map_err(|source| Trouble::Start { name: words.join(" "), source })?;
    let failed = || Trouble::Ended { name: words.join(" "), status: status.to_string(), output: String::new() };
    if status.success() { Ok(()) } else { Err(failed()) }
}

/// The backup with so many more organisations and keys, each by a name of its own; nobody has the copied keys.
fn multiplied(backup: &str) -> String {
    let lines: Vec<&str> = backup.lines().collect();
    let (_, records) = lines.split_last().expect("a backup has an end");
    let mut out = String::new();
    let mut many = 0;
    for line in records {
        let _ = writeln!(out, "{line}");
        let record: Value = serde_json::from_str(line).unwrap_or_default();
        let (Some(key), Some(value)) = (record["key"].as_str(), record["value"].as_str()) else { continue };
        many += 1;
        let copies = match key.split_once('/') {
            Some(("org" | "version", _)) => 1,
            Some(("key", name)) if name.starts_with(ORG) => KEYS_OF_EACH,
            _ => 0,
        };
        for number in 0..ORGANISATIONS {
            let is_first = number == 0;
            let organisation = if is_first { ORG.to_owned() } else { format!("{ORG}-{number:05}") };
            // the first copy of the first one is what was found
            for at in usize::from(is_first)..copies {
                let (key, value) = copied(key, value, &organisation, at);
                let _ = writeln!(out, "{}", json!({"key": key, "value": value}));
                many += 1;
            }
        }
    }
    let sum: String = Sha256::digest(&out).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let _ = writeln!(out, "{}", json!({"records": many, "sha256": sum}));
    out
}

/// The record of another organisation, and there of another key.
fn copied(key: &str, value: &str, organisation: &str, at: usize) -> (String, String) {
    let mut record: Value = serde_json::from_str(value).unwrap_or_default();
    let Some(id) = record["id"].as_str().map(|id| format!("{id}{at}")) else {
        return (key.replacen(ORG, organisation, 1), value.to_owned());
    };
    record["id"] = json!(id);
    record["organisation"] = json!(organisation);
    record["settings"]["name"] = json!(format!("app {at}"));
    // of no key that anybody has
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{organisation} {at}")));
    record["hashes"][0]["hash"] = json!(hash);
    (format!("key/{organisation}/{id}"), record.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_multiplied_with_names_and_hashes_of_their_own() {
        let key = r#"{"id":"key_1","organisation":"acme","settings":{"name":"app"},"hashes":[{"hash":"x"}]}"#;
        let records = [
            json!({"prism_store": 1}),
            json!({"key": "key/acme/key_1", "value": key}),
            json!({"key": "org/acme", "value": "{}"}),
            json!({"records": 2, "sha256": ""}),
        ];
        let backup: String = records.iter().map(|record| format!("{record}\n")).collect();
        let grown = multiplied(&backup);
        let records: Vec<Value> = grown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (end, records) = records.split_last().unwrap();
        assert_eq!(end["records"], records.len() - 1);
        assert_eq!(records.len() - 1, ORGANISATIONS * KEYS_OF_EACH + ORGANISATIONS);
        let names: std::collections::HashSet<_> = records.iter().map(|record| record["key"].to_string()).collect();
        assert_eq!(names.len(), records.len());
        let hashes = records.iter().filter_map(|record| record["value"].as_str());
        let hashes: std::collections::HashSet<String> = hashes
            .filter_map(|value| {
                serde_json::from_str::<Value>(value).unwrap()["hashes"][0]["hash"].as_str().map(str::to_owned)
            })
            .collect();
        assert_eq!(hashes.len(), ORGANISATIONS * KEYS_OF_EACH);
        assert!(hashes.iter().all(|hash| hash == "x" || hash.len() == 43));
    }
}
