//! The document and a page to read it with; nothing is loaded from elsewhere.

use std::sync::{Arc, LazyLock};

use axum::{
    body::Body,
    extract::Path,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, LOCATION},
    },
    response::Response,
};
use bytes::Bytes;
use utoipa_swagger_ui::Config;

use super::{openapi, status};
use crate::refusal::{Cause, Refusal};

pub(super) async fn openapi_json() -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| openapi::document().into());
    content("application/json", Body::from(DOCUMENT.clone()))
}

pub(super) async fn redirect() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/docs/"));
    response
}

pub(super) async fn index() -> Response {
    asset("index.html")
}

pub(super) async fn file(Path(file): Path<String>) -> Response {
    asset(&file)
}

fn asset(file: &str) -> Response {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/openapi.json")));
    match utoipa_swagger_ui::serve(file, CONFIG.clone()) {
        Ok(Some(found)) => {
            let mut response = content(&found.content_type, Body::from(found.bytes.into_owned()));
            if found.gzpipped {
                response.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
            }
            response
        }
        _ => status::page(&Refusal::new(Cause::NotFound, "no such page; the documentation starts at /docs/")),
    }
}

fn content(kind: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let kind = HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
