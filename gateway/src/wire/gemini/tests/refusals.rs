use super::*;

#[test]
fn what_would_mean_something_else_is_refused_with_its_field() {
    let tool = |name: &str| format!(r#""tools":[{{"type":"function","function":{{"name":"{name}"}}}}]"#);
    let part = |part: &str| format!(r#""messages":[{{"role":"user","content":[{part}]}}]"#);
    let choice = r#""tool_choice":{"type":"function","function":{"name":"h"}}"#;
    for (members, param) in [
        (r#""audio":{"voice":"alloy","format":"mp3"}"#.to_owned(), "audio"),
        (r#""modalities":["text","audio"]"#.to_owned(), "modalities"),
        (r#""modalities":["smell"]"#.to_owned(), "modalities"),
        (r#""n":2,"stream":true"#.to_owned(), "n"),
        (r#""n":0"#.to_owned(), "n"),
        (r#""stop":["1","2","3","4","5","6"]"#.to_owned(), "stop"),
        (r#""stop":"""#.to_owned(), "stop"),
        (r#""temperature":2.5"#.to_owned(), "temperature"),
        (r#""top_p":-1"#.to_owned(), "top_p"),
        (r#""presence_penalty":3"#.to_owned(), "presence_penalty"),
        (r#""top_logprobs":3"#.to_owned(), "top_logprobs"),
        (r#""reasoning_effort":"huge""#.to_owned(), "reasoning_effort"),
        (r#""tool_choice":"required""#.to_owned(), "tool_choice"),
        (format!("{},{choice}", tool("f")), "tool_choice"),
        (tool("1f"), "tools[0].function.name"),
        (tool("a b"), "tools[0].function.name"),
        (r#""tools":[{"type":"custom","custom":{"name":"c"}}]"#.to_owned(), "tools[0]"),
        (part(r#"{"type":"image_url","image_url":{"url":"data:image/png,x"}}"#), "messages[0].content[0].image_url.url"),
        (part(r#"{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}"#), "messages[0].content[0].image_url.url"),
        (part(r#"{"type":"file","file":{}}"#), "messages[0].content[0].file"),
        (part(r#"{"type":"file","file":{"file_data":"AAAA"}}"#), "messages[0].content[0].file.file_data"),
        (part(r#"{"type":"file","file":{"file_id":"file-123"}}"#), "messages[0].content[0].file.file_id"),
        (r#""messages":[{"role":"user","content":""}]"#.to_owned(), "messages"),
        (
            r#""messages":[{"role":"assistant","audio":{"id":"x"}},{"role":"user","content":"a"}]"#.to_owned(),
            "messages[0].audio",
        ),
        (
            r#""messages":[{"role":"assistant","tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":""}}]}]"#.to_owned(),
            "messages[0].tool_calls[0]",
        ),
    ] {
        let refusal = chat(&members, "gemini-3-pro", &studio()).expect_err(&members);
        assert_eq!((refusal.cause, refusal.param.as_deref()), (Cause::Invalid, Some(param)), "{members}");
    }
}

#[test]
fn vertex_has_to_be_told_the_media_type() {
    let image = r#""messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/a"}}]}]"#;
    let refusal = chat(image, "gemini-3-pro", &vertex()).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("messages[0].content[0].image_url.url"));
    assert!(chat(image, "gemini-3-pro", &studio()).is_ok());
}

#[test]
fn the_old_completions_are_not_gemini_s() {
    let refusal = send(Endpoint::Completions, r#"{"model":"m","prompt":"a"}"#, "m", &studio()).unwrap_err();
    assert_eq!(refusal.cause, Cause::Invalid);
}
