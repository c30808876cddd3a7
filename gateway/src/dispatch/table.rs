//! The route table: a value made from the roster, read by every request without waiting for anybody.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use http::HeaderValue;
use indexmap::IndexMap;

use super::{
    Budgets,
    dispatcher::Roster,
    route::{Candidate, Route},
};
use crate::{
    config::{FAMILIES, RouteTarget, Routing},
    provider::ProviderCore,
    telemetry::{Metrics, Place, Source},
};

/// Names that a provider discovered come behind those that a configuration lists.
const DISCOVERED: u32 = 1 << 20;
/// Whoever lists `openai/x` as a model's own name comes behind the provider `openai`.
const NAMESAKE: u32 = 1 << 24;

/// A model as `/v1/models` lists it.
#[derive(Clone)]
pub struct ModelEntry {
    /// `provider/model`.
    pub id: Box<str>,
    pub provider: Arc<str>,
}

/// A provider in the regions where it is found, its own first.
pub type Sites = Vec<Arc<ProviderCore>>;

/// What the dispatcher publishes.
pub struct RouteTable {
    by_name: HashMap<Box<str>, Arc<Route>>,
    providers: IndexMap<Arc<str>, Sites>,
    /// Preset name → a provider of that kind, for models that only their family points to.
    by_kind: HashMap<Box<str>, Arc<str>>,
    aliases: IndexMap<String, String>,
    models: Vec<ModelEntry>,
    metrics: Arc<Metrics>,
    pub routing: Arc<Routing>,
    pub budgets: Arc<Budgets>,
}

impl RouteTable {
    /// Order among providers: priority, then the order of the roster.
    pub fn build(roster: &Roster, metrics: &Arc<Metrics>) -> Self {
        let Roster { aliases, routing, budgets, .. } = roster;
        let mut providers: IndexMap<Arc<str>, Sites> = IndexMap::new();
        for core in roster.everybody() {
            providers.entry(core.name.clone()).or_default().push(core);
        }
        providers.sort_by(|_, one, _, other| one[0].config.priority.cmp(&other[0].config.priority));
        let mut table = Self {
            by_name: HashMap::new(),
            by_kind: HashMap::new(),
            aliases: aliases.clone(),
            models: Vec::new(),
            metrics: metrics.clone(),
            routing: routing.clone(),
            budgets: budgets.clone(),
            providers: IndexMap::new(),
        };
        let mut drafts: HashMap<Box<str>, Vec<Candidate>> = HashMap::new();
        for (name, sites) in &providers {
            let core = &sites[0];
            table.by_kind.entry(core.config.kind.as_str().into()).or_insert_with(|| name.clone());
            for model in &core.config.models {
                let tier = core.config.priority + namesake(&providers, name, &model.id);
                table.list(&mut drafts, sites, &model.id, &model.upstream, tier);
            }
        }
        // discovered names come after every configured one
        for (name, sites) in &providers {
            let core = &sites[0];
            for model in core.discovery().models.iter() {
                if !core.config.models.iter().any(|listed| listed.id == **model) {
                    let tier = DISCOVERED + core.config.priority + namesake(&providers, name, model);
                    table.list(&mut drafts, sites, model, model, tier);
                }
            }
        }
        table.providers = providers;
        for (model, targets) in &routing.targets {
            drafts.insert(model.as_str().into(), table.targets(model, targets));
        }
        table.by_name = drafts.into_iter().map(|(name, all)| draft(routing, name, all)).collect();
        table.models.sort_by(|a, b| a.id.cmp(&b.id));
        table.models.dedup_by(|a, b| a.id == b.id);
        table
    }

    fn list(
        &mut self,
        drafts: &mut HashMap<Box<str>, Vec<Candidate>>,
        sites: &Sites,
        id: &str,
        upstream: &str,
        tier: u32,
    ) {
        let name = &sites[0].name;
        let full = format!("{name}/{id}");
        self.models.push(ModelEntry { id: full.as_str().into(), provider: name.clone() });
        let found = self.everywhere(sites, upstream, tier, false);
        drafts.entry(full.into()).or_default().extend(found.iter().cloned());
        drafts.entry(id.into()).or_default().extend(found);
    }

    /// Who serves a model by a request's own word; `None` when nobody of those is there.
    pub fn over(&self, model: &str, targets: &[RouteTarget]) -> Option<Arc<Route>> {
        let all = self.targets(model, targets);
        (!all.is_empty()).then(|| Route::new(all, Source::RequestTargets))
    }

    /// Who serves a model by the configuration's word.
    fn targets(&self, model: &str, targets: &[RouteTarget]) -> Vec<Candidate> {
        let mut all = Vec::with_capacity(targets.len());
        for target in targets {
            let Some(sites) = self.providers.get(target.provider.as_str()) else { continue };
            let upstream = target.model_override.as_deref().unwrap_or_else(|| listed(&sites[0], model));
            let known = self.everywhere(sites, upstream, target.priority, false);
            all.extend(known.into_iter().map(|one| Candidate { weight: target.weight, ..one }));
        }
        all
    }

    /// Who serves a model; `None` when nobody does.
    ///
    /// SPEC §4: `targets`, the name (or what `model_map` makes of it) in a provider's list or discovery, then a prefix that
    /// names a provider, then the family, then `default_model`.
    pub fn route(&self, model: &str) -> Option<Arc<Route>> {
        self.find(model).map(|(_, route)| route)
    }

    /// The same, with what decided.
    pub fn find(&self, model: &str) -> Option<(Source, Arc<Route>)> {
        if let Some(listed) = self.by_name.get(model) {
            return Some((listed.source, listed.clone()));
        }
        if let Some(found) = self.alias(model) {
            return Some((Source::ModelMap, found));
        }
        if let Some(found) = self.prefixed(model).or_else(|| self.family(model)) {
            return Some((found.source, found));
        }
        let default = self.routing.default_model.as_deref().filter(|default| *default != model)?;
        self.route(default).map(|route| (Source::DefaultModel, route))
    }

    /// `model_map`: alias → model, or model → provider. Configuration has refused loops.
    fn alias(&self, model: &str) -> Option<Arc<Route>> {
        let target = self.aliases.get(model)?;
        match self.providers.get(target.as_str()) {
            Some(sites) => Some(self.on(sites, model, Source::ModelMap)),
            None => self.route(target),
        }
    }

    /// `openai/gpt-4o` selects the provider and is sent upstream as `gpt-4o`.
    fn prefixed(&self, model: &str) -> Option<Arc<Route>> {
        let (provider, rest) = model.split_once('/')?;
        let sites = self.providers.get(provider)?;
        // what follows a `?` are the simulator's options: they travel with the name
        (!rest.is_empty()).then(|| self.on(sites, rest, Source::Prefix))
    }

    fn family(&self, model: &str) -> Option<Arc<Route>> {
        let (_, kind) = FAMILIES.iter().find(|(prefix, _)| model.starts_with(prefix))?;
        let sites = self.providers.get(self.by_kind.get(*kind)?)?;
        Some(self.on(sites, model, Source::Family))
    }

    /// One provider, asked for a model that no list names.
    fn on(&self, sites: &Sites, model: &str, source: Source) -> Arc<Route> {
        let core = &sites[0];
        let upstream = listed(core, model);
        let unlisted = !core.config.models.iter().any(|listed| listed.id == model);
        Route::new(self.everywhere(sites, upstream, core.config.priority, unlisted), source)
    }

    /// A provider's candidates for a model: in its own region, then in those that it fails over to.
    fn everywhere(&self, sites: &Sites, upstream: &str, tier: u32, unlisted: bool) -> Vec<Candidate> {
        let core = &sites[0];
        let series = if core.config.organisation.is_some() {
            self.metrics.unnamed_series(core.config.label())
        } else if unlisted {
            self.metrics.unlisted_series(&core.name, upstream)
        } else {
            self.metrics.known_series(&core.name, upstream)
        };
        // a name that cannot stand in a header is shown as far as it can
        let upstream_header = HeaderValue::from_str(upstream)
            .or_else(|_| HeaderValue::from_str(&upstream.escape_default().to_string()))
            .unwrap_or(HeaderValue::from_static("?"));
        let upstream: Arc<str> = upstream.into();
        let mut hasher = DefaultHasher::new();
        core.name.hash(&mut hasher);
        let group = hasher.finish();
        let at = |(rank, core): (usize, &Arc<ProviderCore>)| Candidate {
            place: Arc::new(Place {
                provider: core.name.clone(),
                region: core.region().map(Into::into),
                model: upstream.clone(),
            }),
            core: core.clone(),
            model: core.model(&upstream),
            upstream: upstream.clone(),
            upstream_header: upstream_header.clone(),
            series: series.clone(),
            unlisted,
            group,
            tier,
            weight: core.config.weight,
            rank: rank as u32,
        };
        sites.iter().enumerate().map(at).collect()
    }

    /// One provider's candidates for a model, whatever the table says of it (`x-prism-provider-lock`).
    pub fn locked(&self, provider: &str, model: &str) -> Option<Arc<Route>> {
        let sites = self.providers.get(provider)?;
        if let Some(route) = self.by_name.get(model) {
            let of_it: Vec<_> = route.candidates.iter().filter(|one| *one.core.name == *provider).cloned().collect();
            if !of_it.is_empty() {
                return Some(Route::new(of_it, Source::ProviderLock));
            }
        }
        let bare = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
        Some(self.on(sites, bare, Source::ProviderLock))
    }

    /// Whether a provider has that name.
    pub fn has_provider(&self, name: &str) -> bool {
        self.providers.contains_key(name)
    }

    /// Every listed model, sorted by id.
    pub fn models(&self) -> &[ModelEntry] {
        &self.models
    }

    /// A listed model by its full id, or by its bare name.
    pub fn model(&self, name: &str) -> Option<ModelEntry> {
        let at = self.models.binary_search_by(|entry| (*entry.id).cmp(name));
        if let Ok(at) = at {
            return Some(self.models[at].clone());
        }
        let provider = self.by_name.get(name)?.candidates.first()?.core.name.clone();
        Some(ModelEntry { id: name.into(), provider })
    }

    /// Every provider in each of its regions.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<ProviderCore>> {
        self.providers.values().flatten()
    }

    /// Whether a list is still being read for the first time.
    pub fn is_settling(&self) -> bool {
        self.providers().any(|core| core.awaits_discovery())
    }

    /// Up to three listed names that look like what was asked for.
    pub fn near(&self, model: &str) -> Vec<&str> {
        const CLOSE: f64 = 0.7;
        const MOST: usize = 3;
        let wanted = model.to_ascii_lowercase();
        let mut scored: Vec<(f64, &str)> = self
            .by_name
            .keys()
            .map(|name| (strsim::jaro_winkler(&wanted, &name.to_ascii_lowercase()), &**name))
            .filter(|(score, _)| *score >= CLOSE)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.len().cmp(&b.1.len())).then(a.1.cmp(b.1)));
        scored.into_iter().take(MOST).map(|(_, name)| name).collect()
    }
}

fn draft(routing: &Routing, name: Box<str>, all: Vec<Candidate>) -> (Box<str>, Arc<Route>) {
    let source = match all.iter().map(|one| one.tier).min() {
        _ if routing.targets.contains_key(&*name) => Source::Targets,
        Some(tier) if tier & DISCOVERED != 0 => Source::Discovered,
        _ => Source::Listed,
    };
    (name, Route::new(all, source))
}

/// A provider may list the full id of another's model as its own model's name: both serve it, the named one first.
fn namesake(providers: &IndexMap<Arc<str>, Sites>, name: &str, id: &str) -> u32 {
    let prefix = id.split_once('/').map(|(prefix, _)| prefix);
    if prefix.is_some_and(|prefix| prefix != name && providers.contains_key(prefix)) { NAMESAKE } else { 0 }
}

/// A model's name as the provider knows it.
fn listed<'a>(core: &'a ProviderCore, model: &'a str) -> &'a str {
    core.config.models.iter().find(|listed| listed.id == model).map_or(model, |listed| &listed.upstream)
}
