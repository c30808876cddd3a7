//! The OpenAPI document: assembled from the handlers, the only source of the SDKs.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use axum::{
    Router,
    routing::{MethodFilter, on},
};
use utoipa::{
    IntoParams, IntoResponses, Modify, OpenApi, Path,
    openapi::{
        HttpMethod,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{Gateway, call, health, keys, limits, models, org_configs, policies, providers, route, usage};
use crate::api::{self, ErrorEnvelope};

/// Every route that has a handler of its own: in the router by its path and methods alone, in the document with all that
/// its handler says. The document takes half a megabyte to make, so that it is made when somebody asks for it.
macro_rules! served {
    (
        calls: $($module:ident::$handler:ident),+;
        administration: $($office:ident::$clerk:ident),+;
    ) => {
        #[derive(OpenApi)]
        #[openapi(
            // routed by hand: ids have slashes, which axum wants as `{*model}`; the operator chooses the path of the metrics
            paths(models::retrieve, health::metrics, $($module::$handler,)+ $($office::$clerk),+),
            info(
                title = "Prism",
                description = "One OpenAI-compatible door in front of every LLM provider.",
                license(name = "Apache-2.0", identifier = "Apache-2.0"),
            ),
            servers((url = "http://127.0.0.1:8080", description = "A gateway on this machine")),
            tags(
                (name = "Chat Completions", description = "Conversations with a model"),
                (name = "Completions", description = "Text from a prompt (legacy)"),
                (name = "Embeddings", description = "Vectors from text"),
                (name = "Rerank", description = "Documents by their relevance to a query"),
                (name = "Models", description = "What can be called"),
                (name = "Providers", description = "The providers behind the gateway"),
                (name = "Limits", description = "How much may be asked for"),
                (name = "Routing", description = "Why a request goes where it goes"),
                (name = "Routing Decisions", description = "Where recent requests went"),
                (name = "Usage", description = "What has been used, and what it cost"),
                (name = "Organisations", description = "What each organisation has configured"),
                (name = "Routing Policies", description = "Conditional routes of organisations"),
                (name = "Provider Types", description = "What each type of provider needs"),
                (name = "Keys", description = "Client keys of organisations"),
                (name = "Health", description = "Is the gateway alive and ready"),
            ),
            components(schemas(ErrorEnvelope, api::ErrorBody, api::ChatCompletionChunk)),
            security(("bearerAuth" = [])),
            modifiers(&Security),
        )]
        struct Prism;

        /// Every documented route with its handler, but for those that administer.
        pub(super) fn routed() -> Router<Arc<Gateway>> {
            pastey::paste! {
                Router::new()$(.route(
                    &<$module::[<__path_ $handler>] as Path>::path(),
                    on(methods::<$module::[<__path_ $handler>]>(), $module::$handler),
                ))+
            }
        }

        /// Those that administer.
        pub(super) fn administered() -> Router<Arc<Gateway>> {
            pastey::paste! {
                Router::new()$(.route(
                    &<$office::[<__path_ $clerk>] as Path>::path(),
                    on(methods::<$office::[<__path_ $clerk>]>(), $office::$clerk),
                ))+
            }
        }
    };
}

served! {
    calls:
    call::chat_completions,
    call::completions,
    call::embeddings,
    call::rerank,
    models::list,
    route::explain_route,
    route::decision,
    usage::list,
    limits::retrieve,
    health::providers,
    health::healthz,
    health::livez,
    health::readyz;
    administration:
    org_configs::list,
    org_configs::create,
    org_configs::retrieve,
    org_configs::replace,
    org_configs::update,
    org_configs::delete,
    org_configs::versions,
    org_configs::diff,
    org_configs::rollback,
    org_configs::validate,
    keys::create,
    keys::list,
    keys::retrieve,
    keys::update,
    keys::rotate,
    keys::delete,
    policies::list,
    policies::create,
    policies::update,
    policies::delete,
    providers::types,
    providers::list,
    providers::test;
}

/// The methods that a handler says it takes.
fn methods<P: Path>() -> MethodFilter {
    let filters = P::methods().into_iter().map(|method| match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    });
    filters.reduce(MethodFilter::or).expect("a documented handler takes a method")
}

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A client key; not needed where none is configured."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearerAuth", SecurityScheme::Http(bearer));
    }
}

/// Any error, in OpenAI's envelope.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum AnyError {
    #[response(status = "4XX", description = "The request cannot be served as it is")]
    Client(ErrorEnvelope),
    #[response(status = "5XX", description = "The gateway is overloaded or draining")]
    Server(ErrorEnvelope),
}

/// An error of the caller, in OpenAI's envelope.
#[derive(IntoResponses)]
#[response(status = "4XX", description = "The request cannot be served as it is")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct ClientError(ErrorEnvelope);

/// Errors of a model call.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum CallErrors {
    /// The request is wrong (400, 413, 415, 422), not allowed (401, 403), too slow (408), asks for what does not exist
    /// (404), or a quota is used up (429, with `Retry-After`).
    #[response(status = "4XX")]
    Client(ErrorEnvelope),
    /// The provider failed (502), is unavailable or the gateway is full (503, with `Retry-After`), or took too long (504).
    #[response(status = "5XX")]
    Server(ErrorEnvelope),
}

/// Options of a model call that travel as headers; each is also understood as `x-agentcc-*`.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct CallHeaders {
    /// An id of your own, 1 to 255 characters; logged beside the gateway's.
    #[param(rename = "x-prism-request-id", min_length = 1, max_length = 255, required = false)]
    request_id: Option<String>,
    /// Echoed in the answer, 1 to 255 characters.
    #[param(rename = "x-prism-trace-id", min_length = 1, max_length = 255, required = false)]
    trace_id: Option<String>,
    /// Milliseconds for the whole request; for a stream, until its first content.
    #[param(rename = "x-prism-request-timeout", minimum = 1, required = false)]
    request_timeout: Option<u64>,
    /// Only this provider may answer.
    #[param(rename = "x-prism-provider-lock", min_length = 1, max_length = 255, required = false)]
    provider_lock: Option<String>,
    /// `true` refuses the request when a field would be dropped or approximated on its way to the provider.
    #[param(rename = "x-prism-strict", required = false)]
    strict: Option<bool>,
    /// `true` adds `x_prism: {cost}` (US dollars) to a stream's usage chunk, which `stream_options.include_usage` asks for.
    #[param(rename = "x-prism-include-cost", required = false)]
    include_cost: Option<bool>,
    /// Routing of this request alone, as JSON: `strategy`, `targets`, `failover`, `retry`, `timeouts`, `model_fallbacks`, with
    /// the names of the configuration file.
    #[param(rename = "x-prism-config", format = "json", required = false)]
    config: Option<String>,
    /// The same key and request get the same answer for ten minutes after its end: a request in flight is joined, a finished
    /// answer is given again. Another request with the same key is refused with 422.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, required = false)]
    idempotency_key: Option<String>,
    /// Seconds for which the upstream call of a stream outlives a lost connection. Its events carry ids; the same request with
    /// the last of them in `Last-Event-ID` goes on where the connection was lost.
    #[param(rename = "x-prism-resumable", minimum = 1, maximum = 3600, required = false)]
    resumable: Option<u64>,
}

/// A route as an error message names it.
pub(super) struct Route {
    pub path: String,
    /// `GET, POST`.
    pub methods: String,
}

impl Route {
    /// Segment by segment; a model's name, which is the last, may have several.
    pub fn matches(&self, path: &str) -> bool {
        let mut asked = path.split('/');
        for segment in self.path.split('/') {
            match asked.next() {
                Some(part) if segment == "{model}" => return !part.is_empty(),
                Some(part) if segment == part || segment.starts_with('{') => {}
                _ => return false,
            }
        }
        asked.next().is_none()
    }
}

pub(super) fn routes() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
        let document: serde_json::Value = serde_json::from_str(&document()).expect("our own document is JSON");
        let paths = document["paths"].as_object().expect("a document has paths");
        let methods = |item: &serde_json::Value| {
            let all = item.as_object().into_iter().flat_map(|item| item.keys());
            all.map(|method| method.to_uppercase()).collect::<Vec<_>>().join(", ")
        };
        paths.iter().map(|(path, item)| Route { path: path.clone(), methods: methods(item) }).collect()
    });
    &ROUTES
}

/// The document as pretty JSON with a final line break, the same bytes each time.
pub fn document() -> String {
    let mut document = serde_json::to_value(Prism::openapi()).expect("utoipa's documents serialise");
    settle(&mut document);
    serde_json::to_string_pretty(&document).expect("a value serialises") + "\n"
}

/// utoipa keeps extensions in a hash map, whose order differs from run to run: sorted they follow the other keys. What
/// it adds to maps as `propertyNames` is noise to generators.
fn settle(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(object) => {
            object.shift_remove("propertyNames");
            let extensions: BTreeMap<_, _> = object
                .iter()
                .filter(|(key, _)| key.starts_with("x-"))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            for (key, value) in extensions {
                object.shift_remove(&key);
                object.insert(key, value);
            }
            object.values_mut().for_each(settle);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(settle),
        _ => {}
    }
}
