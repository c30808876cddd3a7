use super::*;

fn talk(messages: &str, model: &str, settings: &Settings) -> (Value, Upstream) {
    let sent = chat(&format!(r#""messages":[{messages}]"#), model, settings)
        .unwrap_or_else(|refusal| panic!("{messages}: {refusal:?}"));
    (body(&sent), sent)
}

fn check(messages: &str, expected: &str) {
    assert_eq!(talk(messages, "gemini-3-pro", &studio()).0, golden(&format!("{{{expected}}}")), "{messages}");
}

const CALL: &str = r#"{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1.0}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":""}}]}"#;

fn called(model: &str, first: &str, results: &str) -> String {
    let _ = model;
    format!(
        r#""contents":[{{"role":"user","parts":[{{"text":"hi"}}]}},{{"role":"model","parts":[{{"functionCall":{{"id":"c1","name":"f","args":{{"a":1.0}}}}{first}}},{{"functionCall":{{"id":"c2","name":"g","args":{{}}}}}}]}},{{"role":"user","parts":[{results}]}}]"#
    )
}

const SKIP: &str = r#","thoughtSignature":"skip_thought_signature_validator""#;
const RESULTS: &str = r#"{"functionResponse":{"id":"c1","name":"f","response":{"x":1}}},{"functionResponse":{"id":"c2","name":"g","response":{"output":"two"}}}"#;

#[test]
fn instructions_are_hoisted_and_turns_merged() {
    check(
        r#"{"role":"system","content":"a"},{"role":"developer","content":[{"type":"text","text":"b"}]},{"role":"user","content":"1"},{"role":"user","content":"2"},{"role":"assistant","content":"3"},{"role":"user","content":""},{"role":"assistant","content":[{"type":"text","text":"4"},{"type":"refusal","refusal":"no"}]},{"role":"user","content":"5"}"#,
        r#""systemInstruction":{"parts":[{"text":"a"},{"text":"b"}]},"contents":[{"role":"user","parts":[{"text":"1"},{"text":"2"}]},{"role":"model","parts":[{"text":"3"},{"text":"4"},{"text":"no"}]},{"role":"user","parts":[{"text":"5"}]}]"#,
    );
}

#[test]
fn instructions_alone_are_what_is_answered() {
    check(r#"{"role":"system","content":"a"}"#, r#""contents":[{"role":"user","parts":[{"text":"a"}]}]"#);
}

#[test]
fn a_late_instruction_moves_and_that_is_said() {
    let (sent, upstream) =
        talk(r#"{"role":"user","content":"1"},{"role":"system","content":"s"}"#, "gemini-3-pro", &studio());
    assert_eq!(sent["systemInstruction"]["parts"][0]["text"], "s");
    assert_eq!(fates(&upstream), [("messages", Fate::Approximated)]);
}

#[test]
fn results_follow_the_order_of_the_calls_in_one_turn() {
    let results = r#",{"role":"tool","tool_call_id":"c2","content":"two"},{"role":"tool","tool_call_id":"c1","content":"{\"x\":1}"}"#;
    check(&format!("{CALL}{results}"), &called("", SKIP, RESULTS));
    check(
        &format!(r#"{CALL}{results},{{"role":"user","content":"and?"}}"#),
        &called("", "", &format!(r#"{RESULTS},{{"text":"and?"}}"#)),
    );
}

#[test]
fn a_failed_tool_says_so() {
    let results = r#",{"role":"tool","tool_call_id":"c1","content":"{\"x\":1}"},{"role":"tool","tool_call_id":"c2","content":"{}","is_error":true}"#;
    let (sent, _) = talk(&format!("{CALL}{results}"), "gemini-3-pro", &studio());
    assert_eq!(sent["contents"][2]["parts"][1]["functionResponse"]["response"], golden(r#"{"error":"{}"}"#));
}

#[test]
fn an_orphaned_result_is_text() {
    let (sent, upstream) = talk(r#"{"role":"tool","tool_call_id":"x","content":"r"}"#, "gemini-3-pro", &studio());
    assert_eq!(sent["contents"], golden(r#"[{"role":"user","parts":[{"text":"r"}]}]"#));
    assert_eq!(fates(&upstream), [("messages", Fate::Approximated)]);
}

#[test]
fn the_old_functions_are_calls() {
    check(
        r#"{"role":"user","content":"hi"},{"role":"assistant","content":"x","function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"r"}"#,
        r#""contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"x"},{"functionCall":{"id":"function_call_1","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"}]},{"role":"user","parts":[{"functionResponse":{"id":"function_call_1","name":"f","response":{"output":"r"}}}]}]"#,
    );
}

#[test]
fn signatures_come_back_from_where_clients_keep_them() {
    let results = r#",{"role":"tool","tool_call_id":"ID","content":"r"}"#;
    for (id, extra) in [
        ("c1", r#","extra_content":{"google":{"thought_signature":"c2ln"}}"#),
        ("c1__thought__c2ln", ""),
        ("c1", r#","provider_specific_fields":{"thought_signature":"c2ln"}"#),
    ] {
        for model in ["gemini-3-pro", "gemini-2.5-pro"] {
            let call = format!(
                r#"{{"role":"user","content":"hi"}},{{"role":"assistant","tool_calls":[{{"id":"{id}","type":"function","function":{{"name":"f","arguments":"{{}}"}}{extra}}}]}}{}"#,
                results.replace("ID", id)
            );
            let (sent, _) = talk(&call, model, &studio());
            let expected = r#"{"functionCall":{"id":"c1","name":"f","args":{}},"thoughtSignature":"c2ln"}"#;
            assert_eq!(sent["contents"][1]["parts"][0], golden(expected), "{id} {extra}");
            assert_eq!(sent["contents"][2]["parts"][0]["functionResponse"]["id"], "c1");
        }
    }
}

#[test]
fn only_the_current_turn_of_models_that_sign_gets_the_fallback() {
    let results = r#",{"role":"tool","tool_call_id":"c1","content":"{\"x\":1}"},{"role":"tool","tool_call_id":"c2","content":"two"}"#;
    let text = format!("{CALL}{results}");
    for (model, first) in [("gemini-3-pro", SKIP), ("gemini-2.5-pro", "")] {
        let expected = format!("{{{}}}", called(model, first, RESULTS));
        assert_eq!(talk(&text, model, &studio()).0, golden(&expected), "{model}");
    }
}

#[test]
fn the_signature_of_a_text_comes_back_with_it() {
    let (sent, _) = talk(
        r#"{"role":"user","content":"1"},{"role":"assistant","content":"2","extra_content":{"google":{"thought_signature":"c2ln"}}},{"role":"user","content":"3"}"#,
        "gemini-3-pro",
        &studio(),
    );
    assert_eq!(sent["contents"][1]["parts"], golden(r#"[{"text":"2","thoughtSignature":"c2ln"}]"#));
}

#[test]
fn media_go_inline_or_by_address() {
    for (part, expected) in [
        (
            r#"{"type":"image_url","image_url":{"url":"data:image/jpg;base64,AAAA"}}"#,
            r#"{"inlineData":{"mimeType":"image/jpeg","data":"AAAA"}}"#,
        ),
        (
            r#"{"type":"image_url","image_url":{"url":"https://x/a.PNG?b=1"}}"#,
            r#"{"fileData":{"mimeType":"image/png","fileUri":"https://x/a.PNG?b=1"}}"#,
        ),
        (
            r#"{"type":"image_url","image_url":{"url":"gs://b/c.webp"}}"#,
            r#"{"fileData":{"mimeType":"image/webp","fileUri":"gs://b/c.webp"}}"#,
        ),
        (
            r#"{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}"#,
            r#"{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}"#,
        ),
        (
            r#"{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}}"#,
            r#"{"inlineData":{"mimeType":"audio/mp3","data":"AAAA"}}"#,
        ),
        (
            r#"{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}}"#,
            r#"{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}}"#,
        ),
        (
            r#"{"type":"file","file":{"filename":"a.pdf","file_data":"AAAA"}}"#,
            r#"{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}}"#,
        ),
        (
            r#"{"type":"file","file":{"filename":"a.pdf","file_id":"https://x/files/1"}}"#,
            r#"{"fileData":{"mimeType":"application/pdf","fileUri":"https://x/files/1"}}"#,
        ),
    ] {
        for settings in [studio(), vertex()] {
            let message = format!(r#"{{"role":"user","content":[{{"type":"text","text":""}},{part}]}}"#);
            assert_eq!(
                talk(&message, "gemini-3-pro", &settings).0["contents"][0]["parts"],
                golden(&format!("[{expected}]"))
            );
        }
    }
    let bare = r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/a","detail":"low"}}]}"#;
    let (sent, upstream) = talk(bare, "gemini-3-pro", &studio());
    assert_eq!(sent["contents"][0]["parts"], golden(r#"[{"fileData":{"fileUri":"https://x/a"}}]"#));
    assert_eq!(sent["generationConfig"]["mediaResolution"], "MEDIA_RESOLUTION_LOW");
    assert_eq!(fates(&upstream), [("messages[].content[].image_url.detail", Fate::Approximated)]);
}

#[test]
fn an_image_of_a_tool_follows_the_results() {
    let results = r#",{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},{"role":"tool","tool_call_id":"c2","content":"two"}"#;
    let (sent, _) = talk(&format!("{CALL}{results}"), "gemini-3-pro", &studio());
    let expected = r#"[{"functionResponse":{"id":"c1","name":"f","response":{"output":"see"}}},{"functionResponse":{"id":"c2","name":"g","response":{"output":"two"}}},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]"#;
    assert_eq!(sent["contents"][2]["parts"], golden(expected));
}

#[test]
fn arguments_that_are_no_object_go_as_text() {
    let call = r#"{"role":"user","content":"1"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]},{"role":"tool","tool_call_id":"a","content":""}"#;
    let (sent, upstream) = talk(call, "gemini-2.5-pro", &studio());
    assert_eq!(sent["contents"][1]["parts"][0]["functionCall"]["args"], golden(r#"{"arguments":"{\"a\":"}"#));
    assert_eq!(fates(&upstream), [("messages[].tool_calls[].function.arguments", Fate::Approximated)]);
}
