//! A prediction that is over, in OpenAI's words.

use super::job::Prediction;
use crate::{
    refusal::{Cause, Refusal},
    wire::{Answer, Reading, hub::answers::Found},
};

/// # Errors
/// When the prediction failed, was cancelled or is not over.
pub(super) fn answer(reading: &Reading, body: &[u8]) -> Result<Answer, Refusal> {
    let prediction = Prediction::read(body)?;
    if let Some(refusal) = prediction.failure() {
        return Err(refusal);
    }
    if !prediction.is_over() {
        return Err(Refusal::new(Cause::Upstream, "the provider's prediction is not over"));
    }
    let found = Found {
        content: Some(prediction.text()),
        // Replicate does not tell why a model stopped.
        finish_reason: "stop",
        usage: prediction.usage(),
        id: prediction.id,
        ..Found::default()
    };
    Ok(found.answer(reading))
}
