//! A page of a mapped file, which belongs to one request: what a killed process leaves of it says how far the request had come.

use std::sync::atomic::{Ordering, compiler_fence};

use super::MOST_BEGINNING;

/// Only the part of a page that is written to takes memory. No power of two: the beginnings of all pages, which is what most records
/// need of them, would share the few places that a processor's cache has for such addresses.
pub(super) const PAGE: usize = (8 << 10) + 256;
pub(super) const HEADER: usize = 32;
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
pub(super) struct Page(pub &'static mut [u8]);

impl Page {
    /// Begins it; `None` when that does not fit.
    pub fn open(&mut self, ticket: u64, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<()> {
        let beginning = write(&mut self.0[HEADER..HEADER + MOST_BEGINNING])?;
        let sum = checksum(ticket, &self.0[HEADER..HEADER + beginning]);
        let beginning = beginning as u32;
        let header = Header { state: OPEN, beginning, whole: 0, beginning_sum: sum, whole_sum: 0, ticket };
        self.set(header);
        Some(())
    }

    /// Completes what it began with. Answers ticket and length of the whole.
    pub fn finish(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<(u64, u32)> {
        let header = self.header();
        let from = HEADER + header.beginning as usize;
        let whole = header.beginning + write(&mut self.0[from..])? as u32;
        // the checksum of the whole goes on where that of the beginning ended
        let mut hasher = crc32fast::Hasher::new_with_initial(header.beginning_sum);
        hasher.update(&self.0[from..HEADER + whole as usize]);
        let whole_sum = hasher.finalize();
        self.set(Header { state: DONE, whole, whole_sum, ..header });
        Some((header.ticket, whole))
    }

    /// The first bytes of its record.
    pub fn record(&self, length: usize) -> &[u8] {
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

    pub fn clear(&mut self) {
        self.0[..4].copy_from_slice(&0_u32.to_le_bytes());
        compiler_fence(Ordering::Release);
        self.0[12..20].copy_from_slice(&[0; 8]);
        compiler_fence(Ordering::Release);
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
