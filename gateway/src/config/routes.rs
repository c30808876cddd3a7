//! Which models go where: targets, fallbacks, conditional routes, mirrors.

use std::{collections::HashMap, time::Duration};

use indexmap::IndexMap;

use super::{
    ConditionalRoute, Mirror, RouteTarget, condition, file_routing as written, resolve::Context, settings::filled,
    tree::Trail, units::Span,
};

pub(super) fn targets(
    written: Option<&IndexMap<String, Vec<written::Target>>>,
    at: &Trail,
    context: &mut Context<'_>,
) -> IndexMap<String, Vec<RouteTarget>> {
    let mut all = IndexMap::new();
    for (model, targets) in written.into_iter().flatten() {
        let at = at.key(model);
        check_model(model, &at, context);
        all.insert(model.clone(), target_list(targets, &at, context));
    }
    all
}

pub(super) fn target_list(written: &[written::Target], at: &Trail, context: &mut Context<'_>) -> Vec<RouteTarget> {
    let targets: Vec<_> = written.iter().map(written::Target::resolved).collect();
    for (index, target) in targets.iter().enumerate() {
        let here = at.index(index);
        let named = matches!(written[index], written::Target::Name(_));
        context.check_provider(&if named { here.clone() } else { here.key("provider") }, &target.provider);
        if target.model_override.as_deref().is_some_and(is_no_model) {
            context.mistake(&here.key("model_override"), NO_MODEL);
        }
        let same = |other: &RouteTarget| {
            (&other.provider, &other.model_override) == (&target.provider, &target.model_override)
        };
        if let Some(first) = targets[..index].iter().position(same) {
            context.mistake(&here, format!("the same target as `{}`", at.index(first)));
        }
    }
    if targets.is_empty() {
        context.mistake(at, "names no target");
    } else if targets.iter().all(|target| target.weight == 0) {
        context.mistake(at, "every weight is 0: nobody would get a request");
    }
    targets
}

impl written::Target {
    fn resolved(&self) -> RouteTarget {
        let none = written::TargetFields::default();
        let (provider, more) = match self {
            Self::Name(name) => (name, &none),
            Self::Full(fields) => (&fields.provider, fields),
        };
        RouteTarget {
            provider: provider.clone(),
            weight: more.weight.unwrap_or(1),
            priority: more.priority.unwrap_or(0),
            model_override: filled(more.model_override.as_deref()).map(str::to_owned),
        }
    }
}

pub(super) fn model_timeouts(
    written: Option<&IndexMap<String, Span>>,
    context: &mut Context<'_>,
) -> IndexMap<String, Duration> {
    let mut timeouts = IndexMap::new();
    for (model, span) in written.into_iter().flatten() {
        let at = Trail::of(["routing", "model_timeouts", model]);
        check_model(model, &at, context);
        timeouts.insert(model.clone(), context.positive(&at, Some(*span), span.0));
    }
    timeouts
}

/// Fallbacks of fallbacks are not followed, so that two models may stand in for each other.
pub(super) fn model_fallbacks(
    written: Option<&IndexMap<String, Vec<String>>>,
    context: &mut Context<'_>,
) -> IndexMap<String, Vec<String>> {
    let none = IndexMap::new();
    let written = written.unwrap_or(&none);
    for (model, fallbacks) in written {
        let at = Trail::of(["routing", "model_fallbacks", model]);
        check_model(model, &at, context);
        check_fallbacks(fallbacks, &at, context);
        if fallbacks.is_empty() {
            context.mistake(&at, "names no model");
        }
        if let Some(index) = fallbacks.iter().position(|fallback| fallback == model) {
            context.mistake(&at.index(index), "a model does not fall back to itself");
        }
    }
    written.clone()
}

pub(super) fn check_fallbacks(fallbacks: &[String], at: &Trail, context: &mut Context<'_>) {
    for (index, fallback) in fallbacks.iter().enumerate() {
        if is_no_model(fallback) {
            context.mistake(&at.index(index), NO_MODEL);
        } else if let Some(first) = fallbacks[..index].iter().position(|earlier| earlier == fallback) {
            context.mistake(&at.index(index), format!("the same model as `{}`", at.index(first)));
        }
    }
}

/// In the order in which they are tried.
pub(super) fn conditional(written: &[written::ConditionalRoute], context: &mut Context<'_>) -> Vec<ConditionalRoute> {
    let at = Trail::of(["routing", "conditional_routes"]);
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut routes = Vec::new();
    for (index, route) in written.iter().enumerate() {
        let here = at.index(index);
        if route.name.trim().is_empty() {
            context.mistake(&here.key("name"), "needs a name");
        } else if let Some(first) = names.insert(&route.name, index) {
            context.mistake(&here.key("name"), format!("the same name as `{}`", at.index(first)));
        }
        let provider = filled(route.action.provider.as_deref()).map(str::to_owned);
        let model_override = filled(route.action.model_override.as_deref()).map(str::to_owned);
        if let Some(provider) = &provider {
            context.check_provider(&here.key("action").key("provider"), provider);
        }
        if model_override.as_deref().is_some_and(is_no_model) {
            context.mistake(&here.key("action").key("model_override"), NO_MODEL);
        }
        if provider.is_none() && model_override.is_none() {
            context.mistake(&here.key("action"), "does nothing: give a `provider`, a `model_override` or both");
        }
        match condition::read(&route.condition.0) {
            Ok(condition) => routes.push(ConditionalRoute {
                name: route.name.clone(),
                priority: route.priority.unwrap_or(0),
                condition,
                provider,
                model_override,
            }),
            Err(mistakes) => {
                for (below, message) in mistakes {
                    context.mistake(&here.key("condition").then(&below), message);
                }
            }
        }
    }
    routes.sort_by_key(|route| route.priority);
    routes
}

/// Empty when they are switched off.
pub(super) fn mirrors(written: &written::Mirror, context: &mut Context<'_>) -> Vec<Mirror> {
    let at = Trail::of(["routing", "mirror", "rules"]);
    let rules = written.rules.as_deref().unwrap_or_default();
    if written.enabled == Some(true) && rules.is_empty() {
        context.mistake(&at, "names nothing to copy");
    }
    for (index, rule) in rules.iter().enumerate() {
        let here = at.index(index);
        context.check_provider(&here.key("target_provider"), &rule.target_provider);
        if is_no_model(&rule.source_model.replace('*', "x")) {
            context.mistake(&here.key("source_model"), "a model's name is not empty and has no spaces");
        }
        if rule.target_model.as_deref().is_some_and(is_no_model) {
            context.mistake(&here.key("target_model"), NO_MODEL);
        }
    }
    let mirror = |rule: &written::MirrorRule| Mirror {
        source_model: rule.source_model.clone(),
        target_provider: rule.target_provider.clone(),
        target_model: rule.target_model.clone(),
        sample_rate: rule.sample_rate.unwrap_or(1.0),
    };
    if written.enabled == Some(false) { Vec::new() } else { rules.iter().map(mirror).collect() }
}

const NO_MODEL: &str = "a model's name is not empty and has no spaces and no `*`";

fn is_no_model(name: &str) -> bool {
    name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '*')
}

fn check_model(name: &str, at: &Trail, context: &mut Context<'_>) {
    if is_no_model(name) {
        context.mistake(at, NO_MODEL);
    }
}
