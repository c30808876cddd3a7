//! What can be asked of the sums: a span of time, filters, groups, a page.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::{api::UsageStatus, refusal::Refusal};

/// Rows of a page.
pub const MOST_ROWS: usize = 1_000;
const ROWS: usize = 100;
/// What is asked about when nothing is said.
const SPAN_HOURS: i64 = 30 * 24;
/// Of one question.
const MOST_GROUPS: usize = 12;
/// What comes before the name of a member of the metadata.
const METADATA: &str = "metadata.";

/// A question, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The first hour since 1970.
    pub(super) from: i64,
    /// The hour after the last.
    pub(super) to: i64,
    pub(super) groups: Vec<Group>,
    /// All of them hold.
    pub(super) filters: Vec<Filter>,
    pub(super) limit: usize,
    /// The labels of the row before the first.
    pub(super) after: Option<Vec<Option<String>>>,
}

/// What rows are told apart by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Group {
    Day,
    Hour,
    By(Part),
}

/// What requests are told apart by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Column(Column),
    /// The member of that name.
    Metadata(String),
}

/// A column of `series`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Org,
    Key,
    User,
    Model,
    Provider,
    Endpoint,
    Status,
}

impl Column {
    pub const ALL: [Self; 7] =
        [Self::Org, Self::Key, Self::User, Self::Model, Self::Provider, Self::Endpoint, Self::Status];

    pub fn name(self) -> &'static str {
        match self {
            Self::Org => "org",
            Self::Key => "key",
            Self::User => "user",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Endpoint => "endpoint",
            Self::Status => "status",
        }
    }
}

/// Any of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub part: Part,
    pub values: Vec<String>,
}

impl Question {
    /// Reads the members of a query.
    ///
    /// # Errors
    /// 400 naming the member that cannot be understood.
    pub fn read(members: impl IntoIterator<Item = (String, String)>, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let (mut from, mut to) = (None, None);
        let mut cursor = None;
        let mut question = Self { from: 0, to: 0, groups: vec![], filters: vec![], limit: ROWS, after: None };
        for (name, value) in members {
            match name.as_str() {
                // the SDKs have `since` and `until`: `from` is a keyword of Python
                "from" | "since" => from = Some(moment(&name, &value)?),
                "to" | "until" => to = Some(moment(&name, &value)?),
                "group_by" => question.groups.extend(groups(&value)?),
                "limit" => question.limit = limit(&value)?,
                "cursor" => cursor = Some(value),
                _ => question.filter(&name, value)?,
            }
        }
        if question.groups.len() > MOST_GROUPS {
            return Err(Refusal::invalid("group_by", format!("names more than {MOST_GROUPS} groups")));
        }
        question.to = hour_after(to.unwrap_or(now));
        question.from = from.map_or(question.to - SPAN_HOURS, |from| from.timestamp().div_euclid(3600));
        if question.from >= question.to {
            return Err(Refusal::invalid("to", "has to be later than `from`"));
        }
        question.after = cursor.map(|cursor| labels(&cursor, question.groups.len())).transpose()?;
        Ok(question)
    }

    /// Whatever it asks about, it gets answers about that organisation only.
    pub fn keep_to(&mut self, org: &str) {
        self.filters.push(Filter { part: Part::Column(Column::Org), values: vec![org.to_owned()] });
    }

    fn filter(&mut self, name: &str, value: String) -> Result<(), Refusal> {
        let Some(part) = part(name) else {
            let known = "`from` or `since`, `to` or `until`, `group_by`, `limit`, `cursor`, `org`, `key`, `user`, `model`, `provider`, \
                         `endpoint`, `status`, `metadata.NAME`";
            let message = format!("there is no `{}` (there are: {known})", clipped(name));
            return Err(Refusal::invalid(clipped(name).to_owned(), message));
        };
        if part == Part::Column(Column::Status) && !UsageStatus::ALL.iter().any(|status| status.name() == value) {
            let known: Vec<_> = UsageStatus::ALL.iter().map(|status| format!("`{}`", status.name())).collect();
            let message = format!("no request ends as `{}` (there are: {})", clipped(&value), known.join(", "));
            return Err(Refusal::invalid("status", message));
        }
        match self.filters.iter_mut().find(|filter| filter.part == part) {
            Some(filter) => filter.values.push(value),
            None => self.filters.push(Filter { part, values: vec![value] }),
        }
        Ok(())
    }
}

fn part(name: &str) -> Option<Part> {
    let column = Column::ALL.into_iter().find(|column| column.name() == name).map(Part::Column);
    let member = || name.strip_prefix(METADATA).filter(|name| !name.is_empty());
    column.or_else(|| member().map(|name| Part::Metadata(name.to_owned())))
}

fn groups(list: &str) -> Result<Vec<Group>, Refusal> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    let group = |name: &str| match name {
        "day" => Ok(Group::Day),
        "hour" => Ok(Group::Hour),
        _ => part(name).map(Group::By).ok_or_else(|| {
            let known =
                "`day`, `hour`, `org`, `key`, `user`, `model`, `provider`, `endpoint`, `status`, `metadata.NAME`";
            Refusal::invalid("group_by", format!("there is no group `{}` (there are: {known})", clipped(name)))
        }),
    };
    let mut distinct: Vec<Group> = Vec::new();
    for found in names.map(group) {
        let found = found?;
        if !distinct.contains(&found) {
            distinct.push(found);
        }
    }
    Ok(distinct)
}

fn limit(value: &str) -> Result<usize, Refusal> {
    let number = value.parse().ok().filter(|number| (1..=MOST_ROWS).contains(number));
    number.ok_or_else(|| Refusal::invalid("limit", format!("expected a whole number from 1 to {MOST_ROWS}")))
}

/// RFC 3339, or a day, which begins at midnight UTC.
fn moment(name: &str, value: &str) -> Result<DateTime<Utc>, Refusal> {
    // a `+` that nobody has escaped arrives as a space
    let text = value.trim().replace(' ', "+");
    let day = || NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    DateTime::parse_from_rfc3339(&text).ok().map(|moment| moment.to_utc()).or_else(day).ok_or_else(|| {
        let name = name.to_owned();
        Refusal::invalid(name, "expected a day such as `2026-11-28`, or a moment such as `2026-11-28T09:00:00Z`")
    })
}

fn hour_after(moment: DateTime<Utc>) -> i64 {
    (moment + TimeDelta::nanoseconds(3_600_000_000_000 - 1)).timestamp().div_euclid(3600)
}

/// Where a page ended.
pub(super) fn cursor(labels: &[Option<String>]) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(labels).expect("texts always serialise"))
}

fn labels(cursor: &str, many: usize) -> Result<Vec<Option<String>>, Refusal> {
    let labels = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|json| serde_json::from_slice::<Vec<_>>(&json).ok());
    labels.filter(|labels| labels.len() == many).ok_or_else(|| {
        Refusal::invalid(
            "cursor",
            "is not a `next_cursor` of this question (nothing but `cursor` and `limit` may change)",
        )
    })
}

fn clipped(text: &str) -> &str {
    const MOST: usize = 100;
    &text[..text.floor_char_boundary(MOST)]
}
