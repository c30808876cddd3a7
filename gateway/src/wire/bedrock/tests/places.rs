//! Paths, regions, lists.

use serde_json::json;

use super::{super::regions::model_in, *};

#[test]
fn the_model_is_one_segment_of_the_path() {
    let plain = chat("anthropic.claude-3-haiku-20240307-v1:0", &json!({ "messages": hi() })).unwrap();
    assert_eq!(plain.path, "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse");
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
    let streamed = chat(arn, &json!({ "messages": hi(), "stream": true })).unwrap();
    assert_eq!(
        streamed.path,
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse-stream"
    );
}

#[test]
fn a_profile_of_another_geography_becomes_the_regions() {
    for (region, model, expected) in [
        ("eu-central-1", "us.anthropic.claude-sonnet-4-6", "eu.anthropic.claude-sonnet-4-6"),
        ("us-west-2", "eu.amazon.nova-pro-v1:0", "us.amazon.nova-pro-v1:0"),
        (
            "us-gov-west-1",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (
            "ap-northeast-1",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "jp.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (
            "ap-northeast-1",
            "us.anthropic.claude-3-5-sonnet-20240620-v1:0",
            "apac.anthropic.claude-3-5-sonnet-20240620-v1:0",
        ),
        ("ap-northeast-1", "apac.amazon.nova-2-lite-v1:0", "apac.amazon.nova-2-lite-v1:0"),
        ("ap-southeast-2", "us.anthropic.claude-sonnet-4-6", "au.anthropic.claude-sonnet-4-6"),
        ("ap-southeast-1", "us.amazon.nova-pro-v1:0", "apac.amazon.nova-pro-v1:0"),
        ("ca-central-1", "us.amazon.nova-pro-v1:0", "us.amazon.nova-pro-v1:0"),
        ("eu-west-1", "global.anthropic.claude-sonnet-5", "global.anthropic.claude-sonnet-5"),
        ("eu-west-1", "anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"),
        ("me-south-1", "us.amazon.nova-pro-v1:0", "us.amazon.nova-pro-v1:0"),
        (
            "eu-west-1",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.x.y",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.x.y",
        ),
    ] {
        assert_eq!(model_in(Some(region), model), expected, "{region}");
        assert_eq!(model_in(None, model), model);
    }
    let settings = Settings { region: Some("eu-central-1".to_owned()), ..Settings::default() };
    let upstream = sent(Endpoint::ChatCompletions, NOVA, &json!({ "messages": hi() }), &settings).unwrap();
    assert_eq!(upstream.path, "/model/eu.amazon.nova-pro-v1%3A0/converse");
}

#[test]
fn both_lists_are_read() {
    let page = Bedrock.models(
        br#"{"inferenceProfileSummaries":[{"inferenceProfileId":"us.a.b","status":"ACTIVE"},{"inferenceProfileId":"x","status":"OFF"}],"nextToken":"a/b="}"#,
    );
    let page = page.unwrap();
    assert_eq!(page.ids, ["us.a.b"]);
    assert_eq!(page.next.as_deref(), Some("&nextToken=a%2Fb%3D"));
    let last = Bedrock.models(br#"{"inferenceProfileSummaries":[]}"#).unwrap();
    assert_eq!(last.next.as_deref(), Some("/foundation-models"));
    let page = Bedrock.models(
        br#"{"modelSummaries":[{"modelId":"a.b","inferenceTypesSupported":["ON_DEMAND"]},{"modelId":"c.d","inferenceTypesSupported":["INFERENCE_PROFILE"]},{"modelId":"e.f"}]}"#,
    );
    let page = page.unwrap();
    assert_eq!((page.ids, page.next), (vec!["a.b".to_owned(), "e.f".to_owned()], None));
    assert!(Bedrock.models(b"{}").is_err());
}
