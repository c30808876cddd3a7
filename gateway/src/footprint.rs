//! What the start has used of the program's code and nothing will use again goes out of memory.
//!
//! Reading a configuration, building tables and the document of the interface takes some nine megabytes of code, for once.
//! Mapped pages of a file that nobody writes to are the kernel's to read again: what requests use comes back with the first
//! of them.

use std::{env, fs, io};

use rustix::mm::{Advice, madvise};

/// Lets go of this program's code. What of it is run next is read again, from the page cache most likely.
///
/// # Errors
/// When the system does not say where the code is, or does not take it back; then nothing has changed.
pub fn release_code() -> io::Result<()> {
    let program = env::current_exe()?;
    let maps = fs::read_to_string("/proc/self/maps")?;
    for (start, length) in code(&maps, &program.to_string_lossy()) {
        release(start, length)?;
    }
    Ok(())
}

/// Where a file is mapped as code, and how long that is: <https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html>.
fn code<'a>(maps: &'a str, file: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
    maps.lines().filter_map(move |line| {
        let (addresses, rest) = line.split_once(' ')?;
        if !rest.starts_with("r-xp ") || !rest.ends_with(file) {
            return None;
        }
        let (start, end) = addresses.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        let (start, end) = (address(start)?, address(end)?);
        Some((start, end.checked_sub(start)?))
    })
}

#[expect(unsafe_code, reason = "no type says of an address that nothing but code is there")]
fn release(start: usize, length: usize) -> io::Result<()> {
    // SAFETY: the pages are a private mapping of a file that cannot be written to while it runs (ETXTBSY), and cannot be
    // written to themselves (`r-xp`), so that none differs from the file: reading one again gives the same bytes.
    let released = unsafe { madvise(std::ptr::without_provenance_mut(start), length, Advice::LinuxDontNeed) };
    released.map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_the_program_itself_is_let_go() {
        let maps = "\
            5600-5700 r--p 00000000 fe:00 12 /usr/bin/prism\n\
            5700-7700 r-xp 00001000 fe:00 12 /usr/bin/prism\n\
            7700-7800 r--p 00003000 fe:00 12 /usr/bin/prism\n\
            7800-7900 rw-p 00004000 fe:00 12 /usr/bin/prism\n\
            9000-9900 r-xp 00000000 fe:00 34 /usr/lib/libc.so.6\n\
            a000-a100 r-xp 00000000 00:00 0 [vdso]\n";
        let found: Vec<_> = code(maps, "/usr/bin/prism").collect();
        assert_eq!(found, [(0x5700, 0x2000)]);
    }

    #[test]
    fn a_program_whose_code_was_let_go_runs_on() {
        release_code().unwrap();
        assert_eq!(format!("{:?}", [1, 2, 3]), "[1, 2, 3]");
    }
}
