//! The route table: a value made from the roster, read by every request without waiting for anybody.

use std::{collections::HashMap, sync::Arc};

use http::HeaderValue;
use indexmap::IndexMap;
use smallvec::SmallVec;

use crate::{
    config::{FAMILIES, Routing},
    provider::ProviderCore,
    telemetry::{Metrics, Series},
};

/// A provider that serves a model, under the name it has there.
#[derive(Clone)]
pub struct Candidate {
    pub core: Arc<ProviderCore>,
    pub upstream: Arc<str>,
    /// `upstream`, ready for `x-prism-model-used`.
    pub upstream_header: HeaderValue,
    pub series: Arc<Series>,
    /// No list names this model: the provider may not have it.
    pub unlisted: bool,
}

/// In the order in which they are tried.
pub type Candidates = SmallVec<[Candidate; 2]>;

/// A model as `/v1/models` lists it.
#[derive(Clone)]
pub struct ModelEntry {
    /// `provider/model`.
    pub id: Box<str>,
    pub provider: Arc<str>,
}

/// What the dispatcher publishes.
pub struct RouteTable {
    by_name: HashMap<Box<str>, Candidates>,
    providers: IndexMap<Arc<str>, Arc<ProviderCore>>,
    /// Preset name → a provider of that kind, for models that only their family points to.
    by_kind: HashMap<Box<str>, Arc<ProviderCore>>,
    aliases: IndexMap<String, String>,
    models: Vec<ModelEntry>,
    metrics: Arc<Metrics>,
    pub routing: Arc<Routing>,
}

impl RouteTable {
    /// Order among providers: priority, then the order of the roster.
    pub fn build(
        roster: &[Arc<ProviderCore>],
        aliases: &IndexMap<String, String>,
        routing: &Arc<Routing>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let mut roster: Vec<_> = roster.to_vec();
        roster.sort_by_key(|core| core.config.priority);
        let mut table = Self {
            by_name: HashMap::new(),
            providers: roster.iter().map(|core| (core.name.clone(), core.clone())).collect(),
            by_kind: HashMap::new(),
            aliases: aliases.clone(),
            models: Vec::new(),
            metrics: metrics.clone(),
            routing: routing.clone(),
        };
        for core in &roster {
            table.by_kind.entry(core.config.kind.as_str().into()).or_insert_with(|| core.clone());
            for model in &core.config.models {
                table.add(core, &model.id, &model.upstream);
            }
        }
        // discovered names come after every configured one
        for core in &roster {
            for model in core.discovery().models.iter() {
                if !core.config.models.iter().any(|listed| listed.id == **model) {
                    table.add(core, model, model);
                }
            }
        }
        table.models.sort_by(|a, b| a.id.cmp(&b.id));
        table.models.dedup_by(|a, b| a.id == b.id);
        table
    }

    fn add(&mut self, core: &Arc<ProviderCore>, id: &str, upstream: &str) {
        let candidate = self.candidate(core, upstream, false);
        let full = format!("{}/{id}", core.name);
        self.models.push(ModelEntry { id: full.as_str().into(), provider: core.name.clone() });
        self.by_name.entry(id.into()).or_default().push(candidate.clone());
        // another provider may list the full id as its own model's name: both serve it, the named one first
        self.by_name.entry(full.into()).or_default().insert(0, candidate);
    }

    /// Who serves a model, best first; empty when nobody does.
    ///
    /// SPEC §4: the name (or what `model_map` makes of it) in a provider's list or discovery, then a prefix that names a
    /// provider, then the family, then `default_model`.
    pub fn candidates(&self, model: &str) -> Candidates {
        if let Some(listed) = self.by_name.get(model) {
            return listed.clone();
        }
        if let Some(found) = self.alias(model).or_else(|| self.prefixed(model)).or_else(|| self.family(model)) {
            return found;
        }
        match &self.routing.default_model {
            Some(default) if default != model => self.candidates(default),
            _ => Candidates::new(),
        }
    }

    /// `model_map`: alias → model, or model → provider. Configuration has refused loops.
    fn alias(&self, model: &str) -> Option<Candidates> {
        let target = self.aliases.get(model)?;
        match self.providers.get(target.as_str()) {
            Some(core) => Some(self.on(core, model)),
            None => Some(self.candidates(target)),
        }
    }

    /// `openai/gpt-4o` selects the provider and is sent upstream as `gpt-4o`.
    fn prefixed(&self, model: &str) -> Option<Candidates> {
        let (provider, rest) = model.split_once('/')?;
        let core = self.providers.get(provider)?;
        // what follows a `?` are the simulator's options: they travel with the name
        (!rest.is_empty()).then(|| self.on(core, rest))
    }

    fn family(&self, model: &str) -> Option<Candidates> {
        let (_, kind) = FAMILIES.iter().find(|(prefix, _)| model.starts_with(prefix))?;
        self.by_kind.get(*kind).map(|core| self.on(core, model))
    }

    /// One provider, asked for a model that no list names.
    fn on(&self, core: &Arc<ProviderCore>, model: &str) -> Candidates {
        if let Some(listed) = core.config.models.iter().find(|listed| listed.id == model) {
            return self.single(core, &listed.upstream, false);
        }
        self.single(core, model, true)
    }

    fn single(&self, core: &Arc<ProviderCore>, upstream: &str, unlisted: bool) -> Candidates {
        smallvec::smallvec![self.candidate(core, upstream, unlisted)]
    }

    fn candidate(&self, core: &Arc<ProviderCore>, upstream: &str, unlisted: bool) -> Candidate {
        let series = if unlisted {
            self.metrics.unlisted_series(&core.name, upstream)
        } else {
            self.metrics.known_series(&core.name, upstream)
        };
        // a name that cannot stand in a header is shown as far as it can
        let upstream_header = HeaderValue::from_str(upstream)
            .or_else(|_| HeaderValue::from_str(&upstream.escape_default().to_string()))
            .unwrap_or(HeaderValue::from_static("?"));
        Candidate { core: core.clone(), upstream: upstream.into(), upstream_header, series, unlisted }
    }

    /// One provider's candidate for a model, whatever the table says of it (`x-prism-provider-lock`).
    pub fn locked(&self, provider: &str, model: &str) -> Option<Candidates> {
        let core = self.providers.get(provider)?;
        let listed = self.by_name.get(model).and_then(|all| all.iter().find(|one| Arc::ptr_eq(&one.core, core)));
        let bare = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
        Some(listed.map_or_else(|| self.on(core, bare), |one| smallvec::smallvec![one.clone()]))
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
        let provider = self.by_name.get(name)?.first()?.core.name.clone();
        Some(ModelEntry { id: name.into(), provider })
    }

    pub fn providers(&self) -> impl Iterator<Item = &Arc<ProviderCore>> {
        self.providers.values()
    }

    /// Whether a list is still being read for the first time.
    pub fn is_settling(&self) -> bool {
        self.providers.values().any(|core| core.awaits_discovery())
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
