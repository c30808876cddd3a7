use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::wire::StreamDecoder;

const CHUNK: &str = r#"{"id":"x","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}],"usage":null}"#;
const FINISH: &str = r#"{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#;
const USAGE: &str = r#"{"id":"x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;

struct Run {
    out: String,
    decoder: Box<dyn StreamDecoder>,
}

impl Run {
    fn usage(&self) -> Option<(u64, u64)> {
        self.decoder.seen().usage.map(|usage| (usage.input, usage.output))
    }
}

fn run(reading: &Reading, frames: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Run {
    let mut decoder = OpenAi.stream(reading);
    let mut out = VecDeque::new();
    for frame in frames {
        decoder.feed(Bytes::copy_from_slice(frame.as_ref()), &mut out);
    }
    decoder.end(&mut out);
    let out: Vec<u8> = out.into_iter().flatten().collect();
    Run { out: String::from_utf8(out).unwrap(), decoder }
}

/// Whole, byte by byte, and cut once at every place: always the same.
fn every_way(reading: &Reading, stream: &str, check: impl Fn(&Run)) {
    check(&run(reading, [stream]));
    check(&run(reading, stream.as_bytes().chunks(1)));
    for cut in 0..stream.len() {
        check(&run(reading, [&stream.as_bytes()[..cut], &stream.as_bytes()[cut..]]));
    }
}

#[test]
fn bytes_pass_unchanged_however_lines_end_and_frames_are_cut() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = format!(
            "\u{feff}: OPENROUTER PROCESSING\n\nevent: x\nid: 7\ndata:{CHUNK}\n\n\n\ndata: {{\"a\":\"\u{2028}\u{2029}\u{85}é\\n\"}}\n\ndata: {{\ndata:  \"b\":1}}\n\ndata\n\nretry: 5\n\ndata: {FINISH}\n\ndata: {USAGE}\n\ndata: [DONE]\n\n"
        );
        let stream = stream.replace('\n', end);
        every_way(&reading(&NONE, false), &stream, |run| {
            assert_eq!(run.out, stream);
            let seen = run.decoder.seen();
            assert!(seen.event && seen.complete && !seen.midway && seen.error.is_none());
            assert_eq!(run.usage(), Some((3, 4)));
        });
    }
}

#[test]
fn a_routine_frame_is_forwarded_itself() {
    let mut decoder = OpenAi.stream(&reading(&NONE, true));
    let mut out = VecDeque::new();
    for content in ["first", "usage", r#"\"usage\":{"#, r#"\"error\":1"#, "no \\u0022error\\u0022"] {
        let frame = Bytes::from(format!("data: {}\n\n", CHUNK.replace("hi", content)));
        decoder.feed(frame.clone(), &mut out);
        let forwarded = out.pop_front().unwrap();
        assert_eq!((forwarded.as_ptr(), forwarded.len()), (frame.as_ptr(), frame.len()), "{content}");
        assert!(out.is_empty());
    }
    assert!(decoder.seen().error.is_none() && decoder.seen().usage.is_none() && !decoder.seen().complete);
}

#[test]
fn the_usage_chunk_is_hidden_from_whoever_did_not_ask() {
    for end in ["\n", "\r\n", "\r"] {
        let stream =
            |usage: &str| format!("data: {CHUNK}\n\ndata: {FINISH}\n\n{usage}data: [DONE]\n\n").replace('\n', end);
        let sent = stream(&format!("data: {USAGE}\n\n"));
        // Cut between CR and LF, the LF is a blank line of its own: as good as none.
        let bare = |text: &str| text.replace("\r\n", "\n").replace("\n\n\n", "\n\n");
        every_way(&reading(&NONE, true), &sent, |run| {
            assert_eq!(bare(&run.out), bare(&stream("")));
            assert_eq!(run.usage(), Some((3, 4)));
            assert!(run.decoder.seen().complete);
        });
    }
}

#[test]
fn usage_beside_choices_is_read_and_never_hidden() {
    let last = r#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    let groq = r#"{"choices":[{"finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2}}}"#;
    for last in [last, groq] {
        let stream = format!("data: {CHUNK}\n\ndata: {last}\n\n");
        every_way(&reading(&NONE, true), &stream, |run| {
            assert_eq!((&*run.out, run.usage()), (&*stream, Some((1, 2))));
            assert!(run.decoder.seen().complete);
        });
    }
    let filters = "data: {\"choices\":[],\"prompt_filter_results\":[],\"usage\":null}\n\n";
    every_way(&reading(&NONE, true), filters, |run| assert_eq!(run.out, filters));
}

#[test]
fn the_last_usage_counts() {
    let usage = |n: u32| {
        format!("data: {{\"choices\":[{{}}],\"usage\":{{\"prompt_tokens\":1,\"completion_tokens\":{n}}}}}\n\n")
    };
    let stream = format!("{}{}{}", usage(1), usage(2), usage(3));
    every_way(&reading(&NONE, false), &stream, |run| assert_eq!(run.usage(), Some((1, 3))));
}

#[test]
fn a_stream_is_complete_when_it_says_so() {
    let complete = |stream: String, expected: bool| {
        every_way(&reading(&NONE, false), &stream, |run| assert_eq!(run.decoder.seen().complete, expected, "{stream}"));
    };
    complete(format!("data: {CHUNK}\n\ndata: {FINISH}\n\n"), true);
    complete(format!("data: {CHUNK}\n\ndata: {FINISH}\n\ndata: {USAGE}\n\n"), true);
    complete(format!("data: {CHUNK}\n\ndata:[DONE]"), true);
    complete(format!("data: {CHUNK}\n\n"), false);
    complete(format!("data: {}\n\n", FINISH.replace("stop", "")), false);
    complete(format!("data: {}\n\n", CHUNK.replace("hi", "[DONE] \\\"finish_reason\\\":\\\"stop\\\"")), false);
    complete(format!("data: {FINISH}\n\ndata: {}", &USAGE[..40]), false);
    complete(String::new(), false);
}

#[test]
fn what_is_held_at_the_end_goes_out_unless_it_is_cut() {
    let stream = format!("data: {CHUNK}\n\ndata: {FINISH}");
    every_way(&reading(&NONE, false), &stream, |run| {
        assert_eq!(run.out, stream);
        assert!(run.decoder.seen().complete && run.decoder.seen().midway);
    });
    every_way(&reading(&NONE, false), &stream[..stream.len() - 5], |run| {
        assert_eq!(run.out, format!("data: {CHUNK}\n\n"));
        assert!(!run.decoder.seen().complete && !run.decoder.seen().midway);
    });
}

#[test]
fn comments_and_empty_events_do_not_commit_the_head() {
    every_way(&reading(&NONE, false), ": ping\n\n\n\nevent: ping\n\ndata:\n\ndata: [DONE]\n\n", |run| {
        assert!(!run.decoder.seen().event && run.decoder.seen().complete);
    });
    every_way(&reading(&NONE, false), &format!(": ping\n\ndata: {CHUNK}\n\n"), |run| assert!(run.decoder.seen().event));
}

#[test]
fn an_error_event_ends_the_stream_and_is_not_forwarded() {
    let errors = [
        r#"data: {"error":{"code":429,"message":"slow https://x"},"choices":[{"finish_reason":"error"}]}"#,
        r#"data: {"id":"x" , "error" : {"code":"429","message":"slow https://x"}}"#,
        "event: error\ndata: {\"code\":429,\"message\":\"slow https://x\"}",
        "event:error\ndata:{\"status\":429,\"message\":\"slow https://x\"}",
    ];
    for error in errors {
        for before in ["", &format!("data: {CHUNK}\n\n")] {
            every_way(
                &reading(&NONE, false),
                &format!("{before}{error}\n\ndata: {CHUNK}\n\ndata: [DONE]\n\n"),
                |run| {
                    assert_eq!(run.out, before);
                    let seen = run.decoder.seen();
                    let refusal = seen.error.as_ref().unwrap();
                    assert_eq!((refusal.cause, &*refusal.message), (Cause::RateLimited, "slow [redacted]"));
                    assert_eq!((seen.event, seen.complete), (!before.is_empty(), false));
                },
            );
        }
    }
    every_way(&reading(&NONE, false), "data: {\"error\":null,\"choices\":[]}\n\n", |run| {
        assert!(run.decoder.seen().error.is_none() && run.decoder.seen().event);
    });
    every_way(&reading(&NONE, false), "{\"error\":\"not a stream\"}", |run| {
        assert_eq!(run.decoder.seen().error.as_ref().unwrap().message, "not a stream");
        assert_eq!(run.out, "");
    });
}

#[test]
fn mends_apply_to_each_event() {
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"t\"}]}]},\"finish_reason\":null}]}\r\n\r\ndata: {\"choices\":[{\"finish_reason\":\"eos\"}]}\n\ndata: [DONE]\n\n";
    let expected = "data: {\"choices\":[{\"delta\":{\"content\":\"\",\"reasoning_content\":\"t\"},\"finish_reason\":null}]}\r\n\r\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    every_way(&reading(&STRICT, false), stream, |run| assert_eq!(run.out.replace("\n\n\n", "\n\n"), expected));
}

#[test]
fn a_long_event_passes_in_pieces_and_its_usage_is_still_read() {
    let image = "i".repeat(300_000);
    let long = format!(
        "data: {{\"choices\":[{{\"delta\":\"{image}\",\"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":1,\"completion_tokens\":2}}}}"
    );
    let stream = format!("data: {CHUNK}\r\n\r\n{long}\r\n\r\n: done\r\n\r\n");
    for size in [1, 7, 1_000, 65_536, 70_000, 400_000] {
        let mut decoder = OpenAi.stream(&reading(&NONE, true));
        let mut out = VecDeque::new();
        let (mut fed, mut given) = (0, 0);
        for frame in stream.as_bytes().chunks(size) {
            decoder.feed(Bytes::copy_from_slice(frame), &mut out);
            fed += frame.len();
            given += out.drain(..).map(|piece| piece.len()).sum::<usize>();
            assert!(fed - given <= 64 << 10, "no more than 64 KiB is held");
            let ends = [CHUNK.len() + 10, CHUNK.len() + 10 + long.len() + 4, stream.len()];
            assert!(decoder.seen().midway || ends.iter().any(|end| given.abs_diff(*end) <= 1) || given == 0);
        }
        decoder.end(&mut out);
        assert_eq!(given, stream.len());
        assert!(decoder.seen().complete);
        assert_eq!(decoder.seen().usage.map(|usage| usage.output), Some(2), "{size}");
    }
}

#[test]
fn an_event_without_end_is_an_error() {
    let mut decoder = OpenAi.stream(&reading(&NONE, false));
    let mut out = VecDeque::new();
    let mut given = 0;
    for _ in 0..1_000 {
        decoder.feed(Bytes::from(vec![b'x'; 10_000]), &mut out);
        given += out.drain(..).map(|piece| piece.len()).sum::<usize>();
    }
    assert!(given <= 8 << 20);
    assert_eq!(decoder.seen().error.as_ref().unwrap().message, "the provider sent an event that is too long");
}

#[test]
fn a_long_error_event_is_an_error_and_not_forwarded() {
    let stream = format!("data: {{\"error\":{{\"message\":\"{}\"}}}}\n\n", "x".repeat(100_000));
    let run = run(&reading(&NONE, false), stream.as_bytes().chunks(1_000));
    assert_eq!(run.out, "");
    assert!(run.decoder.seen().failed());
}

fn event() -> impl Strategy<Value = String> {
    let line_end = || prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let line = prop_oneof![
        Just(format!("data: {CHUNK}")),
        Just(format!("data:{FINISH}")),
        Just(format!("data: {USAGE}")),
        Just("data: {\"choices\":[{\"delta\":{\"content\":\"\u{2028}\u{85} error [DONE] usage\"}}]}".to_owned()),
        Just("data: [DONE]".to_owned()),
        Just("data: not json".to_owned()),
        Just("data".to_owned()),
        ": ?[a-z]{0,5}",
        "event: (message|ping)",
        "",
    ];
    (prop::collection::vec((line, line_end()), 0..3), line_end())
        .prop_map(|(lines, end)| lines.iter().map(|(line, end)| format!("{line}{end}")).collect::<String>() + end)
}

proptest! {
    #[test]
    fn chunking_changes_nothing(
        events in prop::collection::vec(event(), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        mends in any::<bool>(),
    ) {
        // A CR that ends one line and an LF that ends the next are one CRLF: only the last end is sure to be one.
        let stream = events.concat() + "\n\n";
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let frames: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream.as_bytes()[cut[0]..cut[1]]).collect();
        let reading = reading(if mends { &STRICT } else { &NONE }, false);
        let cut = run(&reading, frames);
        let whole = run(&reading, [&stream]);
        prop_assert_eq!(&cut.out, &stream);
        prop_assert_eq!(&whole.out, &stream);
        let (cut, whole) = (cut.decoder.seen(), whole.decoder.seen());
        prop_assert_eq!((cut.event, cut.complete, cut.usage), (whole.event, whole.complete, whole.usage));
        prop_assert!(!cut.midway && cut.error.is_none());
    }

    #[test]
    fn nothing_a_provider_sends_panics(
        frames in prop::collection::vec("(data: ?|event: ?error|\\[DONE\\]|\"usage\":|\"error\":|\"choices\":|[{}\\[\\]\":,0a\r\n ]|\n\n){0,12}", 0..6),
        mends in any::<bool>(),
        hide in any::<bool>(),
    ) {
        run(&reading(if mends { &STRICT } else { &NONE }, hide), &frames);
    }
}
