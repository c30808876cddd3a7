//! A job at the provider that somebody waits for: dropped before it is over, it is cancelled there, since it costs money.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, Method, Request, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE},
    response::Parts,
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    ProviderCore,
    call::{refused, unreachable, whole},
};
use crate::{
    refusal::Refusal,
    transport::UpstreamBody,
    wire::{Job, Jobs, Payload},
};

/// A creation that was abandoned is waited for this long, to learn what there is to be cancelled.
const CREATION: Duration = Duration::from_secs(60);
const CANCELLATION: Duration = Duration::from_secs(10);
/// The pauses before a cancellation is tried again.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

pub(super) struct Running {
    pub(super) asker: Asker,
    state: State,
}

enum State {
    Creating(Pin<Box<dyn Future<Output = Result<Created, Refusal>> + Send>>),
    /// With the path where it is cancelled.
    Created(String),
    Over,
}

/// What came of a creation.
pub(super) enum Created {
    Job { head: Parts, body: Bytes, job: Job },
    Refused { head: Parts, body: UpstreamBody },
}

impl Running {
    /// Begins the creation; `request` has its credential.
    pub(super) fn create(core: &Arc<ProviderCore>, jobs: &'static dyn Jobs, request: Request<Payload>) -> Self {
        let asker = Asker::new(core, jobs, request.headers());
        let sending = core.transport.send(request);
        let core = core.clone();
        let creating = async move {
            let (head, body) = sending.await.map_err(|error| unreachable(&error))?.into_parts();
            if !head.status.is_success() {
                return Ok(Created::Refused { head, body });
            }
            let (body, share) = whole(&core, body).await?;
            let body = share.around(body);
            let job = jobs.job(&body)?;
            Ok(Created::Job { head, body, job })
        };
        Self { asker, state: State::Creating(Box::pin(creating)) }
    }

    /// Waits for the answer to the creation.
    ///
    /// # Errors
    /// When there is none, or one that is about no job.
    pub(super) async fn created(&mut self) -> Result<Created, Refusal> {
        let State::Creating(creating) = &mut self.state else {
            return Err(Refusal::new(crate::refusal::Cause::Internal, "a job was created twice"));
        };
        let created = creating.await;
        self.state = match &created {
            Ok(Created::Job { job, .. }) if !job.over => State::Created(job.cancel.clone()),
            _ => State::Over,
        };
        created
    }

    /// It ended by itself.
    pub(super) fn over(&mut self) {
        self.state = State::Over;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Over);
        if matches!(state, State::Over) {
            return;
        }
        let asker = self.asker.clone();
        let errand = async move {
            let path = match state {
                State::Creating(creating) => match timeout(CREATION, creating).await {
                    Ok(Ok(Created::Job { job, .. })) if !job.over => job.cancel,
                    _ => return,
                },
                State::Created(path) => path,
                State::Over => return,
            };
            asker.cancel(&path).await;
        };
        let core = &self.asker.core;
        if !core.errands.get().is_some_and(|errands| errands.run(errand)) {
            tracing::warn!(provider = %core.name, "too much is being cancelled: an abandoned job runs on at the provider");
        }
    }
}

/// Asks about a job with the credential of its creation.
#[derive(Clone)]
pub(super) struct Asker {
    core: Arc<ProviderCore>,
    pub(super) jobs: &'static dyn Jobs,
    headers: HeaderMap,
}

impl Asker {
    fn new(core: &Arc<ProviderCore>, jobs: &'static dyn Jobs, creation: &HeaderMap) -> Self {
        let mut headers = creation.clone();
        headers.remove(CONTENT_TYPE);
        headers.remove(HeaderName::from_static("prefer"));
        Self { core: core.clone(), jobs, headers }
    }

    /// What is known of the job now.
    ///
    /// # Errors
    /// When the provider does not say, or not by the deadline.
    pub(super) async fn ask(&self, path: &str, deadline: Instant) -> Result<(Parts, Bytes, Job), Refusal> {
        let (head, body) = self.send(Method::GET, self.core.uri(path)?, None).await?;
        if !head.status.is_success() {
            return Err(refused(&self.core, head, body, deadline).await);
        }
        let (body, share) = whole(&self.core, body).await?;
        let body = share.around(body);
        let job = self.jobs.job(&body)?;
        Ok((head, body, job))
    }

    /// The stream of its output, wherever among the provider's hosts it is.
    ///
    /// # Errors
    /// When it is elsewhere, or cannot be reached.
    pub(super) async fn listen(&self, url: &str) -> Result<(Parts, UpstreamBody), Refusal> {
        let uri = self.core.own_uri(url, self.jobs.domain())?;
        self.send(Method::GET, uri, Some("text/event-stream")).await
    }

    async fn send(
        &self,
        method: Method,
        uri: Uri,
        accept: Option<&'static str>,
    ) -> Result<(Parts, UpstreamBody), Refusal> {
        let mut request = Request::new(Payload::default());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        if let Some(accept) = accept {
            request.headers_mut().insert(ACCEPT, http::HeaderValue::from_static(accept));
        }
        let response = self.core.transport.send(request).await;
        Ok(response.map_err(|error| unreachable(&error))?.into_parts())
    }

    /// Tries until the provider has taken note; a job that has ended meanwhile is as good.
    async fn cancel(&self, path: &str) {
        let name = &self.core.name;
        for pause in PAUSES.iter().map(Some).chain([None]) {
            let said = timeout(CANCELLATION, self.cancel_once(path)).await.ok().flatten();
            match said {
                Some(status) if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                    return tracing::debug!(provider = %name, status = status.as_u16(), "cancelled an abandoned job");
                }
                _ => {}
            }
            if let Some(pause) = pause {
                sleep(*pause).await;
            }
        }
        tracing::warn!(provider = %name, "an abandoned job could not be cancelled and runs on at the provider");
    }

    async fn cancel_once(&self, path: &str) -> Option<StatusCode> {
        let (head, body) = self.send(Method::POST, self.core.uri(path).ok()?, None).await.ok()?;
        // read to its end, so that the connection can be used again
        let _ = whole(&self.core, body).await;
        Some(head.status)
    }
}
