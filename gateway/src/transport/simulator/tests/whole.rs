use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{ask, chat, chat_body, post, send};
use crate::{
    api::{ChatCompletion, Completion, EmbeddingResponse, ModelList},
    transport::simulator::{MODELS, text},
};

fn said(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"].as_str().unwrap()
}

#[tokio::test]
async fn echo_says_what_the_user_said_last() {
    let answer = chat("echo", "hello there", json!({})).await;
    assert_eq!(said(&answer), "hello there");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["model"], "echo");
    assert!(answer["id"].as_str().unwrap().starts_with("chatcmpl-sim-"));
    assert_eq!(answer["usage"]["prompt_tokens"], 2);
    assert_eq!(answer["usage"]["completion_tokens"], 2);
    assert_eq!(answer["usage"]["total_tokens"], 4);
    serde_json::from_value::<ChatCompletion>(answer).unwrap();

    let parts = json!([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "text", "text": "b"}]);
    let messages = json!([{"role": "user", "content": parts}, {"role": "assistant", "content": "c"}]);
    assert_eq!(said(&chat("echo", "", json!({ "messages": messages })).await), "a\nb");
}

#[tokio::test]
async fn answers_have_the_headers_of_openai() {
    let response = post("/v1/chat/completions", &chat_body("echo", "hi", json!({}))).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.headers()["x-request-id"].to_str().unwrap().starts_with("req_sim_"));
    assert_eq!(response.headers()["openai-version"], "2020-10-01");
}

#[tokio::test]
async fn lengths_limits_and_stop_texts_are_honoured() {
    let lorem = chat("lorem", "", json!({})).await;
    assert_eq!(said(&lorem), text::LOREM);
    let long = chat("lorem?tokens=200", "", json!({})).await;
    assert_eq!(said(&long).split(' ').count(), 200);
    assert_eq!(long["usage"]["completion_tokens"], 200);

    for limit in ["max_tokens", "max_completion_tokens"] {
        let cut = chat("echo", "one two three", json!({ limit: 2 })).await;
        assert_eq!((said(&cut), &cut["choices"][0]["finish_reason"]), ("one two", &json!("length")));
    }
    for stop in [json!("two"), json!(["x", "two"])] {
        let stopped = chat("echo", "one two three", json!({ "stop": stop })).await;
        assert_eq!((said(&stopped), &stopped["choices"][0]["finish_reason"]), ("one ", &json!("stop")));
    }
    let several = chat("echo", "a b", json!({"n": 3})).await;
    assert_eq!(several["choices"].as_array().unwrap().len(), 3);
    assert_eq!(several["choices"][2]["index"], 2);
    assert_eq!(several["usage"]["completion_tokens"], 6);
    let unmetered = chat("echo?usage=false", "a", json!({})).await;
    assert_eq!(unmetered.get("usage"), None);
}

fn weather_tools() -> Value {
    let weather = json!({
        "type": "object",
        "properties": { "city": { "type": "string" }, "unit": { "enum": ["c", "f"] } },
        "required": ["city", "unit"],
    });
    json!([
        { "type": "function", "function": { "name": "weather", "parameters": weather } },
        { "type": "function", "function": { "name": "time" } },
        { "type": "custom", "custom": { "name": "shell" } },
    ])
}

#[tokio::test]
async fn tool_calls_two_tools_and_then_quotes_their_answers() {
    let answer = chat("tool", "weather?", json!({ "tools": weather_tools() })).await;
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    let calls = choice["message"]["tool_calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0]["function"], json!({ "name": "weather", "arguments": r#"{"city":"text","unit":"c"}"# }));
    assert_eq!(calls[1]["function"], json!({ "name": "time", "arguments": "{}" }));

    let messages = json!([
        { "role": "user", "content": "weather?" },
        { "role": "assistant", "tool_calls": calls },
        { "role": "tool", "tool_call_id": calls[0]["id"], "content": "sunny" },
        { "role": "tool", "tool_call_id": calls[1]["id"], "content": "noon" },
    ]);
    let answer = chat("tool", "", json!({ "messages": messages, "tools": weather_tools() })).await;
    assert_eq!(said(&answer), "The tool answered: sunny; noon");
}

#[tokio::test]
async fn tool_choice_decides_what_is_called() {
    let named = |name: &str| json!({ "type": "function", "function": { "name": name } });
    for (more, expected) in [
        (json!({}), json!(["weather", "time"])),
        (json!({ "parallel_tool_calls": false }), json!(["weather"])),
        (json!({ "tool_choice": "required" }), json!(["weather", "time"])),
        (json!({ "tool_choice": named("time") }), json!(["time"])),
        (json!({ "tool_choice": { "type": "custom", "custom": { "name": "shell" } } }), json!(["shell"])),
        (
            json!({ "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [named("time")] } } }),
            json!(["time"]),
        ),
        (json!({ "tool_choice": "none" }), json!([])),
    ] {
        let mut more = more;
        more["tools"] = weather_tools();
        let answer = chat("tool", "", more.clone()).await;
        let calls = answer["choices"][0]["message"]["tool_calls"].as_array().cloned().unwrap_or_default();
        let name =
            |call: &Value| call["function"]["name"].as_str().or(call["custom"]["name"].as_str()).unwrap().to_owned();
        assert_eq!(json!(calls.iter().map(name).collect::<Vec<_>>()), expected, "{more}");
    }
    let missing = chat_body("tool", "", json!({ "tools": weather_tools(), "tool_choice": named("fly") }));
    let (status, answer) = ask("/v1/chat/completions", &missing).await;
    assert_eq!((status.as_u16(), &answer["error"]["param"]), (400, &json!("tool_choice")));

    let functions = json!({ "functions": [{ "name": "old" }] });
    let answer = chat("tool", "", functions).await;
    assert_eq!(answer["choices"][0]["message"]["function_call"], json!({ "name": "old", "arguments": "{}" }));
    assert_eq!(answer["choices"][0]["finish_reason"], "function_call");
}

#[tokio::test]
async fn json_says_an_instance_of_the_schema() {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["steps", "state"],
        "properties": {
            "steps": { "type": "array", "items": { "$ref": "#/$defs/step" } },
            "state": { "const": "done" },
            "spare": { "type": "string" },
        },
        "$defs": { "step": { "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] } },
    });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "plan", "schema": schema, "strict": true } });
    let answer = chat("json", "plan", json!({ "response_format": format })).await;
    let value: Value = serde_json::from_str(said(&answer)).unwrap();
    assert_eq!(value, json!({ "steps": [{ "n": 1 }], "state": "done" }));

    let answer = chat("json", "hi", json!({ "response_format": { "type": "json_object" } })).await;
    assert_eq!(serde_json::from_str::<Value>(said(&answer)).unwrap(), json!({ "simulated": true, "text": "hi" }));
}

#[tokio::test]
async fn completions_complete_every_prompt_n_times() {
    let body = json!({ "model": "echo", "prompt": ["a b", [1, 2]], "n": 2, "max_tokens": 1 });
    let (status, answer) = ask("/v1/completions", &body).await;
    assert_eq!(status, 400, "prompts are not mixed: {answer}");
    let body = json!({ "model": "echo", "prompt": ["a b", "c"], "n": 2, "max_tokens": 1 });
    let (_, answer) = ask("/v1/completions", &body).await;
    let answer: Completion = serde_json::from_value(answer).unwrap();
    let texts: Vec<_> = answer.choices.iter().map(|choice| (choice.index, choice.text.as_str())).collect();
    assert_eq!(texts, [(0, "a"), (1, "a"), (2, "c"), (3, "c")]);
    assert_eq!(answer.usage.unwrap().unwrap().total_tokens, 7);

    let body = json!({ "model": "lorem?tokens=2", "prompt": "Say: ", "echo": true });
    assert_eq!(ask("/v1/completions", &body).await.1["choices"][0]["text"], "Say: Lorem ipsum");
    let body = json!({ "model": "echo", "prompt": [17, 4] });
    assert_eq!(ask("/v1/completions", &body).await.1["choices"][0]["text"], "17 4");
}

#[tokio::test]
async fn embeddings_are_the_same_in_both_encodings() {
    let body = json!({ "model": "embedding", "input": ["a", "b c"] });
    let (_, floats) = ask("/v1/embeddings", &body).await;
    let parsed: EmbeddingResponse = serde_json::from_value(floats.clone()).unwrap();
    assert_eq!((parsed.data.len(), parsed.usage.total_tokens), (2, 3));
    let numbers = floats["data"][1]["embedding"].as_array().unwrap();
    assert_eq!(numbers.len(), 256);

    let body = json!({ "model": "embedding", "input": "b c", "encoding_format": "base64", "dimensions": 3 });
    let (_, encoded) = ask("/v1/embeddings", &body).await;
    assert_eq!(encoded["data"][0]["embedding"].as_str().unwrap().len(), 16);
    for input in [json!([1, 2]), json!([[1, 2], [3]])] {
        let (status, _) = ask("/v1/embeddings", &json!({ "model": "embedding", "input": input })).await;
        assert_eq!(status, 200);
    }
    for (more, param) in [
        (json!({ "input": "" }), "input"),
        (json!({ "dimensions": 0 }), "dimensions"),
        (json!({ "encoding_format": "hex" }), "encoding_format"),
    ] {
        let mut body = json!({ "model": "embedding", "input": "a" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, answer) = ask("/v1/embeddings", &body).await;
        assert_eq!((status.as_u16(), &answer["error"]["param"]), (400, &json!(param)));
    }
}

#[tokio::test]
async fn what_is_wrong_is_answered_as_openai_does() {
    let text = json!([{ "role": "user", "content": "a" }]);
    for (path, body, status, param, code) in [
        (
            "/v1/chat/completions",
            json!({ "model": "gpt-4o", "messages": text }),
            404,
            Value::Null,
            json!("model_not_found"),
        ),
        (
            "/v1/chat/completions",
            json!({ "model": "embedding", "messages": text }),
            404,
            json!("model"),
            json!("model_not_found"),
        ),
        ("/v1/embeddings", json!({ "model": "echo", "input": "a" }), 404, json!("model"), json!("model_not_found")),
        ("/v1/completions", json!({ "model": "tool", "prompt": "a" }), 404, json!("model"), json!("model_not_found")),
        (
            "/v1/chat/completions",
            json!({ "model": "echo?colour=red", "messages": text }),
            400,
            json!("model"),
            Value::Null,
        ),
        ("/v1/chat/completions", json!({ "model": "echo" }), 400, json!("messages"), Value::Null),
        ("/v1/chat/completions", json!({ "model": "echo", "messages": [] }), 400, json!("messages"), Value::Null),
        ("/v1/chat/completions", json!({ "model": "echo", "messages": text, "n": 129 }), 400, json!("n"), Value::Null),
        (
            "/v1/chat/completions",
            json!({ "model": "echo", "messages": text, "max_tokens": 0 }),
            400,
            json!("max_tokens"),
            Value::Null,
        ),
        (
            "/v1/chat/completions",
            json!({ "model": "echo", "messages": text, "stream_options": { "include_usage": true } }),
            400,
            json!("stream_options"),
            Value::Null,
        ),
        ("/v1/images", json!({}), 404, Value::Null, json!("unknown_url")),
        ("/v1/models", json!({}), 405, Value::Null, json!("method_not_supported")),
    ] {
        let (answered, answer) = ask(path, &body).await;
        assert_eq!(answered, status, "{path} {body}: {answer}");
        assert_eq!((&answer["error"]["param"], &answer["error"]["code"]), (&param, &code), "{answer}");
        assert_eq!(answer["error"]["type"], "invalid_request_error");
    }
}

#[tokio::test]
async fn much_is_not_made_out_of_little() {
    let text = "x".repeat(1 << 20);
    for (path, body) in [
        ("/v1/chat/completions", chat_body("echo", &text, json!({ "n": 128 }))),
        ("/v1/chat/completions", chat_body("echo?tokens=100000", &text, json!({}))),
        ("/v1/completions", json!({ "model": "lorem?tokens=100000", "prompt": vec!["a"; 128] })),
        ("/v1/embeddings", json!({ "model": "embedding", "input": vec!["a"; 2048], "dimensions": 4096 })),
    ] {
        assert_eq!(ask(path, &body).await.0, 400);
    }
}

#[tokio::test]
async fn models_are_listed() {
    let response = send(Method::GET, "/v1/models", "").await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let list: ModelList = serde_json::from_slice(&bytes).unwrap();
    assert!(list.data.iter().map(|model| model.id.as_str()).eq(MODELS.iter().copied()));
}
