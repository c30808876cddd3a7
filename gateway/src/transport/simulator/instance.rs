//! Something that satisfies a JSON Schema: small, and the same every time.

use serde_json::{Map, Number, Value};

/// Values and characters made for one schema, attempts that were given up included.
const BUDGET: usize = 100_000;
/// References nested deeper than this are taken for endless ones.
const DEEPEST: usize = 24;
/// From here on whatever can be left out is.
const DEEP: usize = 6;

/// An instance of the schema, or why there is none.
pub(super) fn instance(schema: &Map<String, Value>) -> Result<Value, String> {
    let root = Value::Object(schema.clone());
    Maker { root: &root, budget: BUDGET }.make(&root, 0, 0)
}

struct Maker<'a> {
    root: &'a Value,
    budget: usize,
}

impl<'a> Maker<'a> {
    /// `nth` tells the items of an array apart.
    fn make(&mut self, schema: &'a Value, depth: usize, nth: u64) -> Result<Value, String> {
        self.spend(1)?;
        if depth > DEEPEST {
            return Err("it is nested too deeply, or refers to itself without end".to_owned());
        }
        let schema = match schema {
            Value::Bool(true) => return Ok(Value::Object(Map::new())),
            Value::Object(schema) => schema,
            _ => return Err("nothing satisfies it".to_owned()),
        };
        if let Some(value) = schema.get("const") {
            return self.copy(value);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let index = nth.checked_rem(values.len() as u64).ok_or("an `enum` is empty")?;
            return self.copy(&values[index as usize]);
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.resolve(reference)?;
            return self.make(target, depth + 1, nth);
        }
        if let Some(variants) = ["anyOf", "oneOf"].iter().find_map(|name| schema.get(*name)?.as_array()) {
            let chosen = self.first_possible(variants, depth, nth)?;
            return if is_object(schema) { self.join(schema, chosen, depth) } else { Ok(chosen) };
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.all(schema, parts, depth, nth);
        }
        match kind(schema) {
            "object" => self.object(schema, depth).map(Value::Object),
            "array" => self.array(schema, depth),
            "string" => {
                let least = bound(schema, "minLength").unwrap_or(0);
                self.spend(least)?;
                Ok(text(schema, nth, least as usize).into())
            }
            "integer" => number(schema, nth, true),
            "number" => number(schema, nth, false),
            "boolean" => Ok(Value::Bool(nth.is_multiple_of(2))),
            "null" => Ok(Value::Null),
            other => Err(format!("unknown type `{other}`")),
        }
    }

    fn spend(&mut self, amount: u64) -> Result<(), String> {
        let left = usize::try_from(amount).ok().and_then(|amount| self.budget.checked_sub(amount));
        self.budget = left.ok_or("it asks for too much")?;
        Ok(())
    }

    fn copy(&mut self, value: &Value) -> Result<Value, String> {
        self.spend(value.to_string().len() as u64)?;
        Ok(value.clone())
    }

    fn resolve(&self, reference: &str) -> Result<&'a Value, String> {
        let pointer = reference.strip_prefix('#').ok_or_else(|| format!("`{reference}` is outside of it"))?;
        let pointer = pointer.replace("%24", "$").replace("%25", "%");
        self.root.pointer(&pointer).ok_or_else(|| format!("`{reference}` is not in it"))
    }

    /// The first variant that has an instance; deep down, those that refer to something come last.
    fn first_possible(&mut self, variants: &'a [Value], depth: usize, nth: u64) -> Result<Value, String> {
        let mut variants: Vec<&Value> = variants.iter().collect();
        if depth >= DEEP {
            variants.sort_by_key(|variant| variant.get("$ref").is_some());
        }
        let mut mistake = "it has no variants".to_owned();
        for variant in variants {
            match self.make(variant, depth + 1, nth) {
                Ok(value) => return Ok(value),
                Err(error) => mistake = error,
            }
        }
        Err(mistake)
    }

    /// Objects are joined; of other values the first part that names a type decides.
    fn all(
        &mut self,
        schema: &'a Map<String, Value>,
        parts: &'a [Value],
        depth: usize,
        nth: u64,
    ) -> Result<Value, String> {
        let mut joined: Option<Value> = None;
        for part in parts {
            let value = self.make(part, depth + 1, nth)?;
            match (&mut joined, value) {
                (Some(Value::Object(members)), Value::Object(more)) => members.extend(more),
                (Some(_), _) => {}
                (joined, value) => *joined = Some(value),
            }
        }
        let value = joined.unwrap_or_else(|| Value::Object(Map::new()));
        if is_object(schema) { self.join(schema, value, depth) } else { Ok(value) }
    }

    /// What the schema itself asks for, beside its variants or parts.
    fn join(&mut self, schema: &'a Map<String, Value>, value: Value, depth: usize) -> Result<Value, String> {
        let Value::Object(members) = value else { return Ok(value) };
        let mut joined = self.object(schema, depth)?;
        joined.extend(members);
        Ok(Value::Object(joined))
    }

    /// The members that are required; all of them, if the schema does not say which.
    fn object(&mut self, schema: &'a Map<String, Value>, depth: usize) -> Result<Map<String, Value>, String> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let names: Vec<&str> = match (schema.get("required").and_then(Value::as_array), properties) {
            (Some(required), _) => required.iter().filter_map(Value::as_str).collect(),
            (None, Some(properties)) if depth < DEEP => properties.keys().map(String::as_str).collect(),
            (None, _) => Vec::new(),
        };
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let mut members = Map::new();
        for name in names {
            self.spend(name.len() as u64)?;
            let value = match properties.and_then(|properties| properties.get(name)).or(others) {
                Some(property) => self.make(property, depth + 1, 0)?,
                None => Value::String("text".to_owned()),
            };
            members.insert(name.to_owned(), value);
        }
        Ok(members)
    }

    /// As few items as allowed, but one if possible.
    fn array(&mut self, schema: &'a Map<String, Value>, depth: usize) -> Result<Value, String> {
        let least = bound(schema, "minItems").unwrap_or(0);
        self.spend(least)?;
        let first = schema.get("prefixItems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let rest = schema.get("items").filter(|items| items.is_object());
        let wanted = if depth < DEEP { (first.len() as u64).max(u64::from(rest.is_some())) } else { 0 };
        let count = wanted.min(bound(schema, "maxItems").unwrap_or(u64::MAX)).max(least);
        let mut items = Vec::new();
        for nth in 0..count {
            items.push(match first.get(nth as usize).or(rest) {
                Some(item) => self.make(item, depth + 1, nth)?,
                None => Value::from(nth),
            });
        }
        Ok(Value::Array(items))
    }
}

fn is_object(schema: &Map<String, Value>) -> bool {
    schema.contains_key("properties") || schema.contains_key("required")
}

/// The type that is named, or the one that the other keywords are about. Of several, the first that is not `null`.
fn kind(schema: &Map<String, Value>) -> &str {
    const TELLING: [(&str, &[&str]); 4] = [
        ("object", &["properties", "required", "additionalProperties", "minProperties"]),
        ("array", &["items", "prefixItems", "minItems", "maxItems"]),
        ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
        ("string", &["minLength", "maxLength", "pattern", "format"]),
    ];
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => {
            let mut names = names.iter().filter_map(Value::as_str);
            names.find(|name| *name != "null").unwrap_or("null")
        }
        _ => TELLING
            .iter()
            .find(|(_, keywords)| keywords.iter().any(|keyword| schema.contains_key(*keyword)))
            .map_or("object", |(kind, _)| kind),
    }
}

fn bound(schema: &Map<String, Value>, name: &str) -> Option<u64> {
    schema.get(name).and_then(Value::as_u64)
}

/// In the format that is asked for, and as long as it has to be.
fn text(schema: &Map<String, Value>, nth: u64, least: usize) -> String {
    let day = 1 + nth % 28;
    let text = match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
        "date-time" => format!("2026-01-{day:02}T00:00:00Z"),
        "date" => format!("2026-01-{day:02}"),
        "time" => format!("00:00:{day:02}Z"),
        "duration" => format!("P{day}D"),
        "email" => format!("user{nth}@example.com"),
        "hostname" => format!("host{nth}.example.com"),
        "ipv4" => format!("192.0.2.{day}"),
        "ipv6" => format!("2001:db8::{day}"),
        "uuid" => format!("00000000-0000-4000-8000-{nth:012x}"),
        "uri" | "url" => format!("https://example.com/{nth}"),
        _ if nth == 0 => "text".to_owned(),
        _ => format!("{nth}text"),
    };
    let most = bound(schema, "maxLength").and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let padding = std::iter::repeat_n('x', least.saturating_sub(text.chars().count()));
    text.chars().chain(padding).take(most).collect()
}

/// The smallest number allowed that is not below 1, or else the largest.
fn number(schema: &Map<String, Value>, nth: u64, integer: bool) -> Result<Value, String> {
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    let (above, below) = (limit("exclusiveMinimum"), limit("exclusiveMaximum"));
    let step = limit("multipleOf").filter(|step| *step > 0.0).unwrap_or(if integer { 1.0 } else { 0.0 });
    let mut number = 1.0 + nth as f64;
    number = number.min(limit("maximum").unwrap_or(f64::MAX));
    if let Some(below) = below.filter(|below| number >= *below) {
        let floor = above.or(limit("minimum")).unwrap_or(below - 2.0);
        number = if step > 0.0 { below - step } else { f64::midpoint(floor, below) };
    }
    number = number.max(limit("minimum").unwrap_or(f64::MIN));
    if let Some(above) = above.filter(|above| number <= *above) {
        number = match below.or(limit("maximum")) {
            Some(ceiling) if step == 0.0 => f64::midpoint(above, ceiling),
            _ => above + if step > 0.0 { step } else { 1.0 },
        };
    }
    if step > 0.0 {
        let up = (number / step).ceil() * step;
        let fits = limit("maximum").is_none_or(|most| up <= most) && below.is_none_or(|below| up < below);
        number = if fits { up } else { (number / step).floor() * step };
    }
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number).ok_or_else(|| "its bounds are not numbers".to_owned())
}
