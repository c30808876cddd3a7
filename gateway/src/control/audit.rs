//! The audit log: every change of the control plane, each entry with the hash of the one before it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::state::now;
use crate::{
    admission::DEFAULT_ORG,
    ids::hex,
    store::{Change, Expects, Store, StoreError},
};

const PREFIX: &str = "audit/";
/// What the first entry follows.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One change, as it is kept. The order of the fields is that of the hashed text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub number: u64,
    /// RFC 3339.
    pub at: String,
    /// Who made it: a key's name, or `admin token`.
    pub author: String,
    pub organisation: String,
    /// `config.update`, `key.create`, ….
    pub action: String,
    /// What was changed: a version, the id of a key.
    pub subject: String,
    /// Hash of the entry before.
    pub previous: String,
    /// SHA-256 of this entry without it, in hex.
    pub hash: String,
}

/// What has been done, before it has its place in the log.
pub struct Deed<'a> {
    pub at: &'a str,
    pub author: &'a str,
    pub organisation: &'a str,
    pub action: &'a str,
    pub subject: &'a str,
}

/// The end of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub entries: u64,
    /// Hash of the last entry: whoever notes it down can tell later whether the log was cut.
    pub hash: String,
}

/// Where the log is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("entry {0} is missing")]
    Missing(u64),
    #[error("entry {0} cannot be read")]
    Unreadable(u64),
    #[error("entry {0} does not follow the one before it")]
    Unchained(u64),
    #[error("entry {0} was changed after it was written")]
    Changed(u64),
}

impl Entry {
    fn follow(head: &Head, deed: &Deed<'_>) -> Self {
        let mut entry = Self {
            number: head.entries + 1,
            at: deed.at.to_owned(),
            author: deed.author.to_owned(),
            organisation: deed.organisation.to_owned(),
            action: deed.action.to_owned(),
            subject: deed.subject.to_owned(),
            previous: head.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.digest();
        entry
    }

    fn digest(&self) -> String {
        let bare = Self { hash: String::new(), ..self.clone() };
        hex(&Sha256::digest(serde_json::to_vec(&bare).expect("texts and a number serialise")))
    }
}

/// The change that writes a deed down behind the head; made together with the deed itself. A log that somebody else has
/// written to meanwhile makes the whole commit a conflict.
pub fn write_down(head: &Head, deed: &Deed<'_>) -> (Change, Head) {
    let entry = Entry::follow(head, deed);
    let value = serde_json::to_vec(&entry).expect("texts and a number serialise");
    let change = Change::put(format!("{PREFIX}{:012}", entry.number), value, Expects::Nothing);
    (change, Head { entries: entry.number, hash: entry.hash })
}

/// Writes down, behind the log that a backup has brought back, that it has.
///
/// # Errors
/// When the store cannot be read or written; and where the log is broken, behind which nothing is written.
pub fn note_restored(store: &mut dyn Store, records: usize) -> Result<Result<(), Broken>, StoreError> {
    let head = match verify(store, &mut |_| {})? {
        Ok(head) => head,
        Err(broken) => return Ok(Err(broken)),
    };
    let (at, subject) = (now(), format!("{records} records"));
    let (author, organisation, action) = ("the command line", DEFAULT_ORG, "store.restore");
    let (entry, _) = write_down(&head, &Deed { at: &at, author, organisation, action, subject: &subject });
    store.commit(&[entry])?;
    Ok(Ok(()))
}

/// Reads the whole log and holds each entry against the one before; shows the hash of each that holds.
///
/// # Errors
/// When the store cannot be read.
pub fn verify(store: &dyn Store, see: &mut dyn FnMut(&str)) -> Result<Result<Head, Broken>, StoreError> {
    let mut result = Ok(Head { entries: 0, hash: BEGINNING.to_owned() });
    store.scan(PREFIX, "", &mut |record| {
        if let Ok(head) = &result {
            result = next(head, &record.value).inspect(|head| see(&head.hash));
        }
        result.is_ok()
    })?;
    Ok(result)
}

fn next(head: &Head, value: &[u8]) -> Result<Head, Broken> {
    let number = head.entries + 1;
    let entry: Entry = serde_json::from_slice(value).map_err(|_| Broken::Unreadable(number))?;
    match entry {
        entry if entry.number != number => Err(Broken::Missing(number)),
        entry if entry.previous != head.hash => Err(Broken::Unchained(number)),
        entry if entry.hash != entry.digest() => Err(Broken::Changed(number)),
        entry => Ok(Head { entries: number, hash: entry.hash }),
    }
}

/// The end of the log, read from its last entry alone.
///
/// # Errors
/// When the store cannot be read.
pub fn head(store: &dyn Store, from: &Head) -> Result<Head, StoreError> {
    let mut head = from.clone();
    while let Some(record) = store.get(&format!("{PREFIX}{:012}", head.entries + 1))? {
        let Ok(entry) = serde_json::from_slice::<Entry>(&record.value) else { break };
        head = Head { entries: entry.number, hash: entry.hash };
    }
    Ok(head)
}

impl Default for Head {
    fn default() -> Self {
        Self { entries: 0, hash: BEGINNING.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Embedded;

    fn log(entries: u64) -> (tempfile::TempDir, Embedded, Head) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Embedded::open(folder.path()).unwrap();
        let mut head = Head::default();
        for number in 0..entries {
            let subject = number.to_string();
            let deed = Deed {
                at: "2026-01-01T00:00:00Z",
                author: "a",
                organisation: "acme",
                action: "key.create",
                subject: &subject,
            };
            let (change, next) = write_down(&head, &deed);
            store.commit(&[change]).unwrap();
            head = next;
        }
        (folder, store, head)
    }

    fn edit(store: &mut Embedded, number: u64, change: impl FnOnce(&mut Entry)) {
        let key = format!("{PREFIX}{number:012}");
        let mut entry: Entry = serde_json::from_slice(&store.get(&key).unwrap().unwrap().value).unwrap();
        change(&mut entry);
        store.commit(&[Change::put(key, serde_json::to_vec(&entry).unwrap(), Expects::Anything)]).unwrap();
    }

    #[test]
    fn a_log_that_nobody_touched_verifies() {
        let (_folder, store, written) = log(20);
        assert_eq!(verify(&store, &mut |_| {}).unwrap().unwrap(), written);
        assert_eq!(head(&store, &Head::default()).unwrap(), written);
    }

    #[test]
    fn whatever_is_done_to_an_entry_shows() {
        let (_folder, mut store, _) = log(5);
        edit(&mut store, 3, |entry| entry.author = "somebody else".into());
        assert_eq!(verify(&store, &mut |_| {}).unwrap(), Err(Broken::Changed(3)));
        edit(&mut store, 3, |entry| entry.hash = entry.digest());
        assert_eq!(verify(&store, &mut |_| {}).unwrap(), Err(Broken::Unchained(4)));
        store.commit(&[Change::delete(format!("{PREFIX}{:012}", 3), Expects::Anything)]).unwrap();
        assert_eq!(verify(&store, &mut |_| {}).unwrap(), Err(Broken::Missing(3)));
    }
}
