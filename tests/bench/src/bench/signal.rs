//! Ctrl-C and SIGTERM end the run in good order: waits fail, and the guards stop every process.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::signal::unix::{SignalKind, signal};

use crate::trouble::{Result, Trouble};

static ASKED_TO_STOP: AtomicBool = AtomicBool::new(false);

/// Listens on a thread of its own, for as long as the program runs.
pub fn listen() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let runtime = runtime.map_err(Trouble::file("cannot listen for signals"))?;
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let _within = runtime.enter();
        let mut signal = signal(kind).map_err(Trouble::file("cannot listen for signals"))?;
        runtime.spawn(async move {
            signal.recv().await;
            ASKED_TO_STOP.store(true, Relaxed);
        });
    }
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    Ok(())
}

/// Every wait asks here.
pub fn check() -> Result<()> {
    if ASKED_TO_STOP.load(Relaxed) { Err(Trouble::Stopped) } else { Ok(()) }
}
