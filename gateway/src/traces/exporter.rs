//! The one task that sends spans: batches of them, one at a time, tried again for a while, then dropped and counted.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Method, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
};
use prometheus::IntCounter;
use prost::Message;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    otlp::{ExportTraceServiceRequest, InstrumentationScope, KeyValue, Resource, ResourceSpans, ScopeSpans},
    spans::spans,
};
use crate::{config::Otel, telemetry::Traced, transport::Transport};

/// Requests in one export.
const MOST: usize = 256;
/// How long the first of a batch waits for others.
const LINGER: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(10);
const MOST_TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(super) struct Exporter {
    transport: Arc<dyn Transport>,
    otel: Otel,
    dropped: IntCounter,
    /// The collector did not take the last batch; said once.
    failing: bool,
}

impl Exporter {
    pub fn new(transport: Arc<dyn Transport>, otel: Otel, dropped: IntCounter) -> Self {
        Self { transport, otel, dropped, failing: false }
    }

    /// Until it is closed; then what waits is sent, as far as the collector takes it at once.
    pub async fn run(mut self, mut waiting: mpsc::Receiver<Box<Traced>>, closed: CancellationToken) {
        let mut batch = Vec::with_capacity(MOST);
        loop {
            tokio::select! {
                some = waiting.recv_many(&mut batch, MOST) => if some == 0 { return },
                () = closed.cancelled() => break,
            }
            if batch.len() < MOST {
                let more = async { while batch.len() < MOST && waiting.recv_many(&mut batch, MOST).await > 0 {} };
                tokio::select! {
                    _ = timeout(LINGER, more) => {}
                    () = closed.cancelled() => break,
                }
            }
            self.export(&batch, MOST_TRIES).await;
            batch.clear();
        }
        waiting.close();
        while let Ok(one) = waiting.try_recv() {
            batch.push(one);
        }
        for part in batch.chunks(MOST) {
            self.export(part, 1).await;
        }
    }

    async fn export(&mut self, batch: &[Box<Traced>], most_tries: u32) {
        let body = Bytes::from(request(batch).encode_to_vec());
        let mut tries = 0;
        let why = loop {
            tries += 1;
            let (why, pause) = match self.post(body.clone()).await {
                Ok(()) => {
                    self.failing = false;
                    return;
                }
                Err(Failure::Final(why)) => break why,
                Err(Failure::Passing(why, pause)) => (why, pause),
            };
            if tries >= most_tries {
                break why;
            }
            sleep(pause.unwrap_or(PAUSE * 2_u32.pow(tries - 1)).min(LONGEST_PAUSE)).await;
        };
        self.dropped.inc_by(batch.len() as u64);
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(%why, "the collector does not take traces; they are dropped and counted");
        }
    }

    async fn post(&self, body: Bytes) -> Result<(), Failure> {
        let mut request = http::Request::new(body.into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.otel.traces.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        let agent = concat!("prism/", env!("CARGO_PKG_VERSION"));
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(agent));
        request.headers_mut().extend(self.otel.headers.iter().cloned());
        let answered = timeout(TIMEOUT, self.transport.send(request)).await;
        let answer = answered
            .map_err(|_| Failure::Passing("it did not answer in time".to_owned(), None))?
            .map_err(|error| Failure::Passing(error.to_string(), None))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let why = format!("it answered {status}");
        // https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
        let passing = [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::GATEWAY_TIMEOUT,
        ];
        if !passing.contains(&status) {
            return Err(Failure::Final(why));
        }
        let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Err(Failure::Passing(why, wait.map(Duration::from_secs)))
    }
}

enum Failure {
    /// It may be taken later; the collector may say when.
    Passing(String, Option<Duration>),
    Final(String),
}

fn request(batch: &[Box<Traced>]) -> ExportTraceServiceRequest {
    let version = env!("CARGO_PKG_VERSION");
    let attributes = vec![KeyValue::new("service.name", "prism"), KeyValue::new("service.version", version)];
    let scope = InstrumentationScope { name: "prism".to_owned(), version: version.to_owned() };
    let spans = batch.iter().flat_map(|traced| spans(traced)).collect();
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans }],
        }],
    }
}
