//! A page of a mapped file, which belongs to one request: what a killed process leaves of it says how far the request had come.

use std::{
    cell::Cell,
    sync::atomic::{Ordering, compiler_fence},
};

use super::{MOST_BEGINNING, MOST_RECORD};

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
        let header = aside(|beginning| {
            let length = write(&mut beginning[..MOST_BEGINNING])?;
            let beginning = &beginning[..length];
            self.0[HEADER..HEADER + length].copy_from_slice(beginning);
            let sum = checksum(ticket, beginning);
            let beginning = length as u32;
            Some(Header { state: OPEN, beginning, whole: 0, beginning_sum: sum, whole_sum: 0, ticket })
        })?;
        self.set(header);
        Some(())
    }

    /// Completes what it began with. Answers ticket and length of the whole.
    pub fn finish(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<(u64, u32)> {
        let header = self.header();
        let rest = &mut self.0[HEADER + header.beginning as usize..];
        let (length, whole_sum) = aside(|end| {
            let length = write(&mut end[..rest.len()])?;
            rest[..length].copy_from_slice(&end[..length]);
            // the checksum of the whole goes on where that of the beginning ended
            let mut hasher = crc32fast::Hasher::new_with_initial(header.beginning_sum);
            hasher.update(&end[..length]);
            Some((length as u32, hasher.finalize()))
        })?;
        let whole = header.beginning + length;
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

/// Room for what goes to a page: the page was another core's a moment ago, and who only copies to it does not wait for it.
fn aside<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    thread_local! {
        static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }
    let mut room = ROOM.try_with(Cell::take).unwrap_or_default(); // its thread may be ending
    room.resize(MOST_RECORD, 0);
    let done = work(&mut room);
    let _ = ROOM.try_with(|kept| kept.set(room));
    done
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

/// It begins with the ticket: to sum that up first would cost as much as the rest. Not with 0, of which a page that was never written to
/// would be the sum.
fn checksum(ticket: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(!((ticket ^ ticket >> 32) as u32));
    hasher.update(bytes);
    hasher.finalize()
}
