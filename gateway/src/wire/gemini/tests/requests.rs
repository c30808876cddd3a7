use super::*;

const HI: &str = r#""contents":[{"role":"user","parts":[{"text":"hi"}]}]"#;
const TOOL: &str = r#""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}},{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}]"#;
const DECLARED: &str = r#""tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object","properties":{"a":{"type":"string"}}}},{"name":"g"}]}]"#;

fn check(model: &str, cases: &[(&str, &str)]) {
    for (members, rest) in cases {
        let sent = chat(members, model, &studio()).unwrap_or_else(|refusal| panic!("{members}: {refusal:?}"));
        let comma = if rest.is_empty() { "" } else { "," };
        assert_eq!(body(&sent), golden(&format!("{{{HI}{comma}{rest}}}")), "{members}");
    }
}

fn config(members: &str) -> String {
    format!(r#""generationConfig":{{{members}}}"#)
}

#[test]
fn options_become_the_generation_config() {
    let cases = [
        (r#""max_tokens":5"#, r#""maxOutputTokens":5"#),
        (r#""max_tokens":5,"max_completion_tokens":6"#, r#""maxOutputTokens":6"#),
        (r#""temperature":1.5,"top_p":0.5"#, r#""temperature":1.5,"topP":0.5"#),
        (r#""stop":"x""#, r#""stopSequences":["x"]"#),
        (r#""stop":["a","b","c","d"]"#, r#""stopSequences":["a","b","c","d"]"#),
        (r#""n":3"#, r#""candidateCount":3"#),
        (r#""seed":-5"#, r#""seed":-5"#),
        (r#""seed":4294967297"#, r#""seed":1"#),
        (r#""presence_penalty":-1,"frequency_penalty":2"#, r#""presencePenalty":-1.0,"frequencyPenalty":2.0"#),
        (r#""logprobs":true"#, r#""responseLogprobs":true"#),
        (r#""logprobs":true,"top_logprobs":3"#, r#""responseLogprobs":true,"logprobs":3"#),
        (r#""response_format":{"type":"json_object"}"#, r#""responseMimeType":"application/json""#),
        (
            r#""response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object","const":1}}}"#,
            r#""responseMimeType":"application/json","responseJsonSchema":{"type":"object","const":1}"#,
        ),
        (r#""modalities":["text","image"]"#, r#""responseModalities":["TEXT","IMAGE"]"#),
        (r#""top_k":40"#, r#""topK":40"#),
    ];
    for (members, rest) in cases {
        check("gemini-3-pro", &[(members, &config(rest))]);
    }
}

#[test]
fn what_says_nothing_sends_nothing() {
    let silent = r#""n":1,"logprobs":false,"response_format":{"type":"text"},"modalities":["text"],"service_tier":"auto","stop":null,"tools":[],"temperature":null,"store":false,"user":null"#;
    let sent = chat(silent, "gemini-3-pro", &studio()).unwrap();
    assert_eq!(body(&sent), golden(&format!("{{{HI}}}")));
    assert_eq!(fates(&sent), []);
}

#[test]
fn effort_becomes_a_level_the_model_has_or_a_budget() {
    let level =
        |level: &str| config(&format!(r#""thinkingConfig":{{"thinkingLevel":"{level}","includeThoughts":true}}"#));
    let budget =
        |budget: u32| config(&format!(r#""thinkingConfig":{{"thinkingBudget":{budget},"includeThoughts":true}}"#));
    for (model, effort, expected) in [
        ("gemini-3-pro-preview", "minimal", level("LOW")),
        ("gemini-3-pro-preview", "low", level("LOW")),
        ("gemini-3-pro-preview", "medium", level("HIGH")),
        ("gemini-3.1-pro-preview", "medium", level("MEDIUM")),
        ("gemini-3-flash", "minimal", level("MINIMAL")),
        ("gemini-3-flash", "xhigh", level("HIGH")),
        ("gemini-2.5-flash-lite", "minimal", budget(512)),
        ("gemini-2.5-flash", "low", budget(1024)),
        ("gemini-2.5-pro", "medium", budget(2048)),
        ("gemini-2.5-pro", "high", budget(4096)),
        ("gemini-2.5-pro", "xhigh", budget(8192)),
        ("gemini-2.5-pro", "max", budget(16384)),
        ("gemini-2.5-flash", "none", config(r#""thinkingConfig":{"thinkingBudget":0}"#)),
        ("gemini-2.5-pro", "none", config(r#""thinkingConfig":{"thinkingBudget":128}"#)),
        ("gemini-3-flash", "none", config(r#""thinkingConfig":{"thinkingLevel":"MINIMAL"}"#)),
        ("gemini-2.0-flash", "high", String::new()),
    ] {
        check(model, &[(&format!(r#""reasoning_effort":"{effort}""#), &expected)]);
    }
}

#[test]
fn tools_are_declared_with_their_schema_as_it_is() {
    check("gemini-3-pro", &[(TOOL, DECLARED)]);
    let functions = TOOL.replace("\"tools\"", "\"functions\"").replace(r#"{"type":"function","function":"#, "");
    let functions = functions.replace("}}}}},{", "}}}},{").replace("{}}}}", "{}}}");
    check("gemini-3-pro", &[(&functions, DECLARED)]);
}

#[test]
fn every_tool_choice_has_its_mode() {
    for (choice, mode) in [
        (r#""auto""#, r#"{"mode":"AUTO"}"#),
        (r#""none""#, r#"{"mode":"NONE"}"#),
        (r#""required""#, r#"{"mode":"ANY"}"#),
        (r#"{"type":"function","function":{"name":"g"}}"#, r#"{"mode":"ANY","allowedFunctionNames":["g"]}"#),
        (
            r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"g"}}]}}"#,
            r#"{"mode":"VALIDATED","allowedFunctionNames":["g"]}"#,
        ),
        (
            r#"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
            r#"{"mode":"ANY","allowedFunctionNames":["f"]}"#,
        ),
    ] {
        let expected = format!(r#"{DECLARED},"toolConfig":{{"functionCallingConfig":{mode}}}"#);
        check("gemini-3-pro", &[(&format!(r#"{TOOL},"tool_choice":{choice}"#), &expected)]);
    }
    check("gemini-3-pro", &[(r#""tool_choice":"none""#, "")]);
    let expected =
        format!(r#"{DECLARED},"toolConfig":{{"functionCallingConfig":{{"mode":"ANY","allowedFunctionNames":["f"]}}}}"#);
    check("gemini-3-pro", &[(&format!(r#"{TOOL},"function_call":{{"name":"f"}}"#), &expected)]);
}

#[test]
fn tiers_have_geminis_names() {
    for (tier, expected) in [("default", "standard"), ("flex", "flex"), ("priority", "priority"), ("fast", "priority")]
    {
        check("gemini-3-pro", &[(&format!(r#""service_tier":"{tier}""#), &format!(r#""serviceTier":"{expected}""#))]);
    }
}

#[test]
fn fields_of_geminis_own_pass() {
    check(
        "gemini-3-pro",
        &[(
            r#""safety_settings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}],"cached_content":"cachedContents/1""#,
            r#""safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}],"cachedContent":"cachedContents/1""#,
        )],
    );
}

#[test]
fn json_next_to_tools_is_an_instruction_for_gemini_2() {
    let members = format!(
        r#"{TOOL},"response_format":{{"type":"json_schema","json_schema":{{"name":"s","schema":{{"type":"object"}}}}}}"#
    );
    let sent = chat(&members, "gemini-2.5-flash", &studio()).unwrap();
    let text = body(&sent)["systemInstruction"]["parts"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.ends_with(r#"JSON Schema: {"type":"object"}"#), "{text}");
    assert_eq!(body(&sent).get("generationConfig"), None);
    assert_eq!(fates(&sent), [("response_format", Fate::Approximated)]);
    let sent = chat(&members, "gemini-3-flash", &studio()).unwrap();
    assert_eq!(body(&sent)["generationConfig"]["responseJsonSchema"]["type"], "object");
    assert_eq!(fates(&sent), []);
}

#[test]
fn paths_name_the_model_below_a_version_or_a_project() {
    let with = |version: &str, settings: Settings| Settings { api_version: Some(version.into()), ..settings };
    let anywhere = Settings { project: Some("p".into()), ..Settings::default() };
    for (model, settings, members, path) in [
        ("gemini-3-pro", studio(), "", "/v1beta/models/gemini-3-pro:generateContent"),
        ("models/a b", with("v1", studio()), "", "/v1/models/a%20b:generateContent"),
        ("tunedModels/x", studio(), r#""stream":true"#, "/v1beta/tunedModels/x:streamGenerateContent?alt=sse"),
        ("../x?", studio(), "", "/v1beta/models/..%2Fx%3F:generateContent"),
        (
            "gemini-3-pro",
            vertex(),
            "",
            "/v1/projects/my-project/locations/us-central1/publishers/google/models/gemini-3-pro:generateContent",
        ),
        (
            "google/g",
            anywhere.clone(),
            "",
            "/v1/projects/p/locations/global/publishers/google/models/g:generateContent",
        ),
        (
            "publishers/meta/models/l",
            with("v1beta1", anywhere.clone()),
            "",
            "/v1beta1/projects/p/locations/global/publishers/meta/models/l:generateContent",
        ),
        ("endpoints/12", anywhere, "", "/v1/projects/p/locations/global/endpoints/12:generateContent"),
    ] {
        assert_eq!(chat(members, model, &settings).unwrap().path, path);
    }
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    let members = format!(r#"{TOOL},"logit_bias":{{"1":2}},"metadata":{{"b":"1","a":"2"}},"seed":3,"x":1"#);
    let one = chat(&members, "gemini-3-pro", &studio()).unwrap();
    let other = chat(&members, "gemini-3-pro", &studio()).unwrap();
    assert_eq!((one.body.to_bytes(), one.losses), (other.body.to_bytes(), other.losses));
}

#[test]
fn google_searches_where_no_function_may_be_called() {
    const SEARCH: &str = r#""tools":[{"googleSearch":{}}]"#;
    const TOOL: &str = r#""tools":[{"type":"function","function":{"name":"f"}}]"#;
    for model in ["gemini-2.0-flash", "gemini-2.5-pro", "gemini-3-pro"] {
        check(model, &[(r#""web_search_options":{"search_context_size":"medium"}"#, SEARCH)]);
        check(model, &[(&format!(r#"{TOOL},"tool_choice":"none","web_search_options":{{}}"#), SEARCH)]);
    }
    for model in ["gemini-1.5-pro", "gemma-3-27b-it", "gemini-2.5-flash-image"] {
        let sent = chat(r#""web_search_options":{}"#, model, &studio()).unwrap();
        assert_eq!(fates(&sent), [("web_search_options", Fate::Dropped)], "{model}");
    }
    let json = r#""response_format":{"type":"json_object"},"web_search_options":{}"#;
    check("gemini-3-pro", &[(json, &format!("{SEARCH},{}", config(r#""responseMimeType":"application/json""#)))]);
    let sent = chat(json, "gemini-2.5-pro", &studio()).unwrap();
    assert_eq!(fates(&sent), [("response_format", Fate::Approximated)]);
    assert!(body(&sent)["generationConfig"].is_null(), "refused next to a tool");
}
