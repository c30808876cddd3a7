use super::*;

fn embed(members: &str, model: &str, settings: &Settings) -> Result<Upstream, Refusal> {
    send(Endpoint::Embeddings, &format!(r#"{{"model":"m",{members}}}"#), model, settings)
}

#[test]
fn one_text_and_many_have_methods_of_their_own() {
    for (settings, model, members, path, expected) in [
        (studio(), "e", r#""input":"a""#, "/v1beta/models/e:embedContent", r#"{"content":{"parts":[{"text":"a"}]}}"#),
        (
            studio(),
            "e",
            r#""input":["a","b"],"dimensions":3,"task_type":"RETRIEVAL_QUERY""#,
            "/v1beta/models/e:batchEmbedContents",
            r#"{"requests":[{"model":"models/e","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":3},{"model":"models/e","content":{"parts":[{"text":"b"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":3}]}"#,
        ),
        (
            vertex(),
            "text-embedding-005",
            r#""input":["a","b"],"dimensions":3"#,
            "/v1/projects/my-project/locations/us-central1/publishers/google/models/text-embedding-005:predict",
            r#"{"instances":[{"content":"a"},{"content":"b"}],"parameters":{"outputDimensionality":3}}"#,
        ),
        (
            vertex(),
            "gemini-embedding-2",
            r#""input":"a","dimensions":3"#,
            "/v1/projects/my-project/locations/us-central1/publishers/google/models/gemini-embedding-2:embedContent",
            r#"{"content":{"parts":[{"text":"a"}]},"embedContentConfig":{"outputDimensionality":3}}"#,
        ),
    ] {
        let sent = embed(members, model, &settings).unwrap();
        assert_eq!((&*sent.path, body(&sent)), (path, golden(expected)));
    }
}

#[test]
fn tokens_and_batches_too_large_are_refused() {
    let many = format!(r#""input":[{}"a"]"#, "\"a\",".repeat(100));
    for members in [r#""input":[1,2]"#, r#""input":[[1],[2]]"#, r#""input":[]"#, &many] {
        assert_eq!(embed(members, "e", &studio()).unwrap_err().param.as_deref(), Some("input"), "{members}");
    }
    assert_eq!(
        embed(r#""input":["a","b"]"#, "gemini-embedding-2", &vertex()).unwrap_err().param.as_deref(),
        Some("input")
    );
}

#[test]
fn vectors_come_in_the_encoding_that_was_asked_for() {
    let float = embed(r#""input":"a""#, "e", &studio()).unwrap().reading;
    let base64 = embed(r#""input":"a","encoding_format":"base64""#, "e", &studio()).unwrap().reading;
    for (answer, counted) in [
        (r#"{"embedding":{"values":[1.0,-2.5]}}"#, 0),
        (r#"{"embeddings":[{"values":[1,-2.5]}]}"#, 0),
        (
            r#"{"predictions":[{"embeddings":{"values":[1.0,-2.5],"statistics":{"token_count":4.0,"truncated":false}}}]}"#,
            4,
        ),
    ] {
        let read = |reading: &Reading| {
            let answer = Gemini.answer(reading, &HeaderMap::new(), answer.into()).unwrap();
            let _: crate::api::EmbeddingResponse = serde_json::from_slice(&answer.body).unwrap();
            (serde_json::from_slice::<Value>(&answer.body).unwrap(), answer.usage.map_or(0, |usage| usage.input))
        };
        let expected = |vector: &str| {
            golden(&format!(
                r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":{vector}}}],"model":"e","usage":{{"prompt_tokens":{counted},"total_tokens":{counted}}}}}"#
            ))
        };
        assert_eq!(read(&float), (expected("[1.0,-2.5]"), counted));
        assert_eq!(read(&base64), (expected("\"AACAPwAAIMA=\""), counted));
    }
    assert_eq!(Gemini.answer(&float, &HeaderMap::new(), "{}".into()).unwrap_err().cause, Cause::Upstream);
}
