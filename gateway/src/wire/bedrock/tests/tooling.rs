//! Tools and their calls.

use super::*;

fn weather() -> Value {
    json!({ "type": "function", "function": { "name": "weather", "description": "", "parameters": { "type": "object", "properties": { "city": { "type": "string" } } } } })
}

fn weather_spec() -> Value {
    json!({ "toolSpec": { "name": "weather", "inputSchema": { "json": { "type": "object", "properties": { "city": { "type": "string" } } } } } })
}

fn call(id: &str, arguments: &str) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": "weather", "arguments": arguments } })
}

fn empty_spec(name: &str) -> Value {
    json!({ "toolSpec": { "name": name, "inputSchema": { "json": { "type": "object", "properties": {} } } } })
}

#[test]
fn results_of_a_turn_stand_in_one_user_message_before_its_text() {
    let request = json!({ "messages": [
        { "role": "user", "content": "hi" },
        { "role": "assistant", "content": "looking", "tool_calls": [call("a", "{\"city\": \"Rome\"}"), call("b b", ""), call("c", "nonsense")] },
        { "role": "tool", "tool_call_id": "b b", "content": "", "is_error": true },
        { "role": "tool", "tool_call_id": "a", "content": [{ "type": "text", "text": "sun" }] },
        { "role": "tool", "tool_call_id": "c", "content": "rain", "cache_control": { "type": "ephemeral" } },
        { "role": "user", "content": "and?" }
    ], "tools": [weather()] });
    let id = "call_aff3b2d6dcf9ae0b1b0a3de4ed0aad18";
    let upstream = chat(NOVA, &request).unwrap();
    let id = body(&upstream)["messages"][1]["content"][2]["toolUse"]["toolUseId"].as_str().unwrap_or(id).to_owned();
    assert!(id.starts_with("call_") && id.len() == 37, "{id}");
    becomes(
        NOVA,
        &request,
        &json!({ "messages": [
            hi_there()[0],
            { "role": "assistant", "content": [
                { "text": "looking" },
                { "toolUse": { "toolUseId": "a", "name": "weather", "input": { "city": "Rome" } } },
                { "toolUse": { "toolUseId": id, "name": "weather", "input": {} } },
                { "toolUse": { "toolUseId": "c", "name": "weather", "input": { "arguments": "nonsense" } } }
            ] },
            { "role": "user", "content": [
                { "toolResult": { "toolUseId": "a", "content": [{ "text": "sun" }] } },
                { "toolResult": { "toolUseId": id, "content": [{ "text": "(empty)" }], "status": "error" } },
                { "toolResult": { "toolUseId": "c", "content": [{ "text": "rain" }] } },
                { "cachePoint": { "type": "default" } },
                { "text": "and?" }
            ] }
        ], "toolConfig": { "tools": [weather_spec()] } }),
        &["~messages[].tool_calls"],
    );
}

#[test]
fn a_history_of_tools_without_tools_gets_them() {
    let history = json!([
        { "role": "user", "content": "hi" },
        { "role": "assistant", "tool_calls": [call("a", "{}")] },
        { "role": "tool", "tool_call_id": "a", "content": "sun" }
    ]);
    let messages = json!([
        hi_there()[0],
        { "role": "assistant", "content": [{ "toolUse": { "toolUseId": "a", "name": "weather", "input": {} } }] },
        { "role": "user", "content": [{ "toolResult": { "toolUseId": "a", "content": [{ "text": "sun" }] } }] }
    ]);
    let bare = json!({ "messages": messages, "toolConfig": { "tools": [empty_spec("weather")] } });
    becomes(LLAMA, &json!({ "messages": history }), &bare, &[]);
    let none = json!({ "messages": history, "tools": [weather()], "tool_choice": "none" });
    let kept = json!({ "messages": messages, "toolConfig": { "tools": [weather_spec()] } });
    becomes(LLAMA, &none, &kept, &["~tool_choice"]);
    // a round begun without thinking cannot go on with it
    let thinking = json!({ "messages": history, "tools": [weather()], "reasoning_effort": "low" });
    becomes(SONNET_45, &thinking, &kept, &["reasoning_effort"]);
}

#[test]
fn orphans_become_text_and_unanswered_calls_are_refused() {
    let orphan = json!({ "messages": [{ "role": "user", "content": "hi" }, { "role": "tool", "tool_call_id": "z", "content": "sun" }] });
    let text = json!({ "messages": [{ "role": "user", "content": [{ "text": "hi" }, { "text": "Result of the tool call z:" }, { "text": "sun" }] }] });
    becomes(LLAMA, &orphan, &text, &["~messages[].tool_call_id"]);
    let open = json!({ "messages": [{ "role": "user", "content": "hi" }, { "role": "assistant", "tool_calls": [call("a", "{}")] }] });
    refused(LLAMA, &open, "messages[1].tool_calls[0]");
}

#[test]
fn choices_are_made_where_the_model_has_them() {
    let named = json!({ "type": "function", "function": { "name": "weather" } });
    let allowed = json!({ "type": "allowed_tools", "allowed_tools": { "mode": "required", "tools": [{ "type": "function", "function": { "name": "weather" } }] } });
    let mistral = "mistral.mistral-large-2407-v1:0";
    for (model, choice, expected, losses) in [
        (NOVA, json!("auto"), json!({ "auto": {} }), &[][..]),
        (NOVA, json!("required"), json!({ "any": {} }), &[]),
        (NOVA, named.clone(), json!({ "tool": { "name": "weather" } }), &[]),
        (NOVA, allowed, json!({ "any": {} }), &[]),
        (mistral, named.clone(), json!({ "any": {} }), &[]),
        (LLAMA, json!("required"), json!({ "auto": {} }), &["~tool_choice"]),
        (LLAMA, named, json!({ "auto": {} }), &["~tool_choice"]),
    ] {
        let request = json!({ "messages": hi(), "tools": [weather()], "tool_choice": choice });
        let expected =
            json!({ "messages": hi_there(), "toolConfig": { "tools": [weather_spec()], "toolChoice": expected } });
        becomes(model, &request, &expected, losses);
    }
    let none = json!({ "messages": hi(), "tools": [weather()], "tool_choice": "none" });
    becomes(NOVA, &none, &json!({ "messages": hi_there() }), &[]);
    refused(NOVA, &json!({ "messages": hi(), "tool_choice": "required" }), "tool_choice");
    refused(NOVA, &json!({ "messages": hi(), "tools": [{ "type": "custom", "custom": { "name": "x" } }] }), "tools[0]");
    refused(
        NOVA,
        &json!({ "messages": hi(), "tools": [{ "type": "function", "function": { "name": "a.b" } }] }),
        "tools[0].function.name",
    );
}

#[test]
fn one_tool_at_a_time_is_claudes_own_word() {
    for (choice, own) in [
        (Value::Null, json!({ "type": "auto", "disable_parallel_tool_use": true })),
        (json!("required"), json!({ "type": "any", "disable_parallel_tool_use": true })),
        (
            json!({ "type": "function", "function": { "name": "weather" } }),
            json!({ "type": "tool", "name": "weather", "disable_parallel_tool_use": true }),
        ),
    ] {
        let request =
            json!({ "messages": hi(), "tools": [weather()], "tool_choice": choice, "parallel_tool_calls": false });
        let expected = json!({ "messages": hi_there(), "toolConfig": { "tools": [weather_spec()] }, "additionalModelRequestFields": { "tool_choice": own } });
        becomes(SONNET_45, &request, &expected, &[]);
    }
    let request = json!({ "messages": hi(), "tools": [weather()], "parallel_tool_calls": false });
    let plain = json!({ "messages": hi_there(), "toolConfig": { "tools": [weather_spec()] } });
    becomes(NOVA, &request, &plain, &["parallel_tool_calls"]);
    becomes(NOVA, &json!({ "messages": hi(), "parallel_tool_calls": false }), &json!({ "messages": hi_there() }), &[]);
}

#[test]
fn tools_are_strict_and_cached_where_that_is_known() {
    let strict = json!({ "type": "function", "function": { "name": "f", "strict": true, "parameters": { "properties": {} } }, "cache_control": { "type": "ephemeral" } });
    let request = json!({ "messages": hi(), "tools": [strict] });
    let schema = json!({ "json": { "type": "object", "properties": {} } });
    let point = json!({ "cachePoint": { "type": "default" } });
    let with = |tools: Value| json!({ "messages": hi_there(), "toolConfig": { "tools": tools } });
    let spec = json!({ "toolSpec": { "name": "f", "inputSchema": schema, "strict": true } });
    becomes(SONNET_45, &request, &with(json!([spec, point])), &[]);
    becomes(NOVA, &request, &with(json!([empty_spec("f"), point])), &["tools[].function.strict"]);
}

#[test]
fn functions_become_tools() {
    let request = json!({ "messages": [
        { "role": "user", "content": "hi" },
        { "role": "assistant", "content": null, "function_call": { "name": "weather", "arguments": "{}" } },
        { "role": "function", "name": "weather", "content": "sun" }
    ], "functions": [weather()["function"]], "function_call": "auto" });
    let expected = json!({ "messages": [
        hi_there()[0],
        { "role": "assistant", "content": [{ "toolUse": { "toolUseId": "function_call_1", "name": "weather", "input": {} } }] },
        { "role": "user", "content": [{ "toolResult": { "toolUseId": "function_call_1", "content": [{ "text": "sun" }] } }] }
    ], "toolConfig": { "tools": [weather_spec()], "toolChoice": { "auto": {} } } });
    becomes(NOVA, &request, &expected, &["~functions"]);
}

#[test]
fn a_schema_is_text_format_or_a_tool() {
    let schema = json!({ "type": "object", "properties": { "b": { "type": "string" }, "a": { "type": "object", "properties": {} } }, "additionalProperties": false });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "reply", "schema": schema, "strict": true } });
    let native = r#"{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"object","properties":{},"additionalProperties":false}},"additionalProperties":false}"#;
    let text = json!({ "type": "json_schema", "structure": { "jsonSchema": { "schema": native, "name": "reply" } } });
    let request = json!({ "messages": hi(), "response_format": format });
    becomes(
        SONNET_45,
        &request,
        &json!({ "messages": hi_there(), "outputConfig": { "textFormat": text } }),
        &["~response_format"],
    );

    let tool = json!({ "toolSpec": { "name": "reply", "description": "Gives the final answer, in the form that was asked for.", "inputSchema": { "json": schema } } });
    let forced =
        |choice: Value| json!({ "messages": hi_there(), "toolConfig": { "tools": [tool], "toolChoice": choice } });
    let upstream = becomes(NOVA, &request, &forced(json!({ "tool": { "name": "reply" } })), &["~response_format"]);
    assert_eq!(upstream.reading.json_tool.as_deref(), Some("reply"));
    becomes(LLAMA, &request, &forced(json!({ "auto": {} })), &["~response_format"]);

    let with_tools = json!({ "messages": hi(), "response_format": format, "tools": [weather()] });
    let both = json!({ "messages": hi_there(), "toolConfig": { "tools": [weather_spec(), tool], "toolChoice": { "any": {} } } });
    becomes(NOVA, &with_tools, &both, &["~response_format"]);
    let object = json!({ "messages": hi(), "response_format": { "type": "json_object" } });
    becomes(NOVA, &object, &json!({ "messages": hi_there() }), &["response_format"]);
}

#[test]
fn nova_of_the_us_searches_the_web() {
    const PREMIER: &str = "us.amazon.nova-premier-v1:0";
    let search = json!({ "systemTool": { "name": "nova_grounding" } });
    let asked = |members: Value| {
        let mut request = json!({ "messages": hi(), "web_search_options": { "search_context_size": "low" } });
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        request
    };
    for model in [PREMIER, "us.amazon.nova-2-lite-v1:0"] {
        becomes(
            model,
            &asked(json!({})),
            &json!({ "messages": hi_there(), "toolConfig": { "tools": [search] } }),
            &["web_search_options.search_context_size"],
        );
    }
    becomes(
        PREMIER,
        &asked(json!({ "tools": [weather()], "web_search_options": {} })),
        &json!({ "messages": hi_there(), "toolConfig": { "tools": [weather_spec(), search] } }),
        &[],
    );
    becomes(
        PREMIER,
        &asked(json!({ "tools": [weather()], "tool_choice": "required" })),
        &json!({ "messages": hi_there(), "toolConfig": { "tools": [weather_spec()], "toolChoice": { "any": {} } } }),
        &["web_search_options"],
    );
    for model in [NOVA, SONNET_5, "eu.amazon.nova-2-lite-v1:0"] {
        becomes(model, &asked(json!({})), &json!({ "messages": hi_there() }), &["web_search_options"]);
    }
}
