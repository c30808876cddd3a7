//! The store itself, without a gateway: the audit log is verified, the master key is rotated.

use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use clap::{Args, Subcommand};

use crate::{
    config,
    control::{Author, Control, Opening, Rules, verify},
    secret::Secret,
    store::Embedded,
};

/// Where the store is.
#[derive(Debug, Args)]
pub struct Cupboard {
    /// Configuration file, for `store.path` and the master key's file.
    #[arg(long, short, global = true, value_name = "FILE", env = "PRISM_CONFIG")]
    config: Option<PathBuf>,
    /// The data directory, without a configuration file; by default `data`.
    #[arg(long, global = true, value_name = "FOLDER")]
    store: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Hold every entry of the audit log against the one before it.
    Verify {
        /// What an earlier run printed: then the log is also checked not to have been cut since.
        #[arg(long, value_name = "HASH")]
        contains: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum MasterKeyCommand {
    /// Make a new master key and wrap everything with it; gateways go on running.
    Rotate,
    /// Forget the earlier keys, a minute after the rotation.
    Retire,
}

/// Verifies the audit log.
///
/// # Errors
/// Where it is broken.
pub fn audit(cupboard: &Cupboard, command: AuditCommand) -> Result<String, String> {
    let AuditCommand::Verify { contains } = command;
    let (folder, _) = cupboard.places()?;
    let store = Embedded::open(&folder).map_err(|error| error.to_string())?;
    let mut found = false;
    let head =
        verify(&store, &mut |hash| found |= contains.as_deref() == Some(hash)).map_err(|error| error.to_string())?;
    let head = head.map_err(|broken| format!("the audit log is broken: {broken}"))?;
    if contains.is_some() && !found {
        return Err("the audit log is broken: it was cut, the entry with that hash is gone".to_owned());
    }
    Ok(format!("the audit log is whole: {} entries, the last one {}\n", head.entries, head.hash))
}

/// Rotates the master key, or forgets earlier ones.
///
/// # Errors
/// What kept it from being done.
pub fn master_key(cupboard: &Cupboard, command: MasterKeyCommand) -> Result<String, String> {
    let mut control = cupboard.open()?;
    let operator = Author { name: "command line".to_owned(), ..Author::operator() };
    match command {
        MasterKeyCommand::Rotate => {
            let rewrapped = control.rotate_master_key(&operator).map_err(|refusal| refusal.message.into_owned())?;
            Ok(format!(
                "{rewrapped} records are wrapped with the new master key; `prism master-key retire` forgets the earlier one\n"
            ))
        }
        MasterKeyCommand::Retire => {
            control.retire_master_keys(&operator).map_err(|refusal| refusal.message.into_owned())?;
            Ok("the earlier master keys are forgotten\n".to_owned())
        }
    }
}

impl Cupboard {
    /// The data directory, and the file of the master key.
    fn places(&self) -> Result<(PathBuf, PathBuf), String> {
        let (folder, file) = match (&self.store, &self.config) {
            (Some(folder), _) => (folder.clone(), None),
            (None, Some(path)) => {
                let config = config::load(path).map_err(|mistakes| mistakes.to_string())?;
                (config.store.path, config.control_plane.and_then(|control_plane| control_plane.master_key_file))
            }
            (None, None) => (PathBuf::from("data"), None),
        };
        if !folder.join("prism.db").is_file() {
            return Err(format!(
                "there is no store in `{}`: say where it is with `--store` or `--config`",
                folder.display()
            ));
        }
        let file = file.unwrap_or_else(|| folder.join("master.key"));
        Ok((folder, file))
    }

    fn open(&self) -> Result<Control, String> {
        let (folder, master_key_file) = self.places()?;
        let store = Embedded::open(&folder).map_err(|error| error.to_string())?;
        Control::open(Opening {
            store: Box::new(store),
            folder: &folder,
            master_key_file,
            master_key: std::env::var("PRISM_MASTER_KEY").ok().map(Secret::new),
            rules: Arc::new(ArcSwap::from_pointee(Rules::default())),
            accounts: Arc::default(),
            stale: Arc::default(),
        })
        .map_err(|error| error.to_string())
    }
}
