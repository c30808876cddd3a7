//! Client keys of organisations.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde_json::Value as Json;

use super::{
    Gateway,
    administration::{Asking, answer},
};
use crate::{api, refusal::Refusal};

/// Create a key
///
/// The key itself is in this answer, and in none after it.
#[utoipa::path(
    post, path = "/v1/orgs/{org_id}/keys", tag = "Keys", operation_id = "createKey",
    request_body = api::KeyCreateRequest,
    params(("org_id" = String, Path, description = "Id of the organisation; `default` is the one of the gateway's file")),
    responses((status = 200, description = "The key", body = api::VirtualKey), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("keys.create")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    let made = async {
        let (administration, author, mut sent) = Asking::read(&gateway, request)?.document(&gateway).await?;
        let sent = std::mem::take(&mut sent.0);
        administration.desk.ask(move |control| control.create_key(&author, &organisation, sent)).await
    };
    answer(made.await)
}

/// List keys
///
/// The oldest first.
#[utoipa::path(
    get, path = "/v1/orgs/{org_id}/keys", tag = "Keys", operation_id = "listKeys",
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u64>, Query, description = "Entries on a page, 1 to 100; by default 20"),
    ),
    responses((status = 200, description = "The keys", body = api::VirtualKeyList), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("keys.list")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    let listed = async {
        let asking = Asking::read(&gateway, request)?;
        let (cursor, limit) = asking.page()?;
        asking.ask(move |control, author| control.list_keys(author, &organisation, &cursor, limit)).await
    };
    answer(listed.await)
}

/// Retrieve a key
///
/// What is known of it; the key itself is not.
#[utoipa::path(
    get, path = "/v1/orgs/{org_id}/keys/{key_id}", tag = "Keys", operation_id = "retrieveKey",
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("key_id" = String, Path, description = "Id of the key"),
    ),
    responses((status = 200, description = "The key", body = api::VirtualKey), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("keys.retrieve")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn retrieve(
    State(gateway): State<Arc<Gateway>>,
    Path((organisation, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let found = async {
        let asking = Asking::read(&gateway, request)?;
        asking.ask(move |control, author| control.retrieve_key(author, &organisation, &id)).await
    };
    answer(found.await)
}

/// Update a key
///
/// What is named is changed, what is null is as if it had never been said, everything else stays. It holds from the next request on.
#[utoipa::path(
    patch, path = "/v1/orgs/{org_id}/keys/{key_id}", tag = "Keys", operation_id = "updateKey",
    request_body = api::KeyUpdateRequest,
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("key_id" = String, Path, description = "Id of the key"),
    ),
    responses((status = 200, description = "The key", body = api::VirtualKey), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("keys.update")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn update(
    State(gateway): State<Arc<Gateway>>,
    Path((organisation, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let changed = async {
        let (administration, author, mut sent) = Asking::read(&gateway, request)?.document(&gateway).await?;
        let sent = std::mem::take(&mut sent.0);
        administration.desk.ask(move |control| control.update_key(&author, &organisation, &id, sent)).await
    };
    answer(changed.await)
}

/// Rotate a key
///
/// A new key takes its place; the old one works beside it for as long as was asked. The new key is in this answer, and in none
/// after it.
#[utoipa::path(
    post, path = "/v1/orgs/{org_id}/keys/{key_id}/rotate", tag = "Keys", operation_id = "rotateKey",
    request_body = api::KeyRotateRequest,
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("key_id" = String, Path, description = "Id of the key"),
    ),
    responses((status = 200, description = "The key", body = api::VirtualKey), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("keys.rotate")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn rotate(
    State(gateway): State<Arc<Gateway>>,
    Path((organisation, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let rotated = async {
        let (administration, author, sent) = Asking::read(&gateway, request)?.document(&gateway).await?;
        let overlap = overlap(&sent.0)?;
        administration.desk.ask(move |control| control.rotate_key(&author, &organisation, &id, overlap)).await
    };
    answer(rotated.await)
}

/// Delete a key
///
/// It opens nothing from the next request on.
#[utoipa::path(
    delete, path = "/v1/orgs/{org_id}/keys/{key_id}", tag = "Keys", operation_id = "deleteKey",
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("key_id" = String, Path, description = "Id of the key"),
    ),
    responses((status = 200, description = "It is no more", body = api::VirtualKeyDeleted), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("keys.delete")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn delete(
    State(gateway): State<Arc<Gateway>>,
    Path((organisation, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let deleted = async {
        let asking = Asking::read(&gateway, request)?;
        asking.ask(move |control, author| control.delete_key(author, &organisation, &id)).await
    };
    answer(deleted.await)
}

fn overlap(sent: &Json) -> Result<u64, Refusal> {
    let bad = |path: &str, what: &str| Refusal::invalid(path.to_owned(), format!("`{path}` {what}"));
    let object = sent.as_object().ok_or_else(|| bad("body", "has to be a JSON object"))?;
    if let Some(unknown) = object.keys().find(|key| *key != "overlap_seconds") {
        return Err(bad(&unknown.chars().take(40).collect::<String>(), "is unknown (known: overlap_seconds)"));
    }
    match object.get("overlap_seconds") {
        None | Some(Json::Null) => Ok(0),
        Some(seconds) => seconds.as_u64().ok_or_else(|| bad("overlap_seconds", "has to be a whole number of seconds")),
    }
}
