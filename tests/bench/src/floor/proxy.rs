//! The hop itself: hyper in, hyper-util's pooled client out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::meter::{Meter, Metered};

pub struct Proxy {
    client: Client<HttpConnector, Outgoing>,
    upstream: String,
    by_model: HashMap<String, String>,
    parse: bool,
    meter: Arc<Meter>,
}

type Outgoing = Either<Incoming, Full<Bytes>>;
type Answer = Response<Either<Metered, Full<Bytes>>>;

/// What a gateway cannot do without: the model to route by, whether to expect a stream, and that there are messages.
#[derive(Deserialize)]
struct Chat<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(default)]
    stream: bool,
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

impl Proxy {
    pub fn new(upstream: String, parse: bool) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let models = ["gpt-4o-mini", "claude-3-5-haiku-latest"];
        Proxy {
            client: Client::builder(TokioExecutor::new()).build(connector),
            by_model: models.map(|model| (model.to_string(), upstream.clone())).into(),
            upstream,
            parse,
            meter: Arc::default(),
        }
    }
}

pub async fn handle(proxy: Arc<Proxy>, request: Request<Incoming>) -> Result<Answer, hyper::Error> {
    let (mut parts, body) = request.into_parts();
    if parts.uri.path() == "/stats" {
        return Ok(plain(StatusCode::OK, proxy.meter.to_string()));
    }
    proxy.meter.requests.fetch_add(1, Relaxed);
    let (mut upstream, mut metering) = (&proxy.upstream, None);
    let body: Outgoing = if proxy.parse {
        let body = body.collect().await?.to_bytes();
        let chat: Chat = match serde_json::from_slice(&body) {
            Ok(chat) => chat,
            Err(why) => return Ok(plain(StatusCode::BAD_REQUEST, why.to_string())),
        };
        if chat.messages.is_empty() {
            return Ok(plain(StatusCode::BAD_REQUEST, "no messages".into()));
        }
        match proxy.by_model.get(chat.model.as_ref()) {
            Some(chosen) => upstream = chosen,
            None => return Ok(plain(StatusCode::NOT_FOUND, "no such model".into())),
        }
        metering = Some((proxy.meter.clone(), chat.stream));
        parts.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer sk-upstream"));
        parts.headers.remove(CONTENT_LENGTH);
        Either::Right(Full::new(body))
    } else {
        Either::Left(body)
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = Uri::builder()
        .scheme("http")
        .authority(upstream.as_str())
        .path_and_query(path)
        .build()
        .expect("the authority is a checked IP:PORT and the path comes from a parsed URI");
    parts.headers.remove(HOST);
    parts.headers.remove(CONNECTION);
    match proxy.client.request(Request::from_parts(parts, body)).await {
        Ok(response) => Ok(response.map(|body| Either::Left(Metered::new(body, metering)))),
        Err(why) => Ok(plain(StatusCode::BAD_GATEWAY, format!("{why:?}"))),
    }
}

fn plain(status: StatusCode, text: String) -> Answer {
    let mut response = Response::new(Either::Right(Full::new(text.into())));
    *response.status_mut() = status;
    response
}
