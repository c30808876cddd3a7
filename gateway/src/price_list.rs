//! What the catalogue knows of a model's price: a table for people, JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    config::CostTracking,
    prices::{Price, Source, entries, version},
};

/// One line: provider (or what the configuration's key says), model, price.
struct Row {
    name: String,
    price: Price,
}

/// Everything whose name contains `wanted`, the configuration's own prices first; all of it without one.
pub fn describe(wanted: Option<&str>, costs: &CostTracking, as_json: bool) -> Result<String, String> {
    let wanted = wanted.unwrap_or_default().to_lowercase();
    let configured = costs.custom_pricing.iter().filter_map(|(name, rates)| {
        let rates = rates.iter().map(|(name, rate)| (name.as_str(), *rate));
        Some(Row { name: name.clone(), price: Price::new(Source::Configured, rates)? })
    });
    let bundled = entries().map(|(kind, model, price)| Row { name: format!("{kind}/{model}"), price });
    let mut rows: Vec<_> = configured.chain(bundled).filter(|row| row.name.to_lowercase().contains(&wanted)).collect();
    // what is named exactly so comes first
    rows.sort_by_key(|row| row.name != wanted && row.name.split_once('/').is_none_or(|(_, model)| model != wanted));
    if rows.is_empty() {
        return Err(format!(
            "no price is known for `{wanted}` ({}; `cost_tracking.custom_pricing` can name one)",
            version()
        ));
    }
    Ok(if as_json { as_json_text(&rows) } else { as_table(&rows) })
}

fn source(price: &Price) -> &'static str {
    match price.source {
        Source::Bundled => version(),
        Source::Configured => "configuration",
    }
}

fn as_table(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{}  ({})", row.name, source(&row.price));
        for (name, rate) in row.price.rates() {
            let _ = writeln!(text, "  {name:<28} {:>12}", rate.to_string());
        }
    }
    let _ = writeln!(text, "US dollars per million; `>` above so many tokens of prompt, `@` in that tier.");
    text
}

fn as_json_text(rows: &[Row]) -> String {
    let row = |row: &Row| {
        let rates: serde_json::Map<String, Value> =
            row.price.rates().map(|(name, rate)| (name, rate.to_string().into())).collect();
        json!({ "model": row.name, "source": source(&row.price), "usd_per_million": rates })
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    serde_json::to_string_pretty(&rows).expect("a value serialises") + "\n"
}
