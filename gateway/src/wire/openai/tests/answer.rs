use super::*;

fn answer(body: &str, quirks: &'static Quirks) -> (String, Option<TokenUsage>) {
    let answer =
        OpenAi.answer(&reading(quirks, false), &HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes())).unwrap();
    (String::from_utf8(answer.body.to_vec()).unwrap(), answer.usage)
}

fn usage(json: &str) -> Option<TokenUsage> {
    answer(&format!(r#"{{"choices":[],{json}}}"#), &NONE).1
}

#[test]
fn usage_is_read_in_every_form() {
    let full = r#""usage":{"prompt_tokens":10,"completion_tokens":7.0,"total_tokens":17,"queue_time":0.1,
        "prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2,"audio_tokens":1,"x":{}},
        "completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":null,"accepted_prediction_tokens":1}}"#;
    let expected = TokenUsage {
        input: 10,
        output: 7,
        cached_read: 4,
        cached_write: 2,
        reasoning: 3,
        audio_input: 1,
        audio_output: 0,
        ..TokenUsage::default()
    };
    assert_eq!(usage(full), Some(expected));
    let counts = |json: &str| usage(json).map(|usage| (usage.input, usage.output));
    assert_eq!(counts(r#""usage":{"prompt_tokens":5,"total_tokens":5}"#), Some((5, 0)));
    assert_eq!(counts(r#""usage":{"total_tokens":5}"#), Some((5, 0)));
    let units = |json: &str| usage(json).map(|usage| (usage.input, usage.searches));
    assert_eq!(units(r#""usage":{"search_units":2}"#), Some((0, 2)));
    assert_eq!(units(r#""usage":{"total_tokens":5,"search_units":1}"#), Some((5, 1)));
    assert_eq!(counts(r#""usage":{"prompt_tokens":"5","completion_tokens":2,"total_tokens":7}"#), Some((5, 2)));
    assert_eq!(
        counts(r#""usage":null,"x_groq":{"id":"x","usage":{"prompt_tokens":1,"completion_tokens":2}}"#),
        Some((1, 2))
    );
    assert_eq!(counts(r#""usage":{"prompt_tokens":-1,"completion_tokens":[1]}"#), None);
    assert_eq!(counts(r#""usage":{}"#), None);
    assert_eq!(counts(r#""usage":7"#), None);
    assert_eq!(counts(r#""x":1"#), None);
}

#[test]
fn reasoning_counted_beside_the_completion_is_output_too() {
    let usage = usage(
        r#""usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":20}}"#,
    );
    assert_eq!(usage.map(|usage| (usage.output, usage.reasoning)), Some((25, 20)));
}

#[test]
fn an_answer_comes_back_untouched() {
    let body = Bytes::from_static(b" {\"choices\" : [{\"finish_reason\":\"eos\"}],\"n\":1.0e0, \"error\":null}\n");
    let answer = OpenAi.answer(&reading(&NONE, true), &HeaderMap::new(), body.clone()).unwrap();
    assert_eq!(answer.body.as_ptr(), body.as_ptr());
    assert_eq!(answer.body.len(), body.len());
}

#[test]
fn an_error_in_disguise_is_an_error() {
    let body = Bytes::from_static(br#"{"id":"x","error":{"code":429,"message":"slow down"}}"#);
    let refusal = OpenAi.answer(&reading(&NONE, false), &HeaderMap::new(), body).unwrap_err();
    assert_eq!((refusal.cause, &*refusal.message), (Cause::RateLimited, "slow down"));
    assert_eq!(refusal.upstream_status, Some(429));
}

#[test]
fn what_is_no_answer_is_refused() {
    for body in ["", "<html>", "[]", "\"x\"", "{\"a\":1", "{} x", "{\"choices\":[\"\u{1}\"]}"] {
        let refusal = OpenAi.answer(&reading(&NONE, false), &HeaderMap::new(), Bytes::from(body)).unwrap_err();
        assert_eq!((refusal.cause, &*refusal.message), (Cause::Upstream, "the provider's answer could not be read"));
    }
}

#[test]
fn finish_reasons_are_spelled_openais_way() {
    let body = r#"{"choices":[{"finish_reason" : "eos","x":"eos"},{"finish_reason":"model_length"},{"finish_reason":"stop"}]}"#;
    let expected =
        r#"{"choices":[{"finish_reason" : "stop","x":"eos"},{"finish_reason":"length"},{"finish_reason":"stop"}]}"#;
    assert_eq!(answer(body, &STRICT).0, expected);
}

#[test]
fn content_lists_become_text_and_reasoning() {
    let message =
        |content: &str| format!(r#"{{"choices":[{{"message":{{"content":{content},"role":"assistant"}}}}]}}"#);
    let cases = [
        (
            r#"[{"type":"thinking","thinking":[{"type":"text","text":"h\u006dm"},{"type":"text","text":"!"}]},{"type":"text","text":"a\"b"},{"type":"text","text":"é"}]"#,
            r#""a\"bé","reasoning_content":"h\u006dm!""#,
        ),
        (r#"[{"type":"thinking","thinking":"t"}]"#, r#""","reasoning_content":"t""#),
        (r#"["a",{"type":"reference","reference_ids":[1]},{"type":"text","text":"b"}]"#, r#""ab""#),
        ("[]", r#""""#),
        (r#""plain""#, r#""plain""#),
        ("null", "null"),
    ];
    for (content, expected) in cases {
        assert_eq!(answer(&message(content), &STRICT).0, message(expected));
    }
}

#[test]
fn a_repeated_tool_id_is_the_clients_again() {
    let reading = Reading { tool_ids: vec![("AAAAAAAAA".into(), "call_\"1".into())], ..reading(&NONE, false) };
    let body =
        r#"{"choices":[{"message":{"content":"\"AAAAAAAAA\"","tool_calls":[{"id":"AAAAAAAAA"},{"id":"BBBBBBBBB"}]}}]}"#;
    let answer = OpenAi.answer(&reading, &HeaderMap::new(), Bytes::from(body)).unwrap();
    assert_eq!(answer.body, body.replace(r#""id":"AAAAAAAAA""#, r#""id":"call_\"1""#));
}

#[test]
fn model_lists_come_in_several_shapes() {
    let ids = |body: &str| OpenAi.models(body.as_bytes()).map(|page| page.ids);
    assert_eq!(ids(r#"{"data":[{"id":"b"},{"id":"a"},{"id":"b"},{"x":1}]}"#).unwrap(), ["b", "a"]);
    assert_eq!(ids(r#"[{"id":"a"},"b"]"#).unwrap(), ["a", "b"]);
    assert_eq!(ids(r#"{"models":[{"name":"a"},{"name":"x","id":"b"},{"model":"c"}]}"#).unwrap(), ["a", "b", "c"]);
    assert_eq!(ids(r#"{"data":[]}"#).unwrap(), [""; 0]);
    assert!(ids(&format!(r#"{{"data":[{{"id":"{}"}},{{"id":"a\nb"}}]}}"#, "x".repeat(513))).unwrap().is_empty());
    let many: Vec<String> = (0..10_100).map(|n| format!("\"{n}\"")).collect();
    assert_eq!(ids(&format!("[{}]", many.join(","))).unwrap().len(), 10_000);
    for body in ["", "{}", "<html>", r#"{"data":1}"#] {
        assert_eq!(ids(body).unwrap_err().message, "the provider's model list could not be read");
    }
    assert_eq!(ids(r#"{"error":{"message":"no","code":429}}"#).unwrap_err().cause, Cause::RateLimited);
}
