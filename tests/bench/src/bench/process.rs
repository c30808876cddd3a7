//! A child process that dies with its guard, and the cores it may use.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::http::get;
use crate::signal;
use crate::trouble::{Result, Trouble};

pub struct Process {
    pub name: String,
    pub port: u16,
    child: Child,
    /// Where its stderr goes, shown when it fails.
    output: Option<PathBuf>,
}

const READY_LIMIT: Duration = Duration::from_secs(15);
/// Who has not ended by then is killed.
const STOP_LIMIT: Duration = Duration::from_secs(5);

impl Process {
    pub fn start(name: &str, port: u16, mut command: Command, output: Option<PathBuf>) -> Result<Process> {
        let child = command.stdin(Stdio::null()).spawn();
        let child = child.map_err(|source| Trouble::Start { name: name.into(), source })?;
        Ok(Process { name: name.into(), port, child, output })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails if the process has ended, or if we are to end.
    pub fn check(&mut self) -> Result<()> {
        signal::check()?;
        match self.child.try_wait() {
            Ok(Some(status)) => {
                Err(Trouble::Ended { name: self.name.clone(), status: status.to_string(), output: self.output() })
            }
            _ => Ok(()),
        }
    }

    pub fn wait_ready(&mut self, path: &str) -> Result<()> {
        self.wait_ready_at(self.port, path)
    }

    /// Where its health is asked at a port of its own.
    pub fn wait_ready_at(&mut self, port: u16, path: &str) -> Result<()> {
        let begun = Instant::now();
        while get(port, path) != Some(200) {
            self.check()?;
            if begun.elapsed() > READY_LIMIT {
                let (name, seconds) = (self.name.clone(), READY_LIMIT.as_secs());
                return Err(Trouble::NotReady { name, seconds, output: self.output() });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The last lines it wrote, for an error message.
    pub fn output(&self) -> String {
        let text = self.output.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].iter().map(|line| format!("\n    {line}")).collect()
    }
}

/// Ends it as an operator would: what it does last (keeping what it knows, or a compiler's profile of it) belongs to it.
impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return; // its number may be somebody else's by now
        }
        let _ = rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < STOP_LIMIT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    listener.map(|addr| addr.port()).map_err(Trouble::file("no free loopback port"))
}

/// The cores this process may use, and who is put where when the proxy is to have one for itself.
pub struct Cores {
    /// The proxy's core and everyone else's; None where there are not two or `taskset` is missing: then one worker
    /// is all that keeps the proxy to one core.
    pub pinned: Option<(usize, usize)>,
    pub count: usize,
}

impl Cores {
    pub fn allowed() -> Cores {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
        let cores = parse_list(list);
        let taskset = Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        let pinned = match cores[..] {
            [first, .., last] if taskset.is_ok_and(|status| status.success()) => Some((first, last)),
            _ => None,
        };
        Cores { pinned, count: cores.len() }
    }

    /// A command for the proxy.
    pub fn proxy(&self, alone: bool, program: &Path) -> Command {
        pin(self.pinned.filter(|_| alone).map(|(proxy, _)| proxy), program)
    }

    /// A command for the mock and the load generator.
    pub fn beside(&self, alone: bool, program: &Path) -> Command {
        pin(self.pinned.filter(|_| alone).map(|(_, others)| others), program)
    }
}

/// `taskset` replaces itself by the program, so the child's id is the program's.
fn pin(core: Option<usize>, program: &Path) -> Command {
    let Some(core) = core else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args([OsStr::new("-c"), OsStr::new(&core.to_string()), program.as_os_str()]);
    command
}

/// `0-1,4` as `[0, 1, 4]`.
fn parse_list(list: &str) -> Vec<usize> {
    let span = |span: &str| {
        let (from, to) = span.split_once('-').unwrap_or((span, span));
        Some(from.trim().parse::<usize>().ok()?..=to.trim().parse().ok()?)
    };
    list.split(',').filter_map(span).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_lists_are_read_with_their_spans() {
        assert_eq!(parse_list("\t0-2,5"), [0, 1, 2, 5]);
        assert_eq!(parse_list(""), [] as [usize; 0]);
    }

    #[test]
    fn a_process_dies_with_its_guard() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let process = Process::start("sleep", 0, command, None).unwrap();
        let proc = PathBuf::from(format!("/proc/{}", process.id()));
        assert!(proc.exists());
        drop(process);
        assert!(!proc.exists());
    }
}
