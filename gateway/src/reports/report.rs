//! `prism usage report`.

use std::io::Write;

use serde_json::Value;

use super::{
    Report, Span, source,
    table::{Side, Table, count},
};
use crate::{
    api::{EventTokens, UsageQuantiles, UsageReport, UsageRow},
    money::Usd,
};

pub(super) fn run(asked: &Report, out: &mut impl Write) -> Result<(), String> {
    let groups: Vec<&str> = asked.by.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let mut members = asked.filters.clone();
    members.push(("group_by".to_owned(), groups.join(",")));
    members.extend(asked.span.members());
    let report = source::ask(&asked.place, &members)?;
    let text = match (asked.csv, asked.json) {
        (true, _) => csv(&report, &groups)?,
        (_, true) => serde_json::to_string_pretty(&report).expect("our own types always serialise") + "\n",
        _ => people(&report, &groups),
    };
    let _ = out.write_all(text.as_bytes()); // a closed pipe is no mistake
    Ok(())
}

impl Span {
    pub(super) fn members(&self) -> impl Iterator<Item = (String, String)> {
        let member = |name: &str, value: &Option<String>| Some((name.to_owned(), value.clone()?));
        [member("from", &self.from), member("to", &self.to)].into_iter().flatten()
    }
}

fn people(report: &UsageReport, groups: &[&str]) -> String {
    let figures = [
        "requests",
        "errors",
        "input",
        "output",
        "cached",
        "cost USD",
        "unpriced",
        "p50 ms",
        "p95 ms",
        "first token ms",
    ];
    let heads = groups.iter().map(|name| ((*name).to_owned(), Side::Left));
    let mut table = Table::new(heads.chain(figures.map(|name| (name.to_owned(), Side::Right))));
    let figures = |row: &UsageRow| {
        let ms = |quantiles: &Option<UsageQuantiles>, of: fn(&UsageQuantiles) -> f64| {
            quantiles.as_ref().map_or("-".to_owned(), |quantiles| count(of(quantiles).round() as u64))
        };
        [
            count(row.requests),
            count(row.errors),
            count(row.tokens.input),
            count(row.tokens.output),
            count(row.tokens.cached_read),
            row.cost_usd.as_deref().map_or("?".to_owned(), dollars),
            count(row.unpriced),
            ms(&row.latency_ms, |quantiles| quantiles.p50),
            ms(&row.latency_ms, |quantiles| quantiles.p95),
            ms(&row.first_token_ms, |quantiles| quantiles.p50),
        ]
    };
    for row in &report.data {
        let labels = groups.iter().map(|name| label(row, name).unwrap_or_else(|| "-".to_owned()));
        table.row(labels.chain(figures(row)).collect());
    }
    let total = std::iter::once("total".to_owned()).chain(std::iter::repeat(String::new())).take(groups.len());
    let mut text = table.render(Some(total.chain(figures(&report.totals)).collect()));
    text += &format!("\n{} to {}", report.since, report.until);
    if let Some(behind) = report.freshness.behind_ms.filter(|behind| *behind > 0) {
        text += &format!(", {:.1} s behind", behind as f64 / 1e3);
    }
    if report.totals.unpriced > 0 {
        text += &format!("; the price of {} requests is not known (`prism prices`)", count(report.totals.unpriced));
    }
    text + "\n"
}

/// With six decimals: what is exact is in the other formats.
pub(super) fn dollars(exact: &str) -> String {
    let Some(amount) = Usd::parse(exact) else { return exact.to_owned() };
    let (whole, attodollars) = amount.split();
    let millionths = (attodollars + 500_000_000_000) / 1_000_000_000_000;
    let (whole, millionths) = (whole + millionths / 1_000_000, millionths % 1_000_000);
    format!("{}.{millionths:06}", count(whole))
}

fn label(row: &UsageRow, group: &str) -> Option<String> {
    match group.strip_prefix("metadata.") {
        Some(name) => row.metadata.as_ref()?.get(name).cloned(),
        None => match serde_json::to_value(row).expect("our own types always serialise").get(group)? {
            Value::String(text) => Some(text.clone()),
            _ => None,
        },
    }
}

const COUNTS: [&str; 8] =
    ["requests", "errors", "cancelled", "replayed", "attempts", "incomplete", "estimated", "unpriced"];
const QUANTILES: [&str; 3] = ["p50", "p95", "p99"];

/// Every figure, exact; without the totals, which whoever reads it can add up.
fn csv(report: &UsageReport, groups: &[&str]) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heads = groups.iter().map(|name| (*name).to_owned());
    let heads = heads.chain(COUNTS.map(str::to_owned)).chain(EventTokens::NAMES.map(|name| format!("tokens_{name}")));
    let heads = heads.chain(["cost_usd".to_owned()]);
    let heads = heads.chain(QUANTILES.map(|name| format!("latency_ms_{name}")));
    let heads = heads.chain(QUANTILES.map(|name| format!("first_token_ms_{name}")));
    let written = writer.write_record(heads);
    written.map_err(|error| error.to_string())?;
    for row in &report.data {
        let json = serde_json::to_value(row).expect("our own types always serialise");
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let part = |of: &'static str| {
            let json = &json;
            move |name: &'static str| text(&json[of][name])
        };
        let or_zero = |text: String| if text.is_empty() { "0".to_owned() } else { text };
        let cells = groups.iter().map(|name| label(row, name).unwrap_or_default());
        let cells = cells.chain(COUNTS.map(|name| text(&json[name])));
        let cells = cells.chain(EventTokens::NAMES.map(part("tokens")).map(or_zero)).chain([text(&json["cost_usd"])]);
        let cells = cells.chain(QUANTILES.map(part("latency_ms"))).chain(QUANTILES.map(part("first_token_ms")));
        writer.write_record(cells).map_err(|error| error.to_string())?;
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_have_six_decimals() {
        for (exact, shown) in [
            ("0", "0.000000"),
            ("0.0000005", "0.000001"),
            ("0.000000499999999999", "0.000000"),
            ("1234.9999999", "1,235.000000"),
            ("0.00325", "0.003250"),
        ] {
            assert_eq!(dollars(exact), shown);
        }
    }

    #[test]
    fn a_table_and_a_file_say_the_same() {
        let tokens = crate::api::EventTokens { input: 1_000, output: 20, ..Default::default() };
        let metadata = [("team".to_owned(), "a,b".to_owned())].into();
        let row = UsageRow {
            key: Some("app".into()),
            metadata: Some(metadata),
            requests: 3,
            tokens,
            cost_usd: Some("0.5".into()),
            latency_ms: Some(UsageQuantiles { p50: 99.97, p95: 1_500.0, p99: 1_500.0 }),
            ..UsageRow::default()
        };
        let report = UsageReport { data: vec![row.clone()], totals: row, ..UsageReport::default() };
        let groups = ["key", "user", "metadata.team"];
        let table = people(&report, &groups);
        let cells: Vec<_> = table.lines().nth(2).unwrap().split_whitespace().collect();
        assert_eq!(cells, ["app", "-", "a,b", "3", "0", "1,000", "20", "0", "0.500000", "0", "100", "1,500", "-"]);
        let file = csv(&report, &groups).unwrap();
        let row = file.lines().nth(1).unwrap();
        assert_eq!(row, "app,,\"a,b\",3,0,0,0,0,0,0,0,1000,20,0,0,0,0,0,0,0,0,0,0,0,0.5,99.97,1500.0,1500.0,,,");
    }
}
