//! `cost_tracking`: whether answers are priced, and the operator's own prices.

use indexmap::IndexMap;

use super::{resolve::Context, tree::Trail, units::Dollars};
use crate::money::Rate;

/// A rate's name as the price catalogue writes it (`input`, `cached>200000@batch`), and the rate.
pub type NamedRate = (String, Rate);

#[derive(Debug, Clone, PartialEq)]
pub struct CostTracking {
    pub enabled: bool,
    /// Model, or `provider/model` → all that it costs, in place of what the catalogue has.
    pub custom_pricing: IndexMap<String, Vec<NamedRate>>,
}

impl Default for CostTracking {
    fn default() -> Self {
        Self { enabled: true, custom_pricing: IndexMap::new() }
    }
}

/// What may be written.
pub(super) mod written {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::{Dollars, IndexMap};

    #[derive(Debug, Default, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    pub(in crate::config) struct CostTracking {
        /// Prices answers (`x-prism-cost`, log, metrics); by default true.
        pub enabled: Option<bool>,
        /// Model, or `provider/model` → its price, in place of the whole of the bundled one.
        pub custom_pricing: Option<IndexMap<String, Price>>,
    }

    /// US dollars per million tokens. What is not given costs what it is part of: cached input what input costs, reasoning
    /// what output costs.
    #[derive(Debug, Default, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    #[schemars(rename = "CustomPrice")]
    pub(in crate::config) struct Price {
        /// Input.
        pub input_per_mtok: Option<Dollars>,
        /// Output.
        pub output_per_mtok: Option<Dollars>,
        /// Input read from the prompt cache.
        pub cached_input_per_mtok: Option<Dollars>,
        /// Audio read from the prompt cache.
        pub cached_audio_per_mtok: Option<Dollars>,
        /// Input written to the prompt cache, to be kept for minutes.
        pub cache_write_per_mtok: Option<Dollars>,
        /// Input written to the prompt cache, to be kept for an hour.
        pub cache_write_1h_per_mtok: Option<Dollars>,
        /// Output spent on reasoning.
        pub reasoning_per_mtok: Option<Dollars>,
        /// Audio as input.
        pub audio_input_per_mtok: Option<Dollars>,
        /// Audio as output.
        pub audio_output_per_mtok: Option<Dollars>,
        /// Images as input.
        pub image_input_per_mtok: Option<Dollars>,
        /// Images as output.
        pub image_output_per_mtok: Option<Dollars>,
        /// Searches of a reranker: dollars per million of them.
        pub searches_per_million: Option<Dollars>,
        /// Number of tokens → prices of a whole request whose prompt is longer.
        pub above: Option<IndexMap<String, Price>>,
        /// Prices of the batch tier.
        pub batch: Option<Box<Price>>,
        /// Prices of the flex tier.
        pub flex: Option<Box<Price>>,
        /// Prices of the priority tier.
        pub priority: Option<Box<Price>>,
    }
}

pub(super) fn costs(written: written::CostTracking, context: &mut Context<'_>) -> CostTracking {
    let at = Trail::of(["cost_tracking", "custom_pricing"]);
    let mut custom_pricing = IndexMap::new();
    for (model, price) in written.custom_pricing.unwrap_or_default() {
        let at = at.key(&model);
        let mut rates = Vec::new();
        collect(&price, 0, "", &at, &mut rates, context);
        if rates.is_empty() && !context.report.is_spoiled(&at) {
            context.mistake(&at, "names no price; `0` says that something is free");
        }
        custom_pricing.insert(model, rates);
    }
    CostTracking { enabled: written.enabled.unwrap_or(true), custom_pricing }
}

/// The rates of one level, then those of the levels in it.
fn collect(
    price: &written::Price,
    above: u64,
    tier: &str,
    at: &Trail,
    rates: &mut Vec<NamedRate>,
    context: &mut Context<'_>,
) {
    let bound = if above == 0 { String::new() } else { format!(">{above}") };
    let suffix = if tier.is_empty() { String::new() } else { format!("@{tier}") };
    for (name, rate) in own(price) {
        rates.extend(rate.map(|rate| (format!("{name}{bound}{suffix}"), rate.0)));
    }
    for (tokens, longer) in price.above.iter().flatten() {
        let at = at.key("above").key(tokens);
        match tokens.replace('_', "").parse() {
            Ok(tokens) if tokens > 0 && above == 0 => collect(longer, tokens, tier, &at, rates, context),
            Ok(_) if above > 0 => context.mistake(&at, "bounds do not stand in bounds"),
            _ => context.mistake(&at, "expected a number of tokens, such as `200000`"),
        }
    }
    for (name, inner) in [("batch", &price.batch), ("flex", &price.flex), ("priority", &price.priority)] {
        let Some(inner) = inner else { continue };
        let at = at.key(name);
        if tier.is_empty() && above == 0 {
            collect(inner, 0, name, &at, rates, context);
        } else {
            context.mistake(&at, "a tier stands beside the ordinary prices; what it has `above` a bound stands in it");
        }
    }
}

fn own(price: &written::Price) -> [(&'static str, Option<Dollars>); 12] {
    [
        ("input", price.input_per_mtok),
        ("output", price.output_per_mtok),
        ("cached", price.cached_input_per_mtok),
        ("cached_audio", price.cached_audio_per_mtok),
        ("write", price.cache_write_per_mtok),
        ("write_1h", price.cache_write_1h_per_mtok),
        ("reasoning", price.reasoning_per_mtok),
        ("audio_input", price.audio_input_per_mtok),
        ("audio_output", price.audio_output_per_mtok),
        ("image_input", price.image_input_per_mtok),
        ("image_output", price.image_output_per_mtok),
        ("query", price.searches_per_million),
    ]
}
