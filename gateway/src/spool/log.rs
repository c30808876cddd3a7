//! An append-only log in segments, each named by the position of its first byte. Consumers keep cursors; what every one of
//! them has passed is deleted.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::{Bytes, BytesMut};
use tokio::sync::watch;

use super::{
    folder::Folder,
    frame::{self, Found, Frame, Kind},
};

/// A segment that has reached this is followed by a new one.
const SEGMENT: u64 = 8 << 20;

/// One process's log.
pub struct Log {
    path: PathBuf,
    /// Locked for as long as anybody reads or writes.
    _folder: Option<Folder>,
    inner: Mutex<Inner>,
    /// Up to where there is something to read: whatever stands there is in the kernel's hands, and no page holds it any more.
    announced: watch::Sender<u64>,
}

struct Inner {
    segments: VecDeque<Segment>,
    active: File,
    cursors: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    /// Position of its first byte.
    base: u64,
    length: u64,
}

impl Segment {
    fn end(self) -> u64 {
        self.base + self.length
    }
}

/// What a consumer reads.
#[derive(Debug, Clone)]
pub struct Record {
    pub kind: Kind,
    /// When it was written, in milliseconds since 1970.
    pub millis: u64,
    pub bytes: Bytes,
    /// The position behind it: whoever is done with it and all before it releases up to there.
    pub end: u64,
}

impl Log {
    /// Opens what is there; a torn end, as a loss of power leaves it, is cut off.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut segments = VecDeque::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            let base = name.to_str().and_then(|name| name.strip_suffix(".log")?.parse().ok());
            if let Some(base) = base {
                segments.push_back(Segment { base, length: entry.metadata()?.len() });
            }
        }
        segments.make_contiguous().sort_unstable_by_key(|segment| segment.base);
        if segments.is_empty() {
            segments.push_back(Segment { base: 0, length: 0 });
        }
        let last = segments.back_mut().expect("one at least");
        let active = open_segment(path, last.base)?;
        last.length = whole(&active)?;
        active.set_len(last.length)?;
        let end = last.end();
        let inner = Inner { segments, active, cursors: BTreeMap::new() };
        Ok(Self { path: path.to_owned(), _folder: None, inner: Mutex::new(inner), announced: watch::Sender::new(end) })
    }

    pub(super) fn kept_by(self, folder: Folder) -> Self {
        Self { _folder: Some(folder), ..self }
    }

    /// Appends whole frames, or nothing of them.
    pub(super) fn append(&self, frames: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        let last = *inner.segments.back().expect("one at least");
        if last.length >= SEGMENT {
            inner.active.sync_data()?;
            inner.active = open_segment(&self.path, last.end())?;
            inner.segments.push_back(Segment { base: last.end(), length: 0 });
        }
        let length = inner.segments.back().expect("one at least").length;
        if let Err(error) = inner.active.write_all_at(frames, length) {
            let _ = inner.active.set_len(length);
            return Err(error);
        }
        inner.segments.back_mut().expect("one at least").length += frames.len() as u64;
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        let active = self.inner().active.try_clone()?;
        active.sync_data()
    }

    /// What has been appended may be read.
    pub(super) fn announce(&self) {
        let end = self.inner().segments.back().expect("one at least").end();
        self.announced.send_if_modified(|announced| std::mem::replace(announced, end) != end);
    }

    /// The tickets of everything that is still in the log.
    pub(super) fn tickets(&self) -> HashSet<u64> {
        let mut found = HashSet::new();
        for segment in self.inner().segments.clone() {
            let mut bytes = Vec::new();
            let read = open_segment(&self.path, segment.base).and_then(|mut file| file.read_to_end(&mut bytes));
            let mut rest = &bytes[..];
            while let (Ok(_), Found::Frame(frame)) = (&read, Frame::read(rest)) {
                found.insert(frame.ticket);
                rest = &rest[frame.size()..];
            }
        }
        found
    }

    /// The oldest segment goes, read or not. Answers how many records were still waiting in it; `None` when it is the only one.
    pub(super) fn drop_oldest(&self) -> Option<u64> {
        let mut inner = self.inner();
        if inner.segments.len() < 2 {
            return None;
        }
        let oldest = inner.segments.pop_front()?;
        let unread = inner.cursors.values().min().map_or(oldest.base, |cursor| *cursor).max(oldest.base);
        let mut bytes = Vec::new();
        let path = self.path.join(name(oldest.base));
        let _ = File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes));
        let mut rest = bytes.get(usize::try_from(unread - oldest.base).unwrap_or(0)..).unwrap_or_default();
        let mut lost = 0;
        while let Found::Frame(frame) = Frame::read(rest) {
            lost += 1;
            rest = &rest[frame.size()..];
        }
        let _ = fs::remove_file(path);
        Some(if inner.cursors.is_empty() { 0 } else { lost })
    }

    /// The name of its folder: under it a consumer can file how far it has got.
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Bytes on disk.
    pub fn size(&self) -> u64 {
        self.inner().segments.iter().map(|segment| segment.length).sum()
    }

    /// Nothing waits for anybody.
    pub fn is_empty(&self) -> bool {
        let inner = self.inner();
        let end = inner.segments.back().expect("one at least").end();
        let start = inner.segments.front().expect("one at least").base;
        inner.cursors.values().min().copied().unwrap_or(start) >= end
    }

    /// Somebody reads it.
    pub(super) fn is_read(&self) -> bool {
        !self.inner().cursors.is_empty()
    }

    /// Bytes that a consumer has not released.
    pub fn backlog(&self, consumer: &str) -> u64 {
        let inner = self.inner();
        let end = inner.segments.back().expect("one at least").end();
        inner.cursors.get(consumer).map_or(0, |cursor| end.saturating_sub(*cursor))
    }

    /// Begins where the consumer of that name has got to; from now on nothing that it has not released is deleted.
    ///
    /// # Errors
    /// When its cursor cannot be read.
    pub fn reader(self: &Arc<Self>, consumer: &'static str) -> io::Result<Reader> {
        let mut inner = self.inner();
        let (start, end) =
            (inner.segments.front().expect("one at least").base, inner.segments.back().expect("one at least").end());
        let at = read_cursor(&self.cursor(consumer))?.unwrap_or(start).clamp(start, end);
        inner.cursors.insert(consumer, at);
        drop(inner);
        let (buffer, announced) = (BytesMut::new(), self.announced.subscribe());
        Ok(Reader { log: self.clone(), consumer, at, segment: None, buffer, announced })
    }

    /// The consumer will not ask for anything before `position` again.
    ///
    /// # Errors
    /// When that cannot be written down: it would be asked again after a restart.
    pub fn release(&self, consumer: &'static str, position: u64) -> io::Result<()> {
        write_cursor(&self.cursor(consumer), position)?;
        let mut inner = self.inner();
        let cursor = inner.cursors.entry(consumer).or_insert(position);
        *cursor = position.max(*cursor);
        let passed = inner.cursors.values().min().copied().unwrap_or(0);
        while inner.segments.len() > 1 && inner.segments[0].end() <= passed {
            let base = inner.segments.pop_front().expect("more than one").base;
            fs::remove_file(self.path.join(name(base)))?;
        }
        Ok(())
    }

    /// Where the consumer of that name has written down that it is; nothing is kept for it on that account.
    ///
    /// # Errors
    /// When its cursor cannot be read.
    pub fn released(&self, consumer: &str) -> io::Result<Option<u64>> {
        read_cursor(&self.cursor(consumer))
    }

    /// The consumer of that name has gone: nothing is kept for it any more. It can come back.
    pub fn dismiss(&self, consumer: &str) {
        self.inner().cursors.remove(consumer);
    }

    fn cursor(&self, consumer: &str) -> PathBuf {
        self.path.join(format!("{consumer}.cursor"))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One consumer's way through one log.
pub struct Reader {
    log: Arc<Log>,
    consumer: &'static str,
    at: u64,
    segment: Option<(u64, File)>,
    /// Read into again when nobody has a record of it any more.
    buffer: BytesMut,
    announced: watch::Receiver<u64>,
}

impl Reader {
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    pub fn position(&self) -> u64 {
        self.at
    }

    /// Reads from there next; what was not released can be read again.
    pub fn seek(&mut self, position: u64) {
        self.at = position;
        self.segment = None;
    }

    /// Waits until there is something to read. Cancel safe.
    pub async fn ready(&mut self) {
        let at = self.at;
        // the log lives as long as this does, so its sender does
        let _ = self.announced.wait_for(|end| *end > at).await;
    }

    /// Where the log ends now.
    pub fn end(&self) -> u64 {
        *self.announced.borrow()
    }

    /// Everything is read that may be.
    pub fn is_at_end(&self) -> bool {
        self.at >= self.end()
    }

    /// The next records, about `most` bytes of them at the most; none at the end. What is damaged is passed over, up to the
    /// next segment, and said in the log. Reads a file: not for a thread that must not wait.
    ///
    /// # Errors
    /// When a segment cannot be read.
    pub fn read(&mut self, most: usize) -> io::Result<Vec<Record>> {
        let announced = *self.announced.borrow();
        let Some(segment) = self.here(announced)? else {
            self.buffer = BytesMut::new();
            return Ok(Vec::new());
        };
        let (_, file) = self.segment.as_ref().expect("`here` has opened it");
        let until = segment.end().min(announced);
        let most = most.max(frame::HEADER + frame::MOST) as u64;
        self.buffer.clear();
        self.buffer.resize(usize::try_from((until - self.at).min(most)).unwrap_or(0), 0);
        file.read_exact_at(&mut self.buffer, self.at - segment.base)?;
        let buffer = self.buffer.split().freeze();
        let (mut records, mut offset) = (Vec::new(), 0);
        loop {
            match Frame::read(&buffer[offset..]) {
                Found::Frame(frame) => {
                    let bytes = buffer.slice_ref(frame.record);
                    let (kind, millis) = (frame.kind, frame.millis);
                    offset += frame.size();
                    self.at += frame.size() as u64;
                    records.push(Record { kind, millis, bytes, end: self.at });
                }
                Found::Partial if offset > 0 || buffer.is_empty() => return Ok(records),
                // what is announced is whole: a frame that ends nowhere is damage too
                Found::Partial | Found::Damaged => {
                    tracing::error!(
                        segment = segment.base,
                        position = self.at,
                        "the usage spool is damaged here; going on with the next segment"
                    );
                    self.seek(until);
                    return Ok(records);
                }
            }
        }
    }

    /// Everything before `position` is done with.
    ///
    /// # Errors
    /// See [`Log::release`].
    pub fn release(&self, position: u64) -> io::Result<()> {
        self.log.release(self.consumer, position)
    }

    /// The segment of the present position, opened; what has been dropped meanwhile is passed over.
    fn here(&mut self, announced: u64) -> io::Result<Option<Segment>> {
        let inner = self.log.inner();
        self.at = self.at.max(inner.segments.front().expect("one at least").base);
        let found = inner.segments.iter().find(|segment| segment.end() > self.at).copied();
        drop(inner);
        let Some(segment) = found.filter(|_| self.at < announced) else { return Ok(None) };
        if self.segment.as_ref().is_none_or(|(base, _)| *base != segment.base) {
            self.segment = Some((segment.base, File::open(self.log.path.join(name(segment.base)))?));
        }
        Ok(Some(segment))
    }
}

pub(super) fn name(base: u64) -> String {
    format!("{base:020}.log")
}

fn open_segment(path: &Path, base: u64) -> io::Result<File> {
    File::options().create(true).truncate(false).read(true).write(true).open(path.join(name(base)))
}

/// How much of a segment is whole frames.
fn whole(segment: &File) -> io::Result<u64> {
    let mut bytes = Vec::new();
    let mut segment = segment;
    segment.read_to_end(&mut bytes)?;
    let mut length = 0;
    while let Found::Frame(frame) = Frame::read(&bytes[length..]) {
        length += frame.size();
    }
    Ok(length as u64)
}

const CURSOR: usize = 12;

fn read_cursor(path: &Path) -> io::Result<Option<u64>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some((position, sum)) = bytes.first_chunk::<CURSOR>().and_then(|bytes| bytes.split_first_chunk::<8>()) else {
        return Ok(None);
    };
    Ok((crc32fast::hash(position).to_le_bytes() == sum).then_some(u64::from_le_bytes(*position)))
}

fn write_cursor(path: &Path, position: u64) -> io::Result<()> {
    let mut bytes = [0; CURSOR];
    bytes[..8].copy_from_slice(&position.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..8]);
    bytes[8..].copy_from_slice(&sum.to_le_bytes());
    File::options().create(true).truncate(false).write(true).open(path)?.write_all_at(&bytes, 0)
}
