//! YAML as a tree that remembers its lines.
//!
//! Scalars stay text until the schema says what they should be: a key made of digits keeps its leading zeros, and a
//! value from the environment can become a number. Anchors, aliases and `<<` merges are resolved here.

use std::{collections::HashMap, fmt};

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};

use super::expand::{shield, unshield};

/// Nodes that one file may expand to; nested aliases multiply.
const NODES: usize = 200_000;

/// Brackets and indentation that one file may nest.
const DEPTH: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub line: usize,
    pub value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar {
        text: String,
        kind: Kind,
    },
    List(Vec<Node>),
    /// In the order of the file, duplicates included.
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub line: usize,
    pub node: Node,
}

/// What a scalar's text may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without quotes: text, a number, true, false or null.
    Plain,
    /// With quotes: text.
    Quoted,
    /// Holds a value of the environment: whatever the schema wants.
    Expanded,
}

impl Node {
    /// What arrived as JSON. Numbers stay as they were written.
    pub(super) fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let plain = |text: String| Value::Scalar { text, kind: Kind::Plain };
        let value = match json {
            Json::Null => plain("null".to_owned()),
            Json::Bool(truth) => plain(truth.to_string()),
            Json::Number(number) => plain(number.to_string()),
            Json::String(text) => Value::Scalar { text: text.clone(), kind: Kind::Quoted },
            Json::Array(items) => Value::List(items.iter().map(Self::from_json).collect()),
            Json::Object(object) => {
                let entry =
                    |(key, value): (&String, &Json)| Entry { key: key.clone(), line: 0, node: Self::from_json(value) };
                Value::Map(object.iter().map(entry).collect())
            }
        };
        Self { line: 0, value }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    pub(super) fn keys(&self) -> Vec<&str> {
        match &self.value {
            Value::Map(entries) => entries.iter().map(|entry| entry.key.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// Nothing was written, or nothing was left of an expansion.
    pub(super) fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, kind: Kind::Plain } => matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
            Value::Scalar { text, kind: Kind::Expanded } => text.is_empty(),
            _ => false,
        }
    }

    /// The line of the deepest node that exists along a trail; `None` when not even its first step does.
    pub(super) fn line_of(&self, trail: &Trail) -> Option<usize> {
        let mut node = self;
        let mut line = None;
        for step in &trail.0 {
            let next = match (step, &node.value) {
                (Step::Key(key), _) => node.get(key).map(|entry| (&entry.node, entry.line)),
                (Step::Index(index), Value::List(items)) => items.get(*index).map(|item| (item, item.line)),
                _ => None,
            };
            let Some((below, at)) = next else { break };
            (node, line) = (below, Some(at));
        }
        line
    }
}

/// The way from the root to a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trail(pub Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl Trail {
    pub(super) fn of<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }

    pub(super) fn key(&self, key: &str) -> Self {
        let mut longer = self.clone();
        longer.0.push(Step::Key(key.to_owned()));
        longer
    }

    pub(super) fn index(&self, index: usize) -> Self {
        let mut longer = self.clone();
        longer.0.push(Step::Index(index));
        longer
    }

    /// The way on below this place.
    pub(super) fn then(&self, below: &Self) -> Self {
        Self(self.0.iter().chain(&below.0).cloned().collect())
    }

    /// One of the two lies on the way to the other.
    pub(super) fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            let dot = if position == 0 { "" } else { "." };
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if key.chars().all(|c| c.is_ascii_alphanumeric() || "_-*".contains(c)) => {
                    write!(f, "{dot}{key}")?;
                }
                Step::Key(key) => write!(f, "{dot}{key:?}")?,
            }
        }
        Ok(())
    }
}

/// Why a text is no tree: the line and the reason.
pub(super) type Unreadable = (usize, String);

/// Reads one YAML document; an empty one is an empty mapping.
pub(super) fn read(text: &str) -> Result<Node, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = shield(text).ok_or((1, "holds characters of Unicode's private use area".to_owned()))?;
    let mut reader = Reader { parser: Parser::new_from_str(&text), anchors: HashMap::new(), nodes: 0 };
    let empty = Node { line: 1, value: Value::Map(Vec::new()) };
    let mut document = None;
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::Nothing | Event::DocumentEnd, _) => {}
            (Event::DocumentStart(_), line) if document.is_some() => {
                return Err((line, "a second YAML document; one file holds one configuration".to_owned()));
            }
            (Event::DocumentStart(_), _) => {
                let first = reader.next()?;
                document = Some(reader.node(first, 0)?);
            }
            (Event::StreamEnd, _) => return Ok(document.filter(|node| !node.is_null()).unwrap_or(empty)),
            (_, line) => return Err((line, "not YAML".to_owned())),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, usize), Unreadable> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => Err((error.marker().line(), format!("not YAML: {}", error.info()))),
            None => Ok((Event::StreamEnd, 1)),
        }
    }

    fn node(&mut self, (event, line): (Event<'a>, usize), depth: usize) -> Result<Node, Unreadable> {
        if depth > DEPTH {
            return Err((line, format!("nested deeper than {DEPTH} levels")));
        }
        self.count(1, line)?;
        let (value, anchor) = match event {
            Event::Alias(id) => {
                let node = self.anchors.get(&id).cloned().ok_or((line, "an alias inside its own anchor".to_owned()))?;
                self.count(size(&node), line)?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let forced = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let kind = if style == ScalarStyle::Plain && !forced { Kind::Plain } else { Kind::Quoted };
                (Value::Scalar { text: unshield(&text), kind }, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        item => items.push(self.node(item, depth + 1)?),
                    }
                }
                (Value::List(items), anchor)
            }
            Event::MappingStart(anchor, _) => (Value::Map(self.entries(depth)?), anchor),
            _ => return Err((line, "not YAML".to_owned())),
        };
        let node = Node { line, value };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Unreadable> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let Value::Scalar { text: key, kind } = self.node((event, line), depth + 1)?.value else {
                return Err((line, "a key has to be a word".to_owned()));
            };
            let value = self.next()?;
            let node = self.node(value, depth + 1)?;
            if key == "<<" && kind == Kind::Plain {
                merged.push(node);
            } else {
                entries.push(Entry { key, line, node });
            }
        }
        for source in merged {
            merge(&mut entries, source)?;
        }
        Ok(entries)
    }

    fn count(&mut self, nodes: usize, line: usize) -> Result<(), Unreadable> {
        self.nodes += nodes;
        if self.nodes > NODES { Err((line, format!("aliases expand to more than {NODES} values"))) } else { Ok(()) }
    }
}

/// `<<: *base` gives what is not written beside it.
fn merge(entries: &mut Vec<Entry>, source: Node) -> Result<(), Unreadable> {
    match source.value {
        Value::Map(given) => {
            for entry in given {
                if entries.iter().all(|own| own.key != entry.key) {
                    entries.push(entry);
                }
            }
            Ok(())
        }
        Value::List(sources) => sources.into_iter().try_for_each(|source| merge(entries, source)),
        Value::Scalar { .. } => Err((source.line, "`<<` takes a mapping".to_owned())),
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Scalar { .. } => 0,
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|entry| 1 + size(&entry.node)).sum(),
    }
}
