//! Finding a model's price.

use std::sync::Arc;

use super::{
    names::spellings,
    price::{Price, Source},
    table,
};
use crate::config::{CostTracking, Provider};

/// The bundled prices and those of the configuration, which come first.
#[derive(Debug, Default)]
pub struct Catalogue {
    tracking: CostTracking,
}

impl Catalogue {
    pub fn new(tracking: &CostTracking) -> Self {
        Self { tracking: tracking.clone() }
    }

    /// Whether costs are wanted at all; if not, nothing has a price.
    pub fn is_enabled(&self) -> bool {
        self.tracking.enabled
    }

    /// The price of a provider's model, under the name that it has there (`upstream`) or the one that clients use.
    ///
    /// A configured price for `provider/model` comes before one for `model`, and both before the bundled ones. The
    /// search reads the table's text: ask once for a model and keep the answer.
    pub fn price(&self, provider: &Provider, upstream: &str) -> Option<Arc<Price>> {
        if !self.tracking.enabled {
            return None;
        }
        let listed = provider.models.iter().find(|model| model.upstream == upstream);
        let base = listed.and_then(|model| model.base_model.as_deref());
        let id = listed.map(|model| model.id.as_str());
        let named = [Some(upstream), id, base].into_iter().flatten();
        let custom = &self.tracking.custom_pricing;
        let full = named.clone().find_map(|model| custom.get(&format!("{}/{model}", provider.name)));
        if let Some(rates) = full.or_else(|| named.clone().find_map(|model| custom.get(model))) {
            let rates = rates.iter().map(|(name, rate)| (name.as_str(), *rate));
            return Price::new(Source::Configured, rates).map(Arc::new);
        }
        let region = provider.settings.region.as_deref();
        let mut named = [base, Some(upstream), id].into_iter().flatten();
        named.find_map(|model| bundled(&provider.kind, region, model)).map(Arc::new)
    }
}

/// A region's own price comes before the general one.
fn bundled(kind: &str, region: Option<&str>, model: &str) -> Option<Price> {
    spellings(kind, model).find_map(|name| {
        let regional = region.and_then(|region| table::find(&format!("{kind}/{region}/{name}")));
        regional.or_else(|| table::find(&format!("{kind}/{name}")))
    })
}
