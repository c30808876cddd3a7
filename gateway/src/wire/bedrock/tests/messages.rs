//! Messages, as Converse gets them.

use super::*;
use crate::api::Medium;

/// A conversation becomes this one, and nothing else is sent.
#[track_caller]
fn says(model: &str, messages: Value, expected: Value, losses: &[&str]) {
    becomes(model, &json!({ "messages": messages }), &expected, losses);
}

#[test]
fn system_messages_stand_apart_in_their_order() {
    says(
        NOVA,
        json!([
            { "role": "system", "content": "one" },
            { "role": "developer", "content": [{ "type": "text", "text": "two" }, { "type": "text", "text": " " }] },
            { "role": "user", "content": "hi" },
            { "role": "system", "content": "three" }
        ]),
        json!({ "messages": hi_there(), "system": [{ "text": "one" }, { "text": "two" }, { "text": "three" }] }),
        &["~messages[].role"],
    );
    let alone = json!([{ "role": "system", "content": "hi" }]);
    says(NOVA, alone, json!({ "messages": hi_there() }), &["~messages[].role"]);
}

#[test]
fn roles_alternate_and_a_user_begins() {
    says(
        NOVA,
        json!([
            { "role": "assistant", "content": "hello" },
            { "role": "user", "content": "a", "name": "bob" },
            { "role": "user", "content": "" },
            { "role": "assistant", "content": null },
            { "role": "user", "content": "b" }
        ]),
        json!({ "messages": [
            { "role": "user", "content": [{ "text": "." }] },
            { "role": "assistant", "content": [{ "text": "hello" }] },
            { "role": "user", "content": [{ "text": "a" }, { "text": "b" }] }
        ] }),
        &["messages[].name", "~messages"],
    );
    refused(NOVA, &json!({ "messages": [{ "role": "user", "content": " \n" }] }), "messages");
}

#[test]
fn only_old_models_continue_an_assistant() {
    let prefilled = json!([{ "role": "user", "content": "hi" }, { "role": "assistant", "content": "It is " }]);
    refused(OPUS_46, &json!({ "messages": prefilled }), "messages[1]");
    refused(LLAMA, &json!({ "messages": prefilled }), "messages[1]");
    says(
        HAIKU_35,
        prefilled,
        json!({ "messages": [hi_there()[0], { "role": "assistant", "content": [{ "text": "It is" }] }] }),
        &["~messages[].content"],
    );
}

#[test]
fn what_was_fetched_stands_for_its_address() {
    let part = |url: &str| json!({ "type": "image_url", "image_url": { "url": url } });
    let body = json!({ "model": NOVA, "messages": [
        { "role": "system", "content": [{ "type": "text", "text": "s" }] },
        { "role": "user", "content": [part("data:image/png;base64,AAAA"), part("https://a.example/b"), part("s3://a/b.png")] },
        { "role": "user", "content": [{ "type": "file", "file": { "file_id": "HTTPS://a.example/my_report.pdf?x" } }] },
    ]});
    // as other clients write the same
    let text = body.to_string().replace("https://", r"https:\/\/");
    let request = read(Endpoint::ChatCompletions, Bytes::from(text)).unwrap();
    let wanted = Bedrock.media(&request).unwrap();
    let fields: Vec<_> = wanted.iter().map(|wanted| (wanted.url.as_str(), wanted.param.as_str())).collect();
    let (image, file) = ("messages[1].content[1].image_url.url", "messages[2].content[0].file.file_id");
    assert_eq!(fields, [("https://a.example/b", image), ("HTTPS://a.example/my_report.pdf?x", file)]);

    let target = Target { model: NOVA, quirks: &NONE, settings: &Settings::default(), now: 7 };
    let refusal = Bedrock.request(&request, target).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some(image));
    for (wanted, media_type) in wanted.into_iter().zip(["image/gif", "application/pdf"]) {
        request.fetched.add(Medium { url: wanted.url, media_type, base64: "BBBB".into() }, Default::default());
    }
    let sent = super::body(&Bedrock.request(&request, target).unwrap());
    let content = &sent["messages"][0]["content"];
    assert_eq!(content[1], json!({ "image": { "format": "gif", "source": { "bytes": "BBBB" } } }));
    let document = json!({ "document": { "format": "pdf", "name": "my-report", "source": { "bytes": "BBBB" } } });
    assert_eq!(content[3], document, "{sent:#}");
}

#[test]
fn images_are_bytes_or_in_s3() {
    let image = |url: &str| json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": url, "detail": "auto" } }] }]);
    let block = |format: &str, source: Value| json!({ "messages": [{ "role": "user", "content": [{ "image": { "format": format, "source": source } }] }] });
    says(NOVA, image("data:image/jpg;base64,AAAA"), block("jpeg", json!({ "bytes": "AAAA" })), &[]);
    says(NOVA, image("data:image/webp;base64,AA A\nA"), block("webp", json!({ "bytes": "AAAA" })), &[]);
    says(NOVA, image("s3://bucket/a.PNG"), block("png", json!({ "s3Location": { "uri": "s3://bucket/a.PNG" } })), &[]);
    for url in [
        "https://example.com/a.png",
        "data:image/png,AAAA",
        "data:image/tiff;base64,AAAA",
        "data:image/png;base64,",
        "data:image/png;base64,AAA",
        "data:image/png;base64,A!AA",
    ] {
        refused(NOVA, &json!({ "messages": image(url) }), "messages[0].content[0].image_url.url");
    }
    let low = json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA", "detail": "low" } }] }]);
    let lost = ["messages[].content[].image_url.detail"];
    says(NOVA, low, block("png", json!({ "bytes": "AAAA" })), &lost);
    let spoken = json!({ "messages": [{ "role": "user", "content": "hi" }, { "role": "assistant", "content": [{ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } }] }] });
    refused(NOVA, &spoken, "messages[1].content[0]");
}

#[test]
fn sounds_have_their_format() {
    let sound = |format: &str| json!([{ "role": "user", "content": [{ "type": "input_audio", "input_audio": { "data": "AAAA", "format": format } }] }]);
    let block = json!({ "audio": { "format": "wav", "source": { "bytes": "AAAA" } } });
    says(NOVA, sound("wav"), json!({ "messages": [{ "role": "user", "content": [block] }] }), &[]);
    refused(NOVA, &json!({ "messages": sound("midi") }), "messages[0].content[0].input_audio.format");
}

#[test]
fn documents_have_names_that_bedrock_takes_and_no_two_the_same() {
    let file = |name: &str, data: &str| json!({ "type": "file", "file": { "filename": name, "file_data": data } });
    let pdf = "data:application/pdf;base64,AAAA";
    let block = |format: &str, name: &str| json!({ "document": { "format": format, "name": name, "source": { "bytes": "AAAA" } } });
    says(
        NOVA,
        json!([{ "role": "user", "content": [file("my_report  v1.2.pdf", pdf), file("my_report  v1.2.pdf", pdf), file("é.csv", "AAAA")] }]),
        json!({ "messages": [{ "role": "user", "content": [
            block("pdf", "my-report v1-2"), block("pdf", "my-report v1-2 2"), block("csv", "document"), { "text": "See the document." }
        ] }] }),
        &["~messages[].content"],
    );
    let message = |part: Value| json!({ "messages": [{ "role": "user", "content": [part] }] });
    refused(NOVA, &message(file("a.exe", "AAAA")), "messages[0].content[0].file");
    refused(
        NOVA,
        &message(json!({ "type": "file", "file": { "file_id": "file-1" } })),
        "messages[0].content[0].file.file_id",
    );
}

#[test]
fn cache_marks_become_points_after_their_block() {
    let marked = json!([
        { "role": "system", "content": [{ "type": "text", "text": "s", "cache_control": { "type": "ephemeral", "ttl": "1h" } }] },
        { "role": "user", "content": [
            { "type": "text", "text": "a", "cache_control": { "type": "ephemeral" } },
            { "type": "text", "text": "b", "prompt_cache_breakpoint": { "mode": "explicit" } }
        ] }
    ]);
    let point = json!({ "cachePoint": { "type": "default" } });
    let hour = json!({ "cachePoint": { "type": "default", "ttl": "1h" } });
    let with = |system: &Value, point: Option<&Value>| {
        let mut content = vec![json!({ "text": "a" }), json!({ "text": "b" })];
        let mut first = vec![json!({ "text": "s" })];
        if let Some(point) = point {
            content = vec![content[0].clone(), point.clone(), content[1].clone(), point.clone()];
            first.push(system.clone());
        }
        json!({ "messages": [{ "role": "user", "content": content }], "system": first })
    };
    says(SONNET_45, marked.clone(), with(&hour, Some(&point)), &[]);
    says(NOVA, marked.clone(), with(&point, Some(&point)), &["~cache_control"]);
    says(LLAMA, marked, with(&point, None), &["cache_control", "messages[].content[].prompt_cache_breakpoint"]);
}

#[test]
fn thinking_blocks_go_back_byte_for_byte() {
    let signature = "ErUBCkYIAxgCIkD/+==\u{2028}";
    let assistant = json!({ "role": "assistant", "content": "so", "reasoning_content": "hm", "thinking_blocks": [
        { "type": "thinking", "thinking": " hm\n", "signature": signature },
        { "type": "redacted_thinking", "data": "AAAA" }
    ] });
    let messages = json!([{ "role": "user", "content": "hi" }, assistant, { "role": "user", "content": "go" }]);
    let answer = |mut blocks: Vec<Value>| {
        blocks.push(json!({ "text": "so" }));
        json!({ "messages": [
            hi_there()[0], { "role": "assistant", "content": blocks }, { "role": "user", "content": [{ "text": "go" }] }
        ] })
    };
    let blocks = vec![
        json!({ "reasoningContent": { "reasoningText": { "text": " hm\n", "signature": signature } } }),
        json!({ "reasoningContent": { "redactedContent": "AAAA" } }),
    ];
    says(SONNET_45, messages.clone(), answer(blocks), &[]);
    says(LLAMA, messages, answer(vec![]), &["messages[].thinking_blocks", "messages[].reasoning_content"]);
}
