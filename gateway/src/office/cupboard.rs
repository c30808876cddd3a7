//! The store itself, without a gateway: the audit log is verified, the master key is rotated, all of it is saved and brought
//! back.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use clap::{Args, Subcommand};

use crate::{
    config,
    control::{Author, IDENTITY, Place, Placed, Rules, note_restored, verify},
    options::Options,
    store::{self, ArchiveError, Embedded},
};

/// Where the store is.
#[derive(Debug, Args)]
pub struct Cupboard {
    /// Configuration file, for `store.path`, the bucket that several gateways share, and the master key's file.
    #[arg(long, short, global = true, value_name = "FILE", env = "PRISM_CONFIG")]
    config: Option<PathBuf>,
    /// The data directory with the store of one gateway, whatever the configuration file says; by default `data`.
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
    /// Wrap everything with the present key and forget the earlier ones, a minute after the rotation.
    Retire,
}

#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Save all of it in a file that is not there yet; gateways go on running. Secrets in it stay sealed with the master key, which
    /// is not in it.
    Backup {
        file: PathBuf,
        /// Save the copy of the bucket that a gateway has in this folder instead, where the bucket itself is lost.
        #[arg(long, value_name = "FOLDER", conflicts_with = "store")]
        replica: Option<PathBuf>,
    },
    /// Bring back what a backup holds.
    Restore {
        file: PathBuf,
        /// In place of all that is in the store.
        #[arg(long)]
        replace: bool,
    },
}

/// Verifies the audit log.
///
/// # Errors
/// Where it is broken.
pub fn audit(cupboard: &Cupboard, command: AuditCommand) -> Result<String, String> {
    let AuditCommand::Verify { contains } = command;
    let Opened { place, .. } = &cupboard.there()?;
    let (store, _) = opened(place)?;
    let mut found = false;
    let head =
        verify(&*store, &mut |hash| found |= contains.as_deref() == Some(hash)).map_err(|error| error.to_string())?;
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
    let Opened { place, .. } = &cupboard.there()?;
    if matches!(command, MasterKeyCommand::Rotate)
        && place.shared.is_some()
        && std::env::var("PRISM_MASTER_KEY").is_err()
    {
        return Err(
            "several gateways have this master key: bring the new one to all of them first, as gateway/OPERATIONS.md \
                    says, then `prism master-key retire`"
                .to_owned(),
        );
    }
    if !opened(place)?.0.get(IDENTITY).is_ok_and(|record| record.is_some()) {
        return Err("the store is empty: no gateway has been started with it".to_owned());
    }
    let control = place.control(Arc::new(ArcSwap::from_pointee(Rules::default())), Arc::default(), None);
    let (mut control, _) = control.map_err(|error| error.to_string())?;
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

/// Saves the store, or brings it back.
///
/// # Errors
/// What kept it from being done.
pub fn store(cupboard: &Cupboard, command: StoreCommand) -> Result<String, String> {
    match command {
        StoreCommand::Backup { file, replica: Some(folder) } => {
            saved(&file, &mut |out| store::backup_copy(&folder, out))
        }
        StoreCommand::Backup { file, replica: None } => {
            let Opened { place, .. } = &cupboard.there()?;
            let (store, _) = opened(place)?;
            saved(&file, &mut |out| store::backup(&*store, out))
        }
        StoreCommand::Restore { file, replace } => {
            let input = File::open(&file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
            let Opened { place, .. } = &cupboard.anywhere()?;
            let (mut store, _) = opened(place)?;
            let records = store::restore(&mut *store, &mut BufReader::new(input), replace, IDENTITY);
            let records = records.map_err(|error| error.to_string())?;
            let log = match note_restored(&mut *store, records) {
                Ok(Ok(())) => String::new(),
                Ok(Err(broken)) => format!("; their audit log is broken: {broken}"),
                Err(error) => format!("; that could not be written into their audit log: {error}"),
            };
            Ok(format!("{records} records are restored{log}; gateways of this store have to be started anew\n"))
        }
    }
}

/// Makes the file of a backup; where it cannot be made whole, there is none.
fn saved(file: &Path, write: &mut dyn FnMut(&mut dyn Write) -> Result<usize, ArchiveError>) -> Result<String, String> {
    let path = file.display();
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut out = BufWriter::new(made.map_err(|error| format!("cannot make `{path}`: {error}"))?);
    let records = write(&mut out).map_err(|error| {
        let _ = fs::remove_file(file);
        error.to_string()
    })?;
    let synced = out.into_inner().map_err(|error| error.to_string())?.sync_all();
    synced.map_err(|error| format!("cannot write `{path}`: {error}"))?;
    Ok(format!(
        "{records} records are in `{path}`; the master key is not, and without it they are worth little: keep it elsewhere\n"
    ))
}

fn opened(place: &Place) -> Result<Placed, String> {
    place.store().map_err(|error| error.to_string())
}

/// Where a store is; what was made to look at it goes with this.
struct Opened {
    place: Place,
    aside: Option<PathBuf>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(folder) = &self.aside {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

impl Cupboard {
    /// A store that there is.
    fn there(&self) -> Result<Opened, String> {
        let opened = self.anywhere()?;
        let folder = &opened.place.folder;
        if opened.place.shared.is_none() && !Embedded::is_in(folder) {
            let folder = folder.display();
            return Err(format!("there is no store in `{folder}`: say where it is with `--store` or `--config`"));
        }
        Ok(opened)
    }

    /// A store, whether it is there or not. A bucket is looked at by itself, not in the copy that a gateway has.
    fn anywhere(&self) -> Result<Opened, String> {
        let in_file = |folder: &Path| Place {
            master_key_file: folder.join("master.key"),
            folder: folder.to_owned(),
            shared: None,
        };
        let mut place = match (&self.store, &self.config) {
            (Some(folder), _) => in_file(folder),
            (None, None) => in_file(Path::new(config::USUAL_STORE)),
            (None, Some(path)) => {
                let options = Options {
                    config: Some(path.clone()),
                    nats_url: std::env::var("PRISM_NATS_URL").ok(),
                    ..Options::default()
                };
                let (config, _) = options.configuration()?;
                match &config.control_plane {
                    Some(control_plane) => Place::of(&config, control_plane),
                    None => in_file(&config.store.path),
                }
            }
        };
        let aside =
            place.shared.is_some().then(|| std::env::temp_dir().join(format!("prism-{:016x}", fastrand::u64(..))));
        if let Some(folder) = &aside {
            let made = fs::DirBuilder::new().mode(0o700).create(folder);
            made.map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
            place.folder.clone_from(folder);
        }
        Ok(Opened { place, aside })
    }
}
