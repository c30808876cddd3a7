//! The way of a request: which routing holds for it, and who may serve it.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

use ractor::rpc::CallResult;

use super::{Gateway, asked::Asked, facts::Known, tenancy::Tenancy};
use crate::{
    admission::Caller,
    api::ClientRequest,
    config::{RequestConfig, Routing, Sticky},
    dispatch::{Access, Candidate, DispatcherMessage, Route, RouteTable},
    prices::Catalogue,
    refusal::{Cause, Refusal},
    telemetry::Source,
    transport::MediaFetcher,
};

/// Longest wait for an answer of the dispatcher, which waits for model lists itself.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(4);
/// Bytes of a prompt that bind it to a candidate under `sticky: {by: prompt-prefix}`: system prompt and first turns.
const PROMPT_PREFIX: usize = 2_048;

/// What is asked, by whom, of which table.
pub(super) struct Way<'a> {
    pub gateway: &'a Gateway,
    pub tenancy: &'a Tenancy,
    pub table: &'a Arc<RouteTable>,
    pub request: &'a ClientRequest,
    pub asked: &'a Asked<'a>,
    pub caller: Option<&'a Caller>,
}

/// Who may serve a request, and what says so.
pub(super) struct Found<'r> {
    pub route: Arc<Route>,
    pub source: Source,
    /// The name of the conditional route that holds.
    pub rule: Option<&'r str>,
}

impl<'r> Found<'r> {
    fn new((source, route): (Source, Arc<Route>)) -> Self {
        Self { route, source, rule: None }
    }
}

impl<'a> Way<'a> {
    /// The table's routing, or what the request's own configuration makes of it.
    ///
    /// # Errors
    /// When the request's configuration names what is not there or what the caller may not use.
    pub fn routing(&self) -> Result<Cow<'a, Routing>, Refusal> {
        let base: &'a Routing = &self.table.routing;
        let Some(own) = &self.asked.config else { return Ok(Cow::Borrowed(base)) };
        self.check(own)?;
        Ok(Cow::Owned(own.over(base, &self.request.envelope.model)))
    }

    fn check(&self, own: &RequestConfig) -> Result<(), Refusal> {
        let refused = |path: String, what: String| {
            Refusal::invalid("x-prism-config", format!("header `x-prism-config`: `{path}` {what}"))
        };
        for (path, name) in own.providers() {
            if !self.table.has_provider(name) {
                return Err(refused(path, format!("names no provider that there is: `{}`", super::clip(name))));
            }
        }
        for (path, model) in own.models() {
            if self.caller.is_some_and(|caller| !caller.may_use_model(model)) {
                let message = format!("header `x-prism-config`: `{path}` names a model that this API key may not use");
                return Err(Refusal::new(Cause::Forbidden, message).param("x-prism-config").code("model_not_allowed"));
            }
        }
        Ok(())
    }

    /// Until when the first content must have come.
    pub fn timeout(&self, routing: &Routing) -> Duration {
        let bound = self.bound(routing);
        self.asked.timeout.map_or(bound, |asked| asked.min(bound))
    }

    /// What the request may use on its way.
    pub fn access<'r>(
        &self,
        routing: &'r Routing,
        began: Instant,
        prices: &'r Arc<Catalogue>,
        media: Option<&'r MediaFetcher>,
    ) -> Access<'r>
    where
        'a: 'r,
    {
        Access {
            deadline: (began + self.timeout(routing)).into(),
            strict: self.asked.strict,
            routing,
            budgets: &self.table.budgets,
            prices,
            caller: self.caller,
            affinity: self.affinity(routing.sticky),
            media,
            hurried: self.is_hurried(routing),
        }
    }

    /// Whether the caller gives less time than the configuration does.
    fn is_hurried(&self, routing: &Routing) -> bool {
        let base = &self.table.routing;
        self.timeout(routing) < self.bound(base)
            || routing.failover.per_attempt_timeout != base.failover.per_attempt_timeout
    }

    fn bound(&self, routing: &Routing) -> Duration {
        *routing.model_timeouts.get(&*self.request.envelope.model).unwrap_or(&routing.request_timeout)
    }

    /// Who may serve the model for this caller.
    ///
    /// SPEC §4: provider lock, conditional routes, then what the request and the table say of the model.
    ///
    /// # Errors
    /// When nobody may, or nobody can.
    pub async fn route<'r>(&self, routing: &'r Routing) -> Result<Found<'r>, Refusal> {
        let model = &*self.request.envelope.model;
        if self.caller.is_some_and(|caller| !caller.may_use_model(model)) {
            let message = format!("this API key may not use the model `{}`", super::clip(model));
            return Err(Refusal::new(Cause::Forbidden, message).param("model").code("model_not_allowed"));
        }
        self.caller.map_or(Ok(()), |caller| caller.check_tools(self.request))?;
        let table = self.table;
        let mut found = match self.asked.provider_lock {
            Some(provider) => {
                let locked = table.locked(provider, model).ok_or_else(|| no_provider(table, provider))?;
                Some(Found::new((Source::ProviderLock, locked)))
            }
            None => self
                .conditional(routing)
                .or_else(|| self.own_targets(routing))
                .or_else(|| table.find(model).map(Found::new)),
        };
        if found.is_none() && table.is_settling() {
            found = Box::pin(self.resolve()).await.map(|route| Found::new((route.source, route)));
        }
        let found = found.ok_or_else(|| no_model(table, model, self.caller))?;
        let may_use = |one: &Candidate| self.caller.is_none_or(|caller| caller.may_use_provider(&one.core.name));
        if !found.route.candidates.iter().any(may_use) {
            let message = "this API key may not use any provider that serves the model";
            return Err(Refusal::new(Cause::Forbidden, message).param("model").code("provider_not_allowed"));
        }
        Ok(found)
    }

    /// The first route whose condition the request meets.
    fn conditional<'r>(&self, routing: &'r Routing) -> Option<Found<'r>> {
        if routing.conditional_routes.is_empty() {
            return None;
        }
        let facts = Known { request: self.request, asked: self.asked, caller: self.caller };
        let rule = routing.conditional_routes.iter().find(|rule| rule.condition.holds(&facts))?;
        let model = rule.model_override.as_deref().unwrap_or(&self.request.envelope.model);
        let route = match &rule.provider {
            Some(provider) => self.table.locked(provider, model),
            None => self.table.route(model),
        }?;
        Some(Found { route, source: Source::ConditionalRoute, rule: Some(&rule.name) })
    }

    /// Targets that the request itself names.
    fn own_targets<'r>(&self, routing: &Routing) -> Option<Found<'r>> {
        self.asked.config.as_ref()?.targets.as_ref()?;
        let model = &*self.request.envelope.model;
        let route = self.table.over(model, routing.targets.get(model)?)?;
        Some(Found::new((Source::RequestTargets, route)))
    }

    /// The models that stand in when nobody answers for the one that was asked for.
    pub fn fallbacks<'r>(&self, routing: &'r Routing) -> impl Iterator<Item = (&'r str, Arc<Route>)> {
        let named = routing.model_fallbacks.get(&*self.request.envelope.model).into_iter().flatten();
        named
            .filter(|model| self.caller.is_none_or(|caller| caller.may_use_model(model)))
            .filter_map(|model| Some((model.as_str(), self.table.route(model)?)))
    }

    /// Asks the dispatcher, which knows more once the lists that are being read have arrived.
    async fn resolve(&self) -> Option<Arc<Route>> {
        let _place = self.gateway.resolving.try_acquire().ok()?;
        let dispatcher = self.tenancy.dispatcher(self.gateway).load_full()?;
        let ask = |reply| DispatcherMessage::Resolve { model: self.request.envelope.model.clone(), reply };
        match dispatcher.call(ask, Some(RESOLVE_TIMEOUT)).await {
            Ok(CallResult::Success(route)) => route,
            _ => None,
        }
    }

    /// What binds the request to one candidate.
    fn affinity(&self, sticky: Sticky) -> Option<u64> {
        let request = self.request;
        let field = |name| request.envelope.field(name).map(|field| &request.body[field.value.clone()]);
        let bound: &[u8] = match sticky {
            Sticky::None => return None,
            Sticky::Session => self.asked.session_id?.as_bytes(),
            Sticky::User => self.asked.user_id.map(str::as_bytes).or_else(|| field("user"))?,
            Sticky::PromptPrefix => {
                let prompt = field(request.endpoint.essential_field())?;
                &prompt[..prompt.len().min(PROMPT_PREFIX)]
            }
        };
        let mut hasher = DefaultHasher::new();
        bound.hash(&mut hasher);
        Some(hasher.finish())
    }
}

pub(super) fn no_model(table: &RouteTable, model: &str, caller: Option<&Caller>) -> Refusal {
    let mut near = table.near(model);
    near.retain(|name| caller.is_none_or(|caller| caller.may_use_model(name)));
    let hint = match &near[..] {
        [] => "; GET /v1/models lists what there is".to_owned(),
        names => {
            format!("; did you mean {}?", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "))
        }
    };
    let message = format!("no provider serves the model `{}`{hint}", super::clip(model));
    Refusal::new(Cause::NotFound, message).param("model").code("model_not_found")
}

fn no_provider(table: &RouteTable, provider: &str) -> Refusal {
    let mut known: Vec<_> =
        table.providers().filter(|core| !core.is_absent()).map(|core| format!("`{}`", core.name)).collect();
    known.dedup();
    let message = format!("no provider `{}` (there are: {})", super::clip(provider), known.join(", "));
    Refusal::invalid("x-prism-provider-lock", message).code("unknown_provider")
}
