//! The words of conditions.

use super::Relation;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Ordered(Relation),
    In,
    NotIn,
    Exists,
    Text(TextOperator),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextOperator {
    Contains,
    StartsWith,
    EndsWith,
    Glob,
    Regex,
}

pub(super) const OPERATORS: [(&str, Operator); 14] = [
    ("eq", Operator::Equal),
    ("ne", Operator::NotEqual),
    ("gt", Operator::Ordered(Relation::More)),
    ("gte", Operator::Ordered(Relation::AtLeast)),
    ("lt", Operator::Ordered(Relation::Less)),
    ("lte", Operator::Ordered(Relation::AtMost)),
    ("in", Operator::In),
    ("nin", Operator::NotIn),
    ("exists", Operator::Exists),
    ("contains", Operator::Text(TextOperator::Contains)),
    ("startsWith", Operator::Text(TextOperator::StartsWith)),
    ("endsWith", Operator::Text(TextOperator::EndsWith)),
    ("glob", Operator::Text(TextOperator::Glob)),
    ("regex", Operator::Text(TextOperator::Regex)),
];

const SYMBOLS: &[(&str, &str)] = &[
    ("=", "eq"),
    ("==", "eq"),
    ("!=", "ne"),
    (">", "gt"),
    (">=", "gte"),
    ("<", "lt"),
    ("<=", "lte"),
    ("notin", "nin"),
];

#[derive(Debug, Clone, Copy)]
pub(super) enum Combinator {
    All,
    Any,
    Not,
    Nor,
}

/// Without `$`, `_` and case: `$startsWith`, `starts_with` and `startswith` are one word.
fn plain(word: &str) -> String {
    word.trim_start_matches('$').replace('_', "").to_lowercase()
}

pub(super) fn operator(word: &str) -> Option<Operator> {
    let word = plain(word);
    let word = SYMBOLS.iter().find(|(symbol, _)| *symbol == word).map_or(word.as_str(), |(_, name)| name);
    OPERATORS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, operator)| *operator)
}

pub(super) fn combinator(word: &str) -> Option<Combinator> {
    Some(match plain(word).as_str() {
        "and" | "all" => Combinator::All,
        "or" | "any" => Combinator::Any,
        "not" => Combinator::Not,
        "nor" | "none" => Combinator::Nor,
        _ => return None,
    })
}
