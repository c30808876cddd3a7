//! The pages of requests under way, a shard of them for each thread that serves requests, so that none waits for another's lock or
//! memory.
//!
//! A page is exclusively its request's from [`Slots::take`] until the writer has copied it to the log. The last one given
//! back is the first one taken, so that only as many pages are in memory as requests were under way at once.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{Thread, available_parallelism},
    time::SystemTime,
};

use super::{
    NoTicket,
    map::map,
    page::{PAGE, Page},
};

/// The file grows by so many pages at a time.
const STEP: usize = 512;
/// A shard that has no page takes so many.
const HANDFUL: usize = 32;

thread_local! {
    /// Which shard this thread takes its pages from, if there are enough of them.
    static SHARD: usize = {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        THREADS.fetch_add(1, Ordering::Relaxed)
    };
}

/// A page whose request is over. Ticket and length are beside it: to read them in the page would be to wait for another core's
/// memory, once for each.
#[derive(Debug)]
pub(super) struct Done {
    page: Page,
    pub ticket: u64,
    length: u32,
    /// Where the page is from.
    shard: u32,
}

impl Done {
    pub fn record(&self) -> &[u8] {
        self.page.record(self.length as usize)
    }
}

/// All pages.
#[derive(Debug)]
pub(super) struct Slots {
    shards: Box<[Arc<Shard>]>,
    reserve: Mutex<Reserve>,
    most: usize,
    shared: Arc<Shared>,
}

/// What all shards have in common.
#[derive(Debug)]
struct Shared {
    /// The end of a record that has none of its own.
    interrupted: Box<[u8]>,
    /// The writer, while it sleeps without a date.
    sleeper: Mutex<Option<Thread>>,
    sleeps: AtomicBool,
}

/// Alone in its cache lines: two of them, which processors fetch together.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    pages: Mutex<Pages>,
    number: u32,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Pages {
    free: Vec<Page>,
    done: Vec<Done>,
    /// Distinct for every request of every process that has used the folder.
    next_ticket: u64,
}

/// Pages that no shard has yet.
#[derive(Debug)]
struct Reserve {
    pages: Vec<Page>,
    made: usize,
    file: File,
}

impl Slots {
    /// A new file with room for the first requests.
    pub fn create(path: &Path, most: usize, interrupted: &[u8]) -> io::Result<Self> {
        let file = File::options().create(true).truncate(true).read(true).write(true).open(path)?;
        let mut reserve = Reserve { pages: Vec::new(), made: 0, file };
        reserve.grow(most)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let first_ticket = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2);
        let shared =
            Arc::new(Shared { interrupted: interrupted.into(), sleeper: Mutex::default(), sleeps: false.into() });
        let many = available_parallelism().map_or(1, usize::from) as u32;
        let shard = |number| {
            let next_ticket = first_ticket + u64::from(number);
            let pages = Pages { free: Vec::new(), done: Vec::new(), next_ticket };
            Arc::new(Shard { pages: Mutex::new(pages), number, shared: shared.clone() })
        };
        Ok(Self { shards: (0..many).map(shard).collect(), reserve: Mutex::new(reserve), most, shared })
    }

    pub fn take(&self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Result<Ticket, NoTicket> {
        let shard = self.shard();
        let (page, ticket) = {
            let mut pages = shard.pages();
            (pages.free.pop(), self.number_in(&mut pages))
        };
        let mut page = page.or_else(|| self.find(shard)).ok_or(NoTicket::Busy)?;
        match page.open(ticket, write) {
            Some(()) => Ok(Ticket { page: Some(page), shard: shard.clone() }),
            None => {
                shard.pages().free.push(page);
                Err(NoTicket::TooLong)
            }
        }
    }

    fn shard(&self) -> &Arc<Shard> {
        &self.shards[SHARD.with(|number| number % self.shards.len())]
    }

    /// Of those that no shard has, or else of those that another does not use.
    fn find(&self, shard: &Shard) -> Option<Page> {
        let mut some = self.reserve().take(self.most);
        let page = some.pop().or_else(|| self.shards.iter().find_map(|other| other.pages().free.pop()));
        shard.pages().free.append(&mut some);
        page
    }

    /// A ticket's number for what needs no page.
    pub fn number(&self) -> u64 {
        self.number_in(&mut self.shard().pages())
    }

    fn number_in(&self, pages: &mut Pages) -> u64 {
        let number = pages.next_ticket;
        pages.next_ticket += self.shards.len() as u64;
        number
    }

    /// Adds what has been finished since.
    pub fn finished(&self, to: &mut Vec<Done>) {
        for shard in &self.shards {
            to.append(&mut shard.pages().done);
        }
    }

    /// These are in the log.
    pub fn give_back(&self, written: &mut Vec<Done>) {
        written.iter_mut().for_each(|done| done.page.clear());
        while let Some(number) = written.last().map(|done| done.shard) {
            let from = written.iter().rposition(|done| done.shard != number).map_or(0, |other| other + 1);
            let pages = written.drain(from..).map(|done| done.page);
            self.shards[number as usize].pages().free.extend(pages);
        }
    }

    /// Pages that requests hold, and pages there are.
    pub fn open(&self) -> (usize, usize) {
        let free: usize = self.shards.iter().map(|shard| shard.pages().free.len()).sum();
        let reserve = self.reserve(); // only now: what has left it since is taken to be in use
        (reserve.made - reserve.pages.len() - free, reserve.made)
    }

    fn reserve(&self) -> MutexGuard<'_, Reserve> {
        self.reserve.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn wake(&self) {
        self.shared.wake();
    }

    /// The writer sleeps until something is finished, or it is woken for what `is_wanted` sees: whoever brings that about wakes it
    /// afterwards.
    pub fn sleep(&self, is_wanted: impl FnOnce() -> bool) {
        *self.shared.sleeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current());
        self.shared.sleeps.store(true, Ordering::SeqCst);
        // looked only now: what came before finds nobody asleep, and does not wake
        let nothing = self.shards.iter().all(|shard| shard.pages().done.is_empty());
        if nothing && !is_wanted() {
            std::thread::park();
        }
        self.shared.sleeps.store(false, Ordering::SeqCst);
    }
}

impl Shared {
    fn wake(&self) {
        if self.sleeps.load(Ordering::SeqCst) && self.sleeps.swap(false, Ordering::SeqCst) {
            let sleeper = self.sleeper.lock().unwrap_or_else(PoisonError::into_inner).take();
            sleeper.inspect(Thread::unpark);
        }
    }
}

impl Shard {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reserve {
    /// A handful of pages; none when all are in use.
    fn take(&mut self, most: usize) -> Vec<Page> {
        if self.pages.is_empty() && self.made < most {
            let grown = self.grow(most);
            if let Err(error) = grown {
                tracing::warn!(%error, "no more room for requests under way");
            }
        }
        self.pages.split_off(self.pages.len().saturating_sub(HANDFUL))
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
    shard: Arc<Shard>,
}

impl Ticket {
    /// Completes the record with what `write` writes; where that does not fit it ends as interrupted.
    pub fn finish(mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) {
        self.end(write);
    }

    fn end(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) {
        let Some(mut page) = self.page.take() else { return };
        let Shard { number, shared, .. } = &*self.shard;
        let finished = page.finish(write).or_else(|| page.finish(|out| copy(&shared.interrupted, out)));
        let (ticket, length) = finished.expect("it is far shorter than what is left behind the longest beginning");
        self.shard.pages().done.push(Done { page, ticket, length, shard: *number });
        shared.wake();
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
