//! A provider's invoice as a CSV file: what stands in which column is told by the columns' names.

use std::{collections::BTreeMap, fs::File, path::Path};

use chrono::{DateTime, NaiveDate};

use crate::money::Usd;

/// What an invoice says, by day and model.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Invoice {
    pub lines: BTreeMap<(NaiveDate, String), Billed>,
    /// Credits and other lines that are no charge for usage.
    pub left_out: u64,
    /// It tells models apart.
    pub by_model: bool,
}

/// What is charged for; absent where the invoice has no such column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Billed {
    pub amount: Option<Usd>,
    pub tokens: Option<u64>,
}

const DAYS: &[&str] = &[
    "day",
    "date",
    "usage_date",
    "usage_date_utc",
    "start_time",
    "start_time_iso",
    "start_date",
    "timestamp",
    "period",
];
const MODELS: &[&str] = &["model", "model_name", "model_id", "model_version", "line_item", "sku"];
const AMOUNTS: &[&str] =
    &["amount", "amount_usd", "amount_value", "cost", "cost_usd", "total_cost", "charge", "total", "usd", "price"];
const ALL_TOKENS: &[&str] = &["tokens", "total_tokens", "token_count"];

/// Where what stands.
struct Columns {
    day: usize,
    model: Option<usize>,
    amount: Option<usize>,
    tokens: Vec<usize>,
}

impl Columns {
    fn find(heads: &csv::StringRecord) -> Result<Self, String> {
        let names: Vec<String> = heads.iter().map(plain).collect();
        let first = |wanted: &[&str]| wanted.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
        // what is cached or reasoned about is part of the others, unless they say that they are without it
        let is_part = |name: &str| name.contains("cached") || name.contains("reasoning");
        let tokens = match first(ALL_TOKENS) {
            Some(all) => vec![all],
            None => {
                let all = names.iter().enumerate();
                all.filter(|(_, name)| name.contains("tokens") && !is_part(name)).map(|(at, _)| at).collect()
            }
        };
        let missing = |what: &str, known: &[&str]| {
            format!("no column for {what} (known: {}; there are: {})", known.join(", "), names.join(", "))
        };
        let (day, amount) = (first(DAYS).ok_or_else(|| missing("the day", DAYS))?, first(AMOUNTS));
        if amount.is_none() && tokens.is_empty() {
            return Err(missing("an amount or tokens", AMOUNTS));
        }
        Ok(Self { day, model: first(MODELS), amount, tokens })
    }
}

impl Invoice {
    /// # Errors
    /// When it cannot be read, with the line.
    pub fn read(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        Self::parse(file).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn parse(text: impl std::io::Read) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text);
        let columns = Columns::find(reader.headers().map_err(|error| error.to_string())?)?;
        let mut invoice = Self { by_model: columns.model.is_some(), ..Self::default() };
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |at: usize| record.get(at).unwrap_or_default();
            let model = columns.model.map(|at| model(cell(at))).unwrap_or_default();
            if cell(columns.day).is_empty() || (invoice.by_model && model.is_empty()) {
                invoice.left_out += 1; // sums at the end
                continue;
            }
            let day =
                day(cell(columns.day)).ok_or_else(|| format!("line {line}: `{}` is no day", cell(columns.day)))?;
            let amount = columns
                .amount
                .map(|at| amount(cell(at)).ok_or_else(|| format!("line {line}: `{}` is no amount", cell(at))));
            let Some(amount) = amount.transpose()?.map_or(Some(None), |charged| charged.map(Some)) else {
                invoice.left_out += 1;
                continue;
            };
            let billed = invoice.lines.entry((day, model)).or_default();
            if let Some(amount) = amount {
                billed.amount = Some(billed.amount.unwrap_or_default() + amount);
            }
            for &at in &columns.tokens {
                let text = cell(at).replace([',', '_', ' '], "");
                let tokens = if text.is_empty() { Some(0) } else { whole(&text) };
                let tokens = tokens.ok_or_else(|| format!("line {line}: `{}` is no number of tokens", cell(at)))?;
                billed.tokens = Some(billed.tokens.unwrap_or_default() + tokens);
            }
        }
        Ok(invoice)
    }
}

/// `Cost (USD)` and `cost_usd` are the same name.
fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}

/// `gpt-4o-2024-08-06, input` is that model.
fn model(cell: &str) -> String {
    cell.split(',').next().unwrap_or_default().trim().to_lowercase()
}

/// A day, the day of a moment, or seconds since 1970.
fn day(cell: &str) -> Option<NaiveDate> {
    let seconds = || DateTime::from_timestamp(cell.parse().ok()?, 0).map(|moment| moment.date_naive());
    let written = cell.get(..10).and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok());
    written.or_else(seconds)
}

/// `None` when it is no number, `Some(None)` when it is a credit.
fn amount(cell: &str) -> Option<Option<Usd>> {
    let text = cell.replace(['$', ',', ' '], "");
    let text = text.trim_end_matches("USD");
    if let Some(credit) = text.strip_prefix('-').or_else(|| text.strip_prefix('(')) {
        return decimal(credit.trim_end_matches(')')).map(|_| None);
    }
    decimal(if text.is_empty() { "0" } else { text }).map(Some)
}

/// As exact as an amount can be; programs also write `1.2e-05`.
fn decimal(text: &str) -> Option<Usd> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok().filter(|power| (-40..20).contains(power))?),
        None => (text, 0),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{decimals}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // where the point stands among the digits
    let point = i32::try_from(whole.len()).ok()? + exponent;
    let zeros = |many: i32| "0".repeat(usize::try_from(many).unwrap_or(0));
    let (whole, decimals) = if point <= 0 {
        ("0".to_owned(), zeros(-point) + &all)
    } else {
        let at = usize::try_from(point).ok()?.min(all.len());
        (format!("{}{}", &all[..at], zeros(point - i32::try_from(all.len()).ok()?)), all[at..].to_owned())
    };
    let decimals = &decimals[..decimals.len().min(18)];
    Usd::parse(&if decimals.is_empty() { whole } else { format!("{whole}.{decimals}") })
}

fn whole(text: &str) -> Option<u64> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(String, String, Option<String>, Option<u64>)> {
        let invoice = Invoice::parse(text.as_bytes()).unwrap();
        let line = |((day, model), billed): (&(NaiveDate, String), &Billed)| {
            (day.to_string(), model.clone(), billed.amount.map(|amount| amount.to_string()), billed.tokens)
        };
        invoice.lines.iter().map(line).collect()
    }

    fn line(
        day: &str,
        model: &str,
        amount: Option<&str>,
        tokens: Option<u64>,
    ) -> (String, String, Option<String>, Option<u64>) {
        (day.into(), model.into(), amount.map(Into::into), tokens)
    }

    #[test]
    fn columns_are_found_by_their_names_and_lines_added_up() {
        let text = "Date,Model,Cost (USD)\n2026-11-01,GPT-4o,$1.50\n2026-11-01,gpt-4o,\"1,000.25\"\n2026-11-02,gpt-4o,1.2e-05\n";
        assert_eq!(
            lines(text),
            [line("2026-11-01", "gpt-4o", Some("1001.75"), None), line("2026-11-02", "gpt-4o", Some("0.000012"), None),]
        );
        let text = "start_time,line_item,amount_value,project\n1793491200,\"gpt-4o-2024-08-06, input\",0.1,p\n1793491200,\"gpt-4o-2024-08-06, output\",0.2,p\n";
        assert_eq!(lines(text), [line("2026-11-01", "gpt-4o-2024-08-06", Some("0.3"), None)]);
        let text =
            "day,model,input_tokens,input_cached_tokens,output_tokens\n2026-11-01T05:00:00Z,m,\"1,000\",900,10\n";
        assert_eq!(lines(text), [line("2026-11-01", "m", None, Some(1_010))]);
        assert_eq!(lines("day,total_tokens,input_tokens\n2026-11-01,7,3\n"), [line("2026-11-01", "", None, Some(7))]);
    }

    #[test]
    fn credits_and_sums_are_left_out_and_said() {
        let text = "day,model,amount\n2026-11-01,m,2\n2026-11-01,m,-1\n2026-11-01,m,($3)\n,,2\n";
        let invoice = Invoice::parse(text.as_bytes()).unwrap();
        assert_eq!((invoice.lines.len(), invoice.left_out), (1, 3));
        assert_eq!(lines(text)[0].2.as_deref(), Some("2"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = |text: &str| Invoice::parse(text.as_bytes()).unwrap_err();
        assert!(error("model,amount\nm,1\n").contains("no column for the day"));
        assert!(error("day,model\n2026-11-01,m\n").contains("an amount or tokens"));
        assert_eq!(error("day,amount\nsoon,1\n"), "line 2: `soon` is no day");
        assert_eq!(error("day,amount\n2026-11-01,lots\n"), "line 2: `lots` is no amount");
    }

    #[test]
    fn numbers_with_an_exponent_are_exact() {
        for (text, amount) in [
            ("1e2", "100"),
            ("1.25e1", "12.5"),
            ("12.5E-3", "0.0125"),
            ("0.1e-17", "0.000000000000000001"),
            (".5", "0.5"),
        ] {
            assert_eq!(decimal(text).unwrap().to_string(), amount);
        }
        for text in ["", "e5", "1e99", "--1", "1.2.3", "0x1"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
