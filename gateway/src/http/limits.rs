//! Where a caller stands with its limits.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use chrono::SecondsFormat;

use super::{Gateway, asked::Asked, call, health::json, status, tenancy::Tenancy};
use crate::{
    admission::{PurseView, Shown},
    api::{BudgetPeriod, BudgetStanding, ConcurrencyStanding, LimitScope, LimitUnit, Limits, RateStanding},
    refusal::Refusal,
    telemetry::Level,
};

/// Retrieve limits
///
/// How the limits stand that a request with this key would meet: its own, those of everybody together and of models, and
/// those of the user that is named. Asking takes nothing from any of them.
#[utoipa::path(
    get, path = "/v1/limits", tag = "Limits", operation_id = "retrieveLimits",
    params(("x-prism-user-id" = Option<String>, Header, description = "The user whose limits are shown beside those of the key")),
    responses((status = 200, description = "The limits", body = Limits), super::openapi::AnyError),
    extensions(("x-sdk-method" = json!("limits.retrieve"))),
)]
pub(super) async fn retrieve(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    match shown(&gateway, request).await {
        Ok(limits) => json(StatusCode::OK, &limits),
        Err(refusal) => status::page(&refusal),
    }
}

async fn shown(gateway: &Arc<Gateway>, request: Request) -> Result<Limits, Refusal> {
    let (head, _) = request.into_parts();
    let asked = Asked::read(&head.headers)?;
    let caller = call::authorise(gateway, asked.key, call::peer(&head, gateway))?;
    let now = gateway.accounts.born().elapsed();
    let (_, limiter) = gateway.limits.load().of_requests();
    // the limits of its own organisation, and of no other
    let limiter = Tenancy::of(gateway, caller.as_deref()).await?.limiter(limiter);
    let key = caller.as_ref().and_then(|caller| caller.account(limiter.as_deref(), &gateway.accounts));
    let key = key.map(|account| account.shown(now));
    let others = limiter.map(|limiter| limiter.shown(asked.user_id, now)).unwrap_or_default();
    let concurrency = key
        .as_ref()
        .and_then(|key| key.places)
        .map(|(taken, limit)| ConcurrencyStanding { limit: limit as u64, in_progress: taken as u64 });
    let mut limits = Limits { concurrency, ..Limits::default() };
    for one in key.into_iter().chain(others) {
        for (unit, level) in [(LimitUnit::Requests, one.standing.requests), (LimitUnit::Tokens, one.standing.tokens)] {
            limits.rates.extend(level.map(|level| rate(&one, unit, level)));
        }
        limits.budgets.extend(one.budget.map(|view| budget(&one, &view)));
    }
    Ok(limits)
}

fn rate(one: &Shown, unit: LimitUnit, level: Level) -> RateStanding {
    RateStanding {
        scope: LimitScope::from(one.scope.name().to_owned()),
        name: one.name.clone(),
        unit,
        limit: level.limit,
        remaining: level.remaining,
        reset_ms: u64::try_from(level.reset.as_millis()).unwrap_or(u64::MAX),
    }
}

fn budget(one: &Shown, view: &PurseView) -> BudgetStanding {
    BudgetStanding {
        scope: LimitScope::from(one.scope.name().to_owned()),
        name: one.name.clone(),
        period: BudgetPeriod::from(view.budget.period.name().to_owned()),
        limit: view.budget.limit.to_string(),
        spent: view.spent.to_string(),
        reserved: view.held.to_string(),
        hard: view.budget.hard,
        resets_at: view.ends.map(|ends| ends.to_rfc3339_opts(SecondsFormat::Secs, true)),
    }
}
