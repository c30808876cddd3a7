#![expect(clippy::unwrap_used, reason = "a test")]
//! What consumers of events are promised: the committed schemas are those of the code, every committed sample is still an event,
//! and no change of a schema breaks who reads by the last one.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use prism::{
    api::{ConfigEvent, KeyEvent, ProviderEvent, UsageEvent},
    spool::Kind,
    usage::{SUBJECTS, Subject, schema},
};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/events")
}

fn samples() -> Vec<(String, Value)> {
    let files = fs::read_dir(folder().join("samples")).unwrap().map(|entry| entry.unwrap().path());
    let mut samples: Vec<_> = files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect();
    samples.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(samples.len() >= 20);
    samples
}

#[test]
fn the_committed_documents_are_current() {
    for (file, text) in schema::documents() {
        let committed = fs::read_to_string(folder().join(file)).unwrap_or_default();
        assert!(
            committed == text,
            "openapi/events/{file} is stale: run `cargo run -- usage schema {file} > openapi/events/{file}`"
        );
    }
}

#[test]
fn every_sample_is_an_event_and_has_a_subject_that_the_stream_takes() {
    for (name, sample) in samples() {
        let kind = name.split('.').next().unwrap();
        let (kind, first) = match kind {
            "usage" => (Kind::Usage, serde_json::from_value::<UsageEvent>(sample.clone()).map(drop)),
            "provider" => (Kind::Provider, serde_json::from_value::<ProviderEvent>(sample.clone()).map(drop)),
            "config" => (Kind::Config, serde_json::from_value::<ConfigEvent>(sample.clone()).map(drop)),
            _ => (Kind::Key, serde_json::from_value::<KeyEvent>(sample.clone()).map(drop)),
        };
        first.unwrap_or_else(|error| panic!("{name}: {error}"));
        let subject = Subject::of(kind, sample.to_string().as_bytes()).unwrap_or_else(|| panic!("{name}")).subject;
        assert!(SUBJECTS.iter().any(|taken| subject.starts_with(taken.trim_end_matches('>'))), "{subject}");
        assert!(subject.starts_with(sample["schema"].as_str().unwrap()), "{subject}");
    }
}

#[test]
fn there_is_a_sample_of_every_status_and_source() {
    let said = |member: &str| -> Vec<String> {
        let samples = samples();
        samples.iter().filter_map(|(_, sample)| sample[member].as_str().map(str::to_owned)).collect()
    };
    let schema = schema_of("usage.v1.schema.json");
    for (member, kind) in [("status", "UsageStatus"), ("usage_source", "UsageSource")] {
        let known = said(member);
        for word in words(&schema["$defs"][kind]) {
            assert!(known.contains(&word), "no sample has {member} `{word}`");
        }
    }
    let usage = samples().into_iter().filter(|(name, _)| name.starts_with("usage.")).map(|(_, sample)| sample);
    let members: Vec<String> =
        usage.flat_map(|sample| sample.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).collect();
    for member in schema["properties"].as_object().unwrap().keys() {
        assert!(members.contains(member), "no sample has `{member}`");
    }
}

fn schema_of(file: &str) -> Value {
    let documents: BTreeMap<_, _> = schema::documents().into_iter().collect();
    serde_json::from_str(&documents[file]).unwrap()
}

/// The words of an enumeration, however they are written.
fn words(schema: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut words: Vec<Value> = list(&schema["enum"]);
    words.extend(list(&schema["oneOf"]).iter().flat_map(|one| {
        let mut inner = list(&one["enum"]);
        inner.extend(one.get("const").cloned());
        inner
    }));
    words.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What would break somebody who reads by the old schema: a member that is gone, has another type or may now be absent, a
/// word that is gone. Members and words that are new break nobody who was told to expect them.
fn breaks(old: &Value, new: &Value, path: &str, found: &mut Vec<String>) {
    for (name, before) in old["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match new["properties"].get(name) {
            None => found.push(format!("{path} is gone")),
            Some(now) => {
                for key in ["type", "format", "$ref"] {
                    if before.get(key) != now.get(key) {
                        found.push(format!("{path} has another {key}"));
                    }
                }
                breaks(before, now, &path, found);
            }
        }
    }
    let required = |schema: &Value| schema["required"].as_array().cloned().unwrap_or_default();
    for name in required(old) {
        if !required(new).contains(&name) {
            found.push(format!("{path}.{} may be absent now", name.as_str().unwrap()));
        }
    }
    let now = words(new);
    found.extend(
        words(old)
            .into_iter()
            .filter(|word| !now.contains(word))
            .map(|word| format!("{path} has no `{word}` any more")),
    );
    for (name, before) in old["$defs"].as_object().into_iter().flatten() {
        breaks(before, &new["$defs"][name], &format!("{path}#{name}"), found);
    }
}

/// `published` is what consumers have: it changes only by additions, and only when they are released.
#[test]
fn nobody_who_reads_by_the_published_schemas_is_broken() {
    for (file, text) in schema::documents().into_iter().filter(|(file, _)| file.ends_with(".schema.json")) {
        let published = fs::read_to_string(folder().join("published").join(file)).unwrap();
        let mut found = Vec::new();
        breaks(&serde_json::from_str(&published).unwrap(), &serde_json::from_str(&text).unwrap(), "", &mut found);
        assert!(found.is_empty(), "{file} breaks its consumers, which takes a new version: {found:?}");
    }
}

#[test]
fn a_break_is_seen_and_an_addition_is_none() {
    let old = json!({"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a"],
                     "$defs": {"S": {"oneOf": [{"const": "x"}, {"enum": ["y"]}]}}});
    let broken = |new: Value| {
        let mut found = Vec::new();
        breaks(&old, &new, "", &mut found);
        found.len()
    };
    let mut more = old.clone();
    more["properties"]["c"] = json!({"type": "string"});
    more["$defs"]["S"]["oneOf"].as_array_mut().unwrap().push(json!({"const": "z"}));
    assert_eq!(broken(more), 0);
    let mut less = old.clone();
    less["properties"]["a"]["type"] = json!(["string", "null"]);
    less["required"] = json!([]);
    less["$defs"]["S"] = json!({"enum": ["x"]});
    less["properties"].as_object_mut().unwrap().remove("b");
    assert_eq!(broken(less), 4);
}

/// The AsyncAPI document names what the publisher uses.
#[test]
fn the_asyncapi_document_has_a_channel_for_every_subject() {
    let asyncapi = schema_of("asyncapi.json");
    let addresses: Vec<_> = asyncapi["channels"]
        .as_object()
        .unwrap()
        .values()
        .map(|channel| channel["address"].as_str().unwrap())
        .collect();
    for subject in SUBJECTS {
        let start = subject.trim_end_matches('>');
        assert!(addresses.iter().any(|address| address.starts_with(start)), "{subject}");
    }
    for channel in asyncapi["channels"].as_object().unwrap().values() {
        let address = channel["address"].as_str().unwrap();
        let parameters = channel["parameters"].as_object().map(|all| all.len()).unwrap_or_default();
        assert_eq!(address.matches('{').count(), parameters, "{address}");
    }
}
