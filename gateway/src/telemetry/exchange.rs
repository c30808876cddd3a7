//! The guard of one client request.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::HeaderValue;

use super::{Metrics, Series};
use crate::api::{Endpoint, TokenUsage};

/// How a request ended, as the log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The client has the whole answer, an error answer included.
    Answered,
    /// The upstream stream broke after its head had been sent.
    Cut,
    /// The client went away.
    Left,
}

impl Ending {
    fn name(self) -> &'static str {
        match self {
            Ending::Answered => "answered",
            Ending::Cut => "cut",
            Ending::Left => "client_left",
        }
    }
}

/// Provider and model of an attempt, with what answers say of them.
#[derive(Debug, Clone)]
pub struct Destination {
    pub provider: Arc<str>,
    /// `x-prism-provider`.
    pub provider_header: HeaderValue,
    /// `x-prism-model-used`.
    pub model_header: HeaderValue,
}

/// One request from head to end. It is counted and logged once, in its drop: until [`Exchange::end`] says otherwise, the
/// client is taken to have left.
pub struct Exchange {
    metrics: Arc<Metrics>,
    pub series: Arc<Series>,
    pub began: Instant,
    pub endpoint: Endpoint,
    pub request_id: String,
    pub client_request_id: Option<Box<str>>,
    pub trace_id: Option<Box<str>>,
    pub key: Option<Arc<str>>,
    /// The model as the client named it.
    pub model: Option<Box<str>>,
    /// Where the latest attempt went.
    pub destination: Option<Destination>,
    pub attempts: u32,
    /// What bounds the request; zero before it is known.
    pub timeout: Duration,
    pub stream: bool,
    pub status: u16,
    pub usage: Option<TokenUsage>,
    pub first_content: Option<Duration>,
    /// What the client was told went wrong.
    pub error: Option<Box<str>>,
    ending: Ending,
}

impl Exchange {
    pub fn begin(metrics: &Arc<Metrics>, endpoint: Endpoint, request_id: String) -> Box<Self> {
        metrics.in_flight.inc();
        Box::new(Self {
            series: metrics.nobody().clone(),
            metrics: metrics.clone(),
            began: Instant::now(),
            endpoint,
            request_id,
            client_request_id: None,
            trace_id: None,
            key: None,
            model: None,
            destination: None,
            attempts: 0,
            timeout: Duration::ZERO,
            stream: false,
            status: 0,
            usage: None,
            first_content: None,
            error: None,
            ending: Ending::Left,
        })
    }

    /// An attempt begins.
    pub fn attempt(&mut self, destination: Destination, series: Arc<Series>) {
        self.attempts += 1;
        self.destination = Some(destination);
        self.series = series;
    }

    pub fn end(&mut self, ending: Ending) {
        self.ending = ending;
    }

    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The first content of a stream has arrived.
    pub fn content_began(&mut self) {
        if self.first_content.is_none() {
            self.first_content = Some(self.began.elapsed());
        }
    }

    fn log(&self, status: u16, took: Duration) {
        let usage = self.usage.unwrap_or_default();
        tracing::info!(
            target: "prism::access",
            request_id = %self.request_id,
            client_request_id = self.client_request_id.as_deref(),
            trace_id = self.trace_id.as_deref(),
            endpoint = self.endpoint.name(),
            status,
            ending = self.ending.name(),
            key = self.key.as_deref(),
            model = self.model.as_deref(),
            provider = self.destination.as_ref().map(|to| &*to.provider),
            attempts = self.attempts,
            stream = self.stream,
            input_tokens = usage.input,
            output_tokens = usage.output,
            first_content_ms = self.first_content.map(|took| took.as_millis() as u64),
            took_ms = took.as_millis() as u64,
            error = self.error.as_deref(),
            "request"
        );
    }
}

/// nginx's number for a client that closed the connection before it had its answer.
const CLIENT_LEFT: u16 = 499;

impl Drop for Exchange {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let status = match (self.ending, self.status) {
            (Ending::Left, 0) => CLIENT_LEFT,
            (_, status) => status,
        };
        self.metrics.in_flight.dec();
        self.metrics.request(&self.series, self.endpoint, status, took);
        if let Some(usage) = &self.usage {
            self.metrics.tokens(&self.series, usage);
        }
        if let Some(first) = self.first_content {
            self.metrics.first_content(&self.series, first);
        }
        if tracing::enabled!(target: "prism::access", tracing::Level::INFO) {
            self.log(status, took);
        }
    }
}
