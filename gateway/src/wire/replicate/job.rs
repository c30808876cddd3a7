//! Where a prediction stands: `{id, status, output, error, metrics, urls}`.
//!
//! It is asked after and cancelled by its id, as Replicate's own client does; only its stream is where the answer says.

use serde::Deserialize;
use serde_json::Value;

use super::errors;
use crate::{
    api::TokenUsage,
    refusal::{Cause, Refusal},
    wire::{Job, Jobs},
};

/// The API's side that `provider::follow` needs.
pub(super) struct Predictions;

/// `prediction.Prediction` of Replicate's client, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Prediction {
    pub id: String,
    status: String,
    #[serde(default)]
    output: Value,
    #[serde(default)]
    error: Value,
    metrics: Option<Metrics>,
    urls: Option<Urls>,
}

/// Only language models count tokens.
#[derive(Debug, Deserialize)]
struct Metrics {
    input_token_count: Option<f64>,
    output_token_count: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Urls {
    stream: Option<String>,
}

impl Jobs for Predictions {
    fn job(&self, body: &[u8]) -> Result<Job, Refusal> {
        let prediction = Prediction::read(body)?;
        let id = &prediction.id;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(Refusal::new(Cause::Upstream, "the provider's prediction has no usable id"));
        }
        Ok(Job {
            over: prediction.is_over(),
            path: format!("/v1/predictions/{id}"),
            cancel: format!("/v1/predictions/{id}/cancel"),
            events: prediction.urls.and_then(|urls| urls.stream),
        })
    }

    fn domain(&self) -> &'static str {
        "replicate.com"
    }

    fn last_event(&self) -> &'static [u8] {
        b"done"
    }
}

impl Prediction {
    /// # Errors
    /// When the body is no prediction.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(body).map_err(|_| errors::disguised_or(body, "the provider's answer could not be read"))
    }

    /// `aborted` is newer than Replicate's client: cancelled before it began.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "succeeded" | "failed" | "canceled" | "aborted")
    }

    /// Why there is no output.
    pub(super) fn failure(&self) -> Option<Refusal> {
        match self.status.as_str() {
            "failed" => Some(errors::failed(self.error.as_str().unwrap_or_default())),
            "canceled" | "aborted" => Some(errors::canceled()),
            _ => None,
        }
    }

    /// Pieces of text, or one text; what is neither is told as JSON.
    pub(super) fn text(&self) -> String {
        let piece = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match &self.output {
            Value::Array(pieces) if pieces.iter().all(Value::is_string) => pieces.iter().map(piece).collect(),
            output => piece(output),
        }
    }

    pub(super) fn usage(&self) -> Option<TokenUsage> {
        let metrics = self.metrics.as_ref()?;
        let count = |number: Option<f64>| number.map_or(0, |number| number as u64);
        metrics.input_token_count.or(metrics.output_token_count)?;
        let (input, output) = (count(metrics.input_token_count), count(metrics.output_token_count));
        Some(TokenUsage { input, output, ..TokenUsage::default() })
    }
}
