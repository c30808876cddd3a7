//! Compares a tree with the JSON Schema of the file and makes it JSON: types, ranges, words, unknown and missing keys.
//!
//! The schema comes from the structs in `file`, so that there is one source of truth. Only the vocabulary that
//! `schemars` writes for them is understood; a test holds the two together.

use serde_json::{Map, Number, Value as Json};

use super::{
    check::{Report, nearest, suggestion},
    tree::{Entry, Kind, Node, Trail, Value},
    unbuilt, units,
};

/// An unknown key longer than this, or with more digits than that, may be a secret that lost its key.
const LONGEST_KEY: usize = 32;
const MOST_DIGITS: usize = 3;

/// The format of mappings that the schema does not describe.
pub(super) const FREE: &str = "prism-condition";

/// The tree as JSON that deserialises; what was wrong is left out and reported.
pub(super) fn fit(tree: &Node, schema: &Json, report: &mut Report) -> Json {
    let mut shape = Shape { root: schema, report };
    shape.value(tree, schema, &Trail::default(), tree.line).unwrap_or_else(|| Json::Object(Map::new()))
}

struct Shape<'a> {
    root: &'a Json,
    report: &'a mut Report,
}

impl<'a> Shape<'a> {
    fn value(&mut self, node: &Node, schema: &'a Json, trail: &Trail, line: usize) -> Option<Json> {
        let forms = forms(self.root, schema);
        match &node.value {
            Value::Map(entries) => {
                if forms.iter().any(|form| form["format"] == FREE) {
                    return Some(self.free(node, trail));
                }
                if let Some(form) = forms.iter().find(|form| is(form, "object")) {
                    return Some(self.map(entries, form, trail, line));
                }
            }
            Value::List(items) => {
                if let Some(form) = forms.iter().find(|form| is(form, "array")) {
                    return self.list(items, &form["items"], trail);
                }
            }
            Value::Scalar { text, kind } => match scalar(text, *kind, &forms) {
                Ok(value) => return Some(value),
                Err(Some(message)) => {
                    self.report.structural(trail, line, message);
                    return None;
                }
                Err(None) => {}
            },
        }
        let expected = forms.iter().map(|form| described(form)).collect::<Vec<_>>().join(" or ");
        self.report.structural(trail, line, format!("expected {expected}, found {}", found(node)));
        None
    }

    fn list(&mut self, items: &[Node], schema: &'a Json, trail: &Trail) -> Option<Json> {
        let values: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let trail = trail.index(index);
                if item.is_null() {
                    self.report.structural(&trail, item.line, "an empty value in a list");
                    return None;
                }
                self.value(item, schema, &trail, item.line)
            })
            .collect();
        // A list without one of its items would mean something else: all or nothing.
        values.into_iter().collect::<Option<Vec<_>>>().map(Json::Array)
    }

    fn map(&mut self, entries: &[Entry], form: &'a Json, trail: &Trail, line: usize) -> Json {
        let mut object = Map::new();
        for entry in self.distinct(entries, trail) {
            let here = trail.key(&entry.key);
            let property = form.get("properties").and_then(|properties| properties.get(&entry.key));
            let value = match (property, form.get("additionalProperties")) {
                (Some(property), _) => {
                    self.spelling(entry, property, entries, trail);
                    if entry.node.is_null() { None } else { self.value(&entry.node, property, &here, entry.line) }
                }
                (None, Some(schema @ Json::Object(_))) => self.named(entry, schema, &here),
                (None, _) => {
                    self.unknown(entry, form, trail);
                    None
                }
            };
            object.extend(value.map(|value| (entry.key.clone(), value)));
        }
        for missing in form.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
            if entries.iter().all(|entry| entry.key != missing || entry.node.is_null()) {
                self.report.structural(&trail.key(missing), line, "needed and missing");
            }
        }
        Json::Object(object)
    }

    /// The first entry of each key; the others are mistakes.
    fn distinct<'e>(&mut self, entries: &'e [Entry], trail: &Trail) -> Vec<&'e Entry> {
        let mut seen: Vec<&Entry> = Vec::new();
        for entry in entries {
            match seen.iter().find(|earlier| earlier.key == entry.key) {
                Some(first) => {
                    let message = format!("duplicate key (the first is on line {})", first.line);
                    self.report.structural(&trail.key(&entry.key), entry.line, message);
                }
                None => seen.push(entry),
            }
        }
        seen
    }

    /// What has a grammar of its own: as it stands, the scalars that look like JSON taken as that.
    fn free(&mut self, node: &Node, trail: &Trail) -> Json {
        match &node.value {
            Value::Scalar { text, kind: Kind::Quoted } => text.as_str().into(),
            Value::Scalar { .. } if node.is_null() => Json::Null,
            Value::Scalar { text, .. } if matches!(text.as_str(), "true" | "false") => (text == "true").into(),
            Value::Scalar { text, .. } => text.parse::<Number>().map_or_else(|_| text.as_str().into(), Json::Number),
            Value::List(items) => {
                items.iter().enumerate().map(|(index, item)| self.free(item, &trail.index(index))).collect()
            }
            Value::Map(entries) => {
                let entries = self.distinct(entries, trail).into_iter();
                entries.map(|entry| (entry.key.clone(), self.free(&entry.node, &trail.key(&entry.key)))).collect()
            }
        }
    }

    /// An entry of a mapping whose keys are free, such as `providers`.
    fn named(&mut self, entry: &Entry, schema: &'a Json, trail: &Trail) -> Option<Json> {
        if !entry.node.is_null() {
            return self.value(&entry.node, schema, trail, entry.line);
        }
        if forms(self.root, schema).iter().any(|form| is(form, "object")) {
            return Some(Json::Object(Map::new()));
        }
        // `X-Title: "${TITLE:-}"` is an optional header; `X-Title:` is a slip.
        if !matches!(entry.node.value, Value::Scalar { kind: Kind::Expanded, .. }) {
            self.report.structural(trail, entry.line, "a key without its value");
        }
        None
    }

    fn unknown(&mut self, entry: &Entry, form: &Json, trail: &Trail) {
        let here = trail.key(&entry.key);
        if let Some(feature) = unbuilt::feature(&here) {
            self.report.structural(&here, entry.line, format!("not built yet: {feature}"));
            return;
        }
        let keys: Vec<&str> = form
            .get("properties")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
            .collect();
        if may_be_secret(&entry.key) {
            self.report.structural(&trail.key("*"), entry.line, "unknown key (not shown: it may be a secret)");
            return;
        }
        let message = format!("unknown key{}", suggestion(&entry.key, keys.iter().copied()));
        self.report.structural(&here, entry.line, message);
        if let Some(meant) = nearest(&entry.key, keys) {
            self.report.spoil(trail.key(meant));
        }
    }

    /// A property that says `x-prefer` is another spelling of that one.
    fn spelling(&mut self, entry: &Entry, property: &Json, siblings: &[Entry], trail: &Trail) {
        let Some(preferred) = property.get("x-prefer").and_then(Json::as_str) else { return };
        let here = trail.key(&entry.key);
        let mut steps = preferred.split('.');
        let first = steps.next().and_then(|key| siblings.iter().find(|sibling| sibling.key == key));
        let twin = steps.fold(first, |above, key| above.and_then(|above| above.node.get(key)));
        if twin.is_some_and(|twin| !twin.node.is_null()) && !entry.node.is_null() {
            let message = format!("given twice: this is another spelling of `{preferred}`");
            self.report.structural(&here, entry.line, message);
        } else {
            self.report.note(&here, entry.line, format!("`{preferred}` is the preferred spelling"));
        }
    }
}

pub(super) fn may_be_secret(key: &str) -> bool {
    let digits = key.chars().filter(char::is_ascii_digit).count();
    key.len() > LONGEST_KEY || digits > MOST_DIGITS || key.starts_with("sk-")
}

/// What a schema allows besides null, references followed and alternatives listed.
pub(super) fn forms<'a>(root: &'a Json, schema: &'a Json) -> Vec<&'a Json> {
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        return root.pointer(reference.trim_start_matches('#')).map(|target| forms(root, target)).unwrap_or_default();
    }
    let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Json::as_array);
    match alternatives {
        Some(alternatives) => alternatives.iter().flat_map(|schema| forms(root, schema)).collect(),
        None if schema["type"] == "null" => Vec::new(),
        None => vec![schema],
    }
}

pub(super) fn is(form: &Json, kind: &str) -> bool {
    form["type"] == kind || form["type"].as_array().is_some_and(|kinds| kinds.iter().any(|other| other == kind))
}

/// The first form that a scalar fits; otherwise what to say, if there is something better than "expected".
fn scalar(text: &str, kind: Kind, forms: &[&Json]) -> Result<Json, Option<String>> {
    let bare = kind != Kind::Quoted;
    let mut complaint = None;
    let words: Vec<&str> = forms.iter().flat_map(|form| words(form)).collect();
    if words.contains(&text) {
        return Ok(text.into());
    }
    for form in forms {
        if is(form, "boolean") && bare && matches!(text, "true" | "false") {
            return Ok(Json::Bool(text == "true"));
        }
        if is(form, "integer") && !is(form, "string") && bare {
            match text.parse::<i64>() {
                Ok(number) if within(number as f64, form) => return Ok(number.into()),
                _ => complaint = Some(format!("expected {}", described(form))),
            }
        }
        if is(form, "number") && !is(form, "string") && bare {
            match text.parse::<Number>() {
                Ok(number) if number.as_f64().is_some_and(|number| within(number, form)) => return Ok(number.into()),
                _ => complaint = Some(format!("expected {}", described(form))),
            }
        }
        if is(form, "string") && self::words(form).is_empty() {
            match form.get("format").and_then(Json::as_str).and_then(|format| units::conforms(format, text)) {
                None | Some(Ok(())) => return Ok(text.into()),
                Some(Err(message)) => complaint = Some(message),
            }
        }
    }
    if complaint.is_none() && !words.is_empty() {
        complaint = Some(format!("unknown word{}", suggestion(text, words)));
    }
    Err(complaint)
}

/// The words of an enumeration.
fn words(form: &Json) -> Vec<&str> {
    let listed = form.get("enum").and_then(Json::as_array).into_iter().flatten();
    listed.chain(form.get("const")).filter_map(Json::as_str).collect()
}

fn within(number: f64, form: &Json) -> bool {
    let bound = |name: &str| form.get(name).and_then(Json::as_f64);
    bound("minimum").is_none_or(|least| number >= least) && bound("maximum").is_none_or(|most| number <= most)
}

/// A form in words, for "expected …".
fn described(form: &Json) -> String {
    let words = words(form);
    let bound = |name: &str| form.get(name).and_then(Json::as_f64);
    if !words.is_empty() {
        words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
    } else if is(form, "object") {
        "a mapping".to_owned()
    } else if is(form, "array") {
        "a list (`[…]`)".to_owned()
    } else if is(form, "boolean") {
        "true or false".to_owned()
    } else if !is(form, "string") && (is(form, "integer") || is(form, "number")) {
        let number = if is(form, "integer") { "a whole number" } else { "a number" };
        match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => format!("{number} from {least} to {most}"),
            (Some(least), None) => format!("{number} of at least {least}"),
            _ => number.to_owned(),
        }
    } else {
        match form.get("format").and_then(Json::as_str) {
            Some("prism-duration") => "a duration".to_owned(),
            Some("prism-size") => "a size".to_owned(),
            Some("prism-rate") => "a price".to_owned(),
            Some("prism-usd") => "an amount of US dollars".to_owned(),
            _ => "a text".to_owned(),
        }
    }
}

fn found(node: &Node) -> &'static str {
    match &node.value {
        Value::Map(_) => "a mapping",
        Value::List(_) => "a list",
        Value::Scalar { .. } if node.is_null() => "nothing",
        Value::Scalar { .. } => "a single value",
    }
}
