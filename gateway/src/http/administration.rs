//! How the control plane is asked over HTTP: who asks, with what, and where.

use std::{borrow::Cow, sync::Arc};

use arc_swap::{ArcSwap, ArcSwapOption};
use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, ETAG, IF_MATCH},
        request::Parts,
    },
    response::Response,
};
use serde::Serialize;
use serde_json::Value as Json;
use zeroize::Zeroize;

use super::{Gateway, asked::credential, body, call, health, status};
use crate::{
    admission::VirtualKeys,
    config::ControlPlane,
    control::{Author, Control, Desk, Rules},
    dispatch::Tenants,
    refusal::{Cause, Refusal},
    secret::{Secret, Wiped},
    store::Standing,
};

/// Configurations are texts that people write.
const LARGEST_BODY: usize = 1 << 20;
/// Entries of a list, without `limit` and with it.
const PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

/// What a gateway with organisations has.
pub struct Administration {
    pub desk: Desk,
    pub tenants: Arc<Tenants>,
    pub keys: Arc<VirtualKeys>,
    pub rules: Arc<ArcSwap<Rules>>,
    /// How it stands to the bucket that it shares with others; `None` where it shares nothing.
    pub standing: Option<Arc<Standing>>,
    /// Administers every organisation.
    token: ArcSwapOption<Secret>,
}

impl Administration {
    pub fn new(
        desk: Desk,
        tenants: Arc<Tenants>,
        keys: Arc<VirtualKeys>,
        rules: Arc<ArcSwap<Rules>>,
        standing: Option<Arc<Standing>>,
        config: &ControlPlane,
    ) -> Self {
        let administration = Self { desk, tenants, keys, rules, standing, token: ArcSwapOption::empty() };
        administration.reload(config);
        administration
    }

    pub fn reload(&self, config: &ControlPlane) {
        self.token.store(config.admin_token.clone().map(Arc::new));
    }
}

/// A request of somebody who has proved who they are.
pub(super) struct Asking {
    pub administration: Arc<Administration>,
    pub author: Author,
    head: Parts,
    body: Body,
}

impl Asking {
    /// # Errors
    /// 404 without a control plane, 401 without a valid credential, 403 from an address that a key does not allow.
    pub fn read(gateway: &Gateway, request: Request) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        let administration = gateway.administration.clone().ok_or_else(switched_off)?;
        let key = credential(&head.headers);
        let token = administration.token.load();
        let author = match (key, &*token) {
            (Some(key), Some(token)) if Secret::new(key) == **token => Author::operator(),
            _ => {
                let caller = call::authorise(gateway, key, call::peer(&head, gateway))?.ok_or_else(no_credential)?;
                Author::of(&caller)
            }
        };
        drop(token);
        Ok(Self { administration, author, head, body })
    }

    /// The state that the header `If-Match` names, or the parameter `if_match`.
    ///
    /// # Errors
    /// When it names several, or is not ASCII.
    pub fn seen(&self) -> Result<Option<String>, Refusal> {
        let bad = || Refusal::invalid("if_match", "`if_match` takes one ETag as it was given, or `*`");
        let header = self.head.headers.get(IF_MATCH).map(|value| value.to_str().map_err(|_| bad())).transpose()?;
        let Some(text) = header.map(Cow::from).or_else(|| self.query("if_match")) else { return Ok(None) };
        let text = text.trim();
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        if bare.is_empty() || bare.contains(['"', ',']) { Err(bad()) } else { Ok(Some(bare.to_owned())) }
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        let query = self.head.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A parameter of the query that is a number.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(&self, name: &'static str) -> Result<Option<u64>, Refusal> {
        let bad = |_| Refusal::invalid(name, format!("`{name}` has to be a whole number"));
        self.query(name).map(|text| text.parse().map_err(bad)).transpose()
    }

    /// `cursor` and `limit` of a list.
    ///
    /// # Errors
    /// When the limit is none.
    pub fn page(&self) -> Result<(String, usize), Refusal> {
        let limit = self.number("limit")?.map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        if !(1..=LARGEST_PAGE).contains(&limit) {
            return Err(Refusal::invalid("limit", format!("`limit` is from 1 to {LARGEST_PAGE}")));
        }
        Ok((self.query("cursor").unwrap_or_default().into_owned(), limit))
    }

    /// The body, which may hold secrets; and who sent it.
    ///
    /// # Errors
    /// 400 when it is not JSON, 413 when it is too large, 415 when it does not say that it is JSON.
    pub async fn document(self, gateway: &Gateway) -> Result<(Arc<Administration>, Author, Wiped), Refusal> {
        let Self { administration, author, head, body } = self;
        let bytes = body::json(gateway, &head.headers, body).await?;
        if bytes.len() > LARGEST_BODY {
            let message = format!("a body of the control plane has at most {LARGEST_BODY} bytes");
            return Err(Refusal::new(Cause::TooLarge, message).code("request_too_large"));
        }
        let document = serde_json::from_slice::<Json>(&bytes).map(Wiped);
        if let Ok(mut bytes) = bytes.try_into_mut() {
            bytes.zeroize();
        }
        // serde's text tells the place and what was expected there, and quotes nothing
        let document = document.map_err(|error| {
            let message = format!("the body is not JSON (line {}, column {})", error.line(), error.column());
            Refusal::new(Cause::Invalid, message).code("invalid_json")
        })?;
        Ok((administration, author, document))
    }

    /// Has the control plane answer.
    ///
    /// # Errors
    /// What it refuses.
    pub async fn ask<T: Send + 'static>(
        self,
        what: impl FnOnce(&mut Control, &Author) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let author = self.author;
        self.administration.desk.ask(move |control| what(control, &author)).await
    }
}

/// An answer, or why there is none. What the control plane says is for its reader alone.
pub(super) fn answer<T: Serialize>(result: Result<T, Refusal>) -> Response {
    let mut response = match result {
        Ok(value) => health::json(StatusCode::OK, &value),
        Err(refusal) => status::page(&refusal),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// With the state that the answer shows.
pub(super) fn tag(headers: &mut HeaderMap, etag: &str) {
    if let Ok(value) = HeaderValue::try_from(format!("\"{etag}\"")) {
        headers.insert(ETAG, value);
    }
}

fn switched_off() -> Refusal {
    let message = "organisations are not switched on here: start the gateway with `--control-plane`, or write \
                   `control_plane: {}` in its file";
    Refusal::new(Cause::NotFound, message).code("control_plane_off")
}

fn no_credential() -> Refusal {
    let message = "administration needs an API key or the admin token: send `Authorization: Bearer YOUR_KEY`";
    Refusal::new(Cause::Unauthenticated, message).code("missing_api_key")
}
