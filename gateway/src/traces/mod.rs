//! Traces on their way to a collector, over OTLP: `spans` says what a request's spans are, `otlp` how they are written,
//! `exporter` sends them in batches. Nothing here is on the way of a request.

mod exporter;
mod otlp;
mod spans;

use std::{sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;

use crate::{
    config::Otel,
    telemetry::{Metrics, Tracer},
    transport::{HttpTransport, TransportSetupError},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts the exporter.
///
/// # Errors
/// When the CA file cannot be read.
pub fn start(otel: &Otel, metrics: &Metrics, tasks: &TaskTracker) -> Result<Arc<Tracer>, TransportSetupError> {
    let transport = HttpTransport::beside(otel.ca_file.as_deref(), CONNECT_TIMEOUT)?;
    let dropped = metrics.traces_dropped.clone();
    let (tracer, waiting) = Tracer::new(otel.sample_rate, dropped.clone());
    let exporter = exporter::Exporter::new(Arc::new(transport), otel.clone(), dropped);
    tasks.spawn(exporter.run(waiting, tracer.closed()));
    Ok(tracer)
}
