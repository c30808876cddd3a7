//! Answers: the sums of the hours and series that a question is about, by group.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value};

use super::{
    database::{self, DatabaseError},
    ledger,
    question::{Column, Group, Part, Question, cursor},
    series::OTHER,
    sums::Sums,
};
use crate::{
    api::{UsageFreshness, UsageQuantiles, UsageReport, UsageRow, UsageStatus},
    refusal::{Cause, Refusal},
};

/// Rows of all pages together.
const MOST_GROUPS: usize = 100_000;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoReport {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("more than {MOST_GROUPS} groups: ask for fewer of them in `group_by`, or about less")]
    TooMany,
    #[error("reading what has been used has failed")]
    Defect,
}

impl From<NoReport> for Refusal {
    fn from(why: NoReport) -> Self {
        match why {
            NoReport::TooMany => Self::invalid("group_by", why.to_string()).code("too_many_groups"),
            // the path is nobody's business but the operator's, who finds it in the log
            NoReport::Database(_) | NoReport::Defect => {
                Self::new(Cause::Internal, "what has been used cannot be read at the moment")
            }
        }
    }
}

/// Of the file in that folder. Reads a file: not for a thread that must not wait.
///
/// # Errors
/// When it cannot be read, or the answer would be too large.
pub fn report(folder: &Path, question: &Question) -> Result<UsageReport, NoReport> {
    let mut report = UsageReport { since: moment(question.from), until: moment(question.to), ..UsageReport::default() };
    let Some(connection) = database::open_to_read(folder)? else {
        report.totals.cost_usd = Some("0".to_owned());
        return Ok(report);
    };
    let named = |source| DatabaseError::Sqlite { path: database::path(folder), source };
    let answer = Answer::find(&connection, question).map_err(named)?.ok_or(NoReport::TooMany)?;
    report.freshness = freshness(&connection).map_err(named)?;
    answer.fill(question, &mut report);
    Ok(report)
}

/// What a group comes to.
#[derive(Debug, Default)]
struct Tally {
    sums: Sums,
    errors: u64,
    cancelled: u64,
    replayed: u64,
}

impl Tally {
    fn merge(&mut self, other: &Self) {
        self.sums.merge(&other.sums);
        self.errors += other.errors;
        self.cancelled += other.cancelled;
        self.replayed += other.replayed;
    }
}

/// The labels of a row, in the order of the question's groups.
type Labels = Vec<Option<String>>;

struct Answer {
    groups: Vec<(Labels, Tally)>,
}

/// A series that the question is about.
struct Chosen {
    /// Which of the distinct labels it has.
    label: usize,
    status: String,
}

impl Answer {
    /// `None` when there are too many groups.
    fn find(connection: &Connection, question: &Question) -> rusqlite::Result<Option<Self>> {
        let (chosen, labels) = series(connection, question)?;
        let statement =
            format!("SELECT hour, series, {} FROM hourly WHERE hour >= ? AND hour < ?", ledger::sums_columns());
        let mut statement = connection.prepare(&statement)?;
        let mut rows = statement.query([question.from, question.to])?;
        let mut tallies: HashMap<(Span, usize), Tally> = HashMap::new();
        while let Some(row) = rows.next()? {
            let (hour, id): (i64, i64) = (row.get(0)?, row.get(1)?);
            let Some(Chosen { label, status }) = chosen.get(&id) else { continue };
            let tally = tallies.entry((Span::of(hour, question), *label)).or_default();
            let before = tally.sums.requests;
            ledger::read(row, 2, &mut tally.sums)?;
            let requests = tally.sums.requests - before;
            match UsageStatus::ALL.into_iter().find(|one| one.name() == status) {
                Some(UsageStatus::Failed | UsageStatus::Cut | UsageStatus::Interrupted) => tally.errors += requests,
                Some(UsageStatus::Cancelled) => tally.cancelled += requests,
                Some(UsageStatus::Replayed) => tally.replayed += requests,
                Some(UsageStatus::Answered) | None => {}
            }
            if tallies.len() > MOST_GROUPS {
                return Ok(None);
            }
        }
        let named = tallies.into_iter().map(|((span, label), tally)| (span.labels(question, &labels[label]), tally));
        let mut groups: Vec<_> = named.collect();
        groups.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Some(Self { groups }))
    }

    fn fill(self, question: &Question, report: &mut UsageReport) {
        let mut totals = Tally::default();
        self.groups.iter().for_each(|(_, tally)| totals.merge(tally));
        report.totals = row(&totals);
        if question.groups.is_empty() {
            return; // the totals say everything
        }
        let after = question.after.as_ref();
        let from = after.map_or(0, |after| self.groups.partition_point(|(labels, _)| labels <= after));
        let page = &self.groups[from..];
        let (page, is_last) = (&page[..page.len().min(question.limit)], page.len() <= question.limit);
        report.data = page.iter().map(|(labels, tally)| labelled(row(tally), question, labels)).collect();
        report.next_cursor = page.last().filter(|_| !is_last).map(|(labels, _)| cursor(labels));
    }
}

/// The hour or day of a row, as far as the question tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Span(i64);

impl Span {
    fn of(hour: i64, question: &Question) -> Self {
        if question.groups.contains(&Group::Hour) {
            Self(hour)
        } else if question.groups.contains(&Group::Day) {
            Self(hour.div_euclid(24) * 24)
        } else {
            Self(0)
        }
    }

    fn labels(self, question: &Question, others: &[Option<String>]) -> Labels {
        let mut others = others.iter().cloned();
        let label = |group: &Group| match group {
            Group::Hour => Some(moment(self.0)),
            Group::Day => Some(moment(self.0)[..10].to_owned()),
            Group::By(_) => others.next().flatten(),
        };
        question.groups.iter().map(label).collect()
    }
}

/// The series that the question is about, and the distinct labels that they have beside days and hours.
fn series(connection: &Connection, question: &Question) -> rusqlite::Result<(HashMap<i64, Chosen>, Vec<Labels>)> {
    let mut statement = "SELECT id, metadata, org, key, user, model, provider, endpoint, status FROM series".to_owned();
    let mut values: Vec<&str> = Vec::new();
    for filter in &question.filters {
        let Part::Column(column) = filter.part else { continue };
        statement.push_str(if values.is_empty() { " WHERE " } else { " AND " });
        let places = vec!["?"; filter.values.len()].join(", ");
        statement.push_str(&format!("{} IN ({places})", column.name()));
        values.extend(filter.values.iter().map(String::as_str));
    }
    let mut statement = connection.prepare(&statement)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let (mut chosen, mut labels) = (HashMap::new(), HashMap::<Labels, usize>::new());
    while let Some(row) = rows.next()? {
        let metadata = Metadata::read(row.get_ref(1)?.as_str()?);
        let holds = question.filters.iter().all(|filter| match &filter.part {
            Part::Column(_) => true,
            Part::Metadata(name) => metadata.get(name).is_some_and(|found| filter.values.contains(&found)),
        });
        if !holds {
            continue;
        }
        let column = |column: Column| {
            let at = Column::ALL.iter().position(|one| *one == column).expect("it is one of them");
            row.get_ref(2 + at)?.as_str().map_err(rusqlite::Error::from)
        };
        let mut found = Labels::new();
        for group in &question.groups {
            match group {
                Group::Day | Group::Hour => {}
                Group::By(Part::Column(one)) => {
                    found.push(Some(column(*one)?).filter(|text| !text.is_empty()).map(str::to_owned))
                }
                Group::By(Part::Metadata(name)) => found.push(metadata.get(name)),
            }
        }
        let (many, status) = (labels.len(), column(Column::Status)?.to_owned());
        let label = *labels.entry(found).or_insert(many);
        chosen.insert(row.get(0)?, Chosen { label, status });
    }
    let mut in_order = vec![Labels::new(); labels.len()];
    labels.into_iter().for_each(|(label, at)| in_order[at] = label);
    Ok((chosen, in_order))
}

/// The metadata of a series.
enum Metadata {
    Known(Map<String, Value>),
    /// Too many to be told apart.
    Other,
}

impl Metadata {
    fn read(text: &str) -> Self {
        match text {
            OTHER => Self::Other,
            text => Self::Known(serde_json::from_str(text).unwrap_or_default()),
        }
    }

    fn get(&self, name: &str) -> Option<String> {
        match self {
            Self::Other => Some(OTHER.to_owned()),
            Self::Known(members) => members.get(name).map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
        }
    }
}

fn row(tally: &Tally) -> UsageRow {
    let Tally { sums, errors, cancelled, replayed } = tally;
    let unknown = sums.unpriced > 0 && sums.cost == crate::money::Usd::default();
    UsageRow {
        requests: sums.requests,
        errors: *errors,
        cancelled: *cancelled,
        replayed: *replayed,
        attempts: sums.attempts,
        incomplete: sums.incomplete,
        estimated: sums.estimated,
        tokens: sums.tokens,
        cost_usd: (!unknown).then(|| sums.cost.to_string()),
        unpriced: sums.unpriced,
        latency_ms: quantiles(&sums.latency),
        first_token_ms: quantiles(&sums.first_token),
        ..UsageRow::default()
    }
}

fn quantiles(histogram: &super::histogram::Histogram) -> Option<UsageQuantiles> {
    Some(UsageQuantiles {
        p50: histogram.quantile(0.5)?,
        p95: histogram.quantile(0.95)?,
        p99: histogram.quantile(0.99)?,
    })
}

fn labelled(mut row: UsageRow, question: &Question, labels: &[Option<String>]) -> UsageRow {
    for (group, label) in question.groups.iter().zip(labels) {
        let member = match group {
            Group::Day => &mut row.day,
            Group::Hour => &mut row.hour,
            Group::By(Part::Metadata(name)) => {
                if let Some(label) = label {
                    row.metadata.get_or_insert_with(BTreeMap::new).insert(name.clone(), label.clone());
                }
                continue;
            }
            Group::By(Part::Column(column)) => match column {
                Column::Org => &mut row.org,
                Column::Key => &mut row.key,
                Column::User => &mut row.user,
                Column::Model => &mut row.model,
                Column::Provider => &mut row.provider,
                Column::Endpoint => &mut row.endpoint,
                Column::Status => &mut row.status,
            },
        };
        member.clone_from(label);
    }
    row
}

fn freshness(connection: &Connection) -> rusqlite::Result<UsageFreshness> {
    let millis: Option<i64> = connection.query_row("SELECT max(millis) FROM recent", [], |row| row.get(0))?;
    let counted_until = millis.and_then(DateTime::<Utc>::from_timestamp_millis);
    let counted_until = counted_until.map(|moment| moment.to_rfc3339_opts(SecondsFormat::Millis, true));
    Ok(UsageFreshness { counted_until, behind_ms: None })
}

/// The beginning of an hour.
fn moment(hour: i64) -> String {
    let moment = DateTime::<Utc>::from_timestamp(hour.saturating_mul(3600), 0).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}
