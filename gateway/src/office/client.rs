//! A gateway, asked over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{
    Method, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_MATCH},
};
use http_body_util::BodyExt;
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use crate::{
    secret::Secret,
    transport::{HttpTransport, Transport},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Client {
    url: String,
    key: HeaderValue,
    transport: HttpTransport,
    runtime: Runtime,
}

impl Client {
    /// # Errors
    /// When the address or the key cannot be one.
    pub fn new(url: &str, key: Secret) -> Result<Self, String> {
        let url = url.trim_end_matches('/').trim_end_matches("/v1").to_owned();
        let is_absolute = url.parse::<Uri>().is_ok_and(|uri| uri.authority().is_some());
        if !is_absolute {
            return Err("the gateway's address has to be a URL such as `http://127.0.0.1:8080`".to_owned());
        }
        let mut key = HeaderValue::try_from(format!("Bearer {}", key.expose()))
            .map_err(|_| "the key holds a character that cannot be sent in a header")?;
        key.set_sensitive(true);
        let transport = HttpTransport::beside(None, CONNECT_TIMEOUT).map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { url, key, transport, runtime: runtime.map_err(|error| error.to_string())? })
    }

    pub fn get(&self, path: &str) -> Result<Json, String> {
        self.send(Method::GET, path, None, None)
    }

    /// A list, all pages of it.
    pub fn pages(&self, path: &str) -> Result<Json, String> {
        let mut whole = self.get(&format!("{path}?limit=100"))?;
        while let Some(cursor) = whole["next_cursor"].as_str().map(str::to_owned) {
            let mut next = self.get(&format!("{path}?limit=100&cursor={}", super::escaped(&cursor)))?;
            if let (Some(all), Some(more)) = (whole["data"].as_array_mut(), next["data"].as_array_mut()) {
                all.append(more);
            }
            whole["next_cursor"] = next["next_cursor"].take();
        }
        whole.as_object_mut().map(|whole| whole.shift_remove("next_cursor"));
        Ok(whole)
    }

    /// # Errors
    /// What the gateway said, or why it could not be asked.
    pub fn send(&self, method: Method, path: &str, body: Option<Json>, seen: Option<&str>) -> Result<Json, String> {
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let mut request = Request::new(body.into());
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.url).parse().map_err(|_| "no such address".to_owned())?;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.key.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seen) = seen {
            headers.insert(IF_MATCH, seen.parse().map_err(|_| "`--if-match` is no ETag".to_owned())?);
        }
        self.runtime.block_on(async {
            let response = self.transport.send(request).await.map_err(|error| format!("{}: {error}", self.url))?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| format!("{}: {error}", self.url))?.to_bytes();
            let answer: Json = serde_json::from_slice(&body).unwrap_or_else(|_| json!({}));
            if head.status.is_success() {
                return Ok(answer);
            }
            let said = answer["error"]["message"].as_str().unwrap_or("it did not say why");
            Err(format!("{} answers {}: {said}", self.url, head.status))
        })
    }
}
