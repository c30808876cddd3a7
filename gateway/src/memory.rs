//! The memory that bodies may take: one bound for the whole process, so that many large ones at once are refused instead
//! of ending it.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bytes::Bytes;

/// Bodies up to here draw nothing: they lie in the buffers that their connections have anyway, and the bound on requests
/// in progress is theirs.
pub const BESIDE: u64 = 16 << 10;
/// The share of the process's memory that bodies may take unless the configuration says otherwise; the rest is for what is
/// made of them in passing (a parsed answer) and for everything else.
const SHARE: u64 = 4;
/// Where the machine does not say how much memory there is.
const DEFAULT: u64 = 1 << 30;

/// What bodies take, and what they may take.
#[derive(Debug)]
pub struct BodyMemory {
    taken: AtomicU64,
    most: AtomicU64,
}

/// There is no room for so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the memory for bodies is used up")]
pub struct Full;

impl BodyMemory {
    /// At most so many bytes.
    pub fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { taken: AtomicU64::new(0), most: AtomicU64::new(most) })
    }

    /// For tests and tools, which hold few bodies.
    pub fn unbounded() -> Arc<Self> {
        Self::new(u64::MAX)
    }

    /// A reload may move the bound; what is taken stays.
    pub fn resize(&self, most: u64) {
        self.most.store(most, Relaxed);
    }

    /// Bytes.
    pub fn taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }

    /// Whether a body of that size would find room now.
    pub fn has_room(&self, bytes: u64) -> bool {
        bytes <= BESIDE || self.taken().saturating_add(bytes) <= self.most.load(Relaxed)
    }

    fn take(&self, bytes: u64) -> Result<(), Full> {
        let most = self.most.load(Relaxed);
        let fits = |taken: u64| taken.checked_add(bytes).filter(|taken| *taken <= most);
        self.taken.fetch_update(Relaxed, Relaxed, fits).map(drop).map_err(|_| Full)
    }
}

/// What one body has taken; its drop gives it back.
#[derive(Debug, Default)]
pub struct Share(Option<(Arc<BodyMemory>, u64)>);

impl Share {
    /// Takes so many bytes in all, or leaves the share as it is.
    ///
    /// # Errors
    /// When there is no room for them.
    pub fn grow(&mut self, memory: &Arc<BodyMemory>, to: u64) -> Result<(), Full> {
        let has = self.0.as_ref().map_or(0, |(_, bytes)| *bytes);
        if to > has && to > BESIDE {
            memory.take(to - has)?;
            match &mut self.0 {
                Some((_, bytes)) => *bytes = to,
                none => *none = Some((memory.clone(), to)),
            }
        }
        Ok(())
    }

    /// The bytes, which hold the share until the last of their clones and slices is gone.
    pub fn around(self, bytes: Bytes) -> Bytes {
        if self.0.is_none() { bytes } else { Bytes::from_owner(Held { bytes, _share: self }) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some((memory, bytes)) = &self.0 {
            memory.taken.fetch_sub(*bytes, Relaxed);
        }
    }
}

struct Held {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What bodies may take where the configuration does not say: a quarter of what the control group or the machine has.
pub fn usual() -> u64 {
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let group = limits.iter().filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok());
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    group.chain(machine).min().map_or(DEFAULT, |bytes: u64| bytes / SHARE)
}

/// `MemTotal`, in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: u64 = 100_000;

    #[test]
    fn a_share_is_given_back_when_the_last_slice_of_its_bytes_is_gone() {
        let memory = BodyMemory::new(LARGE);
        let mut share = Share::default();
        share.grow(&memory, LARGE).unwrap();
        let bytes = share.around(Bytes::from(vec![7; LARGE as usize]));
        let slice = bytes.slice(5..10);
        drop(bytes);
        assert_eq!((memory.taken(), &slice[..]), (LARGE, &[7; 5][..]));
        drop(slice);
        assert_eq!(memory.taken(), 0);
    }

    #[test]
    fn past_the_bound_nothing_is_taken_and_what_was_taken_stays() {
        let memory = BodyMemory::new(LARGE);
        let (mut one, mut other) = (Share::default(), Share::default());
        one.grow(&memory, LARGE - 20_000).unwrap();
        assert_eq!(other.grow(&memory, 20_001), Err(Full));
        assert!(!memory.has_room(20_001) && memory.has_room(20_000));
        other.grow(&memory, 20_000).unwrap();
        assert_eq!(one.grow(&memory, LARGE), Err(Full));
        assert_eq!(memory.taken(), LARGE);
        drop(one);
        other.grow(&memory, LARGE).unwrap();
        memory.resize(10);
        assert_eq!((memory.taken(), other.grow(&memory, LARGE + 1)), (LARGE, Err(Full)));
    }

    #[test]
    fn small_bodies_draw_nothing_even_when_there_is_nothing_left() {
        let memory = BodyMemory::new(0);
        let mut share = Share::default();
        share.grow(&memory, BESIDE).unwrap();
        assert!(memory.has_room(BESIDE));
        let bytes = Bytes::from_static(b"small");
        assert_eq!(share.around(bytes.clone()).as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn threads_never_take_more_than_there_is() {
        let memory = BodyMemory::new(10 * LARGE);
        let taken: usize = std::thread::scope(|scope| {
            let threads = (0..4).map(|_| {
                scope.spawn(|| {
                    let mut shares: Vec<Share> = (0..10).map(|_| Share::default()).collect();
                    let held = shares.iter_mut().filter_map(|share| share.grow(&memory, LARGE).ok()).count();
                    assert!(memory.taken() <= 10 * LARGE);
                    (held, shares)
                })
            });
            let done: Vec<_> = threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect();
            done.iter().map(|(held, _)| held).sum()
        });
        assert_eq!((taken, memory.taken()), (10, 0));
    }

    #[test]
    fn the_machine_says_how_much_there_is() {
        assert_eq!(total("MemTotal:       16306476 kB\nMemFree: 1 kB\n"), Some(16_306_476 * 1024));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert!(usual() > 0);
    }
}
