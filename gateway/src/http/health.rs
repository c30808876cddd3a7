//! Is it alive, is it ready, how are the providers, what has been counted.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use futures_util::future::join_all;
use ractor::rpc::CallResult;
use serde::Serialize;

use super::{Gateway, asked::credential, call, status};
use crate::{
    admission::Contact,
    api,
    provider::{ProviderCore, ProviderMessage, health_from_outside},
    refusal::{Cause, Refusal},
    store::Standing,
    telemetry::Gauges,
    usage::Publishing,
};

/// An actor that does not answer in this time is described from outside.
const ACTOR_TIMEOUT: Duration = Duration::from_millis(200);

/// Liveness
///
/// 200 as long as the process runs.
#[utoipa::path(
    get, path = "/healthz", tag = "Health", operation_id = "getHealth",
    responses((status = 200, description = "The process runs", body = api::Liveness), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("health.retrieve"))),
    security(()),
)]
pub(super) async fn healthz(State(gateway): State<Arc<Gateway>>) -> Response {
    let liveness = api::Liveness {
        status: api::LivenessStatus::Alive,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_seconds: gateway.began.elapsed().as_secs(),
    };
    json(StatusCode::OK, &liveness)
}

/// Liveness (Kubernetes)
///
/// The same as `/healthz`.
#[utoipa::path(
    get, path = "/livez", tag = "Health", operation_id = "getLiveness",
    responses((status = 200, description = "The process runs", body = api::Liveness), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("health.live"))),
    security(()),
)]
pub(super) async fn livez(gateway: State<Arc<Gateway>>) -> Response {
    healthz(gateway).await
}

/// Readiness
///
/// 200 when requests are served, 503 before the start is complete and while the process drains. NATS and the disk have no part
/// in it: what is wrong with them is a warning.
#[utoipa::path(
    get, path = "/readyz", tag = "Health", operation_id = "getReadiness",
    responses(
        (status = 200, description = "Requests are served", body = api::Readiness),
        (status = 503, description = "Starting or draining", body = api::Readiness),
        super::openapi::ClientError,
    ),
    extensions(("x-sdk-method" = json!("health.ready"))),
    security(()),
)]
pub(super) async fn readyz(State(gateway): State<Arc<Gateway>>) -> Response {
    let (code, status, reasons) = if gateway.phase.is_ready() {
        (StatusCode::OK, api::ReadinessStatus::Ready, vec![])
    } else {
        let reason = if gateway.phase.is_draining() { "draining: the process is stopping" } else { "starting" };
        (StatusCode::SERVICE_UNAVAILABLE, api::ReadinessStatus::NotReady, vec![reason.to_owned()])
    };
    let mut warnings = gateway.publishing.as_ref().map(Publishing::worries).unwrap_or_default();
    warnings.extend(standing(&gateway).map(Standing::worries).unwrap_or_default());
    warnings.extend(gateway.accounts.contact().map(Contact::worries).unwrap_or_default());
    json(code, &api::Readiness { status, reasons, warnings })
}

/// Health of the providers
///
/// One entry for each provider in each of its regions: its state and how it came to it, circuit breaker, availability,
/// latency, quotas, keys, last error, model discovery. Keys are named by their place in the configuration.
#[utoipa::path(
    get, path = "/v1/providers/health", tag = "Providers", operation_id = "getProvidersHealth",
    responses((status = 200, description = "The providers", body = api::ProvidersHealth), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("providers.health"))),
    security(()),
)]
pub(super) async fn providers(State(gateway): State<Arc<Gateway>>) -> Response {
    let table = gateway.table.load_full();
    let shown = table.providers().filter(|core| !core.is_absent());
    let data = join_all(shown.map(ask)).await;
    json(StatusCode::OK, &api::ProvidersHealth { data, ..Default::default() })
}

pub(super) async fn ask(core: &Arc<ProviderCore>) -> api::ProviderHealth {
    if let Some(actor) = core.mailbox()
        && let Ok(CallResult::Success(health)) = actor.call(ProviderMessage::Health, Some(ACTOR_TIMEOUT)).await
    {
        return health;
    }
    health_from_outside(core)
}

/// Metrics
///
/// Everything that has been counted, in Prometheus' text format. `prometheus.path` moves the page or switches it off.
#[utoipa::path(
    get, path = "/metrics", tag = "Health", operation_id = "getMetrics",
    responses((status = 200, description = "The metrics", body = String, content_type = "text/plain"), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("health.metrics"))),
)]
pub(super) async fn metrics(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    match call::authorise(&gateway, credential(&head.headers), call::peer(&head, &gateway)) {
        Err(refusal) => return status::page(&refusal),
        Ok(Some(caller)) if !caller.is_default() => return status::page(&not_theirs()),
        Ok(_) => {}
    }
    gateway.metrics.body_memory.set(i64::try_from(gateway.memory.taken()).unwrap_or(i64::MAX));
    let (mut text, gauges) = (gateway.metrics.render(), Gauges::new());
    let table = gateway.table.load_full();
    table.providers().filter(|core| !core.is_absent()).for_each(|core| core.show(&gauges));
    for account in gateway.accounts.spenders() {
        if let Some(view) = account.budget() {
            gauges.show_budget(account.scope.name(), &account.name, view.ratio());
        }
    }
    gateway.publishing.iter().for_each(|publishing| publishing.show(&gauges));
    standing(&gateway).into_iter().for_each(|standing| standing.show(&gauges));
    gateway.accounts.contact().inspect(|contact| contact.show(&gauges));
    gauges.render(&mut text);
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn standing(gateway: &Gateway) -> Option<&Standing> {
    gateway.administration.as_ref()?.standing.as_deref()
}

/// What is counted is of the whole process.
fn not_theirs() -> Refusal {
    let message = "the metrics are those of the whole gateway, for keys of its operator alone";
    Refusal::new(Cause::Forbidden, message).code("other_organisation")
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("our own types always serialise");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
