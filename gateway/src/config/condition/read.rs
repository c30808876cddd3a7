//! The language of conditions as people write it: `{field, op, value}`, or MongoDB's shorthand
//! (`{"metadata.tier": {"$in": […]}}`, `{"metadata.tier": "pro"}`), combined with `and`, `or`, `not` and `nor`.
//! The `$` of operators may be left out.

use regex_lite::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    Condition, Pattern, Test,
    fields::{self, Kind},
    operators::{Combinator, OPERATORS, Operator, TextOperator, combinator, operator},
};
use crate::config::{
    check::suggestion,
    shape::{FREE, may_be_secret},
    tree::Trail,
};

/// A condition as it stands in the file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::config) struct Written(pub Json);

impl JsonSchema for Written {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let description = format!(
            "`{{field, op, value}}`, or a field with its value, or with operators; several hold together; `$and`, `$or`, `$not` \
             and `$nor` combine them. Operators: {}. Fields: {}.",
            OPERATORS.map(|(name, _)| format!("`${name}`")).join(", "),
            fields::listed()
        );
        schemars::json_schema!({ "type": "object", "format": FREE, "description": description })
    }
}

/// The condition, or what is wrong with it and where.
pub(in crate::config) fn read(written: &Json) -> Result<Condition, Vec<(Trail, String)>> {
    let mut reader = Reader::default();
    let condition = reader.condition(written, &Trail::default());
    match condition {
        Some(condition) if reader.mistakes.is_empty() => Ok(condition),
        _ => Err(reader.mistakes),
    }
}

#[derive(Default)]
struct Reader {
    mistakes: Vec<(Trail, String)>,
}

impl Reader {
    fn mistake<T>(&mut self, at: &Trail, message: impl Into<String>) -> Option<T> {
        self.mistakes.push((at.clone(), message.into()));
        None
    }

    fn condition(&mut self, written: &Json, at: &Trail) -> Option<Condition> {
        let Some(object) = written.as_object() else {
            return self.mistake(at, "expected a mapping such as `{field: …, op: …, value: …}`");
        };
        if object.contains_key("field") {
            return self.triple(object, at);
        }
        let parts = object.iter().map(|(key, value)| {
            // a key may be a secret in the wrong place, and then is not shown
            let here = if may_be_secret(key) && fields::kind(key).is_none() { at.key("*") } else { at.key(key) };
            match combinator(key) {
                Some(combinator) => self.combined(combinator, value, &here),
                None => {
                    let kind = self.kind(key, &here)?;
                    self.shorthand(key, kind, value, &here)
                }
            }
        });
        let parts: Vec<_> = parts.collect();
        self.together(parts, at)
    }

    /// Several conditions that hold together.
    fn together(&mut self, parts: Vec<Option<Condition>>, at: &Trail) -> Option<Condition> {
        let mut parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        match parts.len() {
            0 => self.mistake(at, "says nothing"),
            1 => parts.pop(),
            _ => Some(Condition::All(parts)),
        }
    }

    /// `{field, op, value}`.
    fn triple(&mut self, object: &Map<String, Json>, at: &Trail) -> Option<Condition> {
        const KEYS: [&str; 3] = ["field", "op", "value"];
        for key in object.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            let shown = if may_be_secret(key) { "*" } else { key };
            self.mistake::<()>(&at.key(shown), format!("unknown key{}", suggestion(key, KEYS)));
        }
        let Some(field) = object["field"].as_str() else {
            return self.mistake(&at.key("field"), "expected the name of a field");
        };
        let kind = self.kind(field, &at.key("field"));
        let operator = match object.get("op") {
            None => Some(Operator::Equal),
            Some(word) => self.operator(word.as_str().unwrap_or_default(), &at.key("op")),
        };
        let value = object.get("value").unwrap_or(&Json::Null);
        self.test(field, kind?, operator?, value, &at.key("value"))
    }

    fn kind(&mut self, field: &str, at: &Trail) -> Option<Kind> {
        let kind = fields::kind(field);
        if kind.is_none() {
            self.mistake::<()>(at, format!("unknown field{}", fields::meant(field)));
        }
        kind
    }

    fn operator(&mut self, word: &str, at: &Trail) -> Option<Operator> {
        let found = operator(word);
        if found.is_none() {
            let known = OPERATORS.map(|(name, _)| format!("${name}"));
            let word = format!("${}", word.trim_start_matches('$'));
            let message = format!("unknown operator{}", suggestion(&word, known.iter().map(String::as_str)));
            self.mistake::<()>(at, message);
        }
        found
    }

    fn combined(&mut self, combinator: Combinator, value: &Json, at: &Trail) -> Option<Condition> {
        if let Combinator::Not = combinator {
            return self.condition(value, at).map(Condition::not);
        }
        let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
            return self.mistake(at, "expected a list of conditions");
        };
        let parts: Vec<_> =
            list.iter().enumerate().map(|(index, part)| self.condition(part, &at.index(index))).collect();
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        Some(match combinator {
            Combinator::All => Condition::All(parts),
            Combinator::Any => Condition::Any(parts),
            Combinator::Not | Combinator::Nor => Condition::Any(parts).not(),
        })
    }

    /// What stands behind a field's name: a value, or operators with theirs.
    fn shorthand(&mut self, field: &str, kind: Kind, value: &Json, at: &Trail) -> Option<Condition> {
        let Some(operators) = value.as_object() else {
            return self.test(field, kind, Operator::Equal, value, at);
        };
        let parts: Vec<_> = operators
            .iter()
            .map(|(word, value)| {
                let here = at.key(if may_be_secret(word) { "*" } else { word });
                if matches!(combinator(word), Some(Combinator::Not)) {
                    return self.shorthand(field, kind, value, &here).map(Condition::not);
                }
                let operator = self.operator(word, &here)?;
                self.test(field, kind, operator, value, &here)
            })
            .collect();
        self.together(parts, at)
    }

    fn test(&mut self, field: &str, kind: Kind, operator: Operator, value: &Json, at: &Trail) -> Option<Condition> {
        let test = |test: Test| Condition::Test { field: field.to_owned(), test };
        Some(match operator {
            Operator::Equal => test(Test::Equal(self.scalar(kind, value, at)?)),
            Operator::NotEqual => test(Test::Equal(self.scalar(kind, value, at)?)).not(),
            Operator::In => test(Test::OneOf(self.scalars(kind, value, at)?)),
            Operator::NotIn => test(Test::OneOf(self.scalars(kind, value, at)?)).not(),
            Operator::Ordered(relation) => {
                if kind == Kind::Truth || value.is_boolean() {
                    return self.mistake(at, "true and false have no order");
                }
                test(Test::Ordered(relation, self.scalar(kind, value, at)?))
            }
            Operator::Exists => match value {
                Json::Null | Json::Bool(true) => test(Test::Exists),
                Json::Bool(false) => test(Test::Exists).not(),
                _ => return self.mistake(at, "expected true or false"),
            },
            Operator::Text(_) if matches!(kind, Kind::Number | Kind::Truth) => {
                return self.mistake(at, format!("is for texts; this field has {}", kind.described()));
            }
            Operator::Text(operator) => {
                let Json::String(text) = self.scalar(Kind::Text, value, at)? else { return None };
                if text.is_empty() {
                    return self.mistake(at, "an empty text says nothing");
                }
                test(match operator {
                    TextOperator::Contains => Test::Contains(text),
                    TextOperator::StartsWith => Test::StartsWith(text),
                    TextOperator::EndsWith => Test::EndsWith(text),
                    TextOperator::Glob => Test::Glob(text),
                    TextOperator::Regex => match Regex::new(&text) {
                        Ok(regex) => Test::Matches(Pattern(regex)),
                        Err(_) => return self.mistake(at, "is no regular expression"),
                    },
                })
            }
        })
    }

    fn scalars(&mut self, kind: Kind, value: &Json, at: &Trail) -> Option<Vec<Json>> {
        let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
            return self.mistake(at, "expected a list of values");
        };
        let values: Vec<_> =
            list.iter().enumerate().map(|(index, value)| self.scalar(kind, value, &at.index(index))).collect();
        values.into_iter().collect()
    }

    /// A value that the field can have. Digits without quotes are a text where the field has texts.
    fn scalar(&mut self, kind: Kind, value: &Json, at: &Trail) -> Option<Json> {
        match (kind, value) {
            (_, Json::Null) => self.mistake(at, "needs a value (`$exists: false` asks for fields that are not there)"),
            (_, Json::Array(_)) => self.mistake(at, format!("expected {}; `$in` takes a list", kind.described())),
            (Kind::Text, Json::Number(number)) => Some(number.to_string().into()),
            (Kind::Text | Kind::Scalar, Json::String(_))
            | (Kind::Number | Kind::Scalar, Json::Number(_))
            | (Kind::Truth | Kind::Scalar, Json::Bool(_)) => Some(value.clone()),
            _ => self.mistake(at, format!("expected {}", kind.described())),
        }
    }
}
