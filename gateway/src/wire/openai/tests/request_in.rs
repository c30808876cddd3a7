use super::*;

#[test]
fn spans_cover_exactly_what_was_sent() {
    let body = "\n{ \"mod\\u0065l\" : \"gpt-\\u0034o\",\t\"messages\" : [ {\"role\":\"user\",\"content\":\"h\\\"i\"} ] ,\n\"stream\":true , \"x-new\":{\"a\":[1]}}\r\n ";
    let request = chat(body);
    let spans: Vec<_> = request
        .envelope
        .fields
        .iter()
        .map(|field| (&*field.name, &body[field.member.clone()], &body[field.value.clone()]))
        .collect();
    assert_eq!(
        spans,
        [
            ("model", "\"mod\\u0065l\" : \"gpt-\\u0034o\"", "\"gpt-\\u0034o\""),
            (
                "messages",
                "\"messages\" : [ {\"role\":\"user\",\"content\":\"h\\\"i\"} ]",
                "[ {\"role\":\"user\",\"content\":\"h\\\"i\"} ]"
            ),
            ("stream", "\"stream\":true", "true"),
            ("x-new", "\"x-new\":{\"a\":[1]}", "{\"a\":[1]}"),
        ]
    );
    assert_eq!((&*request.envelope.model, request.envelope.stream), ("gpt-4o", true));
    assert!(matches!(request.envelope.fields[0].name, std::borrow::Cow::Borrowed(_)));
}

#[test]
fn messages_may_stand_last() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":[]}]   }  "#;
    let request = chat(body);
    let field = request.envelope.field("messages").unwrap();
    assert_eq!(&body[field.value.clone()], r#"[{"role":"user","content":[]}]"#);
}

#[test]
fn facts_say_what_the_messages_contain() {
    let facts = |message: &str| chat(&format!(r#"{{"messages":[{message}],"model":"m"}}"#)).envelope.facts;
    let plain = facts(r#"{"role":"assistant","content":null,"refusal":null,"audio":null,"function_call":null}"#);
    assert_eq!(plain, Default::default());
    assert!(facts(r#"{"role":"user","name":"x"}"#).named);
    assert!(facts(r#"{"role":"d\u0065veloper"}"#).developer);
    assert!(facts(r#"{"role":"tool","tool_call_id":"x"}"#).tool_ids);
    assert!(facts(r#"{"role":"assistant","tool_calls":[]}"#).tool_ids);
    assert!(facts(r#"{"role":"assistant","reasoning_content":"x"}"#).foreign_fields);
}

#[test]
fn usage_asked_for_is_seen() {
    let asked = |options: &str| {
        let body =
            format!(r#"{{"model":"m","messages":[{{"role":"user"}}],"stream":null,"stream_options":{options}}}"#);
        chat(&body).envelope.include_usage
    };
    assert!(asked(r#"{"include_usage":true,"x":1}"#));
    assert!(!asked(r#"{"include_usage":false}"#));
    assert!(!asked(r#"{"include_usage":null}"#));
    assert!(!asked("{}"));
    assert!(!asked("null"));
}

#[test]
fn what_is_refused_names_its_field_and_nothing_else() {
    let cases = [
        (r#""#, None, "the body is empty: a JSON object is needed"),
        (r#"["SECRET"]"#, None, "the body must be a JSON object"),
        (r#"{"model":"m" "SECRET"}"#, None, "the body is not valid JSON: expected `,` or `}` at line 1 column 14"),
        (r#"{"model":"m","messages":[{"role":"user"}]} SECRET"#, None, "trailing characters"),
        (r#"{"model":"m","messages":[{"role":"user"},]}"#, None, "trailing comma"),
        (r#"{"model":"m","messages":[{"role":"user"}"#, None, "EOF"),
        (r#"{"messages":[{"role":"user"}]}"#, Some("model"), "you must provide a model parameter"),
        (r#"{"model":null}"#, Some("model"), "you must provide a model parameter"),
        (r#"{"model":" "}"#, Some("model"), "you must provide a model parameter"),
        (r#"{"model":["SECRET"]}"#, Some("model"), "`model` must be a string"),
        (r#"{"model":"m"}"#, Some("messages"), "`messages` is required"),
        (r#"{"model":"m","messages":null}"#, Some("messages"), "`messages` is required"),
        (r#"{"model":"m","messages":"SECRET"}"#, Some("messages"), "`messages` must be an array"),
        (r#"{"model":"m","messages":[]}"#, Some("messages"), "`messages` must not be empty"),
        (r#"{"messages":[{"role":"user"},"SECRET"]}"#, Some("messages[1]"), "`messages[1]` must be an object"),
        (r#"{"messages":[{"role":"user"},{}]}"#, Some("messages[1].role"), "`messages[1].role` is required"),
        (r#"{"messages":[{"role":{"SECRET":1}}]}"#, Some("messages[0].role"), "must be a string"),
        (r#"{"temperature":"SECRET"}"#, Some("temperature"), "`temperature` must be a number"),
        (r#"{"n":1.5}"#, Some("n"), "`n` must be an integer"),
        (r#"{"stop":{}}"#, Some("stop"), "`stop` must be a string or an array"),
        (r#"{"stream":"true"}"#, Some("stream"), "`stream` must be a boolean"),
        (r#"{"stream_options":{"include_usage":"SECRET"}}"#, Some("stream_options.include_usage"), "must be a boolean"),
        (r#"{"model":"a","mod\u0065l":"b"}"#, Some("model"), "`model` is given more than once"),
        (r#"{"x":1,"x":2}"#, Some("x"), "`x` is given more than once"),
        (r#"{"SECRET secret":1,"SECRET secret":2}"#, None, "more than once"),
        (r#"{"\ud800":1}"#, None, "invalid escape"),
    ];
    for (body, param, message) in cases {
        let refusal = refused(body);
        assert_eq!(refusal.cause, Cause::Invalid, "{body}");
        assert_eq!(refusal.param.as_deref(), param, "{body}");
        assert!(refusal.message.contains(message), "{body}: {}", refusal.message);
        assert!(!refusal.message.contains("SECRET"), "{body}: {}", refusal.message);
    }
}

#[test]
fn other_endpoints_have_other_essentials() {
    let of = |endpoint, body: &'static str| read(endpoint, Bytes::from_static(body.as_bytes()));
    assert!(of(Endpoint::Completions, r#"{"model":"m","prompt":["a"],"logprobs":3}"#).is_ok());
    assert!(of(Endpoint::Embeddings, r#"{"model":"m","input":"a","messages":[]}"#).is_ok());
    assert_eq!(of(Endpoint::Completions, r#"{"model":"m"}"#).unwrap_err().param.as_deref(), Some("prompt"));
    assert_eq!(of(Endpoint::Embeddings, r#"{"model":"m","input":null}"#).unwrap_err().param.as_deref(), Some("input"));
}

#[test]
fn invalid_utf8_is_refused_wherever_it_is() {
    let body = b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}";
    let refusal = read(Endpoint::ChatCompletions, Bytes::from_static(body)).unwrap_err();
    assert!(refusal.message.contains("UTF-8"));
}

#[test]
fn duplicates_are_found_among_many_fields_and_their_number_is_bounded() {
    let body = |count: usize, last: &str| {
        let fields: String = (0..count).map(|n| format!(r#""f{n}":0,"#)).collect();
        format!(r#"{{{fields}"{last}":1,"model":"m","messages":[{{"role":"user"}}]}}"#)
    };
    for count in [20, 32, 33, 60, 900] {
        assert_eq!(refused(&body(count, "f7")).param.as_deref(), Some("f7"));
        assert!(refused(&body(count, "f\\u0037")).message.contains("more than once"));
        assert_eq!(chat(&body(count, "new")).envelope.fields.len(), count + 3);
    }
    assert!(refused(&body(1_000, "new")).message.contains("1000 fields"));
}

#[test]
fn deep_nesting_takes_no_stack() {
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let request = chat(&format!(r#"{{"model":"m","x":{deep},"messages":[{{"role":"user","content":{deep}}}]}}"#));
    let (body, _) = upstream(&request, "other", &STRICT);
    assert!(body.contains("vendor/other"));
    let unclosed = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{}"#, "[{\"a\":".repeat(200_000));
    assert!(refused(&unclosed).message.contains("JSON"));
}
