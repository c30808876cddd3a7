//! What holds for a store that several gateways have together: with a real server, which is killed, frozen and emptied.

use tempfile::TempDir;

use super::{nats_server::NatsServer, *};
use crate::nats::Connection;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(server: &NatsServer, folder: &TempDir) -> Shared {
    Shared::open(folder.path(), server.settings()).unwrap()
}

fn value(store: &Shared, key: &str) -> Option<String> {
    store.get(key).unwrap().map(|record| String::from_utf8(record.value).unwrap())
}

/// Something asked of JetStream.
fn ask(server: &NatsServer, subject: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let settings = server.settings();
        let mut connection = Connection::open(&settings.nats.servers[0], &settings.nats, "test").await.unwrap();
        connection.request(subject, b"").await.unwrap();
    });
}

#[test]
fn the_shared_store_behaves() {
    let Some(server) = NatsServer::start() else { return };
    let (folder, others) = (self::folder(), self::folder());
    let mut store = open(&server, &folder);
    behaves(&mut store, &|| Box::new(open(&server, &others)));
    drop(store);
    let store = open(&server, &folder);
    assert_eq!(value(&store, "org/b").unwrap(), "5");
}

#[test]
fn concurrent_edits_of_several_gateways_never_overwrite_each_other() {
    let Some(server) = NatsServer::start() else { return };
    let outer = folder();
    let count = std::sync::atomic::AtomicUsize::new(0);
    concurrent_edits_never_overwrite_each_other(&|| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::new(Shared::open(&outer.path().join(number.to_string()), server.settings()).unwrap())
    });
}

/// Also where the message that ended a commit has been replaced since.
#[test]
fn whoever_comes_later_has_the_same() {
    let Some(server) = NatsServer::start() else { return };
    let (first, later) = (folder(), folder());
    let mut store = open(&server, &first);
    for round in 0..20 {
        let changes = ["a", "b", "c"].map(|key| put(key, &round.to_string(), Expects::Anything));
        store.commit(&changes[..=round % 3]).unwrap();
        store.commit(&[Change::delete("gone~/.x", Expects::Anything), put("d", "x", Expects::Anything)]).unwrap();
    }
    let whole = |store: &Shared| {
        let mut all = Vec::new();
        let see = &mut |record: Record| {
            all.push(record);
            true
        };
        store.scan("", "", see).unwrap();
        all
    };
    assert_eq!(whole(&store), whole(&open(&server, &later)));
}

#[test]
fn a_commit_is_seen_whole_or_not_at_all() {
    let Some(server) = NatsServer::start() else { return };
    let (one, other) = (folder(), folder());
    let (mut writer, reader) = (open(&server, &one), open(&server, &other));
    let many = |round: u32| -> Vec<_> {
        (0..100).map(|at| put(&format!("k/{at:03}"), &round.to_string(), Expects::Anything)).collect()
    };
    writer.commit(&many(0)).unwrap();
    eventually("the first commit", || value(&reader, "k/000").is_some());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..30 {
                writer.commit(&many(round)).unwrap();
            }
        });
        while value(&reader, "k/099").unwrap() != "29" {
            let mut seen = Vec::new();
            let see = &mut |record: Record| {
                seen.push(record.value);
                true
            };
            reader.scan("k/", "", see).unwrap();
            assert_eq!(seen.len(), 100);
            assert!(seen.iter().all(|value| *value == seen[0]), "half of a commit");
        }
    });
}

#[test]
fn who_starts_without_nats_has_what_was_seen_last_and_changes_nothing() {
    let Some(mut server) = NatsServer::start() else { return };
    let folder = self::folder();
    let mut store = open(&server, &folder);
    store.commit(&[put("org/a", "1", Expects::Nothing)]).unwrap();
    drop(store);
    server.kill();
    let mut store = open(&server, &folder);
    assert_eq!(value(&store, "org/a").unwrap(), "1");
    assert!(!store.standing().is_connected() && store.standing().staleness().is_some());
    let refused = store.commit(&[put("org/a", "2", Expects::Anything)]);
    assert!(matches!(refused, Err(StoreError::Away(_))), "{refused:?}");
    server.begin();
    eventually("the connection", || store.standing().is_connected());
    assert_eq!(value(&store, "org/a").unwrap(), "1");
    store.commit(&[put("org/a", "2", Expects::Anything)]).unwrap();
}

#[test]
fn a_commit_that_is_held_up_is_stored_once_and_said_so() {
    let Some(server) = NatsServer::start() else { return };
    let folder = self::folder();
    let mut store = open(&server, &folder);
    let before = store.commit(&[put("a", "1", Expects::Nothing)]).unwrap();
    server.freeze();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            sleep(Duration::from_millis(4_500)); // the first attempt has been given up
            server.thaw();
        });
        let changes = [put("a", "2", Expects::Revision(before)), put("b", "2", Expects::Nothing)];
        let revision = store.commit(&changes).unwrap();
        assert_eq!(store.get("b").unwrap().unwrap().revision, revision);
    });
    assert_eq!(value(&store, "a").unwrap(), "2");
    assert!(is_conflict(store.commit(&[put("a", "3", Expects::Revision(before))]), "a"));
}

#[test]
fn an_emptied_bucket_takes_nothing_away_and_is_said() {
    let Some(server) = NatsServer::start() else { return };
    let folder = self::folder();
    let mut store = open(&server, &folder);
    store.commit(&[put("org/a", "1", Expects::Nothing), put("meta/owner", "x", Expects::Nothing)]).unwrap();
    ask(&server, "$JS.API.STREAM.PURGE.KV_PRISM_CONFIG");
    eventually("somebody to say so", || !store.standing().is_connected());
    let refused = store.commit(&[put("org/a", "2", Expects::Anything)]);
    assert!(matches!(&refused, Err(StoreError::Unusable(said)) if said.contains("purged")), "{refused:?}");
    assert_eq!(value(&store, "org/a").unwrap(), "1");
    // made anew and empty is no better
    drop(store);
    ask(&server, "$JS.API.STREAM.DELETE.KV_PRISM_CONFIG");
    let store = open(&server, &folder);
    eventually("somebody to say so", || store.standing().said().contains("is empty"));
    assert_eq!(value(&store, "org/a").unwrap(), "1");
}

#[test]
fn a_bucket_that_was_restored_is_taken_over_and_a_strange_one_is_not() {
    let Some(server) = NatsServer::start() else { return };
    let (one, another) = (folder(), folder());
    let mut store = open(&server, &one);
    let all = ["org/a", "org/b", "meta/owner"].map(|key| put(key, "1", Expects::Nothing));
    store.commit(&all).unwrap();
    drop(store);
    ask(&server, "$JS.API.STREAM.DELETE.KV_PRISM_CONFIG");
    let mut stranger = open(&server, &another);
    stranger.commit(&[put("meta/owner", "2", Expects::Nothing)]).unwrap();
    let store = open(&server, &one);
    eventually("somebody to say so", || store.standing().said().contains("is another one"));
    assert_eq!(value(&store, "org/b").unwrap(), "1");
    let (_, mark) = store.changed_since(0).unwrap();
    stranger.commit(&[put("meta/owner", "1", Expects::Anything), put("org/a", "2", Expects::Nothing)]).unwrap();
    eventually("the connection", || store.standing().is_connected());
    assert_eq!((value(&store, "org/a").as_deref(), value(&store, "org/b")), (Some("2"), None));
    let (changed, _) = store.changed_since(mark).unwrap();
    assert!(changed.contains(&"org/b".to_owned()), "{changed:?}");
}

#[test]
fn what_is_too_old_to_be_trusted_is_known_to_be() {
    let Some(mut server) = NatsServer::start() else { return };
    let folder = self::folder();
    let settings = SharedSettings { max_staleness: Duration::from_millis(1_500), ..server.settings() };
    let store = Shared::open(folder.path(), settings).unwrap();
    let stale = store.standing().stale();
    let is_stale = || stale.load(std::sync::atomic::Ordering::Relaxed);
    assert!(!is_stale());
    server.kill();
    eventually("it to be stale", is_stale);
    assert!(store.standing().worries()[0].contains("are refused"));
    server.begin();
    eventually("it to be fresh", || !is_stale());
    assert!(store.standing().worries().is_empty());
}

#[test]
fn others_are_told_at_once() {
    let Some(server) = NatsServer::start() else { return };
    let (one, other) = (folder(), folder());
    let (mut writer, mut reader) = (open(&server, &one), open(&server, &other));
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    reader.on_change(Box::new(move || {
        let _ = sender.lock().unwrap().send(());
    }));
    let mut slowest = Duration::ZERO;
    for round in 0..20 {
        let began = Instant::now();
        writer.commit(&[put("a", &round.to_string(), Expects::Anything)]).unwrap();
        receiver.recv_timeout(Duration::from_secs(2)).unwrap();
        slowest = slowest.max(began.elapsed());
        assert_eq!(value(&reader, "a").unwrap(), round.to_string());
    }
    println!("told within {} ms", slowest.as_millis());
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
}

/// As while one process takes the place of another.
#[test]
fn two_processes_of_one_folder_have_one_copy() {
    let Some(server) = NatsServer::start() else { return };
    let folder = self::folder();
    let mut one = open(&server, &folder);
    one.commit(&[put("a", "1", Expects::Nothing)]).unwrap();
    let mut other = open(&server, &folder);
    for round in 0..20 {
        let (writer, reader) = if round % 2 == 0 { (&mut one, &other) } else { (&mut other, &one) };
        let seen = writer.get("a").unwrap().unwrap().revision;
        let (_, mark) = reader.changed_since(0).unwrap();
        writer.commit(&[put("a", &round.to_string(), Expects::Revision(seen))]).unwrap();
        assert_eq!(value(reader, "a").unwrap(), round.to_string());
        assert_eq!(reader.changed_since(mark).unwrap().0, ["a"]);
    }
    drop(one);
    other.commit(&[put("b", "1", Expects::Nothing)]).unwrap();
}
