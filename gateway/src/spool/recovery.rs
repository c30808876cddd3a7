//! What a process that is gone has left: its log, and the pages of the requests that it did not get round to write.

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    time::SystemTime,
};

use super::{
    folder::Folder,
    frame::{Frame, Kind},
    log::Log,
    page::{self, Left, PAGE},
};

/// Opens a folder's log and appends what its pages still hold. Until [`clear`] has removed them this can be done again: a
/// page whose ticket is in the log already is passed over.
pub(super) fn recover(folder: &Folder, interrupted: &[u8]) -> io::Result<Log> {
    let log = Log::open(folder.path())?;
    let pages = match File::open(folder.slots()) {
        Ok(pages) => pages,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(log),
        Err(error) => return Err(error),
    };
    let mut frames = Vec::new();
    let mut known = None;
    let mut page = vec![0; PAGE];
    let mut state = [0; 4];
    for at in (0..pages.metadata()?.len()).step_by(PAGE) {
        pages.read_exact_at(&mut state, at)?;
        if state == [0; 4] || pages.read_exact_at(&mut page, at).is_err() {
            continue;
        }
        let (ticket, record) = match page::left(&page) {
            Left::Nothing => continue,
            Left::Open { ticket, beginning } => (ticket, [beginning, interrupted].concat()),
            Left::Done { ticket, record } => (ticket, record.to_vec()),
        };
        let known: &HashSet<u64> = known.get_or_insert_with(|| log.tickets());
        if !known.contains(&ticket) {
            Frame { kind: Kind::Usage, ticket, millis: now(), record: &record }.write(&mut frames);
        }
    }
    if !frames.is_empty() {
        log.append(&frames)?;
        log.sync()?;
    }
    log.announce();
    Ok(log)
}

/// Forgets the pages.
pub(super) fn clear(folder: &Folder) -> io::Result<()> {
    match fs::remove_file(folder.slots()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
