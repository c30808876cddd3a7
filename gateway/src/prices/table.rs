//! The bundled table: sorted text that stays in the binary's file, searched by halves and parsed line by line, so that a
//! running gateway keeps none of it in memory but the prices that it uses. `gateway/prices/convert.py` makes it.

use std::{cmp::Ordering, sync::LazyLock};

use super::price::{Price, Source};

static TEXT: &str = include_str!("../../prices/catalogue.tsv");

/// Where the table is from, and which version it has.
pub fn version() -> &'static str {
    static VERSION: LazyLock<&str> =
        LazyLock::new(|| TEXT.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default());
    &VERSION
}

/// Every line of the table: type of provider, model, rates.
pub fn entries() -> impl Iterator<Item = (&'static str, &'static str, Price)> {
    TEXT.lines().filter_map(|line| {
        let (name, rates) = line.split_once('\t')?;
        let (kind, model) = name.split_once('/')?;
        Some((kind, model, Price::parse(rates, Source::Bundled)?))
    })
}

/// The price of a model that is named exactly so, as `kind/model`.
pub(super) fn find(name: &str) -> Option<Price> {
    let mut rest = TEXT;
    while !rest.is_empty() {
        let middle = rest.floor_char_boundary(rest.len() / 2);
        let start = rest[..middle].rfind('\n').map_or(0, |at| at + 1);
        let end = rest[start..].find('\n').map_or(rest.len(), |at| start + at);
        let (here, rates) = rest[start..end].split_once('\t').unwrap_or((&rest[start..end], ""));
        rest = match here.cmp(name) {
            Ordering::Equal => return Price::parse(rates, Source::Bundled),
            Ordering::Greater => &rest[..start],
            Ordering::Less => rest.get(end + 1..).unwrap_or_default(),
        };
    }
    None
}
