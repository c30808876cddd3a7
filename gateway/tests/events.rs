#![expect(clippy::unwrap_used, reason = "a test")]
//! What consumers of events are promised: every committed sample is still an event, and has a subject.

use std::{
    fs,
    path::{Path, PathBuf},
};

use prism::{
    api::{ConfigEvent, KeyEvent, ProviderEvent, UsageEvent},
    spool::Kind,
    usage::{SUBJECTS, Subject},
};
use serde_json::Value;

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
