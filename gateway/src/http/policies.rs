//! Routing policies of organisations.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};

use super::{
    Gateway,
    administration::{Asking, answer},
};
use crate::{
    api,
    control::{Author, Control},
    refusal::Refusal,
};

/// List routing policies
///
/// In the order in which they are written.
#[utoipa::path(
    get, path = "/v1/orgs/{org_id}/routing", tag = "Routing Policies", operation_id = "listRoutingPolicies",
    params(("org_id" = String, Path, description = "Id of the organisation")),
    responses((status = 200, description = "The policies", body = api::RoutingPolicyList), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("routing.list")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    let listed = async {
        Asking::read(&gateway, request)?.ask(move |control, author| control.policies(author, &organisation)).await
    };
    answer(listed.await)
}

/// Create a routing policy
///
/// Behind those that there are. The organisation's configuration gets a new version.
#[utoipa::path(
    post, path = "/v1/orgs/{org_id}/routing", tag = "Routing Policies", operation_id = "createRoutingPolicy",
    request_body = api::RoutingPolicy,
    params(("org_id" = String, Path, description = "Id of the organisation")),
    responses((status = 200, description = "The policy", body = api::RoutingPolicy), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("routing.create")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    let made = async {
        let (administration, author, mut sent) = Asking::read(&gateway, request)?.document(&gateway).await?;
        let (sent, org) = (std::mem::take(&mut sent.0), organisation.clone());
        let made = administration.desk.ask(move |control| control.create_policy(&author, &org, sent)).await?;
        administration.tenants.changed(&organisation).await;
        Ok(made)
    };
    answer(made.await)
}

/// Update a routing policy
///
/// What is named is replaced. The organisation's configuration gets a new version.
#[utoipa::path(
    patch, path = "/v1/orgs/{org_id}/routing/{name}", tag = "Routing Policies", operation_id = "updateRoutingPolicy",
    request_body = api::RoutingPolicyUpdate,
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("name" = String, Path, description = "Name of the policy"),
    ),
    responses((status = 200, description = "The policy", body = api::RoutingPolicy), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("routing.update")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn update(
    State(gateway): State<Arc<Gateway>>,
    Path((organisation, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let changed = async {
        let (administration, author, mut sent) = Asking::read(&gateway, request)?.document(&gateway).await?;
        let (sent, org) = (std::mem::take(&mut sent.0), organisation.clone());
        let policy = administration.desk.ask(move |control| control.update_policy(&author, &org, &name, sent)).await?;
        administration.tenants.changed(&organisation).await;
        Ok(policy)
    };
    answer(changed.await)
}

/// Delete a routing policy
///
/// The organisation's configuration gets a new version.
#[utoipa::path(
    delete, path = "/v1/orgs/{org_id}/routing/{name}", tag = "Routing Policies", operation_id = "deleteRoutingPolicy",
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("name" = String, Path, description = "Name of the policy"),
    ),
    responses((status = 200, description = "It is no more", body = api::RoutingPolicyDeleted), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("routing.delete")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn delete(
    State(gateway): State<Arc<Gateway>>,
    Path((organisation, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let deleted = async {
        let asking = Asking::read(&gateway, request)?;
        let (tenants, org) = (asking.administration.tenants.clone(), organisation.clone());
        let delete = move |control: &mut Control, author: &Author| control.delete_policy(author, &org, &name);
        let deleted: Result<_, Refusal> = asking.ask(delete).await;
        tenants.changed(&organisation).await;
        deleted
    };
    answer(deleted.await)
}
