//! Where a report comes from: `GET /v1/usage` of a gateway, or the file itself.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, header::AUTHORIZATION};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use super::Place;
use crate::{
    api::{ErrorEnvelope, UsageReport},
    transport::trusting,
    usage::analytics::{self, MOST_ROWS, Question},
};

const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a page.
const MOST_ANSWER: usize = 64 << 20;

type Members = Vec<(String, String)>;

/// All pages of an answer as one.
pub(super) fn ask(place: &Place, members: &Members) -> Result<UsageReport, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let mut members = members.clone();
    members.push(("limit".to_owned(), MOST_ROWS.to_string()));
    let mut whole: Option<UsageReport> = None;
    loop {
        let mut page = match &place.store {
            Some(folder) => from_file(folder, &members)?,
            None => runtime.block_on(from_gateway(place, &members))?,
        };
        let next = page.next_cursor.take();
        match &mut whole {
            Some(whole) => whole.data.append(&mut page.data),
            none => *none = Some(page),
        }
        members.retain(|(name, _)| name != "cursor");
        match (next, whole) {
            (None, Some(whole)) => return Ok(whole),
            (next, so_far) => {
                members.extend(next.map(|next| ("cursor".to_owned(), next)));
                whole = so_far;
            }
        }
    }
}

fn from_file(folder: &std::path::Path, members: &Members) -> Result<UsageReport, String> {
    if !folder.is_dir() {
        return Err(format!("there is no folder `{}` (`--store` is a gateway's `store.path`)", folder.display()));
    }
    let question = Question::read(members.iter().cloned(), chrono::Utc::now());
    let question = question.map_err(|refusal| told(refusal.param.as_deref(), &refusal.message))?;
    analytics::report(folder, &question).map_err(|error| error.to_string())
}

async fn from_gateway(place: &Place, members: &Members) -> Result<UsageReport, String> {
    let root = place.url.trim_end_matches('/').trim_end_matches("/v1");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
    let mut request = Request::get(format!("{root}/v1/usage?{query}"))
        .body(Empty::<Bytes>::new())
        .map_err(|_| format!("`{}` is not the address of a gateway", place.url))?;
    if let Some(key) = &place.key {
        let mut value =
            HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| "the key cannot be sent in a header")?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let tls = trusting(place.ca_file.as_deref()).map_err(|error| error.to_string())?;
    let connector = HttpsConnectorBuilder::new().with_tls_config((*tls).clone()).https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    let asking = async {
        let away =
            |error| format!("no gateway answers at {root}: {error} (`--url` names another, `--store` reads its file)");
        let response = client.request(request).await.map_err(away)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MOST_ANSWER).collect().await;
        let body = body.map_err(|_| format!("the answer of {root} broke off"))?.to_bytes();
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|_| format!("{root} answered with something else than usage"));
        }
        match serde_json::from_slice::<ErrorEnvelope>(&body) {
            Ok(ErrorEnvelope { error }) => Err(told(error.param.as_deref(), &error.message)),
            Err(_) => Err(format!("{root} answered {}", status.as_u16())),
        }
    };
    let late = || format!("{root} did not answer within {} s", PATIENCE.as_secs());
    tokio::time::timeout(PATIENCE, asking).await.map_err(|_| late())?
}

fn told(param: Option<&str>, message: &str) -> String {
    match param {
        Some(param) => format!("`{param}`: {message}"),
        None => message.to_owned(),
    }
}
