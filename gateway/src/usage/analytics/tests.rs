use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{
    feed::Feed,
    ledger::{Batch, Counted, Entry, Ledger, Origin, Position},
    recent::RECENT,
    *,
};
use crate::{
    api::UsageRow,
    money::Usd,
    spool::{Options, Spool, WhenFull},
};

const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

fn noon() -> DateTime<Utc> {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

/// An event with these members changed.
fn event(id: impl ToString, change: Value) -> Vec<u8> {
    let mut event = json!({
        "schema": "prism.usage.v1", "request_id": id.to_string(), "started_at": noon(), "gateway": "g", "org": "default",
        "endpoint": "chat.completions", "stream": false, "model": "fast", "status": "answered", "http_status": 200,
        "complete": true, "provider": "acme", "model_served": "large", "tokens": {"input": 10, "output": 5},
        "usage_source": "provider", "cost_usd": "0.000000000000000001", "duration_ms": 100, "attempt_count": 1,
        "attempts": [{"provider": "acme", "model": "large", "kind": "first", "outcome": "answered"}],
    });
    for (name, value) in change.as_object().unwrap() {
        event[name] = value.clone();
    }
    serde_json::to_vec(&event).unwrap()
}

/// The first has the position 1.
fn entries(events: &[Vec<u8>]) -> Vec<Entry<'_>> {
    events.iter().zip(1..).map(|(event, end)| Entry { end, event }).collect()
}

fn count(ledger: &mut Ledger, events: &[Vec<u8>]) -> Counted {
    let batch = Batch { entries: &entries(events), source: "0", is_shared: false, until: 1, millis: 7 };
    ledger.count(&batch).unwrap()
}

fn counted(events: &[Vec<u8>]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    count(&mut Ledger::open(folder.path()).unwrap(), events);
    folder
}

fn ask(folder: &Path, query: &str) -> UsageReport {
    let members = form_urlencoded::parse(query.as_bytes()).into_owned();
    report(folder, &Question::read(members, noon() + TimeDelta::minutes(1)).unwrap()).unwrap()
}

fn refused(query: &str) -> (String, String) {
    let refusal = Question::read(form_urlencoded::parse(query.as_bytes()).into_owned(), noon()).unwrap_err();
    (refusal.param.unwrap().into_owned(), refusal.message.into_owned())
}

#[test]
fn what_was_used_is_told_by_group() {
    let events = [
        event(1, json!({"key_id": "app", "user_id": "ann", "metadata": {"team": "search", "n": 1}})),
        event(2, json!({"key_id": "app", "user_id": "bob", "metadata": {"n": 1, "team": "search"}, "cost_usd": "1.5"})),
        event(
            3,
            json!({"key_id": "web", "status": "failed", "complete": false, "tokens": null, "cost_usd": null, "model_served": null}),
        ),
        event(4, json!({"started_at": noon() - TimeDelta::days(1), "cost_usd": null, "first_token_ms": 40})),
        event(5, json!({"status": "cancelled", "complete": false, "usage_source": "estimated"})),
        event(6, json!({"status": "replayed", "tokens": null, "cost_usd": null, "attempt_count": 0})),
    ];
    let folder = counted(&events);
    let report = ask(folder.path(), "group_by=key,metadata.team");
    let shown: Vec<_> =
        report.data.iter().map(|row| (row.key.as_deref(), row.metadata.clone(), row.requests)).collect();
    let search = BTreeMap::from([("team".to_owned(), "search".to_owned())]);
    assert_eq!(shown, [(None, None, 3), (Some("app"), Some(search), 2), (Some("web"), None, 1)]);
    assert_eq!(report.data[1].cost_usd.as_deref(), Some("1.500000000000000001"));
    assert_eq!((report.data[2].errors, report.data[2].unpriced, report.data[2].cost_usd.as_deref()), (1, 0, Some("0")));

    let totals = report.totals;
    assert_eq!((totals.requests, totals.errors, totals.cancelled, totals.replayed), (6, 1, 1, 1));
    assert_eq!((totals.unpriced, totals.incomplete, totals.estimated, totals.attempts), (1, 1, 1, 5));
    assert_eq!((totals.tokens.input, totals.tokens.output), (40, 20));
    assert!((totals.latency_ms.unwrap().p50 - 100.0).abs() <= 100.0 * RELATIVE_ERROR);
    assert_eq!((report.since.as_str(), report.until.as_str()), ("2026-10-29T13:00:00Z", "2026-11-28T13:00:00Z"));

    let days = ask(folder.path(), "group_by=day,model&status=answered&status=failed").data;
    let days: Vec<_> = days.iter().map(|row| (row.day.as_deref().unwrap(), row.model.as_deref().unwrap())).collect();
    assert_eq!(days, [("2026-11-27", "large"), ("2026-11-28", "fast"), ("2026-11-28", "large")]);
    assert_eq!(ask(folder.path(), "since=2026-11-28&until=2026-11-29").totals.requests, 5);
    assert_eq!(ask(folder.path(), "metadata.team=search&user=bob").totals.requests, 1);
    assert_eq!(ask(folder.path(), "to=2026-11-28T11:00:00Z").totals.cost_usd, None, "unknown is never 0");
}

#[test]
fn nothing_counted_is_an_empty_answer() {
    let folder = tempfile::tempdir().unwrap();
    let report = ask(folder.path(), "group_by=day");
    assert!(report.data.is_empty() && report.totals.requests == 0 && !database::path(folder.path()).exists());
}

#[test]
fn a_question_that_is_not_understood_names_what() {
    for (query, param) in [
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("since=yesterday", "since"),
        ("from=2026-11-28&to=2026-11-28", "to"),
        ("group_by=key,colour", "group_by"),
        ("group_by=metadata.", "group_by"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=abc", "cursor"),
        ("group_by=key&cursor=W10", "cursor"),
        ("colour=red", "colour"),
        ("status=good", "status"),
    ] {
        assert_eq!(refused(query).0, param, "{query}");
    }
}

#[test]
fn an_organisation_sees_itself_only() {
    let folder = counted(&[event(1, json!({})), event(2, json!({"org": "acme"}))]);
    for (query, seen) in [("", 1), ("org=acme", 0), ("org=default&org=acme", 1)] {
        let members = form_urlencoded::parse(query.as_bytes()).into_owned();
        let mut question = Question::read(members, noon() + TimeDelta::minutes(1)).unwrap();
        question.keep_to("default");
        assert_eq!(report(folder.path(), &question).unwrap().totals.requests, seen, "{query}");
    }
}

#[test]
fn the_same_event_is_counted_once_wherever_it_comes_from() {
    let folder = counted(&[event(1, json!({})), event(1, json!({}))]);
    let mut again = Ledger::open(folder.path()).unwrap();
    let mut other = Ledger::open(folder.path()).unwrap();
    assert_eq!(count(&mut again, &[event(1, json!({}))]), Counted { events: 0, again: 1, unreadable: 0 });
    assert_eq!(
        count(&mut again, &[event(2, json!({})), b"{".to_vec()]),
        Counted { events: 1, again: 0, unreadable: 1 }
    );
    assert_eq!(count(&mut other, &[event(2, json!({}))]).again, 1, "another process counted it");
    assert_eq!(ask(folder.path(), "").totals.requests, 2);
}

#[test]
fn what_was_surely_new_is_recognised_when_it_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path()).unwrap();
    let events: Vec<_> = (0..6).map(|id| event(id, json!({}))).collect();
    let mut count = |from: usize, doubtful: u64| {
        let mut tally = ledger.begin(Origin { name: "0", is_shared: false, doubtful }).unwrap();
        let entry = |n: usize| Entry { end: n as u64 + 1, event: &events[n] };
        tally.add(&(from..from + 2).map(entry).collect::<Vec<_>>()).unwrap();
        let Counted { events, again, .. } = tally.commit(from as u64 + 2, 7).unwrap();
        (events, again)
    };
    assert_eq!((count(0, 2), count(2, 3), count(4, 3)), ((2, 0), (2, 0), (2, 0)));
    assert_eq!([0, 2, 4].map(|from| count(from, 6)), [(0, 2); 3], "of doubt, of half a doubt, and of none");
    assert_eq!(ask(folder.path(), "").totals.requests, 6);
}

#[test]
fn what_several_processes_read_is_counted_by_one_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let (mut one, mut other) = (Ledger::open(folder.path()).unwrap(), Ledger::open(folder.path()).unwrap());
    let events: Vec<_> = (0..6).map(|id| event(id, json!({}))).collect();
    let read = |ledger: &mut Ledger, until: usize| {
        ledger.connection().execute("DELETE FROM recent", []).unwrap(); // long ago
        let batch =
            Batch { entries: &entries(&events[..until]), source: "s", is_shared: true, until: until as u64, millis: 7 };
        ledger.count(&batch).unwrap().events
    };
    assert_eq!((read(&mut one, 4), read(&mut other, 2), read(&mut other, 6), read(&mut one, 5)), (4, 0, 2, 0));
    assert_eq!(one.position("s").unwrap().unwrap().until, 6);
    assert_eq!(ask(folder.path(), "").totals.requests, 6);
}

#[test]
fn events_long_ago_are_forgotten_so_that_memory_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path()).unwrap();
    let thousand = |from: usize| (from..from + 1_000).map(|id| event(id, json!({}))).collect::<Vec<_>>();
    for from in (0..RECENT + 3_000).step_by(1_000) {
        count(&mut ledger, &thousand(from));
    }
    let ids: i64 =
        ledger.connection().query_row("SELECT sum(length(ids)) / 8 FROM recent", [], |row| row.get(0)).unwrap();
    assert!((RECENT..RECENT + 1_000).contains(&usize::try_from(ids).unwrap()), "{ids}");
    assert_eq!(count(&mut ledger, &thousand(RECENT - 1_000)).again, 1_000);
}

#[test]
fn junk_is_counted_as_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path()).unwrap().with_most_series(10);
    let junk = |id: usize| {
        event(id, json!({"user_id": format!("u{id}"), "model_served": format!("m{id}"), "metadata": {"a": id}}))
    };
    for id in 0..100 {
        count(&mut ledger, &[junk(id)]);
    }
    let users = ask(folder.path(), "group_by=user,metadata.a");
    assert_eq!(users.data.len(), 11);
    let other = users.data.iter().find(|row| row.user.as_deref() == Some("other")).unwrap();
    assert_eq!((other.requests, other.metadata.as_ref().unwrap()["a"].as_str()), (90, "other"));
    let models = ask(folder.path(), "group_by=model");
    assert_eq!((models.data.len(), models.totals.requests), (21, 100), "ten whole, ten by model, and the others");
    count(
        &mut ledger,
        &[event("long", json!({"metadata": {"long": "x".repeat(2_000)}, "started_at": noon() - TimeDelta::hours(9)}))],
    );
    assert_eq!(ask(folder.path(), "metadata.long=other&to=2026-11-28T11:00:00Z").totals.requests, 1);
}

#[test]
fn what_is_too_old_goes() {
    let folder = counted(&[event(1, json!({"started_at": noon() - MONTH, "user_id": "old"})), event(2, json!({}))]);
    let mut ledger = Ledger::open(folder.path()).unwrap();
    ledger.trim(noon(), MONTH).unwrap();
    assert_eq!(ask(folder.path(), "from=2020-01-01").totals.requests, 2, "not its last hour yet");
    ledger.trim(noon() + TimeDelta::hours(1), MONTH).unwrap();
    assert_eq!(ask(folder.path(), "from=2020-01-01").totals.requests, 1);
    let series: i64 = ledger.connection().query_row("SELECT count(*) FROM series", [], |row| row.get(0)).unwrap();
    assert_eq!(series, 1);
}

#[test]
fn a_full_disk_counts_nothing_and_later_everything_once() {
    let folder = counted(&[event(0, json!({}))]);
    let mut ledger = Ledger::open(folder.path()).unwrap();
    let events: Vec<_> = (0..500).map(|id| event(id, json!({"user_id": format!("user {id}")}))).collect();
    let batch = Batch { entries: &entries(&events), source: "0", is_shared: false, until: 2, millis: 8 };
    ledger.connection().execute_batch("PRAGMA max_page_count = 12").unwrap();
    assert!(ledger.count(&batch).unwrap_err().to_string().contains("full"));
    assert_eq!(ask(folder.path(), "").totals.requests, 1);
    assert_eq!(ledger.position("0").unwrap(), Some(Position { until: 1, millis: 7 }));
    ledger.connection().execute_batch("PRAGMA max_page_count = 100000").unwrap();
    assert_eq!(ledger.count(&batch).unwrap(), Counted { events: 499, again: 1, unreadable: 0 });
    assert_eq!(ledger.position("0").unwrap(), Some(Position { until: 2, millis: 8 }));
}

fn open(path: &Path) -> Arc<Spool> {
    let options = Options { path: path.join("spool"), most: 1 << 30, when_full: WhenFull::Refuse, most_open: 2_000 };
    Arc::new(Spool::open(options, &crate::api::Ending::interrupted()).unwrap())
}

fn record(spool: &Spool, events: std::ops::Range<u32>) {
    let all = spool.state().written() + events.len() as u64;
    for id in events {
        let event = event(id, json!({}));
        let half = event.len() / 2;
        let put = |part: Vec<u8>| {
            move |out: &mut [u8]| {
                out[..part.len()].copy_from_slice(&part);
                Some(part.len())
            }
        };
        spool.admit(put(event[..half].to_vec())).unwrap().finish(put(event[half..].to_vec()));
    }
    let began = std::time::Instant::now();
    while spool.state().written() < all {
        assert!(began.elapsed() < Duration::from_secs(30), "{} of {all} are written", spool.state().written());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Counts what there is, as a gateway that is being stopped does.
fn feed(folder: &Path, spool: &Arc<Spool>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    let analytics = Analytics::new(folder.to_owned(), MONTH, Arc::default());
    runtime.block_on(Feed::new(analytics, spool.clone()).run(stop));
}

#[test]
fn a_kill_between_counting_and_releasing_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    record(&spool, 0..10);
    spool.close();
    let mut reader = spool.logs()[0].reader("analytics").unwrap();
    let records = reader.read(1 << 20).unwrap();
    let counted: Vec<_> = records.iter().map(|record| Entry { end: record.end, event: &record.bytes }).collect();
    let (until, millis) = (reader.position(), records.last().unwrap().millis);
    let mut ledger = Ledger::open(folder.path()).unwrap();
    ledger.count(&Batch { entries: &counted, source: "0", is_shared: false, until, millis }).unwrap();
    // killed here: the spool has not heard of it, and who was counted is forgotten
    ledger.connection().execute("DELETE FROM recent", []).unwrap();
    drop((ledger, reader, spool));

    let spool = open(folder.path());
    record(&spool, 10..15);
    spool.close();
    feed(folder.path(), &spool);
    assert_eq!(ask(folder.path(), "from=2020-01-01").totals.requests, 15);
    assert!(spool.logs().iter().all(|log| log.is_empty()));
}

fn hand_over(folder: &Path, spool: &Spool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let analytics = Analytics::new(folder.to_owned(), MONTH, Arc::default());
    for log in spool.logs() {
        runtime.block_on(analytics.hand_over(&log)).unwrap();
    }
}

/// Counts these events as they come from a stream, when everything recent has been forgotten.
fn from_stream(folder: &Path, sequences: std::ops::Range<u64>) -> Counted {
    let mut ledger = Ledger::open(folder).unwrap();
    ledger.connection().execute("DELETE FROM recent", []).unwrap();
    let events: Vec<_> = sequences.clone().map(|id| event(id, json!({}))).collect();
    let entries: Vec<_> =
        events.iter().zip(sequences.clone()).map(|(event, at)| Entry { end: at + 1, event }).collect();
    let batch = Batch { entries: &entries, source: "stream", is_shared: true, until: sequences.end, millis: 7 };
    ledger.count(&batch).unwrap()
}

#[test]
fn what_was_counted_before_there_was_a_stream_is_not_counted_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    record(&spool, 0..20);
    feed(folder.path(), &spool);
    record(&spool, 20..30);
    hand_over(folder.path(), &spool);
    hand_over(folder.path(), &spool); // the publisher has been restarted
    assert_eq!(from_stream(folder.path(), 0..30), Counted { events: 10, again: 20, unreadable: 0 });
    assert_eq!(ask(folder.path(), "from=2020-01-01").totals.requests, 30);
    spool.close();
}

#[test]
fn what_is_counted_between_two_streams_is_what_neither_has() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    record(&spool, 0..20);
    let log = spool.logs().remove(0);
    let records = log.reader("nats").unwrap().read(1 << 20).unwrap();
    log.release("nats", records[4].end).unwrap(); // five of them are in the stream, and not counted yet
    log.dismiss("nats");
    feed(folder.path(), &spool);
    assert_eq!(ask(folder.path(), "from=2020-01-01").totals.requests, 15);
    hand_over(folder.path(), &spool);
    assert_eq!(from_stream(folder.path(), 0..20), Counted { events: 5, again: 15, unreadable: 0 });
    spool.close();
}

#[test]
fn nothing_waits_in_the_spool_for_who_counts_from_the_stream() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    record(&spool, 0..5);
    feed(folder.path(), &spool);
    record(&spool, 5..20);
    hand_over(folder.path(), &spool);
    let log = spool.logs().remove(0);
    let reader = log.reader("nats").unwrap();
    spool.close();
    reader.release(log.size()).unwrap();
    assert!(log.is_empty());
}

#[test]
fn a_stream_that_has_lost_its_end_is_counted_from_there() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(from_stream(folder.path(), 0..20).events, 20);
    Ledger::open(folder.path()).unwrap().step_back("stream", 15).unwrap();
    assert_eq!(from_stream(folder.path(), 10..17), Counted { events: 2, again: 5, unreadable: 0 });
}

#[test]
fn what_is_expected_is_forgotten_with_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path()).unwrap();
    let millis = u64::try_from((noon() - MONTH).timestamp_millis()).unwrap();
    ledger.expect(&[1, u64::MAX], millis).unwrap();
    let many = |ledger: &Ledger| -> i64 {
        ledger.connection().query_row("SELECT count(*) FROM expected", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(many(&ledger), 2);
    ledger.trim(noon() + TimeDelta::hours(1), MONTH).unwrap();
    assert_eq!(many(&ledger), 0);
}

#[test]
fn a_new_spool_in_the_old_ones_place_is_counted_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    record(&spool, 0..50);
    spool.close();
    feed(folder.path(), &spool);
    drop(spool);
    std::fs::remove_dir_all(folder.path().join("spool")).unwrap();
    let spool = open(folder.path());
    record(&spool, 100..160);
    spool.close();
    feed(folder.path(), &spool);
    assert_eq!(ask(folder.path(), "from=2020-01-01").totals.requests, 110);
}

#[test]
fn a_damaged_file_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(database::path(folder.path()), [b'x'; 4_096]).unwrap();
    let spool = open(folder.path());
    record(&spool, 0..5);
    spool.close();
    feed(folder.path(), &spool);
    feed(folder.path(), &spool);
    assert_eq!(ask(folder.path(), "from=2020-01-01").totals.requests, 5);
    let names =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().any(|name| name.starts_with("usage.db.damaged-")));
}

/// A request as it might be, by what it is told apart by and what it counts.
#[derive(Debug, Clone)]
struct Made {
    hour: i64,
    key: u8,
    user: u8,
    status: UsageStatus,
    team: Option<u8>,
    input: u64,
    attodollars: Option<u64>,
}

use crate::api::UsageStatus;

fn made() -> impl Strategy<Value = Made> {
    let status = prop::sample::select(UsageStatus::ALL.to_vec());
    let numbers = (0_u64..1 << 40, prop::option::of(0_u64..1 << 60));
    let facts = (0_i64..50, 0_u8..3, 0_u8..3, status, prop::option::of(0_u8..3), numbers);
    facts.prop_map(|(hour, key, user, status, team, (input, attodollars))| Made {
        hour,
        key,
        user,
        status,
        team,
        input,
        attodollars,
    })
}

impl Made {
    fn event(&self, id: usize) -> Vec<u8> {
        let cost = self.attodollars.map(|attodollars| Usd::joined(3, attodollars).to_string());
        event(
            id,
            json!({
                "started_at": noon() - TimeDelta::hours(self.hour), "key_id": format!("k{}", self.key), "status": self.status,
                "user_id": format!("u{}", self.user), "tokens": {"input": self.input, "output": 1}, "cost_usd": cost,
                "metadata": self.team.map_or(json!({}), |team| json!({"team": team})),
            }),
        )
    }

    fn label(&self, group: &str) -> Option<String> {
        let moment = noon() - TimeDelta::hours(self.hour);
        match group {
            "day" => Some(moment.format("%Y-%m-%d").to_string()),
            "hour" => Some(moment.format("%Y-%m-%dT%H:00:00Z").to_string()),
            "key" => Some(format!("k{}", self.key)),
            "user" => Some(format!("u{}", self.user)),
            "status" => Some(self.status.name().to_owned()),
            _ => self.team.map(|team| team.to_string()),
        }
    }
}

fn label(row: &UsageRow, group: &str) -> Option<String> {
    match group {
        "day" => row.day.clone(),
        "hour" => row.hour.clone(),
        "key" => row.key.clone(),
        "user" => row.user.clone(),
        "status" => row.status.clone(),
        _ => row.metadata.as_ref().map(|metadata| metadata["team"].clone()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn sums_are_those_of_the_events_and_pages_have_every_row_once(
        made in prop::collection::vec(made(), 1..80),
        groups in prop::sample::subsequence(vec!["day", "hour", "key", "user", "status", "metadata.team"], 1..=4).prop_shuffle(),
        cuts in prop::collection::vec(1_usize..20, 8),
        limit in 1_usize..7,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(folder.path()).unwrap();
        let events: Vec<_> = made.iter().enumerate().map(|(id, made)| made.event(id)).collect();
        let mut rest = &events[..];
        for cut in cuts.into_iter().cycle() {
            let (batch, later) = rest.split_at(cut.min(rest.len()));
            count(&mut ledger, batch);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        let mut naive: BTreeMap<Vec<Option<String>>, (u64, u64, Usd, u64)> = BTreeMap::new();
        for made in &made {
            let labels = groups.iter().map(|group| made.label(group)).collect();
            let sum = naive.entry(labels).or_default();
            sum.0 += 1;
            sum.1 += made.input;
            match made.attodollars {
                Some(attodollars) => sum.2 = sum.2 + Usd::joined(3, attodollars),
                None if made.status == UsageStatus::Replayed => {}
                None => sum.3 += 1,
            }
        }
        let mut told = Vec::new();
        let mut cursor = String::new();
        loop {
            let query = format!("group_by={}&limit={limit}{cursor}", groups.join(","));
            let report = ask(folder.path(), &query);
            prop_assert_eq!(report.totals.requests, made.len() as u64);
            told.extend(report.data);
            match report.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let told: Vec<_> = told.iter().map(|row| {
            let labels: Vec<_> = groups.iter().map(|group| label(row, group)).collect();
            let cost = row.cost_usd.as_ref().map_or(Usd::default(), |cost| Usd::parse(cost).unwrap());
            (labels, (row.requests, row.tokens.input, cost, row.unpriced))
        }).collect();
        prop_assert_eq!(told, naive.into_iter().collect::<Vec<_>>());
    }
}

/// Time goes on through a month at the most; 60 series: 5 keys with 4 models and 3 teams each.
fn grown(events: usize, hours: usize) -> (TempDir, u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path()).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let begin = noon() - TimeDelta::hours(hours as i64);
    let mut make = |id: usize| {
        event(
            id,
            json!({
                "started_at": begin + TimeDelta::seconds((id * hours * 3_600 / events) as i64),
                "key_id": format!("key-{}", random.u8(0..5)), "model_served": format!("model-{}", random.u8(0..4)),
                "metadata": {"team": random.u8(0..3)}, "cost_usd": format!("0.{:09}", random.u32(0..10_000_000)),
                "tokens": {"input": random.u64(1..9_000), "output": random.u64(1..900)},
                "duration_ms": 200 + (random.f64().powi(4) * 20_000.0) as u64, "first_token_ms": 50 + random.u64(0..900),
            }),
        )
    };
    for first in (0..events).step_by(1_000) {
        let batch: Vec<_> = (first..(first + 1_000).min(events)).map(&mut make).collect();
        count(&mut ledger, &batch);
    }
    ledger.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let size = std::fs::metadata(database::path(folder.path())).unwrap().len();
    (folder, size)
}

/// `PRISM_EVENTS=10000000 cargo test growth -- --nocapture` says what ten million come to, and a tenth of them.
#[test]
fn growth_follows_what_is_told_apart_and_not_the_requests() {
    let events: usize = std::env::var("PRISM_EVENTS").ok().and_then(|many| many.parse().ok()).unwrap_or(20_000);
    let hours = (events / 1_000).clamp(1, 720);
    let (_, tenth) = grown(events / 10, hours);
    let began = std::time::Instant::now();
    let (folder, size) = grown(events, hours);
    let counted = began.elapsed();
    let began = std::time::Instant::now();
    assert_eq!(ask(folder.path(), "from=2026-10-01&group_by=day,model,key").totals.requests, events as u64);
    println!(
        "{events} events in {hours} hours: {:.2} MB; a tenth of them: {:.2} MB; {:.1} µs each, the question {:.0} ms",
        size as f64 / 1e6,
        tenth as f64 / 1e6,
        counted.as_secs_f64() * 1e6 / events as f64,
        began.elapsed().as_secs_f64() * 1e3
    );
    assert!(size < 4 * tenth, "ten times the requests");
}
