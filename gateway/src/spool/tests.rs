use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use tempfile::TempDir;

use super::{
    frame::{Found, Frame},
    *,
};

const INTERRUPTED: &[u8] = b" interrupted";

fn options(path: &Path) -> Options {
    Options { path: path.to_owned(), most: 1 << 30, when_full: WhenFull::Refuse, most_open: 2_000 }
}

fn open(path: &Path) -> Spool {
    Spool::open(options(path), INTERRUPTED).unwrap()
}

/// Writes a text, as far as there is room for all of it.
fn text(text: impl AsRef<[u8]>) -> impl FnOnce(&mut [u8]) -> Option<usize> {
    move |out| {
        let text = text.as_ref();
        out.get_mut(..text.len())?.copy_from_slice(text);
        Some(text.len())
    }
}

fn admit(spool: &Spool, name: &str) -> Ticket {
    spool.admit(text(name)).unwrap()
}

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8(record.bytes.to_vec()).unwrap()).collect()
}

/// Everything that stands in the logs, read by a consumer that releases it.
fn drain(spool: &Spool) -> Vec<String> {
    let mut all = Vec::new();
    for log in spool.logs() {
        let mut reader = log.reader("test").unwrap();
        loop {
            let records = reader.read(1 << 16).unwrap();
            let Some(last) = records.last() else { break };
            reader.release(last.end).unwrap();
            all.extend(texts(&records));
        }
    }
    all.sort();
    all
}

fn eventually(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never held");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// As if it had been killed: nothing is flushed, nothing ended, but the lock goes.
fn kill(path: &Path, spool: Spool) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for folder in std::fs::read_dir(path).unwrap() {
        let folder = folder.unwrap();
        let target = copy.path().join(folder.file_name());
        std::fs::create_dir(&target).unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), target.join(file.file_name())).unwrap();
        }
    }
    drop(spool);
    copy
}

#[test]
fn what_is_finished_is_read_once_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let tickets: Vec<_> = (0..1_500).map(|n| admit(&spool, &format!("{n:04}"))).collect();
    tickets.into_iter().rev().for_each(|ticket| ticket.finish(text(" done")));
    eventually(|| spool.state().written() == 1_500);
    let found = drain(&spool);
    assert_eq!(found, (0..1_500).map(|n| format!("{n:04} done")).collect::<Vec<_>>());
    assert!(drain(&spool).is_empty(), "released is released");
    spool.close();
    assert!(drain(&open(folder.path())).is_empty(), "over a restart too");
}

#[test]
fn who_looks_on_sees_every_record_once_over_segments_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    admit(&spool, "before").finish(text(""));
    eventually(|| spool.state().written() == 1);
    let mut follower = Follower::begin(folder.path(), false).unwrap();
    let mut whole = Follower::begin(folder.path(), true).unwrap();
    let mut reader = spool.logs()[0].reader("test").unwrap();
    let mut seen = Vec::new();
    for round in 0..20_u64 {
        for n in 0..300 {
            admit(&spool, &format!("{round:02} {n:03} {}", "x".repeat(4_000))).finish(text(""));
        }
        eventually(|| spool.state().written() == 1 + (round + 1) * 300);
        seen.extend(texts(&follower.read().unwrap()).into_iter().map(|text| text[..6].to_owned()));
        while let Some(last) = reader.read(1 << 20).unwrap().last() {
            reader.release(last.end).unwrap(); // deletes segments
        }
    }
    seen.sort(); // those that end together are written in any order
    let all = (0..20).flat_map(|round| (0..300).map(move |n| format!("{round:02} {n:03}")));
    assert!(seen.iter().cloned().eq(all), "{} of 6000", seen.len());
    assert!(whole.read().unwrap().len() > 300, "what it has open stays readable");
    drop(spool);
    let spool = open(folder.path());
    admit(&spool, "after").finish(text(""));
    eventually(|| spool.state().written() == 1);
    assert_eq!(texts(&follower.read().unwrap()), ["after"]);
}

#[test]
fn a_kill_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let _open = admit(&spool, "open");
    admit(&spool, "done").finish(text(" well"));
    let copy = kill(folder.path(), spool);
    let spool = open(copy.path());
    assert_eq!(drain(&spool), ["done well", "open interrupted"]);
    drop(spool);
    assert!(drain(&open(copy.path())).is_empty());
}

#[test]
fn a_record_that_is_in_its_page_and_in_the_log_is_one_record() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let _open = admit(&spool, "open");
    let copy = kill(folder.path(), spool);
    // recovered, and killed before the pages were cleared
    let own = folder::claim(copy.path()).unwrap().remove(0);
    drop(recovery::recover(&own, INTERRUPTED).unwrap());
    drop(own);
    assert_eq!(drain(&open(copy.path())), ["open interrupted"]);
}

#[test]
fn a_dropped_ticket_is_an_interrupted_request() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    drop(admit(&spool, "panic"));
    admit(&spool, "long").finish(text([b'x'; page::PAGE]));
    eventually(|| spool.state().written() == 2);
    assert_eq!(drain(&spool), ["long interrupted", "panic interrupted"]);
}

#[test]
fn a_beginning_that_is_too_long_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let refused = spool.admit(text([b'x'; MOST_BEGINNING + 1]));
    assert_eq!(refused.unwrap_err(), NoTicket::TooLong);
    drop(spool.admit(text([b'x'; MOST_BEGINNING])).unwrap());
    eventually(|| spool.state().written() == 1);
    assert_eq!(drain(&spool).len(), 1);
}

#[test]
fn no_more_are_under_way_than_there_is_room_for() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(Options { most_open: 700, ..options(folder.path()) }, INTERRUPTED).unwrap();
    let tickets: Vec<_> = (0..700).map(|n| admit(&spool, &n.to_string())).collect();
    assert_eq!(spool.admit(text("")).unwrap_err(), NoTicket::Busy);
    drop(tickets);
    eventually(|| spool.admit(text("")).is_ok());
}

#[test]
fn two_processes_do_not_share_a_folder_and_what_one_leaves_the_other_inherits() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (open(folder.path()), open(folder.path()));
    admit(&first, "first").finish(text(""));
    let _never = admit(&first, "left");
    first.close();
    assert!(second.inherit().unwrap().is_empty(), "it still holds its folder");
    drop(first);
    assert_eq!(second.inherit().unwrap().len(), 1);
    assert_eq!(drain(&second), ["first", "left interrupted"]);
    assert!(second.inherit().unwrap().is_empty());
}

#[test]
fn a_full_spool_refuses_until_somebody_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    // each page has room for two promised to it: however late the writer looks, the log has 16 of its 20 MB, and never more than these
    let (most, most_open) = (20 << 20, (2 << 20) / page::PAGE);
    let spool = Spool::open(Options { most, most_open, ..options(folder.path()) }, INTERRUPTED).unwrap();
    let log = spool.logs().remove(0);
    let mut reader = log.reader("test").unwrap();
    let mut admitted = 0;
    let refused = loop {
        match spool.admit(text([b'x'; 4_000])) {
            Ok(ticket) => ticket.finish(text("")),
            Err(NoTicket::Busy) => {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            Err(why) => break why,
        }
        admitted += 1;
    };
    assert_eq!(refused, NoTicket::Full);
    eventually(|| spool.state().written() == admitted);
    assert!(log.size() <= most, "{}", log.size());
    let mut read = 0;
    loop {
        let records = reader.read(1 << 20).unwrap();
        let Some(last) = records.last() else { break };
        read += records.len();
        reader.release(last.end).unwrap();
    }
    assert!(read > 4_000, "{read}");
    eventually(|| spool.admit(text("")).is_ok());
    assert_eq!(spool.state().dropped(), 0);
}

#[test]
fn where_the_oldest_go_they_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let dropping = Options { most: 20 << 20, when_full: WhenFull::DropOldest, ..options(folder.path()) };
    let spool = Spool::open(dropping, INTERRUPTED).unwrap();
    let log = spool.logs().remove(0);
    let mut reader = log.reader("test").unwrap();
    let many = 10_000;
    for _ in 0..many {
        loop {
            match spool.admit(text([b'x'; 4_000])) {
                Ok(ticket) => break ticket.finish(text("")),
                Err(NoTicket::Busy) => std::thread::sleep(Duration::from_millis(1)),
                Err(why) => panic!("{why:?}"),
            }
        }
    }
    eventually(|| spool.state().written() == many);
    spool.close();
    let mut read = 0;
    loop {
        let records = reader.read(1 << 20).unwrap();
        if records.is_empty() {
            break;
        }
        read += records.len() as u64;
    }
    assert_eq!(read + spool.state().dropped(), many);
    assert!(spool.state().dropped() > 0 && log.size() <= 20 << 20);
}

#[test]
fn nobody_reads_and_the_log_keeps_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(Options { most: 20 << 20, ..options(folder.path()) }, INTERRUPTED).unwrap();
    for _ in 0..10_000 {
        loop {
            match spool.admit(text([b'x'; 4_000])) {
                Ok(ticket) => break ticket.finish(text("")),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
    eventually(|| spool.state().written() == 10_000);
    spool.close();
    assert!(spool.logs()[0].size() <= 20 << 20);
}

#[test]
fn notes_are_kept_with_their_kind() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    spool.note(Kind::Provider, b"open".to_vec());
    spool.close();
    let mut reader = spool.logs()[0].reader("test").unwrap();
    let records = reader.read(1 << 16).unwrap();
    assert_eq!((records[0].kind, &records[0].bytes[..]), (Kind::Provider, &b"open"[..]));
}

#[tokio::test]
async fn a_reader_is_told_when_there_is_something() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let mut reader = spool.logs()[0].reader("test").unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(20), reader.ready()).await.is_err());
    admit(&spool, "now").finish(text(""));
    tokio::time::timeout(Duration::from_secs(30), reader.ready()).await.unwrap();
    assert_eq!(texts(&reader.read(1 << 16).unwrap()), ["now"]);
}

#[test]
fn consumers_do_not_wait_for_each_other_and_nothing_goes_before_both_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let log = spool.logs().remove(0);
    let (mut quick, mut slow) = (log.reader("quick").unwrap(), log.reader("slow").unwrap());
    let many = 5_000;
    for _ in 0..many {
        loop {
            match spool.admit(text([b'x'; 4_000])) {
                Ok(ticket) => break ticket.finish(text("")),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
    eventually(|| spool.state().written() == many);
    let count = |reader: &mut Reader| {
        let mut read = 0;
        loop {
            let records = reader.read(1 << 20).unwrap();
            let Some(last) = records.last() else { break read };
            read += records.len() as u64;
            reader.release(last.end).unwrap();
        }
    };
    let before = log.size();
    assert_eq!(count(&mut quick), many);
    assert_eq!(log.size(), before, "the other has not read it");
    assert_eq!(count(&mut slow), many);
    assert!(log.size() < before);
}

fn arbitrary_records() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..20)
}

fn written(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (ticket, record) in records.iter().enumerate() {
        Frame { kind: Kind::Usage, ticket: ticket as u64, millis: 7, record }.write(&mut bytes);
    }
    bytes
}

/// A folder whose log is these bytes.
fn log_of(bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("0")).unwrap();
    std::fs::write(folder.path().join("0/00000000000000000000.log"), bytes).unwrap();
    folder
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_torn_end_costs_only_what_was_torn(records in arbitrary_records(), cut in any::<prop::sample::Index>()) {
        let bytes = written(&records);
        let cut = cut.index(bytes.len() + 1);
        let whole = records.iter().scan(0, |end, record| {
            *end += frame::HEADER + record.len();
            Some(*end)
        }).filter(|end| *end <= cut).count();
        let folder = log_of(&bytes[..cut]);
        let log = Arc::new(Log::open(&folder.path().join("0")).unwrap());
        let read = log.reader("test").unwrap().read(1 << 20).unwrap();
        let read: Vec<_> = read.iter().map(|record| record.bytes.to_vec()).collect();
        prop_assert_eq!(&read[..], &records[..whole]);
    }

    /// Damage never yields a record that was not written, and never panics.
    #[test]
    fn no_damage_makes_a_record(records in arbitrary_records(), hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = written(&records);
        for (at, value) in hits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let folder = log_of(&bytes);
        let log = Arc::new(Log::open(&folder.path().join("0")).unwrap());
        let mut left: BTreeMap<&[u8], usize> = BTreeMap::new();
        records.iter().for_each(|record| *left.entry(record).or_default() += 1);
        for record in log.reader("test").unwrap().read(1 << 20).unwrap() {
            let known = left.get_mut(&record.bytes[..]).filter(|count| **count > 0).map(|count| *count -= 1);
            prop_assert!(known.is_some());
        }
    }

    #[test]
    fn rubbish_is_no_frame_and_no_page(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!matches!(Frame::read(&bytes), Found::Frame(_)));
        let mut page = vec![0; page::PAGE];
        page[..bytes.len()].copy_from_slice(&bytes);
        prop_assert_eq!(page::left(&page), page::Left::Nothing);
    }
}
