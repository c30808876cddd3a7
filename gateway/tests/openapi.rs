#![expect(clippy::unwrap_used, reason = "a test")]
//! The committed document is the one that the code makes, and it keeps the rules that code generation depends on.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&prism::http::document()).unwrap()
}

#[test]
fn the_committed_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json");
    let committed = fs::read_to_string(path).unwrap();
    assert!(
        committed == prism::http::document(),
        "openapi/openapi.json is stale: run `cargo run -- openapi > openapi/openapi.json`"
    );
}

#[test]
fn the_committed_table_of_formats_is_current() {
    let committed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("FORMATS.md")).unwrap();
    let table = prism::formats::describe(false);
    assert!(committed.ends_with(&table), "gateway/FORMATS.md is stale: put the output of `prism formats` in it");
}

#[test]
fn the_committed_schema_of_the_configuration_is_current() {
    let committed =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/prism.schema.json")).unwrap();
    let committed: Value = serde_json::from_str(&committed).unwrap();
    assert_eq!(committed, prism::config::json_schema(), "stale: `cargo run -- schema > openapi/prism.schema.json`");
}

#[test]
fn the_document_is_the_same_each_time() {
    assert_eq!(prism::http::document(), prism::http::document());
}

fn operations(document: &Value) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (format!("{method} {path}"), operation.clone()))
    });
    all.collect()
}

#[test]
fn every_operation_names_its_method_its_tag_and_its_errors() {
    let (mut ids, mut methods) = (BTreeSet::new(), BTreeSet::new());
    for (name, operation) in operations(&document()) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{name}: operationId is not unique");
        let method = operation["x-sdk-method"].as_str().unwrap_or_else(|| panic!("{name}: no x-sdk-method"));
        assert!(method.contains('.') && methods.insert(method.to_owned()), "{name}: x-sdk-method `{method}`");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}: exactly one tag");
        assert!(operation["responses"].get("4XX").is_some(), "{name}: no 4XX");
        let described = operation["summary"].as_str().is_some_and(|text| !text.is_empty());
        assert!(described, "{name}: no summary");
    }
}

#[test]
fn bodies_are_named_schemas() {
    for (name, operation) in operations(&document()) {
        let mut bodies = vec![&operation["requestBody"]];
        bodies.extend(operation["responses"].as_object().unwrap().values());
        for body in bodies {
            for (kind, content) in
                body["content"].as_object().into_iter().flatten().filter(|(kind, _)| *kind != "text/plain")
            {
                assert!(content["schema"].get("$ref").is_some(), "{name}: the {kind} body is inline");
            }
        }
    }
}

#[test]
fn schemas_have_names_that_no_language_owns() {
    const OWNED: &[&str] =
        &["Error", "List", "Any", "Dict", "Omit", "Map", "Set", "Object", "String", "Number", "Type", "Union"];
    let document = document();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(!OWNED.contains(&name.as_str()), "schema `{name}` has a name that a language owns");
    }
}

/// Every `$ref` in the document leads to a schema.
#[test]
fn references_lead_somewhere() {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
                object.values().for_each(|value| walk(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    walk(&document, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        let name = reference.strip_prefix("#/components/schemas/").unwrap_or_else(|| panic!("{reference}"));
        assert!(document["components"]["schemas"].get(name).is_some(), "{reference} leads nowhere");
    }
}

/// A request's members become arguments of functions.
#[test]
fn variants_of_unions_have_titles() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for variant in schema["oneOf"].as_array().into_iter().flatten() {
            let named = variant.get("title").is_some() || variant.get("$ref").is_some() || variant["type"].is_string();
            assert!(named, "a variant of `{name}` has neither title nor name: {variant}");
        }
    }
}
