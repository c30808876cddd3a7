use proptest::prelude::*;
use serde_json::Value;

use super::*;

const CALLS: &str = r#"{"model":"m","messages":[
 {"role":"developer","content":"d","name":null},
 {"role":"assistant","content":null,"reasoning_content":"r","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}},{"type":"function","id":"call_\u0032"}]},
 {"role":"tool","tool_call_id":"call_1","content":"x"},
 {"tool_call_id":"abcDEF123","role":"tool","name":"f","content":"\u00e9  é"},
 {"annotations":[1],"reasoning_content":"r"  ,  "role":"user","content":"tool_call_id"}]}"#;

#[test]
fn without_quirks_the_bytes_are_the_clients() {
    let request = chat(CALLS);
    let (body, upstream) = upstream(&request, "m", &NONE);
    assert_eq!(body, CALLS);
    assert_eq!(upstream.body.to_bytes().as_ptr(), request.body.as_ptr());
    assert_eq!((upstream.losses, upstream.reading.hide_usage), (vec![], false));
    assert_eq!(upstream.path, "/chat/completions");
}

#[test]
fn only_the_models_value_changes() {
    let request = chat(r#"{"messages":[{"role":"user"}],  "model" : "a" ,"n":1.0}"#);
    let (body, _) = upstream(&request, "we\"ird\n", &NONE);
    assert_eq!(body, r#"{"messages":[{"role":"user"}],  "model" : "we\"ird\n" ,"n":1.0}"#);
}

#[test]
fn a_prefix_goes_before_names_without_a_slash() {
    static FIREWORKS: Quirks = Quirks { model_prefix: "accounts/fireworks/models/", ..Quirks::NONE };
    let request = chat(r#"{"model":"a","messages":[{"role":"user"}]}"#);
    assert!(upstream(&request, "a", &FIREWORKS).0.starts_with(r#"{"model":"accounts/fireworks/models/a","#));
    assert!(upstream(&request, "x/a", &FIREWORKS).0.starts_with(r#"{"model":"x/a","#));
}

#[test]
fn a_streams_usage_is_asked_for_and_hidden() {
    let cases = [
        (r#""stream":true"#, r#""stream":true,"stream_options":{"include_usage":true}"#, true),
        (r#""stream":true,"stream_options":null"#, r#""stream":true,"stream_options":{"include_usage":true}"#, true),
        (r#""stream_options":{ },"stream":true"#, r#""stream_options":{"include_usage":true},"stream":true"#, true),
        (
            r#""stream_options":{"include_obfuscation":false},"stream":true"#,
            r#""stream_options":{"include_usage":true,"include_obfuscation":false},"stream":true"#,
            true,
        ),
        (
            r#""stream":true,"stream_options":{"a":1,"include_usage":false,"b":2}"#,
            r#""stream":true,"stream_options":{"a":1,"include_usage":true,"b":2}"#,
            true,
        ),
        (
            r#""stream":true,"stream_options":{"include_usage":true}"#,
            r#""stream":true,"stream_options":{"include_usage":true}"#,
            false,
        ),
        (r#""stream":false"#, r#""stream":false"#, false),
        (r#""stream":null"#, r#""stream":null"#, false),
    ];
    for (sent, expected, hidden) in cases {
        let wrap = |members: &str| format!(r#"{{"model":"m",{members},"messages":[{{"role":"user"}}]}}"#);
        let (body, upstream) = upstream(&chat(&wrap(sent)), "m", &NONE);
        assert_eq!(body, wrap(expected));
        assert_eq!(upstream.reading.hide_usage, hidden, "{sent}");
    }
}

#[test]
fn embeddings_are_never_asked_for_stream_usage() {
    let body = r#"{"model":"m","input":"x","stream":true}"#;
    let request = read(Endpoint::Embeddings, Bytes::from_static(body.as_bytes())).unwrap();
    assert_eq!(upstream(&request, "m", &NONE).0, body);
}

#[test]
fn inputs_beyond_the_limit_go_in_parts() {
    static TWO: Quirks = Quirks { most_inputs: 2, ..Quirks::NONE };
    let parts = |body: &'static str| {
        let request = read(Endpoint::Embeddings, Bytes::from_static(body.as_bytes())).unwrap();
        let (first, sent) = upstream(&request, "n", &TWO);
        let text = |part: &Upstream| String::from_utf8(part.body.to_bytes().to_vec()).unwrap();
        let bodies: Vec<String> = std::iter::once(first).chain(sent.more.iter().map(text)).collect();
        let sizes: Vec<usize> = std::iter::once(&sent).chain(&sent.more).map(|part| part.reading.inputs).collect();
        (bodies, sizes)
    };
    let (bodies, sizes) = parts(r#"{"input": [ "a\"]" , "b","c", "d" ,"e"] ,"model":"m","x":1e2}"#);
    assert_eq!(
        bodies,
        [
            r#"{"input": ["a\"]" , "b"] ,"model":"n","x":1e2}"#,
            r#"{"input": ["c", "d"] ,"model":"n","x":1e2}"#,
            r#"{"input": ["e"] ,"model":"n","x":1e2}"#,
        ]
    );
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(parts(r#"{"model":"m","input":[[1,2],[3],[4]]}"#).1, [2, 1], "lists of tokens are inputs");
    for whole in [
        r#"{"model":"n","input":[1,22,333]}"#,
        r#"{"model":"n","input":["a","bbbbbbbb"]}"#,
        r#"{"model":"n","input":"abcdefghij"}"#,
    ] {
        assert_eq!(parts(whole), (vec![whole.to_owned()], vec![0]));
    }
}

#[test]
fn refused_fields_go_with_one_comma_each() {
    let rest = r#""model":"m","messages":[{"role":"user"}]"#;
    let cases = [
        (format!(r#"{{"user":"u", {rest}}}"#), format!("{{{rest}}}")),
        (format!(r#"{{ "user":"u" ,"store":true,{rest} }}"#), format!("{{ {rest} }}")),
        (format!(r#"{{{rest} , "user":"u"}}"#), format!("{{{rest}}}")),
        (format!(r#"{{{rest},"user":"u","store":true , "n":1}}"#), format!(r#"{{{rest} , "n":1}}"#)),
        (format!(r#"{{"user":"u",{rest},"store":true}}"#), format!("{{{rest}}}")),
    ];
    for (sent, expected) in cases {
        assert_eq!(upstream(&chat(&sent), "vendor/m", &STRICT).0, expected.replace(r#":"m""#, r#":"vendor/m""#));
    }
}

#[test]
fn losses_are_reported_once_and_null_is_no_loss() {
    let body = r#"{"logit_bias":{},"user":null,"model":"m","messages":[{"role":"user","name":"a"},{"role":"user","name":"b"}],
        "tools":[{"function":{"strict":true,"name":"f"}},{"function":{"name":"g","strict":false}}],"stream":true,"stream_options":{}}"#;
    let (sent, upstream) = upstream(&chat(body), "m", &STRICT);
    let fields = ["logit_bias", "stream_options", "messages[].name", "tools[].function.strict"];
    assert_eq!(upstream.losses, dropped(&fields));
    let expected = r#"{"model":"vendor/m","messages":[{"role":"user"},{"role":"user"}],
        "tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}],"stream":true}"#;
    assert_eq!(sent, expected);
}

#[test]
fn fields_are_renamed_and_the_providers_own_name_wins() {
    let send = |members: &str| {
        let body = format!(r#"{{"model":"a/b",{members},"messages":[{{"role":"user"}}]}}"#);
        let (sent, upstream) = upstream(&chat(&body), "a/b", &STRICT);
        let sent = sent.strip_prefix(r#"{"model":"a/b","#).unwrap();
        (sent.strip_suffix(r#""messages":[{"role":"user"}]}"#).unwrap().to_owned(), upstream.losses)
    };
    assert_eq!(send(r#""seed" : 1"#), (r#""random_seed" : 1,"#.into(), vec![]));
    assert_eq!(send(r#""s\u0065ed":1"#), (r#""random_seed":1,"#.into(), vec![]));
    assert_eq!(send(r#""seed":null"#), (String::new(), vec![]));
    assert_eq!(send(r#""seed":1,"random_seed":2"#), (r#""random_seed":2,"#.into(), dropped(&["seed"])));
    assert_eq!(send(r#""max_tokens":5,"max_completion_tokens":5"#), (r#""max_tokens":5,"#.into(), vec![]));
    assert_eq!(send(r#""max_tokens":null,"max_completion_tokens":5"#), (r#""max_tokens":5,"#.into(), vec![]));
    assert_eq!(send(r#""tool_choice":"required""#), (r#""tool_choice":"any","#.into(), vec![]));
    assert_eq!(send(r#""tool_choice":"auto""#), (r#""tool_choice":"auto","#.into(), vec![]));
}

#[test]
fn messages_are_made_strict_and_their_ids_nine_characters() {
    let request = chat(CALLS);
    let (body, sent) = upstream(&request, "m", &STRICT);
    let [(one, _), (two, _)] = &sent.reading.tool_ids[..] else { panic!("{:?}", sent.reading.tool_ids) };
    let clients: Vec<_> = sent.reading.tool_ids.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(clients, ["call_1", "call_2"]);
    assert!(one != two && [one, two].iter().all(|id| id.len() == 9 && id.bytes().all(|b| b.is_ascii_alphanumeric())));
    let expected = format!(
        r#"{{"model":"vendor/m","messages":[
 {{"role":"system","content":"d"}},
 {{"role":"assistant","content":null,"tool_calls":[{{"id":"{one}","type":"function","function":{{"name":"f","arguments":"{{}}"}}}},{{"type":"function","id":"{two}"}}]}},
 {{"role":"tool","tool_call_id":"{one}","content":"x"}},
 {{"tool_call_id":"abcDEF123","role":"tool","content":"\u00e9  é"}},
 {{"role":"user","content":"tool_call_id"}}]}}"#
    );
    assert_eq!(body, expected);
    assert_eq!(sent.losses, dropped(&["messages[].reasoning_content", "messages[].name", "messages[].annotations"]));
    assert_eq!(upstream(&request, "m", &STRICT).0, body, "the same request gives the same bytes");
}

#[test]
fn a_strange_name_is_not_repeated_in_a_report() {
    let body = r#"{"model":"m","messages":[{"role":"user","my secret\r\nfield":1}]}"#;
    assert_eq!(upstream(&chat(body), "m", &STRICT).1.losses, dropped(&["messages[].*"]));
}

#[test]
fn distinct_ids_stay_distinct() {
    let ids: Vec<String> = (0..3_000).map(|n| format!("call_{n}")).collect();
    let messages: Vec<String> = ids.iter().map(|id| format!(r#"{{"role":"tool","tool_call_id":"{id}"}}"#)).collect();
    let request = chat(&format!(r#"{{"model":"m","messages":[{}]}}"#, messages.join(",")));
    let pairs = upstream(&request, "m", &STRICT).1.reading.tool_ids;
    let distinct: std::collections::HashSet<_> = pairs.iter().map(|(nine, _)| nine).collect();
    assert_eq!((pairs.len(), distinct.len()), (3_000, 3_000));
}

/// JSON with whitespace in every place where it may stand.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[1-9][0-9]{0,3}(\\.[0-9]{1,2})?([eE][+-]?[0-9])?",
        "\"([a-zé\u{2028} ,:{}\\[\\]]|\\\\n|\\\\\"|\\\\u00e9|\\\\\\\\){0,8}\"",
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[ {} ]", list.join(" ,"))),
            prop::collection::vec(inner, 0..4).prop_map(|list| {
                let members: Vec<_> = list.iter().enumerate().map(|(n, value)| format!("\"k{n}\": {value}")).collect();
                format!("{{{}\n}}", members.join(",\t"))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn edits_change_what_they_mean_to_and_nothing_else(
        mut members in prop::collection::btree_map("[a-f]{2}", json(), 0..6).prop_map(|map| {
            map.into_iter().map(|(name, value)| format!("\"{name}\" :{value}")).collect::<Vec<_>>()
        }),
        cuts in prop::collection::vec((prop::sample::select(vec!["user", "store", "logit_bias"]), any::<prop::sample::Index>()), 0..3),
        model_at in any::<prop::sample::Index>(),
        space in "[ \n\t]{0,2}",
    ) {
        let place = |at: prop::sample::Index, len: usize| at.index(len + 1);
        members.insert(place(model_at, members.len()), "\"model\": \"old\"".to_owned());
        members.insert(0, "\"messages\":[{\"role\":\"user\"}] ".to_owned());
        let mut seen = std::collections::HashSet::new();
        for (name, at) in cuts {
            if seen.insert(name) {
                let value = if name == "user" { "\"u\"" } else if name == "store" { "true" } else { "{}" };
                members.insert(place(at, members.len()), format!("\"{name}\":{value}"));
            }
        }
        let body = format!("{{{space}{}{space}}}", members.join(&format!("{space},{space}")));
        let request = chat(&body);
        let (sent, upstream) = upstream(&request, "x/new", &STRICT);
        let mut expected: Value = serde_json::from_str(&body).unwrap();
        expected["model"] = "x/new".into();
        for name in &seen {
            expected.as_object_mut().unwrap().shift_remove(*name);
        }
        prop_assert_eq!(serde_json::from_str::<Value>(&sent).unwrap(), expected);
        prop_assert_eq!(upstream.losses.len(), seen.len());
        let after = chat(&sent);
        for field in after.envelope.fields.iter().filter(|field| field.name != "model") {
            let before = request.envelope.field(&field.name).unwrap();
            prop_assert_eq!(&sent[field.member.clone()], &body[before.member.clone()]);
        }
    }

    #[test]
    fn nothing_a_client_sends_panics(body in "[{}\\[\\],:\" a\\\\u0truefalsn1-]{0,60}") {
        let _ = read(Endpoint::ChatCompletions, Bytes::from(body));
    }

    #[test]
    fn spans_are_the_members_of_the_object(value in json(), other in json()) {
        let body = format!("{{\"a\" : {value} ,\"model\":\"m\",\"messages\" : [{{\"role\":\"user\",\"content\":{other}}}]\n,\"b\":{other}}}");
        let request = chat(&body);
        let raw = |name: &str| &body[request.envelope.field(name).unwrap().value.clone()];
        prop_assert_eq!(raw("a"), value);
        prop_assert_eq!(raw("b"), &*other);
        prop_assert_eq!(raw("messages"), format!("[{{\"role\":\"user\",\"content\":{other}}}]"));
    }
}

#[test]
fn a_member_whose_name_is_no_text_survives_its_neighbours() {
    static NO_NAMES: Quirks = Quirks { function_refuses: &["strict"], ..Quirks::NONE };
    let body = r#"{"model":"m","messages":[{"role":"user"}],"tools":[{"function":{"a":1,"\ud800":2,"strict":true}}]}"#;
    assert_eq!(upstream(&chat(body), "m", &NO_NAMES).0, body.replace(r#","strict":true"#, ""));
}
