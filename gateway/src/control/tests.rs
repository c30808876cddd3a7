//! What the control plane keeps, whoever is killed.

use std::{path::Path, sync::Arc};

use arc_swap::ArcSwap;
use serde_json::json;

use super::{state::OpeningError, *};
use crate::{
    admission::DEFAULT_ORG,
    config::Role,
    refusal::Cause,
    secret::Wiped,
    store::{Embedded, Store, tests::nats_server::NatsServer},
};

const CANARY: &str = "sk-canary-of-a-test";

fn try_open(folder: &Path) -> Result<Control, OpeningError> {
    Control::open(Opening {
        store: Box::new(Embedded::open(folder).unwrap()),
        folder,
        master_key_file: folder.join("master.key"),
        master_key: None,
        rules: Arc::new(ArcSwap::from_pointee(Rules { max_in_flight: 10, ..Rules::default() })),
        accounts: Arc::default(),
        stale: Arc::default(),
        notices: None,
    })
}

fn open(folder: &Path) -> Control {
    try_open(folder).unwrap()
}

fn sent(base_url: &str) -> Wiped {
    Wiped(json!({"providers": {"house": {"base_url": base_url, "api_key": CANARY, "models": ["m"]}}}))
}

fn owner() -> Author {
    Author::operator()
}

#[test]
fn what_was_acknowledged_is_there_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = open(folder.path());
    control.edit(&owner(), "acme", None, Edit::Create(sent("https://a.example.com/v1"))).unwrap();
    let key = control.create_key(&owner(), "acme", json!({"name": "app"})).unwrap().key.unwrap();
    // nothing is closed in order
    std::mem::forget(control);
    let control = open(folder.path());
    assert_eq!(&*control.keys().find(&key).unwrap().organisation, "acme");
    let config = control.reading().unwrap().configuration("acme").unwrap();
    assert_eq!(config.providers[0].key.as_ref().unwrap().expose(), CANARY);
    assert!(config.providers[0].guarded && config.providers[0].organisation.as_deref() == Some("acme"));
    let log = verify(&Embedded::open(folder.path()).unwrap(), &mut |_| {}).unwrap().unwrap();
    assert_eq!(log.entries, 3, "the owner's key, the configuration, the key");
}

#[test]
fn two_processes_on_one_store_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (mut one, mut other) = (open(folder.path()), open(folder.path()));
    one.edit(&owner(), "acme", None, Edit::Create(sent("https://a.example.com"))).unwrap();
    let made = one.create_key(&owner(), "acme", json!({"name": "app"})).unwrap();
    let key = made.key.unwrap();
    assert!(other.keys().find(&key).is_none());
    assert_eq!(other.catch_up().unwrap(), ["acme"]);
    assert!(other.keys().find(&key).is_some());
    // each writes behind the other's entries of the log
    other.create_key(&owner(), "acme", json!({"name": "second"})).unwrap();
    one.delete_key(&owner(), "acme", &made.id).unwrap();
    other.catch_up().unwrap();
    assert!(other.keys().find(&key).is_none());
    assert_eq!(other.catch_up().unwrap(), [""; 0]);
    assert_eq!(verify(&Embedded::open(folder.path()).unwrap(), &mut |_| {}).unwrap().unwrap().entries, 5);
}

#[test]
fn a_master_key_of_somebody_else_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    std::fs::remove_file(folder.path().join("master.key")).unwrap();
    assert!(matches!(try_open(folder.path()), Err(OpeningError::MasterKey(MasterKeyError::Lost { .. }))));
    drop(MasterKeys::load(None, &folder.path().join("master.key"), false).unwrap());
    assert!(matches!(try_open(folder.path()), Err(OpeningError::OtherMasterKey)));
}

#[test]
fn a_record_that_was_moved_to_another_organisation_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = open(folder.path());
    control.edit(&owner(), "acme", None, Edit::Create(sent("https://a.example.com"))).unwrap();
    let mut store = Embedded::open(folder.path()).unwrap();
    let stolen = store.get("org/acme").unwrap().unwrap().value;
    assert!(!String::from_utf8_lossy(&stolen).contains(CANARY));
    store.commit(&[crate::store::Change::put("org/thief", stolen, crate::store::Expects::Nothing)]).unwrap();
    let refusal = control.reading().unwrap().configuration("thief").unwrap_err();
    assert_eq!(refusal.code.as_deref(), Some("sealed_credential"));
    assert!(control.reading().unwrap().configuration("acme").is_ok());
}

#[test]
fn the_owners_key_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(folder.path());
    let text = std::fs::read_to_string(folder.path().join("owner.key")).unwrap();
    let caller = control.keys().find(text.trim()).unwrap();
    assert_eq!((&*caller.organisation, caller.role), (DEFAULT_ORG, Role::Owner));
    drop(control);
    assert_eq!(open(folder.path()).keys().len(), 1);
    assert_eq!(std::fs::read_to_string(folder.path().join("owner.key")).unwrap(), text);
}

#[test]
fn versions_are_kept_up_to_a_hundred() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = open(folder.path());
    control.edit(&owner(), "acme", None, Edit::Create(Wiped(json!({})))).unwrap();
    for number in 0..105 {
        let patch = Wiped(json!({"model_map": {"a": format!("m{number}")}}));
        control.edit(&owner(), "acme", None, Edit::Update(patch)).unwrap();
    }
    let versions = control.versions(&owner(), "acme").unwrap().data;
    assert_eq!((versions.len(), versions[0].version, versions[99].version), (100, 106, 7));
    let missing = control.edit(&owner(), "acme", None, Edit::Rollback(6)).unwrap_err();
    assert_eq!(missing.cause, Cause::NotFound);
}

/// Secrets survive a rotation of the master key while another process keeps the earlier one in memory.
#[test]
fn the_master_key_is_rotated_under_a_running_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = open(folder.path());
    running.edit(&owner(), "acme", None, Edit::Create(sent("https://a.example.com"))).unwrap();
    let mut command = open(folder.path());
    command.rotate_master_key(&owner()).unwrap();
    let config = running.reading().unwrap().configuration("acme").unwrap();
    assert_eq!(config.providers[0].key.as_ref().unwrap().expose(), CANARY);
    let again = open(folder.path()).reading().unwrap().configuration("acme").unwrap();
    assert_eq!(again.providers[0].key.as_ref().unwrap().expose(), CANARY);
    // what the running one seals from now on is under the new key
    running.edit(&owner(), "globex", None, Edit::Create(sent("https://b.example.com"))).unwrap();
    command.retire_master_keys(&owner()).unwrap();
    let keys = std::fs::read_to_string(folder.path().join("master.key")).unwrap();
    assert_eq!(keys.lines().count(), 1, "the earlier key is gone");
    assert!(open(folder.path()).reading().unwrap().configuration("globex").is_ok());
}

/// The bar: 10,000 organisations and 100,000 keys are there within two seconds. The bound is generous, the figure is printed.
#[test]
fn many_organisations_and_keys_are_read_quickly() {
    let folder = tempfile::tempdir().unwrap();
    let mut control = open(folder.path());
    control.edit(&owner(), "org0", None, Edit::Create(sent("https://a.example.com"))).unwrap();
    let made = control.create_key(&owner(), "org0", json!({"name": "app", "models": ["gpt-*"]})).unwrap();
    let mut store = Embedded::open(folder.path()).unwrap();
    let (org, key) = ("org/org0", format!("key/org0/{}", made.id));
    let (org, key) = (store.get(org).unwrap().unwrap().value, store.get(&key).unwrap().unwrap().value);
    let key = String::from_utf8(key).unwrap();
    let mut changes = Vec::new();
    for number in 1..10_000 {
        changes.push(crate::store::Change::put(
            format!("org/org{number}"),
            org.clone(),
            crate::store::Expects::Nothing,
        ));
        for one in 0..10 {
            let mut record: serde_json::Value = serde_json::from_str(&key).unwrap();
            record["organisation"] = json!(format!("org{number}"));
            record["id"] = json!(format!("key_{one}"));
            let hash = control.keys().hash(&format!("sk-prism-{number}-{one}"));
            record["hashes"][0]["hash"] =
                json!(base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, hash));
            let name = format!("key/org{number}/key_{one}");
            changes.push(crate::store::Change::put(
                name,
                record.to_string().into_bytes(),
                crate::store::Expects::Nothing,
            ));
        }
    }
    store.commit(&changes).unwrap();
    drop(control);
    let began = std::time::Instant::now();
    let control = open(folder.path());
    let took = began.elapsed();
    println!("{} keys of 10,000 organisations read in {} ms (debug build)", control.keys().len(), took.as_millis());
    assert_eq!(&*control.keys().find("sk-prism-9999-9").unwrap().organisation, "org9999");
    assert!(took.as_secs() < 60, "{took:?}");
}

/// As two machines have it: each with its own folder, both with the same master key.
fn on_bucket(server: &NatsServer, folder: &Path, master_key: &Path) -> Result<Control, OpeningError> {
    let place = Place {
        folder: folder.to_owned(),
        master_key_file: master_key.to_owned(),
        shared: Some(crate::store::SharedSettings { identity: IDENTITY, ..server.settings() }),
    };
    let rules = Rules { max_in_flight: 10, ..Rules::default() };
    place.control(Arc::new(ArcSwap::from_pointee(rules)), Arc::default(), None).map(|(control, _)| control)
}

#[test]
fn gateways_that_start_at_once_make_what_there_has_to_be_once() {
    let Some(server) = NatsServer::start() else { return };
    let outer = tempfile::tempdir().unwrap();
    let key = outer.path().join("master.key");
    drop(MasterKeys::load(None, &key, false).unwrap());
    let folders: Vec<_> = (0..3).map(|number| outer.path().join(number.to_string())).collect();
    let controls: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = folders
            .iter()
            .map(|folder| {
                let (server, key) = (&server, &key);
                scope.spawn(move || on_bucket(server, folder, key).unwrap())
            })
            .collect();
        started.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let owners: Vec<_> = folders.iter().filter(|folder| folder.join("owner.key").is_file()).collect();
    assert_eq!(owners.len(), 1, "one owner's key");
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    assert_eq!(
        files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with("owner")).count(),
        1
    );
    let owner = std::fs::read_to_string(owners[0].join("owner.key")).unwrap();
    for mut control in controls {
        control.catch_up().unwrap();
        assert!(control.keys().find(owner.trim()).is_some(), "one pepper, one key");
    }
    // without that master key nobody joins
    let stranger = on_bucket(&server, &outer.path().join("4"), &outer.path().join("none"));
    assert!(matches!(stranger, Err(OpeningError::MasterKey(MasterKeyError::Lost { .. }))));
    let other = outer.path().join("other.key");
    drop(MasterKeys::load(None, &other, false).unwrap());
    assert!(matches!(on_bucket(&server, &outer.path().join("5"), &other), Err(OpeningError::OtherMasterKey)));
}

#[test]
fn gateways_of_one_bucket_follow_each_other_and_their_log_is_whole() {
    let Some(server) = NatsServer::start() else { return };
    let outer = tempfile::tempdir().unwrap();
    let key = outer.path().join("master.key");
    let open = |name: &str| on_bucket(&server, &outer.path().join(name), &key).unwrap();
    let (mut one, mut other) = (open("one"), open("other"));
    let etag = one.edit(&owner(), "acme", None, Edit::Create(sent("https://a.example.com"))).unwrap().etag;
    assert_eq!(one.retrieve(&owner(), "acme").unwrap().etag, etag, "what a commit answers is what is read");
    assert_eq!(one.catch_up().unwrap(), [""; 0], "what was changed here is known");
    let made = one.create_key(&owner(), "acme", json!({"name": "app"})).unwrap();
    let app = made.key.unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let mut changed = Vec::new();
    while other.keys().find(&app).is_none() && std::time::Instant::now() < until {
        changed.extend(other.catch_up().unwrap());
    }
    assert_eq!(changed, ["acme"]);
    assert_eq!(other.retrieve(&owner(), "acme").unwrap().etag, etag, "the same for everybody");
    // both at once: nothing is lost, and each entry of the log follows the one before
    std::thread::scope(|scope| {
        for (number, control) in [&mut one, &mut other].into_iter().enumerate() {
            scope.spawn(move || {
                for round in 0..20 {
                    let name = format!("{number}-{round}");
                    control.create_key(&owner(), "acme", json!({"name": name})).unwrap();
                }
            });
        }
    });
    let third = open("third");
    assert_eq!(third.keys().len(), 42, "the owner's, the application's, and forty");
    assert_eq!(verify(&*third.store, &mut |_| {}).unwrap().unwrap().entries, 43);
}

#[test]
fn organisations_in_a_file_are_not_forgotten_for_a_bucket() {
    let Some(server) = NatsServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("master.key");
    let mut control = open(folder.path());
    control.edit(&owner(), "acme", None, Edit::Create(sent("https://a.example.com"))).unwrap();
    let app = control.create_key(&owner(), "acme", json!({"name": "app"})).unwrap().key.unwrap();
    assert!(matches!(on_bucket(&server, folder.path(), &key), Err(OpeningError::NotMoved { .. })));
    let mut saved = Vec::new();
    crate::store::backup(&*control.store, &mut saved).unwrap();
    drop(control);
    assert!(!String::from_utf8_lossy(&saved).contains(CANARY));
    let elsewhere = tempfile::tempdir().unwrap();
    let mut shared = crate::store::Shared::open(elsewhere.path(), server.settings()).unwrap();
    crate::store::restore(&mut shared, &mut &saved[..], false, IDENTITY).unwrap();
    let moved = on_bucket(&server, folder.path(), &key).unwrap();
    assert_eq!(&*moved.keys().find(&app).unwrap().organisation, "acme");
    assert_eq!(
        moved.reading().unwrap().configuration("acme").unwrap().providers[0].key.as_ref().unwrap().expose(),
        CANARY
    );
    assert_eq!(verify(&*moved.store, &mut |_| {}).unwrap().unwrap().entries, 3);
}

#[test]
fn an_organisation_with_more_keys_than_a_commit_takes_ends_all_the_same() {
    let Some(server) = NatsServer::start() else { return };
    let outer = tempfile::tempdir().unwrap();
    let mut control = on_bucket(&server, &outer.path().join("one"), &outer.path().join("master.key")).unwrap();
    control.edit(&owner(), "acme", None, Edit::Create(sent("https://a.example.com"))).unwrap();
    let made = control.create_key(&owner(), "acme", json!({"name": "app"})).unwrap();
    let record = control.store.get(&format!("key/acme/{}", made.id)).unwrap().unwrap().value;
    for part in 0..3 {
        let put = |number: u32| {
            let key = format!("key/acme/key_{part}_{number}");
            crate::store::Change::put(key, record.clone(), crate::store::Expects::Nothing)
        };
        let changes: Vec<_> = (0..900).map(put).collect();
        control.store.commit(&changes).unwrap();
    }
    control.delete(&owner(), "acme", None).unwrap();
    let mut left = Vec::new();
    let see = &mut |record: crate::store::Record| {
        left.push(record.key);
        true
    };
    control.store.scan("", "", see).unwrap();
    left.retain(|key| key.contains("acme"));
    assert_eq!(left, [""; 0]);
    assert!(control.keys().find(&made.key.unwrap()).is_none());
    assert!(verify(&*control.store, &mut |_| {}).unwrap().is_ok());
}
