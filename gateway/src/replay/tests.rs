//! What is kept, for whom, and for how long.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use proptest::prelude::*;

use super::{recording::MAX_KEPT, *};
use crate::memory::BodyMemory;

fn head() -> Head {
    Head { status: StatusCode::OK, headers: HeaderMap::new() }
}

fn name(owner: &str, key: &str) -> Name {
    Name::Idempotency { owner: Some(owner.into()), key: key.into() }
}

async fn text(reader: Reader) -> Vec<u8> {
    reader.collect().await.unwrap().to_bytes().to_vec()
}

#[tokio::test]
async fn readers_that_come_early_late_and_in_the_middle_read_the_same() {
    let recording = Recording::new(BodyMemory::unbounded());
    let early = recording.reader(0).unwrap();
    let writer = {
        let recording = recording.clone();
        tokio::spawn(async move {
            recording.begin(head());
            for piece in ["a", "b", "c"] {
                recording.push(Bytes::from_static(piece.as_bytes())).await;
                tokio::task::yield_now().await;
            }
            recording.finish();
        })
    };
    assert_eq!(early.head().await.unwrap().status, StatusCode::OK);
    assert_eq!(text(early).await, b"abc");
    writer.await.unwrap();
    assert_eq!(text(recording.reader(0).unwrap()).await, b"abc");
    assert_eq!(text(recording.reader(2).unwrap()).await, b"c");
    assert_eq!(text(recording.reader(3).unwrap()).await, b"");
    assert!(recording.reader(4).is_none() && recording.is_whole());
}

#[tokio::test(start_paused = true)]
async fn it_is_deserted_only_after_its_grace_without_any_reader() {
    let recording = Recording::new(BodyMemory::unbounded());
    let first = recording.reader(0).unwrap();
    let deserted = {
        let recording = recording.clone();
        tokio::spawn(async move { recording.deserted(Duration::from_secs(10)).await })
    };
    tokio::time::sleep(Duration::from_secs(100)).await;
    drop(first);
    tokio::time::sleep(Duration::from_secs(9)).await;
    let second = recording.reader(0).unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(!deserted.is_finished());
    drop(second);
    tokio::time::sleep(Duration::from_millis(10_001)).await;
    assert!(deserted.is_finished());
}

#[tokio::test]
async fn a_long_answer_is_not_kept_whole_and_waits_for_its_slowest_reader() {
    let recording = Recording::new(BodyMemory::unbounded());
    let mut slow = recording.reader(0).unwrap();
    let piece = Bytes::from(vec![b'x'; MAX_KEPT / 2]);
    let writer = {
        let (recording, piece) = (recording.clone(), piece.clone());
        tokio::spawn(async move {
            for _ in 0..5 {
                recording.push(piece.clone()).await;
            }
            recording.finish();
        })
    };
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!writer.is_finished() && recording.bytes() <= MAX_KEPT);
    let mut read = 0;
    while let Some(frame) = slow.frame().await {
        read += frame.unwrap().into_data().unwrap().len();
        assert!(recording.bytes() <= MAX_KEPT);
    }
    assert_eq!(read, 5 * piece.len());
    assert!(!recording.is_whole() && recording.reader(0).is_none());
}

#[tokio::test]
async fn where_no_memory_is_left_no_more_is_kept_and_the_end_gives_it_back() {
    const PIECE: usize = 50_000;
    let memory = BodyMemory::new(2 * PIECE as u64);
    let recording = Recording::new(memory.clone());
    let mut reader = recording.reader(0).unwrap();
    let writer = {
        let recording = recording.clone();
        tokio::spawn(async move {
            for _ in 0..5 {
                recording.push(Bytes::from(vec![b'x'; PIECE])).await;
            }
            recording.finish();
        })
    };
    for _ in 0..5 {
        assert_eq!(reader.frame().await.unwrap().unwrap().into_data().unwrap().len(), PIECE);
        assert!(recording.bytes() <= 2 * PIECE && memory.taken() <= 2 * PIECE as u64);
    }
    writer.await.unwrap();
    assert!(!recording.is_whole());
    assert_eq!(memory.taken(), 0);
}

#[tokio::test]
async fn a_writer_that_goes_away_leaves_nobody_waiting() {
    let recording = Recording::new(BodyMemory::unbounded());
    let reader = recording.reader(0).unwrap();
    recording.abandon();
    assert!(reader.head().await.is_none());
    assert!(text(reader).await.is_empty() && recording.reader(0).is_none());
}

#[test]
fn a_name_finds_its_own_request_and_nobody_elses() {
    let (replays, now) = (Replays::new(BodyMemory::unbounded()), Instant::now());
    let (one, other) = (Fingerprint::of("/v1/x", b"{}"), Fingerprint::of("/v1/x", b"{ }"));
    let Claim::New(first) = replays.claim(&[name("a", "k")], one, now) else { panic!("nobody has it") };
    let Claim::Known(again) = replays.claim(&[name("a", "k")], one, now) else { panic!("it is there") };
    assert!(Arc::ptr_eq(&first, &again));
    assert!(matches!(replays.claim(&[name("a", "k")], other, now), Claim::Other));
    assert!(
        matches!(replays.claim(&[name("b", "k")], other, now), Claim::New(_)),
        "another key's name is another name"
    );
    replays.forget(&[name("a", "k")]);
    assert!(matches!(replays.claim(&[name("a", "k")], other, now), Claim::New(_)));
}

#[tokio::test]
async fn what_is_kept_is_bounded_in_time_and_bytes() {
    let (replays, now) = (Replays::new(BodyMemory::unbounded()), Instant::now());
    let fingerprint = Fingerprint::of("/v1/x", b"");
    for n in 0..40 {
        let names = vec![name("a", &n.to_string())];
        let Claim::New(recording) = replays.claim(&names, fingerprint, now) else { panic!("new") };
        recording.begin(head());
        recording.push(Bytes::from(vec![0; 7 << 20])).await;
        recording.finish();
        replays.keep(names, &recording, now, Duration::from_secs(60));
        assert!(replays.bytes() <= 128 << 20);
    }
    assert!(replays.find(&name("a", "0"), now).is_none() && replays.find(&name("a", "39"), now).is_some());
    replays.sweep(now + Duration::from_secs(60));
    assert_eq!(replays.bytes(), 0);
    assert!(replays.find(&name("a", "39"), now).is_none());
}

#[test]
fn finished_answers_make_room_and_unfinished_ones_do_not() {
    let (replays, now) = (Replays::new(BodyMemory::unbounded()), Instant::now());
    let fingerprint = Fingerprint::of("/v1/x", b"");
    for n in 0..store::MAX_RECORDINGS {
        let names = vec![name("a", &n.to_string())];
        let Claim::New(recording) = replays.claim(&names, fingerprint, now) else { panic!("new") };
        if n == 7 {
            recording.begin(head());
            recording.finish();
            replays.keep(names, &recording, now, Duration::from_secs(60));
        }
    }
    assert!(matches!(replays.claim(&[name("a", "another")], fingerprint, now), Claim::New(_)));
    assert!(replays.find(&name("a", "7"), now).is_none() && replays.find(&name("a", "8"), now).is_some());
    assert!(matches!(replays.claim(&[name("a", "one more")], fingerprint, now), Claim::Full));
}

#[test]
fn a_long_event_in_parts_stays_one_event_with_one_number() {
    let long = "x".repeat(3 << 20);
    for end in ["\n", "\r\n"] {
        let whole = format!("data: a{end}{end}data: {long}{end}{end}data: b{end}{end}");
        let (mut numbered, mut pieces) = (Numbered::new("s"), Vec::new());
        for part in whole.as_bytes().chunks(700_001) {
            numbered.feed(part, |piece| pieces.push(piece));
        }
        assert!(numbered.end().is_none());
        let text = String::from_utf8(pieces.concat()).unwrap();
        let events: Vec<&str> = text.split_terminator(&format!("{end}{end}")).collect();
        let last = pieces.len() - 1;
        assert_eq!(events[0], "id: s:0\ndata: a");
        assert!(text.ends_with(&format!("id: s:{last}\ndata: b{end}{end}")), "{end:?}");
        assert!(text.contains(&format!("data: {long}{end}id: s:{}\n{end}", last - 1)), "{end:?}");
    }
}

proptest! {
    #[test]
    fn numbers_are_the_same_however_the_stream_was_cut(
        texts in prop::collection::vec("[a-zé\u{2028}]{0,12}", 1..12), cuts in prop::collection::vec(1..9_usize, 1..60),
    ) {
        let whole: String = texts.iter().map(|text| format!("data: {text}\n\n")).collect();
        let expected: Vec<String> =
            texts.iter().enumerate().map(|(n, text)| format!("id: s:{n}\ndata: {text}\n\n")).collect();
        let (mut numbered, mut out, mut rest) = (Numbered::new("s"), Vec::new(), whole.as_bytes());
        for cut in cuts.iter().cycle() {
            let (piece, left) = rest.split_at((*cut).min(rest.len()));
            numbered.feed(piece, |event| out.push(String::from_utf8(event.to_vec()).unwrap()));
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(numbered.end().is_none());
        prop_assert_eq!(out, expected);
    }
}
