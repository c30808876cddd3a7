use super::*;

fn read(answer: &str) -> (Value, Option<TokenUsage>) {
    let answer = Gemini.answer(&reading(false), &HeaderMap::new(), Bytes::copy_from_slice(answer.as_bytes())).unwrap();
    let _: crate::api::ChatCompletion = serde_json::from_slice(&answer.body).unwrap();
    (serde_json::from_slice(&answer.body).unwrap(), answer.usage)
}

fn choice(candidate: &str) -> Value {
    read(&format!(r#"{{"candidates":[{candidate}],"responseId":"r-1"}}"#)).0["choices"][0].take()
}

fn parts(parts: &str) -> Value {
    choice(&format!(r#"{{"content":{{"role":"model","parts":[{parts}]}},"finishReason":"STOP"}}"#))
}

#[test]
fn an_answer_is_openais_whole() {
    let (answer, usage) = read(
        r#"{"candidates":[{"content":{"parts":[{"text":"think","thought":true},{"text":"a"},{"text":"b"}],"role":"model"},"finishReason":"STOP","index":0}],
        "usageMetadata":{"promptTokenCount":10,"toolUsePromptTokenCount":2,"cachedContentTokenCount":4,"candidatesTokenCount":5,"thoughtsTokenCount":3,"totalTokenCount":20,
        "promptTokensDetails":[{"modality":"TEXT","tokenCount":9},{"modality":"AUDIO","tokenCount":1}]},"modelVersion":"gemini-3-pro-001","responseId":"abc"}"#,
    );
    let expected = golden(
        r#"{"id":"chatcmpl-abc","object":"chat.completion","created":7,"model":"gemini-3-pro-001","choices":[{"index":0,"message":{"role":"assistant","content":"ab","refusal":null,"reasoning_content":"think"},"logprobs":null,"finish_reason":"stop"}],
        "usage":{"prompt_tokens":12,"completion_tokens":8,"total_tokens":20,"prompt_tokens_details":{"audio_tokens":1,"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}}"#,
    );
    assert_eq!(answer, expected);
    let expected =
        TokenUsage { input: 12, output: 8, cached_read: 4, reasoning: 3, audio_input: 1, ..Default::default() };
    assert_eq!(usage, Some(expected));
}

#[test]
fn calls_finish_with_tool_calls_and_carry_their_signature() {
    let choice = parts(
        r#"{"functionCall":{"name":"f","args":{ "a" : [ 1.0, "x \" y" ] }},"thoughtSignature":"c2ln"},{"functionCall":{"id":"own","name":"g"}},{"functionCall":{"name":"f","args":null}}"#,
    );
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    let expected = r#"[{"type":"function","id":"call_r1_0","function":{"name":"f","arguments":"{\"a\":[1.0,\"x \\\" y\"]}"},"extra_content":{"google":{"thought_signature":"c2ln"}}},
        {"type":"function","id":"own","function":{"name":"g","arguments":"{}"}},{"type":"function","id":"call_r1_2","function":{"name":"f","arguments":"{}"}}]"#;
    assert_eq!(choice["message"]["tool_calls"], golden(expected));
}

#[test]
fn text_may_accompany_calls_and_be_signed() {
    let choice = parts(r#"{"text":"let me see"},{"functionCall":{"name":"f","args":{}}}"#);
    assert_eq!(choice["message"]["content"], "let me see");
    let choice = parts(r#"{"text":"x","thoughtSignature":"c2ln"}"#);
    assert_eq!(choice["message"]["extra_content"]["google"]["thought_signature"], "c2ln");
}

#[test]
fn every_finish_reason_has_its_word() {
    for (reason, expected) in [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("SOMETHING_NEW", "stop"),
    ] {
        assert_eq!(choice(&format!(r#"{{"finishReason":"{reason}"}}"#))["finish_reason"], expected, "{reason}");
    }
    assert_eq!(choice(r#"{"finishReason":"SAFETY"}"#)["message"]["content"], "");
    let cut = choice(r#"{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"MAX_TOKENS"}"#);
    assert_eq!(cut["finish_reason"], "length");
}

#[test]
fn what_the_model_got_wrong_is_an_error() {
    for reason in [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
    ] {
        let body = format!(r#"{{"candidates":[{{"finishReason":"{reason}","finishMessage":"why"}}]}}"#);
        let refusal = Gemini.answer(&reading(false), &HeaderMap::new(), body.into()).unwrap_err();
        assert_eq!(refusal.cause, Cause::Upstream);
        assert!(refusal.message.contains(reason) && refusal.message.contains("why"), "{}", refusal.message);
    }
}

#[test]
fn a_blocked_prompt_is_a_filtered_answer_without_content() {
    let (answer, usage) = read(r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}"#);
    let expected = r#"{"index":0,"message":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":"content_filter"}"#;
    assert_eq!(answer["choices"], golden(&format!("[{expected}]")));
    assert_eq!(usage.unwrap().input, 3);
    for nothing in ["{}", r#"{"candidates":[]}"#, "x", "", "[]", "null"] {
        assert_eq!(
            Gemini.answer(&reading(false), &HeaderMap::new(), nothing.into()).unwrap_err().cause,
            Cause::Upstream,
            "{nothing}"
        );
    }
}

#[test]
fn several_candidates_are_several_choices_with_ids_of_their_own() {
    let call = r#"{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}"#;
    let (answer, _) = read(&format!(r#"{{"candidates":[{call},{call}],"responseId":"r"}}"#));
    let ids: Vec<&Value> = (0..2).map(|at| &answer["choices"][at]["message"]["tool_calls"][0]["id"]).collect();
    assert_eq!(ids, ["call_r_0", "call_r_1000"]);
    assert_eq!(answer["choices"][1]["index"], 1);
}

#[test]
fn citations_count_characters() {
    let choice = choice(
        r#"{"content":{"parts":[{"text":"é"},{"text":"ünï text"}]},"finishReason":"STOP",
        "citationMetadata":{"citations":[{"startIndex":2,"endIndex":4,"uri":"https://a","title":"A"},{"endIndex":2,"license":"mit"}]},
        "groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://b","title":"B"}},{}],"groundingSupports":[{"segment":{"partIndex":1,"startIndex":0,"endIndex":5,"text":"ünï"},"groundingChunkIndices":[0,1,7]}]}}"#,
    );
    let expected = r#"[{"type":"url_citation","url_citation":{"start_index":1,"end_index":1,"title":"A","url":"https://a"}},
        {"type":"url_citation","url_citation":{"start_index":1,"end_index":3,"title":"B","url":"https://b"}}]"#;
    assert_eq!(choice["message"]["annotations"], golden(expected));
}

#[test]
fn log_probabilities_and_images_have_their_place() {
    let choice = choice(
        r#"{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]},"finishReason":"STOP","logprobsResult":{"chosenCandidates":[{"token":"é","logProbability":-0.5}],"topCandidates":[{"candidates":[{"token":"é","logProbability":-0.5},{"token":"x","logProbability":-2}]}]}}"#,
    );
    let expected = r#"{"content":[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"é","logprob":-0.5,"bytes":[195,169]},{"token":"x","logprob":-2.0,"bytes":[120]}]}],"refusal":null}"#;
    assert_eq!(choice["logprobs"], golden(expected));
    assert_eq!(choice["message"]["images"][0]["image_url"]["url"], "data:image/png;base64,AAAA");
}

#[test]
fn an_error_in_disguise_is_one() {
    for body in [
        r#"{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#,
        r#"[{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}]"#,
    ] {
        assert_eq!(
            Gemini.answer(&reading(false), &HeaderMap::new(), body.into()).unwrap_err().cause,
            Cause::Unavailable
        );
    }
}
