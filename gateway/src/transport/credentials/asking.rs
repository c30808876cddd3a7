//! Calls to token endpoints and metadata services: small answers, short patience, no redirects.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;

use super::Failure;
use crate::{transport::Transport, wire::Payload};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes; tokens are a few KB.
const MAX_ANSWER: usize = 256 << 10;

#[derive(Clone)]
pub(super) struct Asking(pub Arc<dyn Transport>);

impl Asking {
    pub(super) async fn get(&self, who: &str, url: &str, headers: &[(&str, &str)]) -> Result<Bytes, Failure> {
        self.send(who, request(Method::GET, url, headers, Bytes::new())?).await
    }

    pub(super) async fn put(&self, who: &str, url: &str, headers: &[(&str, &str)]) -> Result<Bytes, Failure> {
        self.send(who, request(Method::PUT, url, headers, Bytes::new())?).await
    }

    pub(super) async fn post_form(&self, who: &str, url: &str, form: &[(&str, &str)]) -> Result<Bytes, Failure> {
        self.send(who, self::form(url, form)?).await
    }

    pub(super) async fn post_json(
        &self,
        who: &str,
        url: &str,
        token: &str,
        body: &serde_json::Value,
    ) -> Result<Bytes, Failure> {
        let authorization = format!("Bearer {token}");
        let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
        self.send(who, request(Method::POST, url, &headers, body.to_string().into())?).await
    }

    pub(super) async fn send(&self, who: &str, request: Request<Payload>) -> Result<Bytes, Failure> {
        let asked = async {
            let response = self.0.send(request).await.map_err(|error| {
                tracing::debug!(who, %error, "a credential could not be fetched");
                Failure::new(format!("{who} could not be reached"))
            })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map_err(|_| Failure::new(format!("the answer of {who} could not be read")))?.to_bytes();
            if head.status.is_success() {
                return Ok(body);
            }
            let why = reason(&body).map(|why| format!(" ({why})")).unwrap_or_default();
            Err(Failure::new(format!("{who} answered {}{why}", head.status.as_u16())))
        };
        let late = |_| Err(Failure::new(format!("{who} did not answer in time")));
        tokio::time::timeout(TIMEOUT, asked).await.unwrap_or_else(late)
    }
}

/// A form that is to be posted, for those who sign it.
pub(super) fn form(url: &str, form: &[(&str, &str)]) -> Result<Request<Payload>, Failure> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    request(Method::POST, url, &[("content-type", "application/x-www-form-urlencoded")], body.into())
}

/// An answer read as JSON; what it holds is never quoted.
pub(super) fn json<T: DeserializeOwned>(who: &str, body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|_| Failure::new(format!("the answer of {who} is not what was expected")))
}

fn request(method: Method, url: &str, headers: &[(&str, &str)], body: Bytes) -> Result<Request<Payload>, Failure> {
    let bad = || Failure::new("an address or a header of the credential's source cannot be used");
    let mut builder = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(*name != "content-type");
        builder = builder.header(*name, value);
    }
    // everything, so that AWS's token service answers XML and the others what they always do
    builder.header(header::ACCEPT, "*/*").body(Payload::from(body)).map_err(|_| bad())
}

/// OAuth's error code (`invalid_grant`) or AWS's, when it is one word: no text that might quote what was sent.
fn reason(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let answer: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let error = &answer["error"];
    let xml = || text.split_once("<Code>")?.1.split_once("</Code>").map(|(code, _)| code);
    let word = error.as_str().or_else(|| error["status"].as_str()).or_else(xml)?;
    let plain = word.len() <= 40 && word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    plain.then(|| word.to_owned())
}
