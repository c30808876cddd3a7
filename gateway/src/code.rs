//! What the start has read of the program and nothing needs any more is given back to the system.
//!
//! Starting runs through most of the binary once (the command line, the configuration, every actor's beginning), and the
//! kernel maps 64 KiB around each page that is touched. Of the twelve megabytes that stay mapped, requests need a half.

use std::ops::Range;

/// Lets go of all of it. What is needed again comes back page by page from the system's cache of files, each in a
/// microsecond.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the mappings are the loader's, of which no type tells")]
pub fn forget() {
    use rustix::mm::{Advice, madvise};

    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for Range { start, end } in read_only(&maps) {
        // SAFETY: code, and the constants that lie before it, are private mappings of files that are never written to: they
        // hold nothing that the file does not, and the kernel may drop and read their pages at any time without being asked.
        let _ = unsafe { madvise(start as *mut std::ffi::c_void, end - start, Advice::LinuxDontNeed) };
    }
}

#[cfg(not(target_os = "linux"))]
pub fn forget() {}

/// The addresses of code from files, and of what of the same file is mapped before it: that is constants. What cannot be
/// written to and comes behind it may be addresses that the loader has filled in.
fn read_only(maps: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut before: Option<Mapping<'_>> = None;
    for this in maps.lines().filter_map(mapping) {
        if this.access == "r-xp" && this.inode != "0" {
            let constants = before.filter(|last| last.access == "r--p" && last.inode == this.inode);
            found.extend(constants.map(|constants| constants.range));
            found.push(this.range.clone());
        }
        before = Some(this);
    }
    found
}

/// One of `/proc/self/maps`' lines.
struct Mapping<'a> {
    range: Range<usize>,
    access: &'a str,
    inode: &'a str,
}

fn mapping(line: &str) -> Option<Mapping<'_>> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let (access, inode) = (words.next()?, words.nth(2)?);
    let address = |text: &str| usize::from_str_radix(text, 16).ok();
    Some(Mapping { range: address(start)?..address(end)?, access, inode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_has_written_to_is_given_back() {
        let maps = "\
5000-5010 r--p 00000000 fe:00 1234                       /usr/bin/prism
5010-5050 r-xp 00010000 fe:00 1234                       /usr/bin/prism
5050-5060 r--p 00050000 fe:00 1234                       /usr/bin/prism
5060-5070 rw-p 00060000 fe:00 1234                       /usr/bin/prism
6000-6010 r--p 00000000 fe:00 77                         /usr/share/zoneinfo
7000-7010 r-xp 00000000 fe:00 88                         /usr/lib/libc.so.6
7010-
7ffd-7ffe r--p 00000000 00:00 0                          [vvar]
7ffe-7fff r-xp 00000000 00:00 0                          [vdso]
";
        assert_eq!(read_only(maps), [0x5000..0x5010, 0x5010..0x5050, 0x7000..0x7010]);
    }

    #[test]
    fn what_is_needed_again_is_there() {
        forget();
        assert_eq!("7".repeat(3).parse(), Ok(777));
    }
}
