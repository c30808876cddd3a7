//! `tracing` set up for people on a terminal and for machines elsewhere.

use std::{io::IsTerminal, panic::PanicHookInfo};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, Logging};

/// Lines that wait for a slow reader of the log; beyond it lines are dropped and counted, never waited for.
const BUFFERED_LINES: usize = 2_048;

/// Flushes the log when dropped.
pub struct LogGuard(#[expect(dead_code, reason = "its drop flushes")] WorkerGuard);

/// Starts logging to standard output; the level is one for all, or one for each target (`prism=debug,warn`).
///
/// # Errors
/// When the level is not a filter.
pub fn start(logging: &Logging) -> Result<LogGuard, String> {
    let filter: Targets = logging.level.parse().map_err(|error| format!("logging.level: {error}"))?;
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(BUFFERED_LINES).finish(std::io::stdout());
    let terminal = std::io::stdout().is_terminal();
    let text = match logging.format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    if text {
        registry.with(fmt::layer().with_writer(writer).with_ansi(terminal).with_target(false)).try_init()
    } else {
        registry.with(fmt::layer().json().flatten_event(true).with_writer(writer)).try_init()
    }
    .map_err(|error| error.to_string())?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(LogGuard(guard))
}

/// A panic is a line in the log like any other. Two things of Rust's own hook are left out: the backtrace, which holds up
/// every stream of the core while it is made, and words that were put together at run time, which may be a prompt's.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(tracing::field::display);
    let words = panic.payload().downcast_ref::<&'static str>();
    tracing::error!(at, words, "panicked: this is a defect of the gateway, please report it");
}
