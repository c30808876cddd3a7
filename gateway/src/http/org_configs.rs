//! Configurations of organisations: made, read, changed, compared and brought back.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde_json::Value as Json;

use super::{
    Gateway,
    administration::{Asking, answer, tag},
};
use crate::{
    api::{self, OrgConfig},
    control::Edit,
    refusal::{Cause, Refusal},
    secret::Wiped,
};

/// List organisations
///
/// Those that the caller administers, in the order of their ids.
#[utoipa::path(
    get, path = "/v1/orgs", tag = "Organisations", operation_id = "listOrgs",
    params(
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u64>, Query, description = "Entries on a page, 1 to 100; by default 20"),
    ),
    responses((status = 200, description = "The organisations", body = api::OrgList), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("org_configs.list")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn list(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let listed = async {
        let asking = Asking::read(&gateway, request)?;
        let (cursor, limit) = asking.page()?;
        asking.ask(move |control, author| control.list(author, &cursor, limit)).await
    };
    answer(listed.await)
}

/// Create an organisation's configuration
///
/// The organisation is there from now on. Everything is checked as the configuration file is; all mistakes are named at once.
#[utoipa::path(
    post, path = "/v1/orgs/{org_id}/config", tag = "Organisations", operation_id = "createOrgConfig",
    request_body = api::OrgConfigDocument,
    params(("org_id" = String, Path, description = "Id of the organisation: letters, digits, `-` and `_`")),
    responses((status = 200, description = "What is configured", body = OrgConfig), super::openapi::AnyError),
    extensions(
        ("x-sdk-method" = json!("org_configs.create")), ("x-sdk-server" = json!("control_plane")),
        ("x-sdk-body" = json!("config")),
    ),
)]
pub(super) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    edited(edit(&gateway, organisation, request, Edit::Create).await)
}

/// Retrieve an organisation's configuration
///
/// In the place of each secret stands a marker, `{"set": true, …}`.
#[utoipa::path(
    get, path = "/v1/orgs/{org_id}/config", tag = "Organisations", operation_id = "retrieveOrgConfig",
    params(("org_id" = String, Path, description = "Id of the organisation")),
    responses((status = 200, description = "What is configured", body = OrgConfig), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("org_configs.retrieve")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn retrieve(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    let found = async {
        Asking::read(&gateway, request)?.ask(move |control, author| control.retrieve(author, &organisation)).await
    };
    edited(found.await)
}

/// Replace an organisation's configuration
///
/// With the whole of it. A marker that was read keeps its secret. `if_match` is required: nobody overwrites what they have
/// not seen (`*` does all the same).
#[utoipa::path(
    put, path = "/v1/orgs/{org_id}/config", tag = "Organisations", operation_id = "replaceOrgConfig",
    request_body = api::OrgConfigDocument,
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("if_match" = Option<String>, Query, description = "`etag` of the configuration that was read, or `*`; the header `If-Match` says the same"),
    ),
    responses((status = 200, description = "What is configured", body = OrgConfig), super::openapi::AnyError),
    extensions(
        ("x-sdk-method" = json!("org_configs.replace")), ("x-sdk-server" = json!("control_plane")),
        ("x-sdk-body" = json!("config")),
    ),
)]
pub(super) async fn replace(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    edited(edit(&gateway, organisation, request, Edit::Replace).await)
}

/// Update an organisation's configuration
///
/// With a merge patch (RFC 7396): what is named is replaced, what is null goes, everything else stays.
#[utoipa::path(
    patch, path = "/v1/orgs/{org_id}/config", tag = "Organisations", operation_id = "updateOrgConfig",
    request_body = api::OrgConfigDocument,
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("if_match" = Option<String>, Query, description = "`etag` of the configuration that was read, as the header `If-Match` says it too; without it the present one is patched"),
    ),
    responses((status = 200, description = "What is configured", body = OrgConfig), super::openapi::AnyError),
    extensions(
        ("x-sdk-method" = json!("org_configs.update")), ("x-sdk-server" = json!("control_plane")),
        ("x-sdk-body" = json!("config")),
    ),
)]
pub(super) async fn update(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    edited(edit(&gateway, organisation, request, Edit::Update).await)
}

/// Delete an organisation
///
/// Its configuration, all versions of it, and its keys.
#[utoipa::path(
    delete, path = "/v1/orgs/{org_id}/config", tag = "Organisations", operation_id = "deleteOrgConfig",
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("if_match" = Option<String>, Query, description = "`etag` of the configuration that was read; the header `If-Match` says the same"),
    ),
    responses((status = 200, description = "It is no more", body = api::OrgConfigDeleted), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("org_configs.delete")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn delete(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    let deleted = async {
        let asking = Asking::read(&gateway, request)?;
        let (seen, tenants, name) = (asking.seen()?, asking.administration.tenants.clone(), organisation.clone());
        let deleted = asking.ask(move |control, author| control.delete(author, &organisation, seen.as_deref())).await?;
        tenants.changed(&name).await;
        Ok(deleted)
    };
    answer(deleted.await)
}

/// List versions
///
/// The last hundred, the latest first, with who made them.
#[utoipa::path(
    get, path = "/v1/orgs/{org_id}/config/versions", tag = "Organisations", operation_id = "listOrgConfigVersions",
    params(("org_id" = String, Path, description = "Id of the organisation")),
    responses((status = 200, description = "The versions", body = api::OrgConfigVersions), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("org_configs.versions")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn versions(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    let found = async {
        Asking::read(&gateway, request)?.ask(move |control, author| control.versions(author, &organisation)).await
    };
    answer(found.await)
}

/// Compare versions
///
/// What two versions differ in; without numbers, the last two.
#[utoipa::path(
    get, path = "/v1/orgs/{org_id}/config/diff", tag = "Organisations", operation_id = "diffOrgConfig",
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("from_version" = Option<u64>, Query, description = "The earlier version; by default the one before the other"),
        ("to_version" = Option<u64>, Query, description = "The later version; by default the present one"),
    ),
    responses((status = 200, description = "The differences", body = api::OrgConfigDiff), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("org_configs.diff")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn diff(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    let found = async {
        let asking = Asking::read(&gateway, request)?;
        let (from, to) = (asking.number("from_version")?, asking.number("to_version")?);
        asking.ask(move |control, author| control.diff(author, &organisation, from, to)).await
    };
    answer(found.await)
}

/// Roll back
///
/// An earlier version becomes the present one, as a version of its own.
#[utoipa::path(
    post, path = "/v1/orgs/{org_id}/config/rollback", tag = "Organisations", operation_id = "rollbackOrgConfig",
    request_body = api::OrgConfigRollback,
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("if_match" = Option<String>, Query, description = "`etag` of the configuration that was read; the header `If-Match` says the same"),
    ),
    responses((status = 200, description = "What is configured", body = OrgConfig), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("org_configs.rollback")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn rollback(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    // what is no number is no version
    let back = |sent: Wiped| Edit::Rollback(sent.0.get("version").and_then(Json::as_u64).unwrap_or(0));
    edited(edit(&gateway, organisation, request, back).await)
}

/// Validate a configuration
///
/// What would be said of it if it were the organisation's; nothing changes.
#[utoipa::path(
    post, path = "/v1/orgs/{org_id}/config/validate", tag = "Organisations", operation_id = "validateOrgConfig",
    request_body = api::OrgConfigDocument,
    params(("org_id" = String, Path, description = "Id of the organisation")),
    responses((status = 200, description = "What would be said", body = api::OrgConfigValidation), super::openapi::AnyError),
    extensions(
        ("x-sdk-method" = json!("org_configs.validate")), ("x-sdk-server" = json!("control_plane")),
        ("x-sdk-body" = json!("config")),
    ),
)]
pub(super) async fn validate(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    let judged = async {
        let (administration, author, sent) = Asking::read(&gateway, request)?.document(&gateway).await?;
        administration.desk.ask(move |control| control.validate(&author, &organisation, sent)).await
    };
    answer(judged.await)
}

async fn edit(
    gateway: &Gateway,
    organisation: String,
    request: Request,
    make: fn(Wiped) -> Edit,
) -> Result<OrgConfig, Refusal> {
    let replaces = request.method() == axum::http::Method::PUT;
    let asking = Asking::read(gateway, request)?;
    let seen = asking.seen()?;
    let name = organisation.clone();
    let (administration, author, sent) = asking.document(gateway).await?;
    let edit = move |control: &mut crate::control::Control| {
        author.may(crate::control::Wish::Change, &organisation)?;
        if replaces && seen.is_none() {
            return Err(unseen());
        }
        control.edit(&author, &organisation, seen.as_deref(), make(sent))
    };
    let config = administration.desk.ask(edit).await?;
    administration.tenants.changed(&name).await;
    Ok(config)
}

fn edited(result: Result<OrgConfig, Refusal>) -> Response {
    let etag = result.as_ref().ok().map(|config| config.etag.clone());
    let mut response = answer(result);
    if let Some(etag) = etag {
        tag(response.headers_mut(), &etag);
    }
    response
}

fn unseen() -> Refusal {
    let message = "to replace a whole configuration, name the `etag` of the one that was read as `if_match`, or `*`";
    Refusal::new(Cause::PreconditionRequired, message).param("if_match").code("if_match_required")
}
