//! Everything besides messages and tools.

use super::*;

/// `hi` with these options becomes `hi` with these members.
#[track_caller]
fn gives(model: &str, options: Value, members: Value, losses: &[&str]) {
    let with = |messages: Value, more: &Value| {
        let mut object = json!({ "messages": messages });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    becomes(model, &with(hi(), &options), &with(hi_there(), &members), losses);
}

#[test]
fn sampling_stays_within_what_the_model_takes() {
    let config = |config: Value| json!({ "inferenceConfig": config });
    gives(
        NOVA,
        json!({ "max_completion_tokens": 9, "temperature": 0.5, "top_p": 0.25, "stop": "x" }),
        config(json!({ "maxTokens": 9, "temperature": 0.5, "topP": 0.25, "stopSequences": ["x"] })),
        &[],
    );
    gives(
        NOVA,
        json!({ "max_tokens": 9, "temperature": 1.5, "stop": ["x", "", "\n"] }),
        config(json!({ "maxTokens": 9, "temperature": 1.0, "stopSequences": ["x"] })),
        &["~temperature", "~stop"],
    );
    gives(SONNET_45, json!({ "temperature": 0.5, "top_p": 0.5 }), config(json!({ "temperature": 0.5 })), &["top_p"]);
    gives(SONNET_5, json!({ "temperature": 0.5, "top_p": 1 }), json!({}), &["temperature"]);
    gives(SONNET_5, json!({ "temperature": 1 }), json!({}), &[]);
    refused(NOVA, &json!({ "messages": hi(), "max_tokens": 0 }), "max_tokens");
}

#[test]
fn effort_is_each_familys_own() {
    let fields = |fields: Value| json!({ "additionalModelRequestFields": fields });
    let thinks = |thinking: Value, more: Value| {
        let mut members = json!({ "additionalModelRequestFields": { "thinking": thinking }, "additionalModelResponseFieldPaths": ["/usage/output_tokens_details"] });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        members
    };
    let budget = |budget: u32| json!({ "type": "enabled", "budget_tokens": budget });
    let effort = |effort: &str| json!({ "outputConfig": { "effort": effort } });
    gives(
        SONNET_45,
        json!({ "reasoning_effort": "high", "temperature": 0.2, "top_p": 0.96 }),
        thinks(budget(4096), json!({ "inferenceConfig": { "topP": 0.96 } })),
        &["temperature"],
    );
    gives(
        SONNET_45,
        json!({ "reasoning_effort": "high", "max_tokens": 2000 }),
        thinks(budget(1600), json!({ "inferenceConfig": { "maxTokens": 2000 } })),
        &["~reasoning_effort"],
    );
    gives(
        SONNET_45,
        json!({ "reasoning_effort": "low", "max_tokens": 1024 }),
        json!({ "inferenceConfig": { "maxTokens": 1024 } }),
        &["reasoning_effort"],
    );
    gives(OPUS_46, json!({ "reasoning_effort": "max" }), thinks(json!({ "type": "adaptive" }), effort("max")), &[]);
    gives(
        SONNET_5,
        json!({ "reasoning_effort": "max" }),
        thinks(json!({ "type": "adaptive", "display": "summarized" }), effort("xhigh")),
        &["~reasoning_effort"],
    );
    gives(
        SONNET_5,
        json!({ "reasoning_effort": "minimal" }),
        thinks(json!({ "type": "adaptive", "display": "summarized" }), effort("low")),
        &[],
    );
    gives(SONNET_5, json!({ "reasoning_effort": "none" }), json!({}), &[]);
    gives(
        "us.amazon.nova-2-lite-v1:0",
        json!({ "reasoning_effort": "medium" }),
        fields(json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": "medium" } })),
        &[],
    );
    gives(
        "openai.gpt-oss-120b-1:0",
        json!({ "reasoning_effort": "low" }),
        fields(json!({ "reasoning_effort": "low" })),
        &[],
    );
    gives(
        "openai.gpt-6-sol",
        json!({ "reasoning_effort": "none" }),
        fields(json!({ "reasoning": { "effort": "none" } })),
        &[],
    );
    gives(LLAMA, json!({ "reasoning_effort": "low" }), json!({}), &["reasoning_effort"]);
    let tools = json!([{ "type": "function", "function": { "name": "f" } }]);
    let config = json!({ "tools": [{ "toolSpec": { "name": "f", "inputSchema": { "json": { "type": "object", "properties": {} } } } }], "toolChoice": { "any": {} } });
    gives(
        SONNET_5,
        json!({ "reasoning_effort": "xhigh", "tools": tools, "tool_choice": "required" }),
        json!({ "toolConfig": config, "outputConfig": { "effort": "high" } }),
        &["~reasoning_effort"],
    );
}

#[test]
fn who_asks_goes_to_the_log() {
    gives(
        NOVA,
        json!({ "metadata": { "team": "a|b", "user": "x" }, "user": "u1", "safety_identifier": "s" }),
        json!({ "requestMetadata": { "safety_identifier": "s", "team": "a_b", "user": "u1" } }),
        &["~metadata"],
    );
    gives(NOVA, json!({ "metadata": {} }), json!({}), &[]);
}

#[test]
fn tiers_are_those_of_bedrock() {
    for (asked, given, losses) in [
        ("default", Some("default"), &[][..]),
        ("flex", Some("flex"), &[]),
        ("priority", Some("priority"), &[]),
        ("fast", Some("priority"), &["~service_tier"]),
        ("auto", None, &[]),
        ("scale", None, &["service_tier"]),
    ] {
        let members = given.map_or_else(|| json!({}), |given| json!({ "serviceTier": { "type": given } }));
        gives(NOVA, json!({ "service_tier": asked }), members, losses);
    }
}

#[test]
fn what_has_no_place_is_dropped_and_reported_when_it_means_something() {
    gives(
        NOVA,
        json!({
            "seed": 1, "frequency_penalty": 0.5, "presence_penalty": 0, "logit_bias": {}, "store": false, "n": 1, "logprobs": false,
            "verbosity": "low", "prompt_cache_key": "k", "modalities": ["text"], "seltsam": 1, "bad name": 2, "nothing": null
        }),
        json!({}),
        &["frequency_penalty", "prompt_cache_key", "seed", "verbosity", "seltsam", "*"],
    );
    for (param, value) in [
        ("n", json!(2)),
        ("logprobs", json!(true)),
        ("top_logprobs", json!(3)),
        ("modalities", json!(["text", "audio"])),
        ("audio", json!({ "format": "wav", "voice": "alloy" })),
    ] {
        refused(NOVA, &json!({ "messages": hi(), param: value }), param);
    }
}

#[test]
fn bedrocks_own_members_pass() {
    let guardrail = json!({ "guardrailIdentifier": "abc", "guardrailVersion": "1" });
    gives(
        SONNET_45,
        json!({
            "guardrailConfig": guardrail, "performanceConfig": { "latency": "optimized" }, "top_k": 5,
            "additionalModelRequestFields": { "anthropic_beta": ["x"] }, "additionalModelResponseFieldPaths": ["/stop_sequence"]
        }),
        json!({
            "guardrailConfig": guardrail, "performanceConfig": { "latency": "optimized" },
            "additionalModelRequestFields": { "anthropic_beta": ["x"], "top_k": 5 }, "additionalModelResponseFieldPaths": ["/stop_sequence"]
        }),
        &[],
    );
    gives(
        SONNET_45,
        json!({ "thinking": { "type": "disabled" }, "reasoning_effort": "low" }),
        json!({ "additionalModelRequestFields": { "thinking": { "type": "disabled" } } }),
        &["reasoning_effort"],
    );
}
