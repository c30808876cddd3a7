//! Looking on from another process: what is written to the logs of a folder, while others own them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{
    Record, folder,
    frame::{self, Found, Frame},
    log,
};

/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;

/// Reads without owning, deleting or keeping anything from being deleted: what goes before it is read is missed.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    places: BTreeMap<PathBuf, Place>,
}

/// Where it is in one log. A segment stays readable while it is open, even when it has been deleted.
#[derive(Debug)]
struct Place {
    segment: File,
    base: u64,
    /// Within the segment.
    at: u64,
}

impl Follower {
    /// Begins at the end of what is there, or at its beginning.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn begin(path: &Path, from_the_beginning: bool) -> io::Result<Self> {
        fs::read_dir(path)?;
        let mut follower = Self { path: path.to_owned(), places: BTreeMap::new() };
        for folder in folder::numbered(path) {
            let bases = bases(&folder)?;
            let base = if from_the_beginning { bases.first() } else { bases.last() };
            if let Some(mut place) = base.and_then(|base| Place::open(&folder, *base).transpose()).transpose()? {
                if !from_the_beginning {
                    place.skip()?;
                }
                follower.places.insert(folder, place);
            }
        }
        Ok(follower)
    }

    /// What has been written since, in the order of each log.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn read(&mut self) -> io::Result<Vec<Record>> {
        let mut records = Vec::new();
        for folder in folder::numbered(&self.path) {
            if !self.places.contains_key(&folder) {
                let Some(&base) = bases(&folder)?.first() else { continue };
                let Some(place) = Place::open(&folder, base)? else { continue };
                self.places.insert(folder.clone(), place);
            }
            let place = self.places.get_mut(&folder).expect("it is there by now");
            loop {
                place.read(&mut records)?;
                // a segment that is followed by another one is whole
                let next = bases(&folder)?.into_iter().find(|base| *base > place.base);
                let Some(next) = next else { break };
                place.read(&mut records)?;
                let Some(opened) = Place::open(&folder, next)? else { break };
                *place = opened;
            }
        }
        Ok(records)
    }
}

impl Place {
    /// `None` when it has just been deleted.
    fn open(folder: &Path, base: u64) -> io::Result<Option<Self>> {
        match File::open(folder.join(log::name(base))) {
            Ok(segment) => Ok(Some(Self { segment, base, at: 0 })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn skip(&mut self) -> io::Result<()> {
        self.read(&mut Vec::new())
    }

    /// Every whole record from here on; one that is only half written is left for the next time.
    fn read(&mut self, records: &mut Vec<Record>) -> io::Result<()> {
        let mut most = CHUNK.max(frame::HEADER + frame::MOST);
        loop {
            let left = self.segment.metadata()?.len().saturating_sub(self.at);
            most = most.min(usize::try_from(left).unwrap_or(most));
            let mut buffer = vec![0; most];
            let length = self.segment.read_at(&mut buffer, self.at)?;
            buffer.truncate(length);
            let buffer = Bytes::from(buffer);
            let mut offset = 0;
            while let Found::Frame(found) = Frame::read(&buffer[offset..]) {
                let bytes = buffer.slice_ref(found.record);
                offset += found.size();
                let end = self.base + self.at + offset as u64;
                records.push(Record { kind: found.kind, millis: found.millis, bytes, end });
            }
            if offset == 0 {
                return Ok(());
            }
            self.at += offset as u64;
        }
    }
}

/// Where the segments of a log begin, in their order.
fn bases(folder: &Path) -> io::Result<Vec<u64>> {
    let names = fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut bases: Vec<u64> = names.filter_map(|name| name.strip_suffix(".log")?.parse().ok()).collect();
    bases.sort_unstable();
    Ok(bases)
}
