//! What the `routing` block says.
//!
//! Its parts are checked and applied in two steps: a request's own configuration has some of them too, laid over the
//! file's.

use std::time::Duration;

use super::{
    BreakerRules, Failover, Hedge, Retry, Routing, file_routing as written, resolve::Context, routes, tree::Trail,
    units::Span,
};

pub(super) fn routing(written: &written::Routing, context: &mut Context<'_>) -> Routing {
    let at = Trail::of(["routing"]);
    let none = written::Failover::default();
    let failover = written.failover.as_ref().unwrap_or(&none);
    failover.check(&at.key("failover"), context);
    let (key, retry) = match (&written.retry, &written.retries) {
        (None, Some(retry)) => ("retries", Some(retry)),
        (retry, _) => ("retry", retry.as_ref()),
    };
    if let Some(retry) = retry {
        retry.check(&at.key(key), context);
    }
    let base = Routing::default();
    let none = written::RoutingTimeouts::default();
    let timeouts = written.timeouts.as_ref().unwrap_or(&none);
    let per_attempt = per_attempt_timeout(failover, timeouts, context);
    let whole = at.key("timeouts").key("request_timeout_seconds");
    Routing {
        strategy: written.default_strategy.unwrap_or_default(),
        targets: routes::targets(written.targets.as_ref(), &at.key("targets"), context),
        failover: Failover { per_attempt_timeout: per_attempt, ..failover.over(&base.failover) },
        retry: retry.map(|retry| retry.over(&base.retry)).unwrap_or(base.retry),
        breaker: written.circuit_breaker.as_ref().map(|rules| breaker(rules, context)).unwrap_or_default(),
        request_timeout: context.positive(&whole, timeouts.request_timeout_seconds, base.request_timeout),
        model_timeouts: routes::model_timeouts(written.model_timeouts.as_ref(), context),
        model_fallbacks: routes::model_fallbacks(written.model_fallbacks.as_ref(), context),
        conditional_routes: routes::conditional(written.conditional_routes.as_deref().unwrap_or_default(), context),
        mirrors: written.mirror.as_ref().map(|mirror| routes::mirrors(mirror, context)).unwrap_or_default(),
        hedge: written.hedge.as_ref().and_then(written::Hedge::resolved),
        sticky: written.sticky.as_ref().and_then(|sticky| sticky.by).unwrap_or_default(),
        default_model: written.default_model.clone().filter(|model| !model.trim().is_empty()),
    }
}

fn per_attempt_timeout(
    failover: &written::Failover,
    timeouts: &written::RoutingTimeouts,
    context: &mut Context<'_>,
) -> Option<Duration> {
    let at = Trail::of(["routing", "timeouts", "provider_timeout_seconds"]);
    let (share, other) = (limit(failover.per_attempt_timeout), limit(timeouts.provider_timeout_seconds));
    if share.is_some() && other.is_some() {
        context.mistake(&at, "given twice: this is another spelling of `routing.failover.per_attempt_timeout`");
    } else if let (Some(_), Some(line)) = (other, context.tree.line_of(&at)) {
        context.report.note(&at, line, "`routing.failover.per_attempt_timeout` is the preferred spelling".to_owned());
    }
    share.or(other)
}

/// A limit of 0 is none.
fn limit(span: Option<Span>) -> Option<Duration> {
    span.map(|span| span.0).filter(|time| !time.is_zero())
}

/// Providers in an order, each once.
pub(super) fn check_order(names: &[String], at: &Trail, context: &mut Context<'_>) {
    for (index, name) in names.iter().enumerate() {
        context.check_provider(&at.index(index), name);
        if let Some(first) = names[..index].iter().position(|earlier| earlier == name) {
            context.mistake(&at.index(index), format!("the same provider as `{}`", at.index(first)));
        }
    }
}

impl written::Failover {
    pub(super) fn check(&self, at: &Trail, context: &mut Context<'_>) {
        check_order(self.providers.as_deref().unwrap_or_default(), &at.key("providers"), context);
    }

    pub(super) fn over(&self, base: &Failover) -> Failover {
        let codes = self.on_status_codes.as_ref().or(self.failover_on.as_ref());
        Failover {
            enabled: self.enabled.unwrap_or(base.enabled),
            max_attempts: self.max_attempts.unwrap_or(base.max_attempts),
            on_status_codes: codes.unwrap_or(&base.on_status_codes).clone(),
            on_timeout: self.on_timeout.unwrap_or(base.on_timeout),
            per_attempt_timeout: self
                .per_attempt_timeout
                .map_or(base.per_attempt_timeout, |_| limit(self.per_attempt_timeout)),
            providers: self.providers.as_ref().unwrap_or(&base.providers).clone(),
        }
    }
}

impl written::Retry {
    pub(super) fn check(&self, at: &Trail, context: &mut Context<'_>) {
        let named = |one: Option<Span>, key: &'static str, old: &'static str| if one.is_some() { key } else { old };
        let (first, most) = (self.first(), self.most());
        for (given, key) in [
            (first, named(self.initial_delay, "initial_delay", "initial_backoff_ms")),
            (most, named(self.max_delay, "max_delay", "max_backoff_ms")),
        ] {
            if given == Some(Duration::ZERO) {
                context.mistake(&at.key(key), "has to be longer than 0");
            }
        }
        if let (Some(first), Some(most)) = (first, most)
            && most < first
            && !most.is_zero()
        {
            let key = named(self.max_delay, "max_delay", "max_backoff_ms");
            context.mistake(&at.key(key), "is shorter than the delay before the first retry");
        }
    }

    pub(super) fn over(&self, base: &Retry) -> Retry {
        let initial_delay = self.first().unwrap_or(base.initial_delay);
        Retry {
            enabled: self.enabled.unwrap_or(base.enabled),
            max_retries: self.max_retries.unwrap_or(base.max_retries),
            initial_delay: initial_delay.min(self.most().unwrap_or(Duration::MAX)),
            max_delay: self.most().unwrap_or(base.max_delay.max(initial_delay)),
            multiplier: self.multiplier.or(self.backoff_multiplier).unwrap_or(base.multiplier),
            budget_percent: self.budget_percent.unwrap_or(base.budget_percent),
            budget_min: self.budget_min.unwrap_or(base.budget_min),
        }
    }

    fn first(&self) -> Option<Duration> {
        self.initial_delay.map(|span| span.0).or(self.initial_backoff_ms.map(Duration::from_millis))
    }

    fn most(&self) -> Option<Duration> {
        self.max_delay.map(|span| span.0).or(self.max_backoff_ms.map(Duration::from_millis))
    }
}

fn breaker(written: &written::Breaker, context: &mut Context<'_>) -> BreakerRules {
    let at = Trail::of(["routing", "circuit_breaker"]);
    let spellings = [
        ("open_duration", written.open_duration),
        ("open_duration_seconds", written.open_duration_seconds),
        ("cooldown", written.cooldown),
    ];
    let (key, open) = spellings.into_iter().find(|(_, span)| span.is_some()).unwrap_or(spellings[0]);
    if written.open_duration.is_none() && written.open_duration_seconds.is_some() && written.cooldown.is_some() {
        context.mistake(&at.key("cooldown"), "given twice: this is another spelling of `open_duration`");
    }
    let base = BreakerRules::default();
    let half_open_max_requests = written.half_open_max_requests.unwrap_or(base.half_open_max_requests);
    BreakerRules {
        enabled: written.enabled.unwrap_or(base.enabled),
        error_threshold_percent: written.error_threshold_percent.unwrap_or(base.error_threshold_percent),
        min_requests: written.min_requests.unwrap_or(base.min_requests),
        window: context.positive(&at.key("window"), written.window, base.window),
        failure_threshold: written.failure_threshold,
        open_duration: context.positive(&at.key(key), open, base.open_duration),
        half_open_max_requests,
        success_threshold: written.success_threshold.unwrap_or(half_open_max_requests),
    }
}

impl written::Hedge {
    pub(super) fn resolved(&self) -> Option<Hedge> {
        let given = self.quantile.is_some() || self.budget_percent.is_some() || self.max_per_hour.is_some();
        self.enabled.unwrap_or(given).then(|| Hedge {
            quantile: self.quantile.unwrap_or(0.95),
            budget_percent: self.budget_percent.unwrap_or(5),
            max_per_hour: self.max_per_hour.unwrap_or(1000),
        })
    }
}
