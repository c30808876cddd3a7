//! What has been used.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};

use super::{Gateway, asked::credential, call, health::json, status};
use crate::{
    admission::DEFAULT_ORG,
    api::UsageReport,
    refusal::{Cause, Refusal},
    usage::{
        Publishing,
        analytics::{NoReport, Question},
    },
};

/// Report usage
///
/// Requests, errors, tokens, cost and latency of the key's organisation, by any combination of day, hour, key, user, model,
/// provider, endpoint, status and members of the requests' metadata. Usage is counted by the hour, about a second after a
/// request has ended; `freshness` says how far behind it is. Rows come in the order of `group_by`, page after page; `totals`
/// are those of all pages. Beyond 10,000 combinations within an hour, new users and metadata (then new models) are counted
/// together as `other`.
///
/// A filter may be given several times: any of its values. `metadata.NAME=VALUE` keeps requests whose metadata have that
/// value; `group_by` takes `metadata.NAME` too.
#[utoipa::path(
    get, path = "/v1/usage", tag = "Usage", operation_id = "listUsage",
    params(
        ("since" = Option<String>, Query, description = "The first hour that counts: a day (`2026-11-28`, in UTC) or a moment (RFC 3339), down to the hour; 30 days before `until` without it. Also understood as `from`"),
        ("until" = Option<String>, Query, description = "The first hour that does not count any more: a day or a moment, up to the hour; now without it. Also understood as `to`"),
        ("group_by" = Option<String>, Query, description = "What rows are told apart by, with commas between: `day`, `hour`, `org`, `key`, `user`, `model`, `provider`, `endpoint`, `status`, `metadata.NAME`; only `totals` without it"),
        ("key" = Option<String>, Query, description = "Only this client key, by its name"),
        ("user" = Option<String>, Query, description = "Only this user"),
        ("model" = Option<String>, Query, description = "Only this model, as the provider knows it"),
        ("provider" = Option<String>, Query, description = "Only this provider"),
        ("endpoint" = Option<String>, Query, description = "Only this endpoint: `chat.completions`, …"),
        ("status" = Option<String>, Query, description = "Only requests that ended so: `answered`, `failed`, `cancelled`, `cut`, `replayed`, `interrupted`"),
        ("limit" = Option<u64>, Query, description = "Rows of a page, 1 to 1000; 100 without it"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "What has been used", body = UsageReport), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("usage.list"))),
)]
pub(super) async fn list(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    match report(&gateway, request).await {
        Ok(report) => json(StatusCode::OK, &report),
        Err(refusal) => status::page(&refusal),
    }
}

async fn report(gateway: &Arc<Gateway>, request: Request) -> Result<UsageReport, Refusal> {
    let (head, _) = request.into_parts();
    let caller = call::authorise(gateway, credential(&head.headers), call::peer(&head, gateway))?;
    let Some(Publishing { analytics, .. }) = &gateway.publishing else {
        let message = "this gateway keeps no usage events (`usage.enabled`), or may not write to its `store.path`";
        return Err(Refusal::new(Cause::NotFound, message).code("usage_disabled"));
    };
    let members = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned();
    let mut question = Question::read(members, chrono::Utc::now())?;
    question.keep_to(caller.as_ref().map_or(DEFAULT_ORG, |caller| &caller.organisation));
    Ok(analytics.report(question).await.inspect_err(untold)?)
}

/// What the caller is not told.
fn untold(why: &NoReport) {
    if !matches!(why, NoReport::TooMany) {
        tracing::error!(error = %why, "what has been used cannot be read");
    }
}
