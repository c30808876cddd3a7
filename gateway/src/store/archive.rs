//! A store as a file of lines: what it is, a line for each record, and at the end how many there were and a sum of it all.
//!
//! Secrets in it are as the store has them: sealed.

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Change, Expects, Record, Store, StoreError, shared::Replica};
use crate::ids::hex;

const VERSION: u32 = 1;
/// Changes, and bytes, of one commit where a store does not take them all at once.
const MOST: usize = 500;
const LARGEST: usize = 4 << 20;

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("cannot write the backup: {0}")]
    Write(#[source] io::Error),
    #[error("cannot read the backup: {0}")]
    Read(#[source] io::Error),
    #[error("there is no copy of a bucket in `{folder}`")]
    NoCopy { folder: PathBuf },
    #[error("this is no backup of a store")]
    Foreign,
    #[error(
        "the backup is of version {found}, and this Prism knows {VERSION}: restore it with the version that wrote it"
    )]
    TooNew { found: u32 },
    #[error("the backup is damaged or cut: nothing was restored")]
    Damaged,
    #[error("the store is not empty: `--replace` puts the backup in place of all that is in it")]
    NotEmpty,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Serialize, Deserialize)]
struct Head {
    prism_store: u32,
}

/// A value is text; one that is not is in base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    records: usize,
    sha256: String,
}

/// Writes everything that the store holds at one moment. Says how many records that were.
///
/// # Errors
/// When the store cannot be read or the file not be written.
pub fn backup(store: &dyn Store, out: &mut dyn Write) -> Result<usize, ArchiveError> {
    let mut sum = Sha256::new();
    let mut write = |line: String| {
        sum.update(&line);
        sum.update("\n");
        writeln!(out, "{line}")
    };
    let mut written = write(json(&Head { prism_store: VERSION }));
    let mut records = 0;
    store.scan("", "", &mut |Record { key, value, .. }| {
        let line = match String::from_utf8(value) {
            Ok(text) => Line { key, value: Some(text), base64: None },
            Err(error) => Line { key, value: None, base64: Some(STANDARD.encode(error.as_bytes())) },
        };
        records += 1;
        written = write(json(&line));
        written.is_ok()
    })?;
    written.map_err(ArchiveError::Write)?;
    let end = json(&End { records, sha256: hex(&sum.finalize()) });
    writeln!(out, "{end}").and_then(|()| out.flush()).map_err(ArchiveError::Write)?;
    Ok(records)
}

/// The same of the copy that a gateway has in a folder, whether there is a bucket or not.
///
/// # Errors
/// When the copy cannot be read or the file not be written.
pub fn backup_copy(folder: &Path, out: &mut dyn Write) -> Result<usize, ArchiveError> {
    if !Replica::is_in(folder) {
        return Err(ArchiveError::NoCopy { folder: folder.to_owned() });
    }
    backup(&Replica::open(folder)?, out)
}

/// Puts a backup into an empty store, or in place of what is there. Says how many records that were. Into the store of
/// one gateway it goes all at once; into a bucket in parts, and what broke off is begun again with `replace`. The record under
/// `last` is the last: gateways that wait for their bucket know it by that.
///
/// # Errors
/// When the backup is not whole, or the store is not empty and nothing is to be replaced: then nothing has changed. Or
/// when the store cannot be written.
pub fn restore(
    store: &mut dyn Store,
    input: &mut dyn BufRead,
    replace: bool,
    last: &str,
) -> Result<usize, ArchiveError> {
    let records = read(input)?;
    let mut there = Vec::new();
    store.scan("", "", &mut |record| {
        there.push(record.key);
        true
    })?;
    if !there.is_empty() && !replace {
        return Err(ArchiveError::NotEmpty);
    }
    let kept: std::collections::HashSet<&str> = records.iter().map(|(key, _)| key.as_str()).collect();
    there.retain(|key| !kept.contains(key.as_str()));
    let count = records.len();
    let mut changes: Vec<_> = there.into_iter().map(|key| Change::delete(key, Expects::Anything)).collect();
    let expects = if replace { Expects::Anything } else { Expects::Nothing };
    let (end, rest): (Vec<_>, Vec<_>) = records.into_iter().partition(|(key, _)| key == last);
    changes.extend(rest.into_iter().chain(end).map(|(key, value)| Change::put(key, value, expects)));
    if store.most_changes() == usize::MAX {
        store.commit(&changes)?;
        return Ok(count);
    }
    let mut rest = &changes[..];
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |change: &Change| {
            bytes += change.value.as_ref().map_or(0, Vec::len);
            bytes <= LARGEST
        };
        let many = rest.iter().take(MOST).map(fits).take_while(|fits| *fits).count().max(1);
        store.commit(&rest[..many])?;
        rest = &rest[many..];
    }
    Ok(count)
}

type Records = Vec<(String, Vec<u8>)>;

fn read(input: &mut dyn BufRead) -> Result<Records, ArchiveError> {
    let mut lines = input.lines();
    let first = lines.next().ok_or(ArchiveError::Foreign)?.map_err(ArchiveError::Read)?;
    let head: Head = serde_json::from_str(&first).map_err(|_| ArchiveError::Foreign)?;
    if head.prism_store != VERSION {
        return Err(ArchiveError::TooNew { found: head.prism_store });
    }
    let mut sum = Sha256::new_with_prefix(first + "\n");
    let mut records = Records::new();
    for line in lines {
        let line = line.map_err(ArchiveError::Read)?;
        if let Ok(end) = serde_json::from_str::<End>(&line) {
            let is_whole = end.records == records.len() && end.sha256 == hex(&sum.finalize());
            return if is_whole { Ok(records) } else { Err(ArchiveError::Damaged) };
        }
        match serde_json::from_str(&line) {
            Ok(Line { key, value: Some(text), base64: None }) => records.push((key, text.into_bytes())),
            Ok(Line { key, value: None, base64: Some(text) }) => {
                records.push((key, STANDARD.decode(text).map_err(|_| ArchiveError::Damaged)?));
            }
            _ => return Err(ArchiveError::Damaged),
        }
        sum.update(line + "\n");
    }
    Err(ArchiveError::Damaged)
}

fn json(line: &impl Serialize) -> String {
    serde_json::to_string(line).expect("texts and numbers serialise")
}

#[cfg(test)]
mod tests {
    use super::{super::Embedded, *};

    fn store() -> (tempfile::TempDir, Embedded) {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(folder.path()).unwrap();
        (folder, store)
    }

    fn filled() -> (tempfile::TempDir, Embedded) {
        let (folder, mut store) = store();
        let put = |key: &str, value: &[u8]| Change::put(key, value.to_vec(), Expects::Nothing);
        store.commit(&[put("org/a", b"{\"x\":\"\\n\"}"), put("meta/m", &[0, 255]), put("org/gone", b"")]).unwrap();
        store.commit(&[Change::delete("org/gone", Expects::Anything)]).unwrap();
        (folder, store)
    }

    fn saved(store: &dyn Store) -> Vec<u8> {
        let mut file = Vec::new();
        backup(store, &mut file).unwrap();
        file
    }

    #[test]
    fn what_was_saved_comes_back() {
        let (_one, full) = filled();
        let file = saved(&full);
        let (_two, mut other) = store();
        assert_eq!(restore(&mut other, &mut &file[..], false, "").unwrap(), 2);
        assert_eq!(saved(&other), file);
        assert_eq!(other.get("meta/m").unwrap().unwrap().value, [0, 255]);
    }

    #[test]
    fn what_is_there_is_replaced_only_when_that_is_asked_for() {
        let (_one, full) = filled();
        let file = saved(&full);
        let (_two, mut other) = store();
        other.commit(&[Change::put("org/b", b"".to_vec(), Expects::Nothing)]).unwrap();
        assert!(matches!(restore(&mut other, &mut &file[..], false, ""), Err(ArchiveError::NotEmpty)));
        restore(&mut other, &mut &file[..], true, "").unwrap();
        assert_eq!(saved(&other), file);
    }

    #[test]
    fn a_backup_that_is_not_whole_changes_nothing() {
        let (_one, full) = filled();
        let file = saved(&full);
        let (_two, mut other) = store();
        for cut in 0..file.len() - 1 {
            assert!(restore(&mut other, &mut &file[..cut], true, "").is_err(), "cut at {cut}");
        }
        for at in 0..file.len() - 1 {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert!(restore(&mut other, &mut &damaged[..], true, "").is_err(), "byte {at}");
        }
        assert_eq!(saved(&other), saved(&store().1));
        let later = "{\"prism_store\":2}\n";
        assert!(matches!(restore(&mut other, &mut later.as_bytes(), true, ""), Err(ArchiveError::TooNew { found: 2 })));
    }
}
