//! A real NATS server for the tests of what is kept in it.

use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{super::SharedSettings, eventually};
use crate::{config::Nats, nats::BucketSettings};

/// Runs until it is dropped.
pub struct NatsServer {
    folder: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
}

impl NatsServer {
    /// `None` where there is none to be had; with `PRISM_NATS_SERVER` there has to be one.
    pub fn start() -> Option<Self> {
        let mut server = Self { folder: tempfile::tempdir().unwrap(), port: free_port(), process: None };
        if !binary().is_file() {
            eprintln!("no nats-server at {}: not tested", binary().display());
            return None;
        }
        server.begin();
        Some(server)
    }

    pub fn begin(&mut self) {
        let file = self.folder.path().join("nats.conf");
        let store = self.folder.path().join("js");
        let text = format!("listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: {store:?} }}\n", self.port);
        fs::write(&file, text).unwrap();
        let command = Command::new(binary()).arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.process = Some(command.unwrap());
        eventually("a NATS server", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// It keeps its connections and says nothing.
    pub fn freeze(&self) {
        kill_process(self.pid(), Signal::STOP).unwrap();
    }

    pub fn thaw(&self) {
        kill_process(self.pid(), Signal::CONT).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(self.process.as_ref().unwrap())
    }

    pub fn settings(&self) -> SharedSettings {
        SharedSettings {
            nats: Nats::at(&format!("nats://127.0.0.1:{}", self.port)).unwrap(),
            bucket: BucketSettings { name: "PRISM_CONFIG".into(), description: "", replicas: 1 },
            name: "a test".into(),
            max_staleness: std::time::Duration::from_secs(3600),
            identity: "meta/owner",
        }
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if self.process.is_some() {
            let _ = kill_process(self.pid(), Signal::CONT);
        }
        self.kill();
    }
}

/// A port that nobody listens on, that no other test was given, and that the kernel gives to no outgoing connection by
/// itself: a server that is down must find it again.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 10_000) as u16;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn binary() -> PathBuf {
    match env::var_os("PRISM_NATS_SERVER") {
        Some(path) => {
            assert!(Path::new(&path).is_file(), "PRISM_NATS_SERVER is no file");
            path.into()
        }
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/venv/bin/nats-server"),
    }
}
