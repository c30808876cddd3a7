//! A file as memory: one of the two unsafe lines of the gateway (the other is in `code.rs`).

use std::{fs::File, io};

use memmap2::{MmapMut, MmapOptions};

/// The bytes of a file from `offset` on, for as long as the process lives. What is written there is in the kernel's hands at
/// once: it outlives the process, not the machine.
#[expect(unsafe_code, reason = "a mapped file is sound only while nobody truncates it, which no type can promise")]
pub(super) fn map(file: &File, offset: u64, length: usize) -> io::Result<&'static mut [u8]> {
    // SAFETY: the folder is locked by this process (`folder`), nothing in it is truncated while it is mapped, and its
    // blocks are allocated before (`slots`), so that a full disk cannot fail a write.
    let mapped: MmapMut = unsafe { MmapOptions::new().offset(offset).len(length).map_mut(file)? };
    Ok(&mut Box::leak(Box::new(mapped))[..])
}
