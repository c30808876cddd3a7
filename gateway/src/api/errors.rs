//! The body of every answer that is an error.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An error, in OpenAI's envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorEnvelope {
    pub error: ErrorBody,
}

/// What went wrong. `param` and `code` are `null` where there is nothing to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// For a person to read.
    pub message: String,
    /// The class of the error: `invalid_request_error`, `authentication_error`, `rate_limit_error`, `server_error`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The member of the request that is at fault, such as `messages[0].role`.
    #[schema(required)]
    pub param: Option<String>,
    /// For a program to test: `model_not_found`, `context_length_exceeded`, `rate_limit_exceeded`, …
    #[schema(required)]
    pub code: Option<String>,
}
