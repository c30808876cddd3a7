//! Routing as claims: which provider serves which name, in which order.

use std::sync::Arc;

use indexmap::IndexMap;

use super::*;
use crate::{
    config::{self, Config},
    provider::ProviderCore,
    telemetry::Metrics,
    transport::simulator::Simulator,
    wire,
};

fn table(file: &str) -> RouteTable {
    let config: Config = config::parse(file, "test.yaml", &|_| None).unwrap();
    let metrics = Arc::new(Metrics::new());
    let format = wire::format("openai").unwrap();
    let core = |provider: &config::Provider| {
        ProviderCore::new(Arc::new(provider.clone()), format, Arc::new(Simulator), &metrics)
    };
    let roster: Vec<_> = config.providers.iter().map(core).collect();
    build(roster, config.model_map, config.routing, &metrics)
}

fn build(
    providers: Vec<Arc<ProviderCore>>,
    aliases: IndexMap<String, String>,
    routing: config::Routing,
    metrics: &Arc<Metrics>,
) -> RouteTable {
    let budgets = Arc::new(Budgets::of(&routing));
    RouteTable::build(&Roster { providers, aliases, routing: Arc::new(routing), budgets, shared: None }, metrics)
}

/// `provider:upstream` of every candidate.
fn served(table: &RouteTable, model: &str) -> Vec<String> {
    let route = table.route(model);
    let all = route.iter().flat_map(|route| &route.candidates);
    all.map(|one| format!("{}:{}", one.core.name, one.upstream)).collect()
}

const FILE: &str = "
providers:
  second: {base_url: 'http://127.0.0.1:2/v1', models: [both, {id: alias, upstream: real}, openai/only-here], discover: false, priority: 1}
  first: {base_url: 'http://127.0.0.1:1/v1', models: [both], discover: false}
  openai: {api_key: k, discover: false}
model_map: {fast: both, pinned: second, chain: fast}
";

#[test]
fn a_listed_name_goes_to_everyone_who_lists_it_by_priority() {
    let table = table(FILE);
    assert_eq!(served(&table, "both"), ["first:both", "second:both"]);
    assert_eq!(served(&table, "alias"), ["second:real"]);
}

#[test]
fn a_prefix_selects_the_provider_and_is_not_sent() {
    let table = table(FILE);
    assert_eq!(served(&table, "second/both"), ["second:both"]);
    assert_eq!(served(&table, "second/alias"), ["second:real"]);
    assert_eq!(served(&table, "first/anything-new"), ["first:anything-new"]);
    assert_eq!(served(&table, "openai/gpt-9"), ["openai:gpt-9"]);
}

#[test]
fn a_full_id_that_only_another_provider_lists_goes_there() {
    let table = table(FILE);
    assert_eq!(served(&table, "openai/only-here"), ["second:openai/only-here"]);
}

#[test]
fn families_point_to_a_provider_of_their_kind() {
    let table = table(FILE);
    assert_eq!(served(&table, "gpt-99-turbo"), ["openai:gpt-99-turbo"]);
    assert_eq!(served(&table, "claude-9"), Vec::<String>::new(), "no such provider is configured");
}

#[test]
fn aliases_lead_to_models_and_to_providers() {
    let table = table(FILE);
    assert_eq!(served(&table, "fast"), ["first:both", "second:both"]);
    assert_eq!(served(&table, "chain"), ["first:both", "second:both"]);
    assert_eq!(served(&table, "pinned"), ["second:pinned"]);
}

#[test]
fn the_default_model_takes_what_nobody_knows() {
    let table = table(&format!("{FILE}\nrouting: {{default_model: both}}"));
    assert_eq!(served(&table, "never-heard-of"), ["first:both", "second:both"]);
}

#[test]
fn a_lock_names_one_provider_whatever_the_lists_say() {
    let table = table(FILE);
    let locked = |provider, model| table.locked(provider, model).map(|route| route.candidates[0].upstream.to_string());
    assert_eq!(locked("second", "alias").as_deref(), Some("real"));
    assert_eq!(locked("second", "second/both").as_deref(), Some("both"));
    assert_eq!(locked("first", "unheard").as_deref(), Some("unheard"));
    assert_eq!(locked("nobody", "both"), None);
}

#[test]
fn models_are_listed_once_with_their_providers_and_found_by_bare_name() {
    let table = table(FILE);
    let ids: Vec<&str> = table.models().iter().map(|entry| &*entry.id).collect();
    assert_eq!(ids, ["first/both", "second/alias", "second/both", "second/openai/only-here"]);
    assert_eq!(&*table.model("both").unwrap().provider, "first");
    assert_eq!(&*table.model("second/openai/only-here").unwrap().provider, "second");
    assert!(table.model("nothing").is_none());
}

#[test]
fn near_names_are_named() {
    let table = table(FILE);
    assert!(table.near("boht").contains(&"both"));
    assert!(table.near("zzzzzz").is_empty());
}

#[test]
fn an_empty_roster_serves_nothing() {
    let metrics = Arc::new(Metrics::new());
    let routing = config::parse("{}", "t", &|_| None).unwrap().routing;
    let table = build(Vec::new(), IndexMap::new(), routing, &metrics);
    assert!(table.route("gpt-4o").is_none() && !table.is_settling());
}
