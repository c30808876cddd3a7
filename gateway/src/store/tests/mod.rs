//! What every kind of store has to do.

pub mod nats_server;
mod shared;

use std::{
    os::unix::fs::PermissionsExt,
    thread::sleep,
    time::{Duration, Instant},
};

use super::*;

fn put(key: &str, value: &str, expects: Expects) -> Change {
    Change::put(key, value.into(), expects)
}

fn keys(store: &dyn Store, prefix: &str) -> Vec<String> {
    some_keys(store, prefix, "", usize::MAX)
}

fn some_keys(store: &dyn Store, prefix: &str, after: &str, most: usize) -> Vec<String> {
    let mut found = Vec::new();
    let see = &mut |record: Record| {
        found.push(record.key);
        found.len() < most
    };
    store.scan(prefix, after, see).unwrap();
    found
}

fn is_conflict(result: Result<Revision, StoreError>, at: &str) -> bool {
    matches!(result, Err(StoreError::Conflict { key }) if key == at)
}

/// What one holder has written the others see a moment later.
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        sleep(Duration::from_millis(5));
    }
}

/// The claims, whatever the store; `again` opens the same one a second time.
fn behaves(store: &mut dyn Store, again: &dyn Fn() -> Box<dyn Store>) {
    let (_, begin) = store.changed_since(0).unwrap();
    assert_eq!(store.changed_since(begin).unwrap(), (vec![], begin));
    assert_eq!(store.get("org/a").unwrap(), None);
    let first = store.commit(&[put("org/a", "1", Expects::Nothing), put("org/b", "2", Expects::Anything)]).unwrap();
    let (_, after_first) = store.changed_since(begin).unwrap();
    let record = store.get("org/a").unwrap().unwrap();
    assert_eq!((record.value.as_slice(), record.revision), (&b"1"[..], first));

    // nobody overwrites what he has not seen, and a commit with one conflict changes nothing
    assert!(is_conflict(store.commit(&[put("org/a", "x", Expects::Nothing)]), "org/a"));
    assert!(is_conflict(store.commit(&[put("org/a", "x", Expects::Revision(first + 1))]), "org/a"));
    let half = [put("org/new", "x", Expects::Nothing), put("org/none", "x", Expects::Revision(1))];
    assert!(is_conflict(store.commit(&half), "org/none"));
    assert_eq!(store.get("org/new").unwrap(), None);

    let second = store.commit(&[put("org/a", "3", Expects::Revision(first))]).unwrap();
    assert!(second > first);
    assert!(is_conflict(store.commit(&[Change::delete("org/a", Expects::Revision(first))]), "org/a"));

    // prefixes, in order, with neighbours
    store.commit(&[put("orga", "", Expects::Anything), put("org/~", "", Expects::Anything)]).unwrap();
    assert_eq!(keys(store, "org/"), ["org/a", "org/b", "org/~"]);
    assert_eq!(keys(store, "key/"), [""; 0]);
    assert_eq!(some_keys(store, "org/", "org/a", usize::MAX), ["org/b", "org/~"]);
    assert_eq!(some_keys(store, "org/", "", 1), ["org/a"]);

    // what has changed is known, deletions included
    let (changed, now) = store.changed_since(after_first).unwrap();
    assert_eq!(changed, ["org/a", "orga", "org/~"]);
    store.commit(&[Change::delete("org/b", Expects::Anything), Change::delete("never", Expects::Nothing)]).unwrap();
    let (changed, later) = store.changed_since(now).unwrap();
    assert!(later > now && changed.contains(&"org/b".to_owned()), "{changed:?}");
    assert_eq!(store.get("org/b").unwrap(), None);
    assert_eq!(keys(store, "org/"), ["org/a", "org/~"]);
    // and what was deleted can be made again, by whoever expects nothing
    assert!(is_conflict(store.commit(&[put("org/b", "4", Expects::Revision(first))]), "org/b"));
    store.commit(&[put("org/b", "4", Expects::Nothing)]).unwrap();

    // another holder of the same store sees all of it, and has its say
    let (_, later) = store.changed_since(later).unwrap();
    let mut other = again();
    let seen = other.get("org/b").unwrap().unwrap();
    let theirs = other.commit(&[put("org/b", "5", Expects::Revision(seen.revision))]).unwrap();
    assert!(is_conflict(store.commit(&[put("org/b", "6", Expects::Revision(seen.revision))]), "org/b"));
    eventually("what the other has written", || store.changed_since(later).unwrap().0 == ["org/b"]);
    assert_eq!(store.get("org/b").unwrap().unwrap().revision, theirs);
}

#[test]
fn the_embedded_store_behaves() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Embedded::open(folder.path()).unwrap();
    behaves(&mut store, &|| Box::new(Embedded::open(folder.path()).unwrap()));
    drop(store);
    let store = Embedded::open(folder.path()).unwrap();
    assert_eq!(store.get("org/b").unwrap().unwrap().value, b"5");
}

#[test]
fn the_file_is_its_owners_alone() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("data");
    let mut store = Embedded::open(&folder).unwrap();
    store.commit(&[put("a", "b", Expects::Anything)]).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_store_of_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(Embedded::open(folder.path()).unwrap());
    let connection = rusqlite::Connection::open(folder.path().join("prism.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let error = Embedded::open(folder.path()).err().unwrap();
    assert!(matches!(error, StoreError::TooNew { found: 99, .. }), "{error}");
}

#[test]
fn what_is_no_store_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prism.db"), "not a database, by a long way").unwrap();
    assert!(matches!(Embedded::open(folder.path()), Err(StoreError::Database(_))));
}

/// Writers in several threads, each adding to one number: no addition is lost.
fn concurrent_edits_never_overwrite_each_other(again: &(dyn Fn() -> Box<dyn Store> + Sync)) {
    let mut store = again();
    store.commit(&[put("sum", "0", Expects::Nothing)]).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || {
                let mut store = again();
                let mut added = 0;
                while added < 25 {
                    let record = store.get("sum").unwrap().unwrap();
                    let sum: u32 = String::from_utf8(record.value).unwrap().parse().unwrap();
                    let changes = [
                        put("sum", &(sum + 1).to_string(), Expects::Revision(record.revision)),
                        put(&format!("log/{:03}", sum + 1), &writer.to_string(), Expects::Nothing),
                    ];
                    match store.commit(&changes) {
                        Ok(_) => added += 1,
                        Err(StoreError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    eventually("the sum", || store.get("sum").unwrap().unwrap().value == b"100");
    assert_eq!(keys(&*store, "log/").len(), 100);
}

#[test]
fn concurrent_edits_of_one_file_never_overwrite_each_other() {
    let folder = tempfile::tempdir().unwrap();
    concurrent_edits_never_overwrite_each_other(&|| Box::new(Embedded::open(folder.path()).unwrap()));
}
