use serde_json::{Value, json};

use super::{chat_body, events};
use crate::api::{ChatCompletionChunk, Completion};

const CHAT: &str = "/v1/chat/completions";

async fn chunks(body: &Value) -> Vec<Value> {
    let mut events = events(CHAT, body).await;
    assert_eq!(events.pop().unwrap(), "[DONE]");
    events.iter().map(|event| serde_json::from_str(event).unwrap()).collect()
}

#[tokio::test]
async fn a_stream_is_a_role_words_an_end_and_done() {
    let chunks = chunks(&chat_body("echo", "one two", json!({ "stream": true }))).await;
    let choices: Vec<&Value> = chunks.iter().map(|chunk| &chunk["choices"][0]).collect();
    assert_eq!(choices.len(), 4);
    assert_eq!(choices[0]["delta"], json!({ "role": "assistant", "content": "" }));
    assert_eq!(choices[1]["delta"], json!({ "content": "one" }));
    assert_eq!(choices[2]["delta"], json!({ "content": " two" }));
    assert_eq!(choices[2]["finish_reason"], Value::Null);
    assert_eq!(choices[3]["delta"], json!({}));
    assert_eq!(choices[3]["finish_reason"], "stop");
    assert!(chunks.iter().all(|chunk| chunk["id"] == chunks[0]["id"] && chunk.get("usage").is_none()));
}

#[tokio::test]
async fn usage_is_streamed_to_those_who_ask() {
    let asked = json!({ "stream": true, "stream_options": { "include_usage": true } });
    let all = chunks(&chat_body("echo", "one two", asked.clone())).await;
    let (last, others) = all.split_last().unwrap();
    assert!(others.iter().all(|chunk| chunk.get("usage") == Some(&Value::Null)));
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["total_tokens"], 4);
    for chunk in &all {
        let parsed: ChatCompletionChunk = serde_json::from_value(chunk.clone()).unwrap();
        assert_eq!(&serde_json::to_value(parsed).unwrap(), chunk);
    }
    let unmetered = chunks(&chat_body("echo?usage=false", "one two", asked)).await;
    assert!(unmetered.iter().all(|chunk| chunk.get("usage").is_none()));
}

#[tokio::test]
async fn tool_calls_are_streamed_in_pieces() {
    let parameters = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let tool = |name| json!({ "type": "function", "function": { "name": name, "parameters": parameters } });
    let body = chat_body("tool", "go", json!({ "stream": true, "tools": [tool("a"), tool("b")] }));
    let chunks = chunks(&body).await;
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": null }));
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
    for (index, name) in [(0, "a"), (1, "b")] {
        let of_it = || {
            chunks
                .iter()
                .map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0])
                .filter(|call| call["index"] == index)
        };
        let first = of_it().next().unwrap();
        assert!(first["id"].as_str().unwrap().starts_with("call_sim_"));
        assert_eq!((&first["type"], &first["function"]["name"]), (&json!("function"), &json!(name)));
        let arguments: String = of_it().map(|call| call["function"]["arguments"].as_str().unwrap()).collect();
        assert_eq!(arguments, r#"{"city":"text"}"#);
        assert!(of_it().count() > 2);
    }
}

#[tokio::test]
async fn every_choice_is_streamed() {
    let chunks = chunks(&chat_body("echo", "a", json!({ "stream": true, "n": 2 }))).await;
    let ends = chunks.iter().filter(|chunk| chunk["choices"][0]["finish_reason"] == "stop");
    assert!(ends.map(|chunk| &chunk["choices"][0]["index"]).eq([&json!(0), &json!(1)]));
}

#[tokio::test]
async fn completions_are_streamed_in_their_own_format() {
    let body = json!({
        "model": "echo", "prompt": ["a b", "c"], "stream": true, "stream_options": { "include_usage": true }, "max_tokens": 1,
    });
    let mut events = events("/v1/completions", &body).await;
    assert_eq!(events.pop().unwrap(), "[DONE]");
    let answers: Vec<Completion> = events.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    let (last, others) = answers.split_last().unwrap();
    assert_eq!(last.usage.as_ref().unwrap().as_ref().unwrap().completion_tokens, 2);
    assert!(last.choices.is_empty() && others.iter().all(|answer| answer.usage == Some(None)));
    let pieces: Vec<_> = others
        .iter()
        .map(|answer| {
            let choice = &answer.choices[0];
            (choice.index, choice.text.as_str(), choice.finish_reason.as_ref().map(|reason| reason.as_str()))
        })
        .collect();
    assert_eq!(pieces, [(0, "a", None), (0, "", Some("length")), (1, "c", None), (1, "", Some("stop"))]);
}
