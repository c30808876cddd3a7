//! Errors, in the words of OpenAI's servers.

use http::{HeaderValue, Method, Response, StatusCode, header};

use super::{json, reply};
use crate::{
    api::{ErrorBody, ErrorEnvelope},
    transport::UpstreamBody,
};

/// An error and its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub status: StatusCode,
    pub body: ErrorBody,
    /// In seconds.
    pub retry_after: Option<u32>,
}

impl Rejection {
    pub fn new(status: StatusCode, kind: &str, message: impl Into<String>) -> Self {
        let body = ErrorBody { message: message.into(), kind: kind.to_owned(), param: None, code: None };
        Self { status, body, retry_after: None }
    }

    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        let mut rejection = Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message);
        rejection.body.param = Some(param.into());
        rejection
    }

    fn code(mut self, code: &str) -> Self {
        self.body.code = Some(code.to_owned());
        self
    }

    pub fn unknown_path(method: &Method, path: &str) -> Self {
        let message = format!("Invalid URL ({method} {path})");
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message).code("unknown_url")
    }

    pub fn wrong_method(method: &Method, path: &str) -> Self {
        let message = format!("Not allowed to {method} on {path}.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "invalid_request_error", message).code("method_not_supported")
    }

    pub fn unknown_model(name: &str) -> Self {
        let message = format!(
            "The model `{name}` does not exist or you do not have access to it. The simulator has {}.",
            super::MODELS.join(", ")
        );
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message).code("model_not_found")
    }

    pub fn wrong_endpoint(name: &str, elsewhere: &str) -> Self {
        let message = format!("The model `{name}` is not supported on this endpoint. Did you mean to use {elsewhere}?");
        let mut rejection = Self::invalid("model", message).code("model_not_found");
        rejection.status = StatusCode::NOT_FOUND;
        rejection
    }

    /// An error that was asked for.
    pub fn wanted(status: StatusCode, retry_after: Option<u32>) -> Self {
        let rejection = match status.as_u16() {
            401 => Self::new(status, "invalid_request_error", "Incorrect API key provided.").code("invalid_api_key"),
            429 => Self::new(status, "requests", "Rate limit reached for the simulator on requests per min (RPM).")
                .code("rate_limit_exceeded"),
            503 => Self::new(status, "server_error", "The engine is currently overloaded, please try again later."),
            500.. => Self::new(
                status,
                "server_error",
                "The server had an error while processing your request. Sorry about that!",
            ),
            _ => Self::new(status, "invalid_request_error", format!("The simulator was asked for a {status}.")),
        };
        Self { retry_after, ..rejection }
    }

    pub fn envelope(self) -> ErrorEnvelope {
        ErrorEnvelope { error: self.body }
    }

    pub fn response(self) -> Response<UpstreamBody> {
        let (status, retry_after) = (self.status, self.retry_after);
        let mut response = reply::head(status, "application/json", reply::whole_body(json(&self.envelope())));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<crate::wire::hub::Mistake> for Rejection {
    fn from(mistake: crate::wire::hub::Mistake) -> Self {
        let mut rejection = Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", mistake.message);
        rejection.body.param = mistake.param;
        rejection
    }
}
