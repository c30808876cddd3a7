//! The quirks of each known provider. Sources are those of WIRE §1: S read in an SDK or the provider's documentation,
//! P practice of peers. Where a page calls a refusal model-dependent nothing is cut: the provider's 400 says it better.

use super::{Mend, Quirks, ToolIds};

/// S: `[openai:types/...]`; unknown fields in messages are 400 ("Additional properties are not allowed");
/// `[openai:types/embedding_create_params.py]`: 2,048 inputs.
pub(super) const OPENAI: Quirks = Quirks { strict_messages: true, most_inputs: 2048, ..Quirks::NONE };

/// S: learn.microsoft.com/azure/foundry/openai/how-to/embeddings: 2,048 inputs.
pub(super) const AZURE: Quirks = Quirks { most_inputs: 2048, ..Quirks::NONE };

/// S: console.groq.com/docs/openai, `[groq:types/chat]`: 400 for these fields; usage of streams under `x_groq`.
pub(super) const GROQ: Quirks = Quirks {
    refuses: &["logprobs", "top_logprobs", "logit_bias"],
    message_refuses: &["name"],
    mends: &[Mend::UsageUnderXGroq],
    ..Quirks::NONE
};

/// S: `[mistralai:client/models/chatcompletionrequest.py]` 3.7.0 (fields it lacks are 422 `extra_forbidden`; it does have
/// `metadata`, `logprobs` and `top_logprobs`), its message classes, `requestedservicetier.py` (`auto` or
/// `standard_only`: OpenAI's other tiers do not exist); tool ids: code 3280, eca#233, ironclaw#1241.
pub(super) const MISTRAL: Quirks = Quirks {
    refuses: &[
        "user",
        "logit_bias",
        "store",
        "service_tier",
        "modalities",
        "audio",
        "functions",
        "function_call",
        "verbosity",
        "web_search_options",
        "safety_identifier",
        "prompt_cache_retention",
    ],
    renames: &[("seed", "random_seed"), ("max_completion_tokens", "max_tokens")],
    values: &[("tool_choice", "\"required\"", "\"any\"")],
    message_refuses: &[
        "name",
        "refusal",
        "audio",
        "function_call",
        "annotations",
        "reasoning_content",
        "provider_specific_fields",
    ],
    developer_role: false,
    stream_options: false,
    tool_ids: ToolIds::Nine,
    mends: &[Mend::FinishReason("model_length", "length"), Mend::ContentList],
    ..Quirks::NONE
};

/// S: docs.cohere.com/reference/rerank, docs.aws.amazon.com (model cards of the rerankers), docs.vllm.ai (`/v1/rerank`, like
/// Jina's and Cohere's), localai.io/features/reranker. Of a server that is not known nothing speaks against it.
pub(super) const RERANKING: Quirks = Quirks { rerank: true, ..Quirks::NONE };

/// S: `[together:types/chat/completion_create_params.py]`: `logprobs` is a number; `finish_reason` may be `eos`;
/// docs.together.ai/reference/rerank.
pub(super) const TOGETHER: Quirks = Quirks {
    values: &[("logprobs", "true", "1"), ("logprobs", "false", "0")],
    mends: &[Mend::FinishReason("eos", "stop")],
    rerank: true,
    ..Quirks::NONE
};

/// S: models are `accounts/fireworks/models/NAME`; streams carry usage in the last chunk unasked.
pub(super) const FIREWORKS: Quirks = Quirks { model_prefix: "accounts/fireworks/models/", ..Quirks::NONE };

/// P: `[litellm:llms/deepinfra]`.
pub(super) const DEEPINFRA: Quirks = Quirks { renames: &[("max_completion_tokens", "max_tokens")], ..Quirks::NONE };

/// P: litellm strips both; an empty `finish_reason` may come with tool calls. What reasoning models refuse depends on the
/// model (S: docs.x.ai) and is left.
pub(super) const XAI: Quirks = Quirks {
    message_refuses: &["name"],
    function_refuses: &["strict"],
    mends: &[Mend::FinishReason("", "tool_calls")],
    ..Quirks::NONE
};

/// P: effort `max` is called `xhigh`. S: openrouter.ai/docs/api/api-reference/rerank/create-rerank.
pub(super) const OPENROUTER: Quirks =
    Quirks { values: &[("reasoning_effort", "\"max\"", "\"xhigh\"")], rerank: true, ..Quirks::NONE };
