//! CPU time and memory of a process, as the kernel tells them.

use std::path::Path;

use crate::trouble::{Result, Trouble};

/// CPU time used so far, ns: the nanosecond counts of the living threads, or the process's own clock where threads
/// have ended since. That one counts the dead too, but only in ticks of 10 ms.
#[derive(Clone, Copy)]
pub struct CpuTime {
    threads_ns: u64,
    process_ns: u64,
}

/// Two counters of ticks, each cut off: what the process's clock may be wrong by.
const COARSE_NS: u64 = 30_000_000;
/// Linux's USER_HZ is 100 on every platform we run on.
const TICK_NS: u64 = 10_000_000;

impl CpuTime {
    pub fn of(id: u32) -> Result<CpuTime> {
        let mut threads_ns = 0;
        let tasks = format!("/proc/{id}/task");
        for task in std::fs::read_dir(&tasks).map_err(Trouble::file(format!("cannot read `{tasks}`")))? {
            let Ok(task) = task else { continue };
            // A thread may end between the listing and the reading.
            let line = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            threads_ns += line.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0u64);
        }
        let stat = read(&format!("/proc/{id}/stat"))?;
        Ok(CpuTime { threads_ns, process_ns: ticks(&stat).unwrap_or(0) * TICK_NS })
    }

    pub fn since(self, earlier: CpuTime) -> u64 {
        let threads = self.threads_ns.saturating_sub(earlier.threads_ns);
        let process = self.process_ns.saturating_sub(earlier.process_ns);
        if process > threads + COARSE_NS { process } else { threads }
    }
}

/// utime + stime of `/proc/PID/stat`; the second field is a name in brackets and may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
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
    fn ticks_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 3 0 100 1000 200";
        assert_eq!(ticks(stat), Some(42));
    }

    #[test]
    fn ended_threads_are_counted_by_the_coarse_clock() {
        let at = |threads_ns, process_ns| CpuTime { threads_ns, process_ns };
        assert_eq!(at(1_005, 0).since(at(1_000, 0)), 5);
        assert_eq!(at(500, 900_000_000).since(at(1_000, 0)), 900_000_000);
    }

    #[test]
    fn we_have_memory_ourselves() {
        assert!(rss_kib(std::process::id()).unwrap() > 100);
    }
}
