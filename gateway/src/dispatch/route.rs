//! Who may serve a model.

use std::sync::{Arc, atomic::AtomicU64};

use http::HeaderValue;

use crate::{
    prices::{Catalogue, What},
    provider::{ModelState, ProviderCore},
    telemetry::{Destination, Place, Pricing, Series, Source},
};

/// A provider that serves a model, in one of its regions, under the name the model has there.
#[derive(Clone)]
pub struct Candidate {
    pub core: Arc<ProviderCore>,
    /// What is known of the model there.
    pub model: Arc<ModelState>,
    pub upstream: Arc<str>,
    /// `upstream`, ready for `x-prism-model-used`.
    pub upstream_header: HeaderValue,
    pub place: Arc<Place>,
    pub series: Arc<Series>,
    /// No list names this model: the provider may not have it.
    pub unlisted: bool,
    /// The provider, whatever its region: what its name hashes to.
    pub group: u64,
    /// Lower goes first; a strategy chooses among equals.
    pub tier: u32,
    /// Share of the requests under `weighted`.
    pub weight: u32,
    /// 0 for the provider's own region, then the regions it fails over to.
    pub rank: u32,
}

impl Candidate {
    /// US dollars for one token in and one out; `None` when nobody knows.
    pub fn price(&self, prices: &Arc<Catalogue>) -> Option<f64> {
        let Pricing::Known(price) = self.series.pricing(prices, &self.core.config, &self.upstream) else { return None };
        let one = |what| price.rate(what).map(|rate| rate.of(1).as_f64());
        match (one(What::Input), one(What::Output)) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or_default() + output.unwrap_or_default()),
        }
    }

    pub fn destination(&self) -> Destination {
        Destination {
            place: self.place.clone(),
            provider_header: self.core.name_header.clone(),
            model_header: self.upstream_header.clone(),
        }
    }
}

/// The candidates for one model. At least one.
pub struct Route {
    /// By tier, then in the order of the configuration.
    pub candidates: Vec<Candidate>,
    /// Of the candidates, for those who ask later.
    pub places: Arc<[Arc<Place>]>,
    /// What said that they serve it.
    pub source: Source,
    /// Whose turn it is under `round-robin`.
    pub turn: AtomicU64,
}

impl Route {
    pub(super) fn new(mut candidates: Vec<Candidate>, source: Source) -> Arc<Self> {
        candidates.sort_by_key(|one| one.tier);
        let places = candidates.iter().map(|one| one.place.clone()).collect();
        Arc::new(Self { candidates, places, source, turn: AtomicU64::new(0) })
    }
}
