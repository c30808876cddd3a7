//! CPU time and memory of a process, as the kernel tells them.

use std::path::Path;
use std::time::Duration;

use nix::time::clock_getcpuclockid;

use crate::trouble::{Result, Trouble};

/// CPU time that the threads of a process have used so far, those that have ended too, ns.
pub fn cpu_ns(id: u32) -> Result<u64> {
    let id = nix::unistd::Pid::from_raw(id.cast_signed());
    let time = clock_getcpuclockid(id).and_then(|clock| clock.now());
    let time = time.map_err(|error| Trouble::file("cannot read a process's clock")(error.into()))?;
    Ok(Duration::from(time).as_nanos() as u64)
}

/// Resident memory now, KiB.
pub fn rss_kib(id: u32) -> Result<u64> {
    let status = read(&format!("/proc/{id}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(value.and_then(|value| value.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0))
}

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(Path::new(path)).map_err(Trouble::file(format!("cannot read `{path}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_has_ended_is_counted() {
        let before = cpu_ns(std::process::id()).unwrap();
        let work = move || while cpu_ns(std::process::id()).unwrap() < before + 5_000_000 {};
        std::thread::spawn(work).join().unwrap();
        assert!(cpu_ns(std::process::id()).unwrap() >= before + 5_000_000);
    }

    #[test]
    fn we_have_memory_ourselves() {
        assert!(rss_kib(std::process::id()).unwrap() > 100);
    }
}
