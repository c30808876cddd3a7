//! What the gateway says about itself: log lines and metrics.
//!
//! [`Exchange`] is the one guard of a client's request: whatever happens, its drop counts it once and logs one line.

mod copied;
mod decision;
mod event;
mod exchange;
mod gauges;
mod log;
mod metrics;
mod notices;
mod reserved;
mod trace;

pub use copied::{Copied, Sent};
pub use decision::{Considered, Decision, Decisions, Place, Source};
pub use exchange::{Attempted, Destination, Ending, Exchange, Kind, Outcome, Pricing};
pub use gauges::{Gauges, Shown};
pub use log::{LogGuard, start as start_log};
pub use metrics::{Metrics, Series};
pub use notices::{Notices, ProviderNotice};
pub use reserved::{Fate, Level, Reserved, Standing, Used};
pub use trace::{SpanContext, Trace, Traced, Tracer};
