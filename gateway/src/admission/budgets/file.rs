//! The book as one small file with a checksum, replaced as a whole under a lock: several gateways on a machine share it.
//!
//! Where gateways of several machines have budgets together, it also holds what the others have not been told yet. It is
//! written down before they are told and again when they have been: a kill in between tells it twice, and loses nothing.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{Entry, Spend, SpendBook};
use crate::admission::leases::{Leases, Told};

const NEW: &str = "spend.json.new";
const LOCK: &str = "spend.lock";
/// Of those who may read it: nobody else.
const MODE: u32 = 0o600;

#[derive(Debug)]
pub struct SpendFile {
    folder: PathBuf,
    others: Option<Leases>,
    /// Who is gone, and the others could not be told yet.
    gone: Mutex<Vec<String>>,
}

/// What is written of somebody.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    who: String,
    spend: Spend,
    /// Beside it: what the others do not know.
    #[serde(default, skip_serializing_if = "Spend::is_nothing")]
    untold: Spend,
}

impl Line {
    fn total(&self) -> Spend {
        self.spend.and(self.untold)
    }
}

impl SpendFile {
    /// Of the file in its folder.
    pub const NAME: &str = "spend.json";

    /// The book in a folder, which is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: folder.to_owned(), others: None, gone: Mutex::default() })
    }

    /// The others are told of what is written down.
    #[must_use]
    pub fn telling(self, others: Option<Leases>) -> Self {
        Self { others, ..self }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(Self::NAME)
    }

    /// The checksum of what follows it, then the lines as JSON.
    fn read(&self) -> io::Result<Vec<Line>> {
        let text = match fs::read_to_string(self.path()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "it is damaged: its checksum does not fit");
        let (sum, json) = text.split_once('\n').ok_or_else(damaged)?;
        if sum != checksum(json) {
            return Err(damaged());
        }
        Ok(serde_json::from_str(json)?)
    }

    fn write(&self, lines: &[Line]) -> io::Result<()> {
        let json = serde_json::to_string(lines)?;
        let new = self.folder.join(NEW);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&new)?;
        file.write_all(format!("{}\n{json}", checksum(&json)).as_bytes())?;
        file.sync_data()?;
        fs::rename(new, self.path())?;
        File::open(&self.folder)?.sync_data()
    }
}

impl SpendBook for SpendFile {
    fn load(&self) -> io::Result<Vec<Entry>> {
        Ok(self.read()?.into_iter().map(|line| Entry { spend: line.total(), who: line.who }).collect())
    }

    fn record(&self, added: &[Entry], gone: &[String]) -> io::Result<Vec<Spend>> {
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(self.folder.join(LOCK))?;
        lock.lock()?;
        let mut lines = self.read()?;
        lines.retain(|line| !gone.contains(&line.who));
        let mut places = Vec::with_capacity(added.len());
        for Entry { who, spend } in added {
            let at = lines.iter().position(|line| line.who == *who).unwrap_or_else(|| {
                lines.push(Line { who: who.clone(), spend: Spend::default(), untold: Spend::default() });
                lines.len() - 1
            });
            let place = if self.others.is_some() { &mut lines[at].untold } else { &mut lines[at].spend };
            *place = place.and(*spend);
            places.push(at);
        }
        if !added.is_empty() || !gone.is_empty() {
            self.write(&lines)?;
        }
        if let Some(others) = &self.others {
            let mut untold = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
            untold.extend_from_slice(gone);
            if tell(others, &mut lines, &mut untold) {
                self.write(&lines)?;
            }
        }
        Ok(places.into_iter().map(|at| lines[at].total()).collect())
    }
}

/// Tells the others what they do not know; answers whether there was something of these lines, and they know it now.
fn tell(others: &Leases, lines: &mut [Line], gone: &mut Vec<String>) -> bool {
    let mut untold: Vec<_> = lines.iter_mut().filter(|line| !line.untold.is_nothing()).collect();
    if untold.is_empty() && gone.is_empty() {
        return false;
    }
    let told = untold.iter().map(|line| Told { who: line.who.clone(), known: line.spend, spent: line.untold });
    let Some(totals) = others.tell(told.collect(), gone.clone()) else { return false };
    gone.clear();
    for (line, total) in untold.iter_mut().zip(totals) {
        (line.spend, line.untold) = (total, Spend::default());
    }
    !untold.is_empty()
}

fn checksum(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::{config::Period, money::Usd};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn entry(who: &str, day: NaiveDate, usd: &str) -> Entry {
        Entry { who: who.to_owned(), spend: Spend::on(day, Usd::parse(usd).unwrap()) }
    }

    #[test]
    fn what_is_written_down_is_there_for_the_next_process_and_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let (book, other) = (SpendFile::open(folder.path()).unwrap(), SpendFile::open(folder.path()).unwrap());
        assert!(book.load().unwrap().is_empty());
        let today = day("2026-03-04");
        book.record(&[entry("key app", today, "1.5")], &[]).unwrap();
        let totals = other.record(&[entry("key \"b\"\t", today, "1"), entry("key app", today, "0.25")], &[]).unwrap();
        let app = totals[1].within(Period::Daily, today);
        assert_eq!(app.to_string(), "1.75");
        let loaded = SpendFile::open(folder.path()).unwrap().load().unwrap();
        assert_eq!(loaded.len(), 2);
        assert_eq!(loaded[0].spend.within(Period::Total, today), app);
    }

    #[test]
    fn nothing_is_kept_of_who_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let book = SpendFile::open(folder.path()).unwrap();
        let today = day("2026-03-04");
        book.record(&[entry("key a", today, "1"), entry("key b", today, "2")], &[]).unwrap();
        let totals = book.record(&[entry("key a", today, "3")], &["key a".to_owned(), "key b".to_owned()]).unwrap();
        assert_eq!(totals[0].within(Period::Total, today).to_string(), "3");
        assert_eq!(book.load().unwrap().len(), 1);
    }

    #[test]
    fn many_writers_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let today = day("2026-03-04");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let book = SpendFile::open(folder.path()).unwrap();
                    for _ in 0..10 {
                        book.record(&[entry("key app", today, "0.1")], &[]).unwrap();
                    }
                });
            }
        });
        let loaded = SpendFile::open(folder.path()).unwrap().load().unwrap();
        assert_eq!(loaded[0].spend.within(Period::Monthly, today).to_string(), "4");
    }

    #[test]
    fn a_damaged_file_is_an_error_and_not_a_beginning_from_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let book = SpendFile::open(folder.path()).unwrap();
        book.record(&[entry("key app", day("2026-03-04"), "1.5")], &[]).unwrap();
        let text = fs::read_to_string(book.path()).unwrap();
        for damaged in [text.replace("1.5", "0.5"), text[..text.len() - 3].to_owned(), String::new()] {
            fs::write(book.path(), damaged).unwrap();
            assert_eq!(book.load().unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert!(book.record(&[], &[]).is_err());
        }
    }
}
