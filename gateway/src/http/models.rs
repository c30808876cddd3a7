//! What can be called.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::StatusCode,
    response::Response,
};

use super::{Gateway, asked::credential, call, health::json, status, tenancy::Tenancy, way};
use crate::{
    admission::Caller,
    api::{ModelInfo, ModelList},
    dispatch::{ModelEntry, RouteTable},
    refusal::Refusal,
};

/// List models
///
/// Every model that configuration or a provider's own list names, as `provider/model`; the bare name works too. A key
/// sees what it may call. Answered from memory: no provider is asked.
#[utoipa::path(
    get, path = "/v1/models", tag = "Models", operation_id = "listModels",
    responses((status = 200, description = "The models", body = ModelList), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("models.list"))),
)]
pub(super) async fn list(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (caller, table) = match seen(&gateway, request).await {
        Ok(seen) => seen,
        Err(refusal) => return status::page(&refusal),
    };
    let data = table.models().iter().filter(|entry| visible(entry, caller.as_deref())).map(info).collect();
    json(StatusCode::OK, &ModelList { data, ..Default::default() })
}

/// Retrieve a model
///
/// By its full id (`provider/model`, slashes included) or its bare name.
#[utoipa::path(
    get, path = "/v1/models/{model}", tag = "Models", operation_id = "retrieveModel",
    params(("model" = String, Path, description = "The model's id; slashes need no escaping")),
    responses((status = 200, description = "The model", body = ModelInfo), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("models.retrieve"))),
)]
pub(super) async fn retrieve(
    State(gateway): State<Arc<Gateway>>,
    Path(model): Path<String>,
    request: Request,
) -> Response {
    let (caller, table) = match seen(&gateway, request).await {
        Ok(seen) => seen,
        Err(refusal) => return status::page(&refusal),
    };
    match table.model(&model).filter(|entry| visible(entry, caller.as_deref())) {
        Some(entry) => json(StatusCode::OK, &info(&entry)),
        None => status::page(&way::no_model(&table, &model, caller.as_deref())),
    }
}

/// Who asks, and the table of their organisation.
async fn seen(gateway: &Gateway, request: Request) -> Result<(Option<Arc<Caller>>, Arc<RouteTable>), Refusal> {
    let (head, _) = request.into_parts();
    let caller = call::authorise(gateway, credential(&head.headers), call::peer(&head, gateway))?;
    let tenancy = Tenancy::of(gateway, caller.as_deref()).await?;
    Ok((caller, tenancy.table))
}

fn visible(entry: &ModelEntry, caller: Option<&Caller>) -> bool {
    caller.is_none_or(|caller| caller.may_use_provider(&entry.provider) && caller.may_use_model(&entry.id))
}

fn info(entry: &ModelEntry) -> ModelInfo {
    ModelInfo { id: entry.id.to_string(), owned_by: entry.provider.to_string(), ..Default::default() }
}
