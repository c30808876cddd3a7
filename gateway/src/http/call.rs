//! The straight line of a model call, from head to answer.

use std::{
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Gateway,
    asked::Asked,
    body, limited, recorded, replayed, reply,
    serve::Peer,
    tenancy::Tenancy,
    way::{Found, Way},
};
use crate::{
    admission::{Caller, Entries},
    api::{self, Endpoint},
    dispatch::{Relayed, relay},
    refusal::{Cause, Refusal},
    telemetry::{Exchange, Trace, Tracer},
    wire::openai,
};
use axum::{
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
};
use futures_util::FutureExt;
use smallvec::smallvec;

/// Create a chat completion
///
/// The body is OpenAI's and goes to the provider byte for byte where the provider speaks the same format; fields that are
/// not listed here are passed on. With `stream: true` the answer is a stream of server-sent events that ends with
/// `data: [DONE]`, or with an `error` event when the provider's stream was cut.
#[utoipa::path(
    post, path = "/v1/chat/completions", tag = "Chat Completions", operation_id = "createChatCompletion",
    request_body = api::ChatCompletionRequest,
    params(super::openapi::CallHeaders),
    responses(
        (status = 200, description = "The completion, or a stream of chunks when `stream` is true",
            content((api::ChatCompletion = "application/json"), (api::ChatCompletionChunk = "text/event-stream"))),
        super::openapi::CallErrors,
    ),
    extensions(("x-sdk-method" = json!("chat.completions.create"))),
)]
pub(super) async fn chat_completions(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    serve(&gateway, Endpoint::ChatCompletions, request).await
}

/// Create a completion
///
/// The legacy endpoint for base models: a prompt in, text out.
#[utoipa::path(
    post, path = "/v1/completions", tag = "Completions", operation_id = "createCompletion",
    request_body = api::CompletionRequest,
    params(super::openapi::CallHeaders),
    responses(
        (status = 200, description = "The completion, or a stream of chunks when `stream` is true",
            content((api::Completion = "application/json"), (api::Completion = "text/event-stream"))),
        super::openapi::CallErrors,
    ),
    extensions(("x-sdk-method" = json!("completions.create"))),
)]
pub(super) async fn completions(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    serve(&gateway, Endpoint::Completions, request).await
}

/// Create embeddings
///
/// One vector for each input.
#[utoipa::path(
    post, path = "/v1/embeddings", tag = "Embeddings", operation_id = "createEmbedding",
    request_body = api::EmbeddingRequest,
    params(super::openapi::CallHeaders),
    responses((status = 200, description = "The embeddings", body = api::EmbeddingResponse), super::openapi::CallErrors),
    extensions(("x-sdk-method" = json!("embeddings.create"))),
)]
pub(super) async fn embeddings(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    serve(&gateway, Endpoint::Embeddings, request).await
}

/// Rank documents
///
/// Documents come back in the order of their relevance to a query. The request is Cohere's, as compatible servers have it.
#[utoipa::path(
    post, path = "/v1/rerank", tag = "Rerank", operation_id = "createRerank",
    request_body = api::RerankRequest,
    params(super::openapi::CallHeaders),
    responses((status = 200, description = "The documents by relevance", body = api::RerankResponse), super::openapi::CallErrors),
    extensions(("x-sdk-method" = json!("rerank.create"))),
)]
pub(super) async fn rerank(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    serve(&gateway, Endpoint::Rerank, request).await
}

/// Answers a model call.
pub(super) async fn serve(gateway: &Arc<Gateway>, endpoint: Endpoint, request: Request) -> Response {
    if replayed::is_asked(request.headers()) {
        return Box::pin(replayed::serve(gateway, endpoint, request)).await;
    }
    // what leads here moves what it is given: a box is moved more cheaply than the call
    Box::pin(straight(gateway, endpoint, request)).await
}

/// The call itself, whoever reads its answer.
pub(super) async fn straight(gateway: &Arc<Gateway>, endpoint: Endpoint, request: Request) -> Response {
    let mut exchange = Exchange::begin(&gateway.metrics, endpoint);
    let answered = AssertUnwindSafe(answer(gateway, &mut exchange, request)).catch_unwind().await;
    match answered.unwrap_or_else(|_| Err(Refusal::new(Cause::Internal, "the gateway has a defect"))) {
        Ok((relayed, entries)) => reply::answer(exchange, relayed, entries),
        Err(refusal) => reply::refusal(exchange, &refusal),
    }
}

/// Door, key, body, model, candidates, relay.
async fn answer(
    gateway: &Arc<Gateway>,
    exchange: &mut Exchange,
    request: Request,
) -> Result<(Relayed, Entries), Refusal> {
    let mut entries: Entries = smallvec![gateway.door.enter().ok_or_else(overloaded)?];
    let (head, body) = request.into_parts();
    let asked = Asked::read(&head.headers)?;
    exchange.client_request_id = asked.client_request_id.map(Into::into);
    if let Some(tracer) = &gateway.tracer {
        exchange.trace = traced(tracer, &head.headers, &asked);
    }
    exchange.include_cost = asked.include_cost;
    exchange.trace_id = match (asked.trace_id.and_then(|id| id.to_str().ok()), &exchange.trace) {
        (Some(own), _) => Some(own.into()),
        (None, traced) => traced.as_ref().map(|trace| trace.id()),
    };
    let caller = admit(gateway, asked.key, peer(&head, gateway))?;
    exchange.key = caller.as_ref().map(|caller| caller.name.clone());
    exchange.organisation = caller.as_ref().map(|caller| caller.organisation.clone());
    exchange.key_metadata = caller.as_ref().and_then(|caller| caller.metadata.clone());
    let account = caller.as_ref().and_then(|caller| caller.own_account());
    if let Some(account) = account {
        entries.push(limited::enter(account, exchange)?);
    }

    let body = body::json(gateway, &head.headers, body).await?;
    let request = openai::read(exchange.endpoint, body)?;
    exchange.model = Some(request.envelope.model.clone());
    exchange.stream = request.envelope.stream;
    let (log_bodies, limiter) = gateway.limits.load().of_requests();
    if log_bodies {
        tracing::info!(request_id = %exchange.request_id, body = %String::from_utf8_lossy(&request.body), "request body");
    }

    let tenancy = Tenancy::of(gateway, caller.as_deref()).await?;
    let (table, prices, limiter) = (&tenancy.table, &tenancy.prices, tenancy.limiter(limiter));
    let way = Way { gateway, tenancy: &tenancy, table, request: &request, asked: &asked, caller: caller.as_deref() };
    let routing = way.routing()?;
    exchange.timeout = way.timeout(&routing);
    exchange.strategy = routing.strategy;
    let media = gateway.media.load_full();
    let access = way.access(&routing, exchange.began, prices, media.as_deref());
    let Found { route, source, .. } = way.route(&routing).await?;
    exchange.source = Some(source);
    if limiter.is_some() || account.is_some() {
        limited::reserve(&way, (&*routing, &*route), prices, limiter.as_deref(), exchange).await?;
    }
    recorded::admit(gateway, exchange, &request, &asked)?;
    table.budgets.request();
    gateway.mirrors.copy((exchange, &request), table, &routing, prices);
    let mut last = relay(&request, &route, &access, exchange).await;
    for (_, stand_in) in way.fallbacks(&routing) {
        match &last {
            Err(refusal) if refusal.cause.fails_over() => {}
            _ => break,
        }
        exchange.fell_back = true;
        last = relay(&request, &stand_in, &access, exchange).await;
    }
    let relayed = last?;
    let answered = &relayed.candidate;
    exchange.pricing = answered.series.pricing(prices, &answered.core.config, &answered.upstream);
    Ok((relayed, entries))
}

fn traced(tracer: &Arc<Tracer>, headers: &HeaderMap, asked: &Asked<'_>) -> Option<Box<Trace>> {
    let mut trace = tracer.begin(headers.get("traceparent"))?;
    trace.conversation = asked.session_id.map(Into::into);
    Some(Box::new(trace))
}

/// Who calls a model.
///
/// # Errors
/// 401 or 403.
pub(super) fn admit(gateway: &Gateway, key: Option<&str>, ip: IpAddr) -> Result<Option<Arc<Caller>>, Refusal> {
    let caller = authorise(gateway, key, ip)?;
    if caller.as_ref().is_some_and(|caller| !caller.may_call()) {
        let message = "a key with the role `viewer` may not call models";
        return Err(Refusal::new(Cause::Forbidden, message).code("role_not_allowed"));
    }
    Ok(caller)
}

/// # Errors
/// 401 or 403.
pub(super) fn authorise(gateway: &Gateway, key: Option<&str>, ip: IpAddr) -> Result<Option<Arc<Caller>>, Refusal> {
    gateway.keys.load().admit(key, ip, chrono::Utc::now)
}

/// The client's address: the socket's, or what a trusted proxy says it is.
pub(super) fn peer(head: &axum::http::request::Parts, gateway: &Gateway) -> IpAddr {
    let direct = head.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.to_canonical());
    let limits = gateway.limits.load();
    let trusted = |ip: &IpAddr| limits.server.trusted_proxies.iter().any(|net| net.contains(ip));
    if !trusted(&direct) {
        return direct;
    }
    // the last address that no trusted proxy wrote for another of ours
    let forwarded = head.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let mut hops: Vec<IpAddr> =
        forwarded.flat_map(|value| value.split(',')).filter_map(|hop| hop.trim().parse().ok()).collect();
    while let Some(hop) = hops.pop() {
        if !trusted(&hop) {
            return hop;
        }
    }
    direct
}

pub(super) fn overloaded() -> Refusal {
    Refusal::new(Cause::Overloaded, "the gateway is at its limit of concurrent requests (`server.max_in_flight`)")
        .code("gateway_full")
        .retry_after(Some(Duration::from_secs(1)))
}

/// How long the request has taken so far.
pub(super) fn elapsed(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of the future that a function of three arguments returns.
    fn size<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// Every request in progress has one, and it is copied whole before it runs: what is rare (an organisation that wakes,
    /// media that are fetched, jobs, parts, hedges) has to be in a box of its own.
    #[test]
    fn what_a_request_in_progress_takes_is_small() {
        let (whole, answered) = (size(straight), size(answer));
        assert!(whole <= 8 << 10, "{whole} bytes, of which {answered} for the way to the answer");
    }
}
