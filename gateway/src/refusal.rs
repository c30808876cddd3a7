//! Why a request is not answered: one type for every reason, wherever it arises.
//!
//! A refusal knows nothing of HTTP; `http::status` turns its [`Cause`] into a status and an error type.

use std::{borrow::Cow, time::Duration};

use http::HeaderMap;

/// What went wrong, in the gateway's own terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The caller's request cannot be served as it is (400).
    Invalid,
    /// No credential, or one that is not known (401).
    Unauthenticated,
    /// A known caller that may not do this (403).
    Forbidden,
    /// No such model or route (404).
    NotFound,
    /// The route exists, the method does not (405).
    MethodNotAllowed,
    /// The caller was too slow in sending its request (408).
    RequestTimeout,
    /// 409 from upstream, or what is to be made is there already.
    Conflict,
    /// What the caller had seen has changed meanwhile (412).
    PreconditionFailed,
    /// The caller has to say what it had seen (428).
    PreconditionRequired,
    /// The body is larger than the gateway or the provider takes (413).
    TooLarge,
    /// The body is not in a media type that the route reads (415).
    UnsupportedMedia,
    /// 422 from upstream, or a body that contradicts itself.
    Unprocessable,
    /// A quota is used up, upstream or ours (429).
    RateLimited,
    /// A budget does not pay for it (429).
    BudgetSpent,
    /// The provider refused the gateway's own credential (upstream 401 or 403; 502 to the caller).
    Credential,
    /// The provider failed or answered something unreadable (502).
    Upstream,
    /// The provider could not be reached (502).
    Unreachable,
    /// The provider is overloaded or away for a while (503).
    Unavailable,
    /// The gateway itself is at one of its bounds (503).
    Overloaded,
    /// The gateway has no memory left for a body, whoever sends it (503).
    NoRoom,
    /// The provider did not answer in time (504).
    UpstreamTimeout,
    /// A defect of the gateway (500).
    Internal,
}

impl Cause {
    /// In logs and events.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Invalid => "invalid",
            Cause::Unauthenticated => "unauthenticated",
            Cause::Forbidden => "forbidden",
            Cause::NotFound => "not_found",
            Cause::MethodNotAllowed => "method_not_allowed",
            Cause::RequestTimeout => "request_timeout",
            Cause::Conflict => "conflict",
            Cause::PreconditionFailed => "precondition_failed",
            Cause::PreconditionRequired => "precondition_required",
            Cause::TooLarge => "too_large",
            Cause::UnsupportedMedia => "unsupported_media",
            Cause::Unprocessable => "unprocessable",
            Cause::RateLimited => "rate_limited",
            Cause::BudgetSpent => "budget_spent",
            Cause::Credential => "credential",
            Cause::Upstream => "upstream",
            Cause::Unreachable => "unreachable",
            Cause::Unavailable => "unavailable",
            Cause::Overloaded => "overloaded",
            Cause::NoRoom => "no_room",
            Cause::UpstreamTimeout => "upstream_timeout",
            Cause::Internal => "internal",
        }
    }

    /// Whether another provider may do better (SPEC §4: 408, 429, 5xx, timeouts and connection errors).
    pub fn fails_over(self) -> bool {
        use Cause::{Overloaded, RateLimited, RequestTimeout, Unavailable, Unreachable, Upstream, UpstreamTimeout};
        matches!(
            self,
            RequestTimeout | RateLimited | Upstream | Unreachable | Unavailable | Overloaded | UpstreamTimeout
        )
    }

    /// Whether it speaks against the provider's health. Quota and credentials are states of their own.
    pub fn is_ill_health(self) -> bool {
        matches!(self, Cause::Upstream | Cause::Unreachable | Cause::Unavailable | Cause::UpstreamTimeout)
    }
}

/// An answer that is an error. The message goes to the caller: it never holds a key, an internal address or a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub cause: Cause,
    pub message: Cow<'static, str>,
    /// The field of the request that is at fault.
    pub param: Option<Cow<'static, str>>,
    /// A code that programs can test for, in OpenAI's vocabulary (`model_not_found`, `context_length_exceeded`, …).
    pub code: Option<Cow<'static, str>>,
    /// How long the caller should wait before it tries again.
    pub retry_after: Option<Duration>,
    /// The status that the provider answered with, for logs and health.
    pub upstream_status: Option<u16>,
    /// The head of the provider's answer; `http::reply` lists the little of it that callers get.
    pub upstream_headers: Option<Box<HeaderMap>>,
}

impl Refusal {
    pub fn new(cause: Cause, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            cause,
            message: message.into(),
            param: None,
            code: None,
            retry_after: None,
            upstream_status: None,
            upstream_headers: None,
        }
    }

    /// There is no memory left for a body; `whose` says which.
    pub fn no_room(whose: &str) -> Self {
        let message = format!("the gateway has no memory left for {whose} (`server.max_body_memory`)");
        Self::new(Cause::NoRoom, message).code("gateway_full").retry_after(Some(Duration::from_secs(1)))
    }

    pub fn invalid(param: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Cause::Invalid, message).param(param)
    }

    #[must_use]
    pub fn param(mut self, param: impl Into<Cow<'static, str>>) -> Self {
        self.param = Some(param.into());
        self
    }

    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    #[must_use]
    pub fn upstream_status(mut self, status: u16) -> Self {
        self.upstream_status = Some(status);
        self
    }

    #[must_use]
    pub fn upstream_headers(mut self, headers: HeaderMap) -> Self {
        self.upstream_headers = Some(Box::new(headers));
        self
    }
}
