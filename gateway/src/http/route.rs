//! Why a request goes where it goes: explained beforehand, told afterwards.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use axum::{
    extract::{Path, Request, State},
    http::StatusCode,
    response::Response,
};

use super::{
    Gateway,
    asked::{Asked, credential},
    body, call,
    health::json,
    status,
    tenancy::Tenancy,
    way::Way,
};
use crate::{
    admission::Caller,
    api::{
        AttemptKind, AttemptOutcome, Endpoint, RouteAttempt, RouteDecision, RouteExplainRequest, RouteExplanation,
        RouteFallback, RouteMirror, RoutePassedOver, RoutePlace, RouteSource,
    },
    config::Routing,
    dispatch::{Route, explain, hedge_after},
    refusal::{Cause, Refusal},
    telemetry::{Attempted, Decision, Outcome, Place},
    wire::openai,
};

/// Explain a route
///
/// What the gateway would do now with the request that is the body: who says who serves the model, the candidates in the
/// order in which they would be tried and what speaks against each, fallbacks, hedging, mirrors. Headers count as they do
/// for the request itself. Nothing is sent to any provider, and nobody's turn changes.
#[utoipa::path(
    post, path = "/v1/route/explain", tag = "Routing", operation_id = "explainRoute",
    request_body = RouteExplainRequest,
    params(
        ("endpoint" = Option<String>, Query, description = "Where the request would be sent: `chat.completions` (the default), `completions`, `embeddings`, …"),
        super::openapi::CallHeaders,
    ),
    responses((status = 200, description = "What would be done", body = RouteExplanation), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("route.explain")), ("x-sdk-body" = json!("request"))),
)]
pub(super) async fn explain_route(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    match explained(&gateway, request).await {
        Ok(explanation) => json(StatusCode::OK, &explanation),
        Err(refusal) => status::page(&refusal),
    }
}

async fn explained(gateway: &Arc<Gateway>, request: Request) -> Result<RouteExplanation, Refusal> {
    let _entry = gateway.door.enter().ok_or_else(call::overloaded)?;
    let (head, body) = request.into_parts();
    let asked = Asked::read(&head.headers)?;
    let caller = call::admit(gateway, asked.key, call::peer(&head, gateway))?;
    let endpoint = endpoint(head.uri.query().unwrap_or_default())?;
    let body = body::json(gateway, &head.headers, body).await?;
    let request = openai::read(endpoint, body)?;

    let caller = caller.as_deref();
    let tenancy = Tenancy::of(gateway, caller).await?;
    let (table, prices) = (&tenancy.table, &tenancy.prices);
    let way = Way { gateway, tenancy: &tenancy, table, request: &request, asked: &asked, caller };
    let routing = way.routing()?;
    let timeout = way.timeout(&routing);
    let access = way.access(&routing, Instant::now(), prices, None);
    let found = way.route(&routing).await?;
    let fallback = |(model, route): (&str, Arc<Route>)| RouteFallback {
        model: model.to_owned(),
        candidates: explain(&route, &access),
    };
    Ok(RouteExplanation {
        model: request.envelope.model.to_string(),
        endpoint: endpoint.name().to_owned(),
        source: RouteSource::from(found.source.name().to_owned()),
        rule: found.rule.map(str::to_owned),
        strategy: routing.strategy.name().to_owned(),
        candidates: explain(&found.route, &access),
        fallbacks: way.fallbacks(&routing).map(fallback).collect(),
        hedge_after_ms: hedge_after(&request, &found.route, &access),
        bound: access.affinity.is_some(),
        mirrors: mirrors(&routing, &request.envelope.model, caller),
        timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Of the query `endpoint=chat.completions`.
fn endpoint(query: &str) -> Result<Endpoint, Refusal> {
    let Some(asked) = query.split('&').find_map(|pair| pair.strip_prefix("endpoint=")) else {
        return Ok(Endpoint::ChatCompletions);
    };
    Endpoint::ALL.into_iter().find(|one| one.name() == asked).ok_or_else(|| {
        let known: Vec<_> = Endpoint::ALL.iter().map(|one| format!("`{}`", one.name())).collect();
        let message = format!("no endpoint `{}` (there are: {})", super::clip(asked), known.join(", "));
        Refusal::invalid("endpoint", message)
    })
}

fn mirrors(routing: &Routing, model: &str, caller: Option<&Caller>) -> Vec<RouteMirror> {
    let visible = |provider: &str| caller.is_none_or(|caller| caller.may_use_provider(provider));
    let rules = routing.mirrors.iter().filter(|rule| rule.covers(model) && visible(&rule.target_provider));
    let shown = rules.map(|rule| RouteMirror {
        provider: rule.target_provider.clone(),
        model: rule.target_model.as_deref().unwrap_or(model).to_owned(),
        sample_rate: rule.sample_rate,
    });
    shown.collect()
}

/// Retrieve a decision
///
/// What was decided for a recent request of the same client key (`x-prism-request-id` of its answer), once it has ended:
/// the candidates in the order of their turns, and every attempt. The gateway remembers the last 4,096 requests.
#[utoipa::path(
    get, path = "/v1/route/decisions/{request_id}", tag = "Routing Decisions", operation_id = "retrieveRouteDecision",
    params(("request_id" = String, Path, description = "The id that the answer had in `x-prism-request-id`")),
    responses((status = 200, description = "What was decided", body = RouteDecision), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("route.decisions.retrieve"))),
)]
pub(super) async fn decision(
    State(gateway): State<Arc<Gateway>>,
    Path(request_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let caller = match call::authorise(&gateway, credential(&head.headers), call::peer(&head, &gateway)) {
        Ok(caller) => caller,
        Err(refusal) => return status::page(&refusal),
    };
    let key = caller.as_ref().map(|caller| &*caller.name);
    match gateway.metrics.decisions.find(key, &request_id) {
        Some(decision) => json(StatusCode::OK, &told(&decision)),
        None => {
            let message = format!("no recent request `{}` of this key has ended", super::clip(&request_id));
            status::page(&Refusal::new(Cause::NotFound, message).param("request_id").code("decision_not_found"))
        }
    }
}

fn told(decision: &Decision) -> RouteDecision {
    let began = SystemTime::now().checked_sub(decision.began.elapsed()).unwrap_or(SystemTime::UNIX_EPOCH);
    let ordered = decision.considered.iter().flat_map(|one| one.order.iter().map(|&at| &one.places[usize::from(at)]));
    let passed_over = decision.passed_over.iter();
    RouteDecision {
        request_id: decision.request_id.clone(),
        model: decision.model.as_deref().map(str::to_owned),
        endpoint: decision.endpoint.name().to_owned(),
        at: chrono::DateTime::<chrono::Utc>::from(began).to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        took_ms: decision.took.as_secs_f64() * 1e3,
        status: u64::from(decision.status),
        source: decision.source.map(|source| RouteSource::from(source.name().to_owned())),
        strategy: decision.strategy.name().to_owned(),
        candidates: ordered.map(|one| place(one)).collect(),
        passed_over: passed_over
            .map(|(at, why)| RoutePassedOver { place: place(at), reason: (*why).to_owned() })
            .collect(),
        attempts: decision.attempted.iter().map(attempt).collect(),
    }
}

fn place(place: &Place) -> RoutePlace {
    RoutePlace {
        provider: place.provider.to_string(),
        region: place.region.as_deref().map(str::to_owned),
        model: place.model.to_string(),
    }
}

fn attempt(one: &Attempted) -> RouteAttempt {
    let (outcome, status) = match one.outcome {
        None => (AttemptOutcome::Abandoned, None),
        Some(Outcome::Answered) => (AttemptOutcome::Answered, None),
        Some(Outcome::Outrun) => (AttemptOutcome::Outrun, None),
        Some(Outcome::Failed { status, .. }) => (AttemptOutcome::Failed, status),
    };
    RouteAttempt {
        place: place(&one.place),
        kind: AttemptKind::from(one.kind.name().to_owned()),
        outcome,
        status: status.map(u64::from),
        took_ms: one.took.map(|took| took.as_secs_f64() * 1e3),
    }
}
