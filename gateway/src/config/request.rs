//! What one request says of its own routing: the header `x-prism-config`, laid over the file's.

use std::{path::Path, sync::LazyLock, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    RouteTarget, Routing, Strategy,
    check::Report,
    file_routing as written,
    resolve::{Around, Context},
    resolve_routing, routes, shape,
    tree::{Entry, Kind, Node, Trail, Value},
    units::Span,
};

static SCHEMA: LazyLock<Json> = LazyLock::new(|| schemars::schema_for!(Written).to_value());

/// Checked, but for its names: whether there are such providers and whether the caller may use them and the models is not
/// known here.
#[derive(Debug, Clone, Default)]
pub struct RequestConfig {
    pub strategy: Option<Strategy>,
    /// Who serves the model; `None` leaves that to the configuration.
    pub targets: Option<Vec<RouteTarget>>,
    /// The models that are tried when nobody answers; empty for none.
    pub model_fallbacks: Option<Vec<String>>,
    failover: written::Failover,
    retry: written::Retry,
    request_timeout: Option<Duration>,
}

/// The header as written: a JSON object.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Written {
    /// How one of several providers is chosen.
    strategy: Option<Strategy>,
    /// Who serves the model.
    targets: Option<Vec<written::Target>>,
    /// Another spelling of `failover.providers`.
    #[schemars(extend("x-prefer" = "failover.providers"))]
    providers: Option<Vec<String>>,
    /// When a provider fails, the next one is tried.
    failover: Option<written::Failover>,
    /// Further attempts at a provider that has failed.
    retry: Option<written::Retry>,
    /// Limits on time.
    timeouts: Option<Timeouts>,
    /// The models that are tried when nobody answers.
    model_fallbacks: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Timeouts {
    /// Milliseconds until the first content, all attempts together; never more than the configuration allows.
    #[schemars(range(min = 1, max = 86_400_000))]
    request_timeout_ms: Option<u64>,
    /// Milliseconds of each attempt until its first content: another spelling of `failover.per_attempt_timeout`.
    #[schemars(range(min = 1, max = 86_400_000))]
    per_attempt_timeout_ms: Option<u64>,
}

impl RequestConfig {
    /// # Errors
    /// The first mistake: its path and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        let Ok(json) = serde_json::from_str(text) else { return Err((String::new(), "is not JSON".to_owned())) };
        let tree = node(&json);
        let mut report = Report::new("");
        let json = shape::fit(&tree, &SCHEMA, &mut report);
        // what does not fit was left out, so that this fails only on a defect, which a test looks for
        let written: Written = serde_json::from_value(json).unwrap_or_else(|_| {
            report.semantic(&tree, &Trail::default(), "passed every check and could not be read: a mistake in Prism");
            Written::default()
        });
        let around = Around::of(&|_| None);
        let mut context = Context { tree: &tree, folder: Path::new(""), report: &mut report, around, providers: None };
        let config = written.resolved(&mut context);
        report.finish(config).map(|(config, _)| config).map_err(|mistakes| {
            let first = mistakes.0.into_iter().next();
            first.map(|mistake| (mistake.path, mistake.message)).unwrap_or_default()
        })
    }

    /// The routing of this request, which is for `model`.
    pub fn over(&self, base: &Routing, model: &str) -> Routing {
        let mut routing = Routing {
            strategy: self.strategy.unwrap_or(base.strategy),
            failover: self.failover.over(&base.failover),
            retry: self.retry.over(&base.retry),
            ..base.clone()
        };
        if let Some(targets) = &self.targets {
            routing.targets.insert(model.to_owned(), targets.clone());
        }
        if let Some(fallbacks) = &self.model_fallbacks {
            let others = fallbacks.iter().filter(|fallback| *fallback != model).cloned();
            routing.model_fallbacks.insert(model.to_owned(), others.collect());
        }
        if let Some(asked) = self.request_timeout {
            let allowed = base.model_timeouts.get(model).unwrap_or(&base.request_timeout);
            routing.model_timeouts.insert(model.to_owned(), asked.min(*allowed));
        }
        routing
    }

    /// The providers that it names, each with its path.
    pub fn providers(&self) -> impl Iterator<Item = (String, &str)> {
        let targets = self.targets.iter().flatten().enumerate();
        let order = self.failover.providers.iter().flatten().enumerate();
        targets
            .map(|(index, target)| (format!("targets[{index}].provider"), target.provider.as_str()))
            .chain(order.map(|(index, name)| (format!("failover.providers[{index}]"), name.as_str())))
    }

    /// The models that it names, each with its path.
    pub fn models(&self) -> impl Iterator<Item = (String, &str)> {
        let targets = self.targets.iter().flatten().enumerate();
        let overrides = targets.filter_map(|(index, target)| {
            Some((format!("targets[{index}].model_override"), target.model_override.as_deref()?))
        });
        let fallbacks = self.model_fallbacks.iter().flatten().enumerate();
        overrides.chain(fallbacks.map(|(index, name)| (format!("model_fallbacks[{index}]"), name.as_str())))
    }
}

impl Written {
    fn resolved(self, context: &mut Context<'_>) -> RequestConfig {
        let at = |key: &str| Trail::of([key]);
        let mut failover = self.failover.unwrap_or_default();
        failover.check(&at("failover"), context);
        resolve_routing::check_order(self.providers.as_deref().unwrap_or_default(), &at("providers"), context);
        failover.providers = failover.providers.or(self.providers);
        let timeouts = self.timeouts.unwrap_or_default();
        if let Some(millis) = timeouts.per_attempt_timeout_ms {
            if failover.per_attempt_timeout.is_some() {
                let here = at("timeouts").key("per_attempt_timeout_ms");
                context.mistake(&here, "given twice: this is another spelling of `failover.per_attempt_timeout`");
            }
            failover.per_attempt_timeout = Some(Span(Duration::from_millis(millis)));
        }
        let retry = self.retry.unwrap_or_default();
        retry.check(&at("retry"), context);
        for (key, given) in [("budget_percent", retry.budget_percent), ("budget_min", retry.budget_min)] {
            if given.is_some() {
                context.mistake(&at("retry").key(key), "is the whole gateway's: only its configuration says it");
            }
        }
        if let Some(fallbacks) = &self.model_fallbacks {
            routes::check_fallbacks(fallbacks, &at("model_fallbacks"), context);
        }
        RequestConfig {
            strategy: self.strategy,
            targets: self.targets.map(|targets| routes::target_list(&targets, &at("targets"), context)),
            model_fallbacks: self.model_fallbacks,
            failover,
            retry,
            request_timeout: timeouts.request_timeout_ms.map(Duration::from_millis),
        }
    }
}

/// JSON as the tree that `shape` reads.
fn node(json: &Json) -> Node {
    let scalar = |text: String, kind| Value::Scalar { text, kind };
    let value = match json {
        Json::String(text) => scalar(text.clone(), Kind::Quoted),
        Json::Array(items) => Value::List(items.iter().map(node).collect()),
        Json::Object(object) => {
            let entry = |(key, value): (&String, &Json)| Entry { key: key.clone(), line: 1, node: node(value) };
            Value::Map(object.iter().map(entry).collect())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => scalar(json.to_string(), Kind::Plain),
    };
    Node { line: 1, value }
}
