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
    api::KeyChange,
    config::Role,
    store::{Change, Expects, StoreError},
};

const FILE: &str = "owner.key";
/// Which key that was: no two control planes have the same.
pub(super) const MINTED: &str = "meta/owner";

/// At the first start with a control plane: a key with the role `owner`, kept in a file for the gateway's owner alone, and
/// printed once. It goes nowhere else, least of all into the log. Where another process is the first, it is theirs.
pub(super) fn mint(control: &mut Control, folder: &Path) -> Result<(), OpeningError> {
    if control.store.get(MINTED)?.is_some() {
        return Ok(());
    }
    let path = folder.join(FILE);
    let failed = |source| OpeningError::OwnerKey { path: path.clone(), source };
    let made = keys::make("owner", Role::Owner, DEFAULT_ORG, "the first start", &control.keys);
    // the file first: a key that is in the store alone would be lost
    let beside = folder.join(format!("{FILE}.{}", made.record.id));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(failed)?;
    writeln!(file, "{}", made.secret.expose()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let author = Author { name: "the first start".to_owned(), ..Author::operator() };
    let changes = vec![
        made.record.change(Expects::Nothing),
        Change::put(MINTED, made.record.id.clone().into_bytes(), Expects::Nothing),
    ];
    let done = control.change(changes, &author, (DEFAULT_ORG, "key.create", &made.record.id));
    if done.is_err() {
        if control.store.get(MINTED)?.is_some_and(|record| record.value != made.record.id.as_bytes()) {
            return fs::remove_file(&beside).map_err(failed);
        }
        return Err(StoreError::Conflict { key: MINTED.to_owned() }.into());
    }
    fs::rename(&beside, &path).map_err(failed)?;
    for (hash, caller) in made.record.callers(&control.accounts).unwrap_or_default() {
        control.keys.put(hash, &caller);
    }
    control.tell(&made.record.name(), KeyChange::Created, &author);
    let (path, key) = (path.display(), made.secret.expose());
    eprintln!("the owner's key, which administers every organisation (kept in {path}):\n\n    {key}\n");
    Ok(())
}
