use super::*;

#[test]
fn what_gemini_has_no_word_for_is_reported() {
    let tools = r#""tools":[{"type":"function","function":{"name":"f","strict":true}}]"#;
    for (members, expected) in [
        (r#""logit_bias":{"1":2}"#, "logit_bias"),
        (r#""metadata":{"a":"b"}"#, "metadata"),
        (r#""prediction":{"type":"content","content":"x"}"#, "prediction"),
        (r#""prompt_cache_key":"k""#, "prompt_cache_key"),
        (r#""prompt_cache_options":{"ttl":"30m"}"#, "prompt_cache_options"),
        (r#""prompt_cache_retention":"24h""#, "prompt_cache_retention"),
        (r#""safety_identifier":"k""#, "safety_identifier"),
        (r#""moderation":{"model":"k"}"#, "moderation"),
        (r#""store":true"#, "store"),
        (r#""user":"k""#, "user"),
        (r#""verbosity":"low""#, "verbosity"),
        (r#""web_search_options":{"search_context_size":"high"}"#, "web_search_options.search_context_size"),
        (
            r#""web_search_options":{"user_location":{"type":"approximate","approximate":{"country":"IT"}}}"#,
            "web_search_options.user_location",
        ),
        (r#""web_search_options":{"filters":1}"#, "web_search_options.filters"),
        (r#""tools":[{"type":"function","function":{"name":"f"}}],"web_search_options":{}"#, "web_search_options"),
        (r#""service_tier":"scale""#, "service_tier"),
        (r#""min_p":0.5"#, "min_p"),
        (tools, "tools[].function.strict"),
        (r#""tools":[{"type":"function","function":{"name":"f"}}],"parallel_tool_calls":false"#, "parallel_tool_calls"),
        (r#""messages":[{"role":"user","content":"x","name":"n"}]"#, "messages[].name"),
        (
            r#""messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{}}]}]"#,
            "messages[].content[].cache_control",
        ),
        (
            r#""messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_content":"c"},{"role":"user","content":"d"}]"#,
            "messages[].reasoning_content",
        ),
    ] {
        let sent = chat(members, "gemini-3-pro", &studio()).unwrap();
        body(&sent);
        assert_eq!(fates(&sent), [(expected, Fate::Dropped)], "{members}");
    }
}

#[test]
fn what_arrives_as_something_close_is_reported() {
    for (members, model, expected) in [
        (r#""seed":4294967297"#, "gemini-3-pro", "seed"),
        (r#""reasoning_effort":"max""#, "gemini-3-pro", "reasoning_effort"),
        (r#""reasoning_effort":"none""#, "gemini-2.5-pro", "reasoning_effort"),
        (r#""functions":[{"name":"f"}]"#, "gemini-2.5-pro", "functions"),
    ] {
        let sent = chat(members, model, &studio()).unwrap();
        assert_eq!(fates(&sent), [(expected, Fate::Approximated)], "{members}");
    }
}

#[test]
fn every_field_has_one_row() {
    let table = Gemini.dispositions().unwrap();
    let rows: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    let mut fields = crate::wire::hub::dispositions::fields();
    let mut sorted = rows.clone();
    fields.sort();
    sorted.sort_unstable();
    assert_eq!(sorted, fields);
}
