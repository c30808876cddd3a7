//! The straight line of a model call, from head to answer.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use axum::{
    extract::{Request, State},
    response::Response,
};
use ractor::rpc::CallResult;

use super::{Gateway, asked::Asked, body, reply, serve::Peer};
use crate::{
    admission::{Caller, Entry},
    api::{self, ClientRequest, Endpoint},
    config::Sticky,
    dispatch::{Access, Candidate, DispatcherMessage, Relayed, Route, RouteTable, relay},
    ids,
    refusal::{Cause, Refusal},
    telemetry::Exchange,
    wire::openai,
};

/// Longest wait for an answer of the dispatcher, which waits for model lists itself.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(4);

/// Bytes of a prompt that bind it to a candidate under `sticky: {by: prompt-prefix}`: system prompt and first turns.
const PROMPT_PREFIX: usize = 2_048;

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

async fn serve(gateway: &Arc<Gateway>, endpoint: Endpoint, request: Request) -> Response {
    let mut exchange = Exchange::begin(&gateway.metrics, endpoint, ids::request_id(SystemTime::now()));
    match answer(gateway, &mut exchange, request).await {
        Ok((relayed, entry)) => reply::answer(exchange, relayed, entry),
        Err(refusal) => reply::refusal(exchange, &refusal),
    }
}

/// Door, key, body, model, candidates, relay.
async fn answer(
    gateway: &Arc<Gateway>,
    exchange: &mut Exchange,
    request: Request,
) -> Result<(Relayed, Entry), Refusal> {
    let entry = gateway.door.enter().ok_or_else(overloaded)?;
    let (head, body) = request.into_parts();
    let asked = Asked::read(&head.headers)?;
    exchange.client_request_id = asked.client_request_id.map(Into::into);
    exchange.trace_id = asked.trace_id.and_then(|id| id.to_str().ok()).map(Into::into);
    let caller = authorise(gateway, asked.key, peer(&head, gateway))?;
    exchange.key = caller.as_ref().map(|caller| caller.name.clone());

    body::must_be_json(&head.headers)?;
    let limits = gateway.limits.load();
    let (limit, patience) = (limits.server.max_request_body_size, limits.server.body_timeout);
    drop(limits);
    let body = body::read(&head.headers, body, limit, patience).await?;
    let request = openai::read(exchange.endpoint, body)?;
    exchange.model = Some(request.envelope.model.clone());
    exchange.stream = request.envelope.stream;
    if gateway.limits.load().log_bodies {
        tracing::info!(request_id = %exchange.request_id, body = %String::from_utf8_lossy(&request.body), "request body");
    }

    let table = gateway.table.load_full();
    let routing = &*table.routing;
    let bound = routing.model_timeouts.get(&*request.envelope.model).copied().unwrap_or(routing.request_timeout);
    exchange.timeout = asked.timeout.map_or(bound, |asked| asked.min(bound));
    exchange.strategy = routing.strategy;
    let access = Access {
        deadline: (exchange.began + exchange.timeout).into(),
        strict: asked.strict,
        routing,
        budgets: &table.budgets,
        caller: caller.as_deref(),
        affinity: affinity(routing.sticky, &asked, &request),
    };
    let route = choose(gateway, &table, &request.envelope.model, &asked, caller.as_deref()).await?;
    table.budgets.request();
    let mut last = relay(&request, &route, &access, exchange).await;
    // somebody else's model, when nobody answers for the one that was asked for
    for fallback in routing.model_fallbacks.get(&*request.envelope.model).into_iter().flatten() {
        match &last {
            Err(refusal) if refusal.cause.fails_over() => {}
            _ => break,
        }
        let may_use = caller.as_deref().is_none_or(|caller| caller.may_use_model(fallback));
        if let Some(route) = table.route(fallback).filter(|_| may_use) {
            exchange.fell_back = true;
            last = relay(&request, &route, &access, exchange).await;
        }
    }
    last.map(|relayed| (relayed, entry))
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

/// Who may serve the model for this caller.
async fn choose(
    gateway: &Gateway,
    table: &Arc<RouteTable>,
    model: &str,
    asked: &Asked<'_>,
    caller: Option<&Caller>,
) -> Result<Arc<Route>, Refusal> {
    if caller.is_some_and(|caller| !caller.may_use_model(model)) {
        let message = format!("this API key may not use the model `{}`", super::clip(model));
        return Err(Refusal::new(Cause::Forbidden, message).param("model").code("model_not_allowed"));
    }
    let mut route = match asked.provider_lock {
        Some(provider) => Some(table.locked(provider, model).ok_or_else(|| no_provider(table, provider))?),
        None => table.route(model),
    };
    if route.is_none() && table.is_settling() {
        route = resolve(gateway, model).await;
    }
    let route = route.ok_or_else(|| no_model(table, model, caller))?;
    let may_use = |one: &Candidate| caller.is_none_or(|caller| caller.may_use_provider(&one.core.name));
    if !route.candidates.iter().any(may_use) {
        let message = "this API key may not use any provider that serves the model";
        return Err(Refusal::new(Cause::Forbidden, message).param("model").code("provider_not_allowed"));
    }
    Ok(route)
}

/// Asks the dispatcher, which knows more once the lists that are being read have arrived.
async fn resolve(gateway: &Gateway, model: &str) -> Option<Arc<Route>> {
    let _place = gateway.resolving.try_acquire().ok()?;
    let dispatcher = gateway.dispatcher.load_full();
    let ask = |reply| DispatcherMessage::Resolve { model: model.into(), reply };
    match dispatcher.call(ask, Some(RESOLVE_TIMEOUT)).await {
        Ok(CallResult::Success(route)) => route,
        _ => None,
    }
}

/// What binds the request to one candidate.
fn affinity(sticky: Sticky, asked: &Asked<'_>, request: &ClientRequest) -> Option<u64> {
    let field = |name| request.envelope.field(name).map(|field| &request.body[field.value.clone()]);
    let bound: &[u8] = match sticky {
        Sticky::None => return None,
        Sticky::Session => asked.session_id?.as_bytes(),
        Sticky::User => asked.user_id.map(str::as_bytes).or_else(|| field("user"))?,
        Sticky::PromptPrefix => {
            let prompt = field(request.endpoint.essential_field())?;
            &prompt[..prompt.len().min(PROMPT_PREFIX)]
        }
    };
    let mut hasher = DefaultHasher::new();
    bound.hash(&mut hasher);
    Some(hasher.finish())
}

pub(super) fn no_model(table: &RouteTable, model: &str, caller: Option<&Caller>) -> Refusal {
    let mut near = table.near(model);
    near.retain(|name| caller.is_none_or(|caller| caller.may_use_model(name)));
    let hint = match &near[..] {
        [] => "; GET /v1/models lists what there is".to_owned(),
        names => {
            format!("; did you mean {}?", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "))
        }
    };
    let message = format!("no provider serves the model `{}`{hint}", super::clip(model));
    Refusal::new(Cause::NotFound, message).param("model").code("model_not_found")
}

fn no_provider(table: &RouteTable, provider: &str) -> Refusal {
    let known: Vec<_> =
        table.providers().filter(|core| !core.is_absent()).map(|core| format!("`{}`", core.name)).collect();
    let message = format!("no provider `{}` (there are: {})", super::clip(provider), known.join(", "));
    Refusal::invalid("x-prism-provider-lock", message).code("unknown_provider")
}

fn overloaded() -> Refusal {
    Refusal::new(Cause::Overloaded, "the gateway is at its limit of concurrent requests (`server.max_in_flight`)")
        .code("gateway_full")
        .retry_after(Some(Duration::from_secs(1)))
}

/// How long the request has taken so far.
pub(super) fn elapsed(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
