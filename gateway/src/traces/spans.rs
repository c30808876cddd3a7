//! A traced request as spans: one of the request, one of each attempt, in the words of OpenTelemetry's GenAI conventions.
//! <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>

use std::time::{Duration, SystemTime};

use super::otlp::{KeyValue, Span, SpanKind, Status, StatusCode};
use crate::{
    api::Endpoint,
    telemetry::{Attempted, Outcome, SpanContext, Traced},
};

/// Attributes, those left out that are not known.
#[derive(Default)]
struct Attributes(Vec<KeyValue>);

impl Attributes {
    fn with(mut self, key: &str, value: impl Into<super::otlp::Value>) -> Self {
        self.0.push(KeyValue::new(key, value));
        self
    }

    fn with_known(self, key: &str, value: Option<impl Into<super::otlp::Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

/// The request's own span first.
pub(super) fn spans(request: &Traced) -> impl Iterator<Item = Span> {
    let attempts = request.attempts.iter().enumerate().map(|(number, attempt)| of_attempt(request, number, attempt));
    std::iter::once(of_request(request)).chain(attempts)
}

fn of_request(request: &Traced) -> Span {
    let model = request.model.as_deref();
    let operation = operation(request.endpoint);
    let served = request.served_by.as_deref();
    let route = format!("/v1{}", request.endpoint.path());
    let attributes = Attributes::default()
        .with("http.request.method", "POST")
        .with("http.route", &*route)
        .with("http.response.status_code", u64::from(request.status))
        .with("gen_ai.operation.name", operation)
        .with_known("gen_ai.request.model", model)
        .with_known("gen_ai.response.model", served.map(|place| &*place.model))
        .with_known("gen_ai.provider.name", served.map(|place| &*place.provider))
        .with_known("gen_ai.conversation.id", request.trace.conversation.as_deref())
        .with_known("gen_ai.usage.input_tokens", request.usage.map(|usage| usage.input))
        .with_known("gen_ai.usage.output_tokens", request.usage.map(|usage| usage.output))
        .with_known("gen_ai.response.finish_reasons", request.finish_reason.as_deref().map(|reason| [reason]))
        .with_known("gen_ai.response.time_to_first_chunk", request.first_content.map(|took| took.as_secs_f64()))
        .with("prism.request_id", &*request.request_id)
        .with_known("prism.key", request.key.as_deref())
        .with("prism.stream", request.stream)
        .with("prism.routing_strategy", request.strategy.name())
        .with_known("prism.cost_usd", request.cost.map(|cost| cost.as_f64()))
        .with_known("error.type", request.error.as_ref().map(|_| request.status.to_string()).as_deref());
    Span {
        parent_span_id: request.trace.parent.map_or_else(Vec::new, |parent| parent.to_be_bytes().to_vec()),
        name: named(operation, model),
        kind: SpanKind::Server.into(),
        attributes: attributes.0,
        status: request.error.as_deref().map(failed),
        ..timed(request.trace.span, request.trace.started, request.took)
    }
}

fn of_attempt(request: &Traced, number: usize, attempt: &Attempted) -> Span {
    let operation = operation(request.endpoint);
    let place = &*attempt.place;
    let (outcome, failure, status) = match attempt.outcome {
        // under way when its request ended, or the answer that was given out
        None => ("cancelled", Some("the client left"), None),
        Some(Outcome::Answered) => ("answered", None, None),
        Some(Outcome::Outrun) => ("outrun", None, None),
        Some(Outcome::Failed { cause, status }) => ("failed", Some(cause.name()), status),
    };
    let attributes = Attributes::default()
        .with("gen_ai.operation.name", operation)
        .with("gen_ai.provider.name", &*place.provider)
        .with("gen_ai.request.model", &*place.model)
        .with_known("cloud.region", place.region.as_deref())
        .with_known("http.response.status_code", status.map(u64::from))
        .with("prism.attempt.kind", attempt.kind.name())
        .with("prism.attempt.outcome", outcome)
        .with_known("error.type", failure);
    let began = request.trace.started + attempt.began.saturating_duration_since(request.began);
    let left = request.took.saturating_sub(attempt.began.saturating_duration_since(request.began));
    // the last one's answer goes on until the request's end
    let took = if number + 1 == request.attempts.len() && failure.is_none() { None } else { attempt.took };
    Span {
        parent_span_id: request.trace.span.span_id.to_be_bytes().to_vec(),
        name: named(operation, Some(&place.model)),
        kind: SpanKind::Client.into(),
        attributes: attributes.0,
        status: failure.map(failed),
        ..timed(request.trace.span.attempt(number), began, took.unwrap_or(left))
    }
}

fn timed(span: SpanContext, began: SystemTime, took: Duration) -> Span {
    Span {
        trace_id: span.trace_id.to_be_bytes().to_vec(),
        span_id: span.span_id.to_be_bytes().to_vec(),
        start_time_unix_nano: nanos(began),
        end_time_unix_nano: nanos(began + took),
        ..Span::default()
    }
}

fn failed(message: &str) -> Status {
    Status { message: message.to_owned(), code: StatusCode::Error.into() }
}

fn named(operation: &str, model: Option<&str>) -> String {
    model.map_or_else(|| operation.to_owned(), |model| format!("{operation} {model}"))
}

fn operation(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::ChatCompletions => "chat",
        Endpoint::Completions => "text_completion",
        Endpoint::Embeddings => "embeddings",
        Endpoint::Rerank => "rerank",
    }
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
