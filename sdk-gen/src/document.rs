//! The OpenAPI document as this program walks it: operations, component schemas, references.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Map, Value};

use crate::trouble::Trouble;

pub const METHODS: &[&str] = &["get", "put", "post", "delete", "patch"];
const SCHEMAS: &str = "#/components/schemas/";

pub fn read(path: &Path) -> Result<Value, Trouble> {
    let text = std::fs::read_to_string(path).map_err(|source| Trouble::file("read", path, source))?;
    parse(&text, &path.display().to_string())
}

pub fn parse(text: &str, name: &str) -> Result<Value, Trouble> {
    serde_json::from_str(text).map_err(|source| Trouble::NotJson { name: name.to_owned(), source })
}

/// One method of one path.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub value: &'a Value,
}

impl<'a> Operation<'a> {
    /// Such as `post /v1/embeddings`: how messages call it.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The resource and the method of `x-sdk-method`.
    pub fn sdk_method(&self) -> Option<(&'a str, &'a str)> {
        self.value["x-sdk-method"].as_str()?.rsplit_once('.')
    }

    pub fn parameters(&self) -> &'a [Value] {
        self.value["parameters"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The content of the first 2xx answer, by media type.
    pub fn success(&self) -> Option<&'a Map<String, Value>> {
        self.success_response()?["content"].as_object()
    }

    pub fn success_response(&self) -> Option<&'a Value> {
        let responses = self.value["responses"].as_object()?;
        responses.iter().find(|(status, _)| status.starts_with('2')).map(|(_, response)| response)
    }

    /// The body's schema, by media type.
    pub fn body(&self) -> Option<&'a Map<String, Value>> {
        self.value["requestBody"]["content"].as_object()
    }
}

pub fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            item.as_object().into_iter().flatten().map(move |(method, value)| (path, method, value))
        })
        .filter(|(_, method, _)| METHODS.contains(&method.as_str()))
        .map(|(path, method, value)| Operation { method, path, value })
        .collect()
}

pub fn operations_mut(document: &mut Value) -> impl Iterator<Item = (String, String, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            item.as_object_mut().into_iter().flatten().map(move |(method, value)| (path.clone(), method.clone(), value))
        })
        .filter(|(_, method, _)| METHODS.contains(&method.as_str()))
}

pub fn schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    document["components"]["schemas"].as_object().into_iter().flatten()
}

pub fn schemas_mut(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    schemas.into_iter().flat_map(|schemas| schemas.values_mut())
}

/// The properties of an object, by name.
pub fn members_mut(schema: &mut Value) -> impl Iterator<Item = &mut Value> {
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    members.into_iter().flat_map(|members| members.values_mut())
}

pub fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
    &document["components"]["schemas"][name]
}

/// `ChatCompletion` of `{"$ref": "#/components/schemas/ChatCompletion"}`.
pub fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix(SCHEMAS)
}

pub fn reference_to(name: &str) -> Value {
    serde_json::json!({ "$ref": format!("{SCHEMAS}{name}") })
}

/// Every component schema that is named below this value, in document order, with repetitions.
pub fn references(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    found.extend(reference(value).map(str::to_owned));
    match value {
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// These schemas and all that they refer to.
pub fn reachable(document: &Value, roots: impl Iterator<Item = String>) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let mut open: Vec<String> = roots.collect();
    while let Some(name) = open.pop() {
        if known.insert(name.clone()) {
            open.extend(references(schema(document, &name)));
        }
    }
    known
}
