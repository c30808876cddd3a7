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
fn tokens_and_other_encodings_are_refused() {
    for (members, param) in [
        (r#""input":[1,2]"#, "input"),
        (r#""input":[[1],[2]]"#, "input"),
        (r#""input":[]"#, "input"),
        (r#""input":"a","encoding_format":"int8""#, "encoding_format"),
    ] {
        assert_eq!(embed(members, "e", &studio()).unwrap_err().param.as_deref(), Some(param), "{members}");
    }
}

#[test]
fn more_texts_than_one_request_takes_go_in_parts() {
    let texts: Vec<String> = (0..501).map(|text| format!("\"{text}\"")).collect();
    let members = format!(r#""input":[{}]"#, texts.join(","));
    for (model, settings, sizes, method) in [
        ("e", studio(), vec![100, 100, 100, 100, 100, 1], "batchEmbedContents"),
        ("text-embedding-005", vertex(), vec![250, 250, 1], "predict"),
        ("gemini-embedding-001", vertex(), vec![1; 501], "predict"),
        ("gemini-embedding-2", vertex(), vec![1; 501], "embedContent"),
    ] {
        let sent = embed(&members, model, &settings).unwrap();
        assert!(sent.path.ends_with(method), "{}", sent.path);
        let parts: Vec<usize> = std::iter::once(&sent).chain(&sent.more).map(|part| part.reading.inputs).collect();
        assert_eq!(parts, sizes, "{model}");
        let last = sent.more.last().unwrap().body.to_bytes();
        assert!(std::str::from_utf8(&last).unwrap().contains(r#""500""#), "{model}");
    }
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
