//! Embeddings.

use super::*;

const TITAN: &str = "amazon.titan-embed-text-v2:0";
const COHERE: &str = "cohere.embed-multilingual-v3";

fn embed(model: &str, body: &Value) -> Result<Upstream, Refusal> {
    sent(Endpoint::Embeddings, model, body, &Settings::default())
}

#[track_caller]
fn invokes(model: &str, asked: Value, expected: Value) -> Upstream {
    let upstream = embed(model, &asked).unwrap();
    assert_eq!(body(&upstream), expected);
    upstream
}

#[test]
fn each_vendor_is_asked_in_its_own_words() {
    let titan =
        invokes(TITAN, json!({ "input": "a", "dimensions": 256 }), json!({ "inputText": "a", "dimensions": 256 }));
    assert_eq!(titan.path, "/model/amazon.titan-embed-text-v2%3A0/invoke");
    invokes(TITAN, json!({ "input": ["a"] }), json!({ "inputText": "a" }));
    let plain = json!({ "texts": ["a", "b"], "input_type": "search_document", "embedding_types": ["float"] });
    invokes(COHERE, json!({ "input": ["a", "b"] }), plain);
    let query =
        json!({ "texts": ["a"], "input_type": "search_query", "embedding_types": ["float"], "output_dimension": 512 });
    invokes("us.cohere.embed-v4:0", json!({ "input": "a", "dimensions": 512, "input_type": "search_query" }), query);
}

#[test]
fn what_cannot_be_embedded_is_refused() {
    for (model, asked, param) in [
        (TITAN, json!({ "input": [1, 2] }), "input"),
        (TITAN, json!({ "input": [] }), "input"),
        (TITAN, json!({ "input": vec!["a"; 2049] }), "input"),
        (TITAN, json!({ "input": "a", "encoding_format": "int8" }), "encoding_format"),
        (COHERE, json!({ "input": "a", "dimensions": 5 }), "dimensions"),
        ("amazon.titan-embed-text-v1", json!({ "input": "a", "dimensions": 5 }), "dimensions"),
        (NOVA, json!({ "input": "a" }), "model"),
    ] {
        assert_eq!(embed(model, &asked).unwrap_err().param.as_deref(), Some(param), "{model}");
    }
}

#[test]
fn many_texts_go_in_parts() {
    for (model, count, sizes) in [(TITAN, 3, vec![1, 1, 1]), (COHERE, 97, vec![96, 1])] {
        let sent = embed(model, &json!({ "input": vec!["a"; count], "user": "u" })).unwrap();
        let parts: Vec<usize> = std::iter::once(&sent).chain(&sent.more).map(|part| part.reading.inputs).collect();
        assert_eq!(parts, sizes, "{model}");
        assert!(sent.more.iter().all(|part| part.path == sent.path));
        assert_eq!(sent.losses.len(), 1);
    }
}

#[test]
fn vectors_come_as_they_were_asked_for() {
    let titan = Bytes::from(r#"{"embedding":[1.0,-2.5],"inputTextTokenCount":3}"#);
    let plain = embed(TITAN, &json!({ "input": "a" })).unwrap().reading;
    let packed = embed(TITAN, &json!({ "input": "a", "encoding_format": "base64" })).unwrap().reading;
    let answer = Bedrock.answer(&plain, &HeaderMap::new(), titan.clone()).unwrap();
    assert_eq!(answer.usage.unwrap().input, 3);
    let value: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        value,
        json!({
            "object": "list", "model": TITAN, "usage": { "prompt_tokens": 3, "total_tokens": 3 },
            "data": [{ "object": "embedding", "index": 0, "embedding": [1.0, -2.5] }]
        })
    );
    let value: Value =
        serde_json::from_slice(&Bedrock.answer(&packed, &HeaderMap::new(), titan).unwrap().body).unwrap();
    assert_eq!(value["data"][0]["embedding"], "AACAPwAAIMA=");
    for body in [
        r#"{"embeddings":[[1.0],[2.0]]}"#,
        r#"{"embeddings":{"float":[[1.0],[2.0]]},"response_type":"embeddings_by_type"}"#,
    ] {
        let value: Value =
            serde_json::from_slice(&Bedrock.answer(&plain, &HeaderMap::new(), Bytes::from(body)).unwrap().body)
                .unwrap();
        assert_eq!((&value["data"][1]["index"], &value["data"][1]["embedding"]), (&json!(1), &json!([2.0])));
    }
    assert!(Bedrock.answer(&plain, &HeaderMap::new(), Bytes::from("{}")).is_err());
    let counted = HeaderMap::from_iter([("x-amzn-bedrock-input-token-count".parse().unwrap(), "12".parse().unwrap())]);
    let answer = Bedrock.answer(&plain, &counted, Bytes::from(r#"{"embeddings":[[1.0]]}"#)).unwrap();
    assert_eq!(answer.usage.unwrap().input, 12, "Cohere's count");
}
