//! What an organisation has configured over HTTP: the blocks of the file that are its own to write, read by the code that
//! reads the file.
//!
//! Three things differ. It is JSON already, and no environment is looked into: `${HOME}` is a text. It has no lines; a
//! mistake is named by its path. And the gateway's own credentials and files are not lent out: whoever configures a
//! provider here brings what it takes.

use std::{path::Path, sync::Arc};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    AwsSource, ClientKey, Config, Credentials, GoogleSource, Mistakes, Provider,
    access::client_key,
    budgets::{self, written::Budgets},
    check::Report,
    costs::{self, written::CostTracking},
    file, file_provider as written,
    file_routing::Routing,
    provider, rates,
    rates::written::RateLimiting,
    resolve,
    resolve::{Around, Context},
    resolve_routing, shape,
    tree::{Node, Trail},
};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Organisation")]
struct Organisation {
    /// Providers by name.
    providers: Option<IndexMap<String, written::Provider>>,
    /// Alias → model, or model → provider.
    model_map: Option<IndexMap<String, String>>,
    /// Which provider a request goes to, and to which next.
    routing: Option<Routing>,
    /// How many requests and tokens a minute are let in.
    rate_limiting: Option<RateLimiting>,
    /// How many US dollars may be spent, and in which time.
    budgets: Option<Budgets>,
    /// What answers cost.
    cost_tracking: Option<CostTracking>,
}

pub(super) fn schema() -> Json {
    schemars::schema_for!(Organisation).to_value()
}

/// What holds for one organisation, whatever it writes.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    pub organisation: &'a str,
    /// Its providers may be at private addresses although they do not say so.
    pub allow_private: bool,
    /// Requests in progress at a provider that sets no bound of its own.
    pub max_in_flight: usize,
    /// Providers of the file that it may use, by name.
    pub shared: &'a [String],
}

/// The configuration of a gateway that had only this organisation.
///
/// # Errors
/// With every mistake in it.
pub fn organisation(document: &Json, terms: Terms<'_>) -> Result<Config, Mistakes> {
    let tree = Node::from_json(document);
    let mut report = Report::new("");
    let json = shape::fit(&tree, &schema(), &mut report);
    let written: Organisation = read(json, &tree, &mut report);
    let providers = tree.get("providers").map(|entry| entry.node.keys()).unwrap_or_default();
    let providers = providers.into_iter().chain(terms.shared.iter().map(String::as_str)).collect();
    let (folder, around) = (Path::new(""), Around::of(&|_| None));
    let mut context = Context { tree: &tree, folder, report: &mut report, around, providers: Some(providers) };

    let blocks = written.providers.unwrap_or_default();
    let mut providers = provider::providers(&blocks, terms.max_in_flight, &mut context);
    for provider in &mut providers {
        provider.organisation = Some(Arc::from(terms.organisation));
        provider.guarded = blocks[&provider.name].allow_private.map_or(!terms.allow_private, |allowed| !allowed);
        brings_its_own(provider, &mut context);
    }
    for (name, _) in blocks.iter().filter(|(_, block)| block.shared.is_some()) {
        context
            .mistake(&Trail::of(["providers", name, "shared"]), "only providers of the gateway's file can be shared");
    }
    let model_map = written.model_map.unwrap_or_default();
    resolve::check_model_map(&model_map, &mut context);
    let routing = resolve_routing::routing(&written.routing.unwrap_or_default(), &mut context);
    providers.iter_mut().for_each(|provider| provider.breaker = routing.breaker.clone());
    let rate_limits = rates::rates(written.rate_limiting.unwrap_or_default(), true, &mut context);
    let cost_tracking = costs::costs(written.cost_tracking.unwrap_or_default(), &mut context);
    let mut budgets = written.budgets.unwrap_or_default();
    if budgets.keys.take().is_some_and(|keys| !keys.is_empty()) {
        let at = Trail::of(["budgets", "keys"]);
        context.mistake(
            &at,
            "keys of organisations have their budgets with them: `budget`, where they are made and changed",
        );
    }
    let budgets = budgets::budgets(budgets, &mut [], cost_tracking.enabled, &mut context);
    let config = Config { providers, model_map, routing, rate_limits, budgets, cost_tracking, ..resolve::defaults() };
    report.finish(config).map(|(config, _)| config).map_err(without_lines)
}

/// A client key as it may be described over HTTP: everything that `auth.keys` of the file has, but for the key itself.
///
/// # Errors
/// With every mistake in it.
pub fn organisation_key(document: &Json) -> Result<ClientKey, Mistakes> {
    let tree = Node::from_json(document);
    let mut report = Report::new("");
    let mut schema = schemars::schema_for!(file::ClientKey).to_value();
    schema["required"] = serde_json::json!(["name"]);
    if let Some(fields) = schema["properties"].as_object_mut() {
        fields.shift_remove("key");
    }
    let json = shape::fit(&tree, &schema, &mut report);
    let written: file::ClientKey = read(json, &tree, &mut report);
    if written.name.trim().is_empty() {
        report.semantic(&tree, &Trail::of(["name"]), "needs a name");
    }
    if let Some(position) = written.models.iter().flatten().position(|pattern| pattern.trim().is_empty()) {
        report.semantic(&tree, &Trail::of(["models"]).index(position), "an empty pattern");
    }
    report.finish(client_key(written, &budgets::written::Terms::default())).map(|(key, _)| key).map_err(without_lines)
}

/// A client key that [`organisation_key`] has accepted before; `None` when it has been damaged since.
pub fn accepted_key(document: Json) -> Option<ClientKey> {
    let key = serde_json::from_value(document).ok()?;
    Some(client_key(key, &budgets::written::Terms::default()))
}

/// The structs, filled. `shape` let nothing pass that does not fit; if it did, nothing of it is quoted.
fn read<T: for<'de> Deserialize<'de> + Default>(json: Json, tree: &Node, report: &mut Report) -> T {
    serde_json::from_value(json).unwrap_or_else(|_| {
        report.semantic(tree, &Trail::default(), "passed every check and could not be read: a mistake in Prism");
        T::default()
    })
}

/// The gateway's own identity at a cloud, and the files of its machine, are not an organisation's to use.
fn brings_its_own(provider: &Provider, context: &mut Context<'_>) {
    let mut refuse = |field: &str, message: &str| {
        context.mistake(&Trail::of(["providers", &provider.name, field]), message.to_owned());
    };
    match &provider.credentials {
        Some(Credentials::Aws { source: AwsSource::Chain, .. }) => {
            refuse("access_key_id", "needed and missing: an organisation's provider has an AWS key of its own");
        }
        Some(Credentials::Aws { source: AwsSource::Profile(_), .. }) => {
            refuse("profile", "names a profile of the gateway's machine; give `access_key_id` and `secret_access_key`");
        }
        Some(Credentials::Google(GoogleSource::Default)) => {
            let message = "needed and missing: an organisation's provider has credentials of its own";
            refuse("service_account", message);
        }
        Some(Credentials::Google(GoogleSource::File(_))) => {
            refuse("credentials_file", "names a file of the gateway's machine; give `service_account`");
        }
        Some(Credentials::Google(source @ GoogleSource::Key(_))) if provider.guarded && !source.asks_google() => {
            refuse("service_account", "its `token_uri` is not Google's: no other address is asked for tokens");
        }
        Some(
            Credentials::Aws { source: AwsSource::Keys { .. }, .. }
            | Credentials::Google(GoogleSource::Key(_))
            | Credentials::Entra(_),
        )
        | None => {}
    }
    if provider.ca_file.is_some() {
        refuse("ca_file", "names a file of the gateway's machine");
    }
}

/// There is no file that they could be lines of.
fn without_lines(mut mistakes: Mistakes) -> Mistakes {
    mistakes.0.iter_mut().for_each(|mistake| mistake.line = None);
    mistakes
}
