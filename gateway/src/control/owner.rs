//! The first key: without it nobody could make another.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{
    author::Author,
    keys,
    state::{Control, OpeningError},
};
use crate::{
    admission::DEFAULT_ORG,
    config::Role,
    store::{Change, Expects, StoreError},
};

const FILE: &str = "owner.key";
const MINTED: &str = "meta/owner";

/// At the first start with a control plane: a key with the role `owner`, kept in a file for the gateway's owner alone, and
/// printed once. It goes nowhere else, least of all into the log.
pub(super) fn mint(control: &mut Control, folder: &Path) -> Result<(), OpeningError> {
    if control.store.get(MINTED)?.is_some() {
        return Ok(());
    }
    let path = folder.join(FILE);
    let failed = |source| OpeningError::OwnerKey { path: path.clone(), source };
    let made = keys::make("owner", Role::Owner, DEFAULT_ORG, "the first start", &control.keys);
    // the file first: a key that is in the store alone would be lost
    let _ = fs::remove_file(&path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    writeln!(file, "{}", made.secret.expose()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let author = Author { name: "the first start".to_owned(), ..Author::operator() };
    let changes = vec![
        made.record.change(Expects::Nothing),
        Change::put(MINTED, made.record.id.clone().into_bytes(), Expects::Nothing),
    ];
    // another process that starts at the same moment is the first
    control
        .change(changes, &author, (DEFAULT_ORG, "key.create", &made.record.id))
        .map_err(|_| StoreError::Conflict { key: MINTED.to_owned() })?;
    for (hash, caller) in made.record.callers(&control.accounts).unwrap_or_default() {
        control.keys.put(hash, &caller);
    }
    let (path, key) = (path.display(), made.secret.expose());
    eprintln!("the owner's key, which administers every organisation (kept in {path}):\n\n    {key}\n");
    Ok(())
}
