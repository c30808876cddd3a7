//! Pages of a mapped file, one for each request under way.
//!
//! A page is exclusively its request's from [`Slots::take`] until the writer has copied it to the log. The last one given
//! back is the first one taken, so that only as many pages are in memory as requests were under way at once.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering, compiler_fence},
    },
    thread::Thread,
    time::SystemTime,
};

use super::{MOST_BEGINNING, NoTicket, map::map};

/// Only the part of a page that is written to takes memory.
pub(super) const PAGE: usize = 8 << 10;
pub(super) const HEADER: usize = 32;
/// The file grows by so many pages at a time.
const STEP: usize = 512;

const OPEN: u32 = 1;
const DONE: u32 = 2;

/// The header of a page: state, length of the beginning, length of the whole, their checksums, ticket.
#[derive(Debug, Clone, Copy)]
struct Header {
    state: u32,
    beginning: u32,
    whole: u32,
    beginning_sum: u32,
    whole_sum: u32,
    ticket: u64,
}

/// A page.
#[derive(Debug)]
pub(super) struct Page(&'static mut [u8]);

impl Page {
    fn open(&mut self, ticket: u64, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<()> {
        let beginning = write(&mut self.0[HEADER..HEADER + MOST_BEGINNING])?;
        let sum = checksum(ticket, &self.0[HEADER..HEADER + beginning]);
        let beginning = beginning as u32;
        let header = Header { state: OPEN, beginning, whole: 0, beginning_sum: sum, whole_sum: 0, ticket };
        self.set(header);
        Some(())
    }

    /// Answers ticket and length of the whole.
    fn finish(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<(u64, usize)> {
        let header = self.header();
        let from = HEADER + header.beginning as usize;
        let whole = header.beginning + write(&mut self.0[from..])? as u32;
        // the checksum of the whole goes on where that of the beginning ended
        let mut hasher = crc32fast::Hasher::new_with_initial(header.beginning_sum);
        hasher.update(&self.0[from..HEADER + whole as usize]);
        let whole_sum = hasher.finalize();
        self.set(Header { state: DONE, whole, whole_sum, ..header });
        Some((header.ticket, whole as usize))
    }

    /// The first bytes of its record.
    fn record(&self, length: usize) -> &[u8] {
        &self.0[HEADER..HEADER + length]
    }

    fn header(&self) -> Header {
        read_header(self.0)
    }

    /// The state goes last: what a killed process was still writing is not believed, by its state or by its checksum.
    fn set(&mut self, header: Header) {
        self.0[4..8].copy_from_slice(&header.beginning.to_le_bytes());
        self.0[8..12].copy_from_slice(&header.whole.to_le_bytes());
        self.0[12..16].copy_from_slice(&header.beginning_sum.to_le_bytes());
        self.0[16..20].copy_from_slice(&header.whole_sum.to_le_bytes());
        self.0[24..32].copy_from_slice(&header.ticket.to_le_bytes());
        compiler_fence(Ordering::Release);
        self.0[..4].copy_from_slice(&header.state.to_le_bytes());
        compiler_fence(Ordering::Release);
    }

    fn clear(&mut self) {
        self.0[..4].copy_from_slice(&0_u32.to_le_bytes());
        compiler_fence(Ordering::Release);
        self.0[12..20].copy_from_slice(&[0; 8]);
        compiler_fence(Ordering::Release);
    }
}

/// A page whose request is over. Ticket and length are beside it: to read them in the page would be to wait for another core's
/// memory, once for each.
#[derive(Debug)]
pub(super) struct Done {
    pub page: Page,
    pub ticket: u64,
    length: usize,
}

impl Done {
    pub fn record(&self) -> &[u8] {
        self.page.record(self.length)
    }
}

/// What a page of a process that is gone says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Left<'a> {
    Nothing,
    /// Its request was under way.
    Open {
        ticket: u64,
        beginning: &'a [u8],
    },
    Done {
        ticket: u64,
        record: &'a [u8],
    },
}

pub(super) fn left(page: &[u8]) -> Left<'_> {
    if page.len() < PAGE {
        return Left::Nothing;
    }
    let Header { state, beginning, whole, beginning_sum, whole_sum, ticket } = read_header(page);
    let part = |length: u32, sum: u32| {
        let part = page[HEADER..].get(..length as usize)?;
        (checksum(ticket, part) == sum).then_some(part)
    };
    if state != OPEN && state != DONE {
        return Left::Nothing;
    }
    match (part(whole, whole_sum).filter(|_| state == DONE), part(beginning, beginning_sum)) {
        (Some(record), _) => Left::Done { ticket, record },
        (None, Some(beginning)) => Left::Open { ticket, beginning },
        (None, None) => Left::Nothing,
    }
}

fn read_header(page: &[u8]) -> Header {
    let word = |at: usize| u32::from_le_bytes(page[at..at + 4].try_into().expect("four bytes"));
    let ticket = u64::from_le_bytes(page[24..32].try_into().expect("eight bytes"));
    Header { state: word(0), beginning: word(4), whole: word(8), beginning_sum: word(12), whole_sum: word(16), ticket }
}

fn checksum(ticket: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&ticket.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// All pages.
#[derive(Debug)]
pub(super) struct Slots {
    free: Mutex<Free>,
    done: Mutex<Vec<Done>>,
    /// Distinct for every request of every process that has used the folder.
    next_ticket: AtomicU64,
    most: usize,
    /// The end of a record that has none of its own.
    interrupted: Box<[u8]>,
    /// The writer, while it sleeps without a date.
    sleeper: Mutex<Option<Thread>>,
    sleeps: AtomicBool,
}

#[derive(Debug)]
struct Free {
    pages: Vec<Page>,
    made: usize,
    file: File,
}

impl Slots {
    /// A new file with room for the first requests.
    pub fn create(path: &Path, most: usize, interrupted: &[u8]) -> io::Result<Self> {
        let file = File::options().create(true).truncate(true).read(true).write(true).open(path)?;
        let mut free = Free { pages: Vec::new(), made: 0, file };
        free.grow(most)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Self {
            free: Mutex::new(free),
            done: Mutex::default(),
            next_ticket: AtomicU64::new(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2)),
            most,
            interrupted: interrupted.into(),
            sleeper: Mutex::default(),
            sleeps: false.into(),
        })
    }

    pub fn take(self: &Arc<Self>, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Result<Ticket, NoTicket> {
        let mut page = self.free().take(self.most).ok_or(NoTicket::Busy)?;
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        match page.open(ticket, write) {
            Some(()) => Ok(Ticket { page: Some(page), slots: self.clone() }),
            None => {
                self.free().pages.push(page);
                Err(NoTicket::TooLong)
            }
        }
    }

    /// A ticket's number for what needs no page.
    pub fn number(&self) -> u64 {
        self.next_ticket.fetch_add(1, Ordering::Relaxed)
    }

    /// What has been finished since, in exchange for an empty list.
    pub fn finished(&self, empty: &mut Vec<Done>) {
        std::mem::swap(empty, &mut self.done.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// These are in the log.
    pub fn give_back(&self, written: &mut Vec<Done>) {
        written.iter_mut().for_each(|done| done.page.clear());
        self.free().pages.extend(written.drain(..).map(|done| done.page));
    }

    /// Requests that hold a page.
    pub fn open(&self) -> usize {
        let free = self.free();
        free.made - free.pages.len()
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, done: Done) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(done);
        self.wake();
    }

    pub fn wake(&self) {
        if self.sleeps.load(Ordering::SeqCst) && self.sleeps.swap(false, Ordering::SeqCst) {
            let sleeper = self.sleeper.lock().unwrap_or_else(PoisonError::into_inner).take();
            sleeper.inspect(Thread::unpark);
        }
    }

    /// The writer sleeps until something is finished, or it is woken for what `is_wanted` sees: whoever brings that about wakes it
    /// afterwards.
    pub fn sleep(&self, is_wanted: impl FnOnce() -> bool) {
        *self.sleeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current());
        self.sleeps.store(true, Ordering::SeqCst);
        // looked only now: what came before finds nobody asleep, and does not wake
        let nothing = self.done.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if nothing && !is_wanted() {
            std::thread::park();
        }
        self.sleeps.store(false, Ordering::SeqCst);
    }
}

impl Free {
    fn take(&mut self, most: usize) -> Option<Page> {
        if self.pages.is_empty() && self.made < most {
            let grown = self.grow(most);
            if let Err(error) = grown {
                tracing::warn!(%error, "no more room for requests under way");
            }
        }
        self.pages.pop()
    }

    /// The blocks are allocated now, so that no later write into the mapping can fail.
    fn grow(&mut self, most: usize) -> io::Result<()> {
        let many = STEP.min(most - self.made);
        let (offset, length) = ((self.made * PAGE) as u64, many * PAGE);
        allocate(&self.file, offset, length as u64)?;
        let pages = map(&self.file, offset, length)?.chunks_exact_mut(PAGE).map(Page);
        self.pages.extend(pages.rev());
        self.made += many;
        Ok(())
    }
}

fn allocate(file: &File, offset: u64, length: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), offset, length) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let zeros = [0; PAGE];
            (0..length / PAGE as u64).try_for_each(|page| file.write_all_at(&zeros, offset + page * PAGE as u64))
        }
        other => Ok(other?),
    }
}

/// A request's page. One that is dropped without an end is recorded as interrupted.
#[derive(Debug)]
pub struct Ticket {
    page: Option<Page>,
    slots: Arc<Slots>,
}

impl Ticket {
    /// Completes the record with what `write` writes; where that does not fit it ends as interrupted.
    pub fn finish(mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) {
        self.end(write);
    }

    fn end(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) {
        let Some(mut page) = self.page.take() else { return };
        let interrupted = &self.slots.interrupted;
        let finished = page.finish(write).or_else(|| page.finish(|out| copy(interrupted, out)));
        let (ticket, length) = finished.expect("it is far shorter than what is left behind the longest beginning");
        self.slots.done(Done { page, ticket, length });
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.end(|_| None);
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> Option<usize> {
    to.get_mut(..from.len())?.copy_from_slice(from);
    Some(from.len())
}
