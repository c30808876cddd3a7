//! Which handler a request goes to.
//!
//! A model call goes to its handler straight; everything else goes through a router, and so does a model call where browsers are
//! to be answered, whose origins a layer of the router looks at. The router costs a request some allocations and a fortieth of its
//! instructions, for a choice among four names.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Method, Uri, header::ALLOW},
    response::Response,
    routing::{MethodFilter, get, on},
};
use hyper::Request;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use tower_service::Service;

use super::{Gateway, call, clip, docs, health, leftover::ReadToItsEnd, models, openapi, status};
use crate::{
    api::Endpoint,
    config::{Config, Cors},
    refusal::{Cause, Refusal},
};

/// How long a browser remembers that it may call.
const PREFLIGHT_VALID: Duration = Duration::from_secs(600);

/// What is served at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Both,
    /// Models are called, nothing is administered.
    Calls,
    Administration,
}

/// Every route of a side, as the operator wants them.
#[derive(Clone)]
pub struct Routes {
    gateway: Arc<Gateway>,
    router: Router,
    /// Model calls go to their handler straight.
    straight: bool,
}

impl Routes {
    pub fn new(gateway: Arc<Gateway>, config: &Config, side: Side) -> Self {
        let routes = match side {
            Side::Both => openapi::routed().merge(openapi::administered()),
            Side::Calls => openapi::routed(),
            Side::Administration => openapi::administered(),
        };
        let mut router = routes
            .route("/v1/models/{*model}", get(models::retrieve))
            .route("/openapi.json", get(docs::openapi_json))
            .route("/docs", get(docs::redirect))
            .route("/docs/", get(docs::index))
            .route("/docs/{*file}", get(docs::file));
        if config.prometheus.enabled {
            router = router.route(&config.prometheus.path, on(MethodFilter::GET, health::metrics));
        }
        let router = router.fallback(no_route).method_not_allowed_fallback(wrong_method).with_state(gateway.clone());
        let router = if config.cors.enabled { router.layer(cors(&config.cors)) } else { router };
        Self { gateway, router, straight: side != Side::Administration && !config.cors.enabled }
    }

    pub(super) async fn answer(&self, request: Request<ReadToItsEnd>) -> Response {
        match called(request.method(), request.uri().path()) {
            Some(endpoint) if self.straight => call::serve(&self.gateway, endpoint, request.map(Body::new)).await,
            _ => {
                let Ok(response) = self.router.clone().call(request).await;
                response
            }
        }
    }
}

/// The model-calling route that a request names.
fn called(method: &Method, path: &str) -> Option<Endpoint> {
    let path = path.strip_prefix("/v1").filter(|_| method == Method::POST)?;
    Endpoint::ALL.into_iter().find(|endpoint| endpoint.path() == path)
}

/// Browsers ask before they send JSON or a key: the named origins get a yes, and see every header of an answer. Keys travel in
/// headers, never in cookies, so credentials are not allowed.
fn cors(config: &Cors) -> CorsLayer {
    let any = config.allowed_origins.iter().any(|origin| origin == "*");
    let origins = if any { AllowOrigin::any() } else { AllowOrigin::list(config.allowed_origins.iter().cloned()) };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(tower_http::cors::Any)
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(tower_http::cors::Any)
        .max_age(PREFLIGHT_VALID)
}

async fn no_route(State(_): State<Arc<Gateway>>, method: Method, uri: Uri) -> Response {
    let near = openapi::routes().iter().min_by_key(|route| strsim::levenshtein(&route.path, uri.path()));
    let near = near.map_or(String::new(), |route| format!("; did you mean `{}`?", route.path));
    let all: Vec<_> = openapi::routes().iter().map(|route| route.path.as_str()).collect();
    let message = format!("no route `{method} {}`{near} (there are: {})", clip(uri.path()), all.join(", "));
    status::page(&Refusal::new(Cause::NotFound, message).code("unknown_url"))
}

async fn wrong_method(State(_): State<Arc<Gateway>>, method: Method, uri: Uri) -> Response {
    let route = openapi::routes().iter().find(|route| route.matches(uri.path()));
    let allowed = route.map_or("GET", |route| route.methods.as_str());
    let message = format!("`{}` does not take {method} (it takes {allowed})", clip(uri.path()));
    let mut response = status::page(&Refusal::new(Cause::MethodNotAllowed, message).code("method_not_allowed"));
    if let Ok(value) = allowed.parse() {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_straight_is_what_the_document_says_of_model_calls() {
        let document: serde_json::Value = serde_json::from_str(&openapi::document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let straight: Vec<_> = paths.keys().filter(|path| called(&Method::POST, path).is_some()).collect();
        assert_eq!(straight, ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank"]);
        assert!(straight.iter().all(|path| called(&Method::GET, path).is_none()));
    }
}
