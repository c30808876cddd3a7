//! The providers of an organisation: what it has, how they do, and whether they answer.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use futures_util::future::join_all;

use super::{
    Gateway,
    administration::{Asking, answer},
    health,
};
use crate::{
    admission::DEFAULT_ORG,
    api::{
        ListObject, OrgProvider, OrgProviderList, ProviderTestResult, ProviderTypeField, ProviderTypeInfo,
        ProviderTypeList,
    },
    config::{self, ProviderField, ProviderType},
    control::Wish,
    dispatch::RouteTable,
    provider::{ProviderCore, read_models},
    refusal::{Cause, Refusal},
};

/// List types of providers
///
/// Every type with its fields: which of them are needed, and which are secret. What a form has to know.
#[utoipa::path(
    get, path = "/v1/provider-types", tag = "Provider Types", operation_id = "listProviderTypes",
    responses((status = 200, description = "The types", body = ProviderTypeList), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("provider_types.list")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn types(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let data = || config::provider_types().into_iter().map(described).collect();
    answer(Asking::read(&gateway, request).map(|_| ProviderTypeList { object: ListObject, data: data() }))
}

/// List an organisation's providers
///
/// Its own and those of the gateway that it may use, each with its models and its health.
#[utoipa::path(
    get, path = "/v1/orgs/{org_id}/providers", tag = "Providers", operation_id = "listOrgProviders",
    params(("org_id" = String, Path, description = "Id of the organisation")),
    responses((status = 200, description = "The providers", body = OrgProviderList), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("providers.list")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Path(organisation): Path<String>,
    request: Request,
) -> Response {
    let listed = async {
        let table = table(&gateway, &organisation, Wish::Read, request).await?;
        let mut data: Vec<OrgProvider> = Vec::new();
        let shown: Vec<_> = table.providers().filter(|core| !core.is_absent()).collect();
        let health = join_all(shown.iter().map(|core| health::ask(core))).await;
        for (core, mut health) in shown.into_iter().zip(health) {
            let shared = organisation != DEFAULT_ORG && core.config.organisation.is_none();
            if shared {
                // which may name what is the operator's
                health.last_error = None;
            }
            match data.last_mut().filter(|last| last.name == *core.name) {
                Some(same) => same.health.push(health),
                None => data.push(OrgProvider {
                    name: core.name.to_string(),
                    kind: core.config.kind.clone(),
                    api_format: core.config.api_format.clone(),
                    shared,
                    models: models(core),
                    health: vec![health],
                }),
            }
        }
        Ok(OrgProviderList { object: ListObject, data })
    };
    answer(listed.await)
}

/// Test a provider
///
/// Reads its list of models with its own credentials, which no provider bills.
#[utoipa::path(
    post, path = "/v1/orgs/{org_id}/providers/{provider}/test", tag = "Providers", operation_id = "testOrgProvider",
    params(
        ("org_id" = String, Path, description = "Id of the organisation"),
        ("provider" = String, Path, description = "Name of the provider"),
    ),
    responses((status = 200, description = "What came of it", body = ProviderTestResult), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("providers.test")), ("x-sdk-server" = json!("control_plane"))),
)]
pub(super) async fn test(
    State(gateway): State<Arc<Gateway>>,
    Path((organisation, provider)): Path<(String, String)>,
    request: Request,
) -> Response {
    let tested = async {
        let table = table(&gateway, &organisation, Wish::Change, request).await?;
        let core = table.providers().find(|core| *core.name == *provider).cloned().ok_or_else(|| {
            let message = format!("no provider `{}`", super::clip(&provider));
            Refusal::new(Cause::NotFound, message).param("provider").code("provider_not_found")
        })?;
        let began = Instant::now();
        let seen = read_models(&core).await;
        let took_ms = began.elapsed().as_secs_f64() * 1e3;
        let (models, error) = match seen {
            Ok(models) => (Some(models), None),
            Err(refusal) => (None, Some(refusal.message.into_owned())),
        };
        Ok(ProviderTestResult { provider, ok: error.is_none(), took_ms, models, error })
    };
    answer(tested.await)
}

/// What an organisation's requests read, for somebody who may.
async fn table(
    gateway: &Gateway,
    organisation: &str,
    wish: Wish,
    request: Request,
) -> Result<Arc<RouteTable>, Refusal> {
    let asking = Asking::read(gateway, request)?;
    asking.author.may(wish, organisation)?;
    if organisation == DEFAULT_ORG {
        return Ok(gateway.table.load_full());
    }
    let tenants = asking.administration.tenants.clone();
    let name = organisation.to_owned();
    asking.ask(move |control, author| control.retrieve(author, &name).map(drop)).await?;
    Ok(tenants.of(&organisation.into()).await?.published.load_full())
}

fn models(core: &ProviderCore) -> Vec<String> {
    let listed = core.config.models.iter().map(|model| model.id.clone());
    let discovery = core.discovery();
    let discovered =
        discovery.models.iter().filter(|model| core.config.models.iter().all(|listed| listed.id != ***model));
    listed.chain(discovered.map(ToString::to_string)).collect()
}

fn described(kind: ProviderType) -> ProviderTypeInfo {
    let field = |field: ProviderField| ProviderTypeField {
        name: field.name,
        kind: field.kind.to_owned(),
        secret: field.secret,
        required: field.required,
        description: field.description,
        values: field.values,
    };
    ProviderTypeInfo {
        name: kind.name.to_owned(),
        api_format: kind.api_format.to_owned(),
        base_url: kind.base_url.map(str::to_owned),
        note: kind.note.map(str::to_owned),
        fields: kind.fields.into_iter().map(field).collect(),
    }
}
