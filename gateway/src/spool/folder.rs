//! One folder for one process: who holds its lock owns it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Processes that use one path at the same time; more than an overlap of restarts needs.
const MOST: u32 = 64;

/// A locked folder. The lock goes with the process, however it ends.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn slots(&self) -> PathBuf {
        self.path.join("slots")
    }

    fn lock(path: PathBuf) -> io::Result<Option<Self>> {
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// A folder for this process, made if need be, and after it all others that nobody holds.
pub(super) fn claim(path: &Path) -> io::Result<Vec<Folder>> {
    make(path)?;
    let mut claimed = claim_left(path)?;
    for number in 0..MOST {
        if !claimed.is_empty() {
            return Ok(claimed);
        }
        let folder = path.join(number.to_string());
        if make(&folder)? {
            claimed.extend(Folder::lock(folder)?);
        }
    }
    Err(io::Error::other(format!("{MOST} processes use it already")))
}

/// The folders that nobody holds.
pub(super) fn claim_left(path: &Path) -> io::Result<Vec<Folder>> {
    numbered(path).filter_map(|folder| Folder::lock(folder).transpose()).collect()
}

/// Every folder that is there, whoever holds it.
pub(super) fn numbered(path: &Path) -> impl Iterator<Item = PathBuf> {
    (0..MOST).map(|number| path.join(number.to_string())).filter(|folder| folder.is_dir())
}

/// Makes a folder that only its owner can read: events name users. Answers whether it was missing.
fn make(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::DirBuilderExt;
    if path.is_dir() {
        return Ok(false);
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    Ok(true)
}
