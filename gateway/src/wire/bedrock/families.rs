//! What the models on Bedrock can do, by the beginning of their names. Sources: AWS's user guide (tool use, structured
//! outputs, adaptive thinking), WIRE §0 and §2, and `LiteLLM`'s table of 2026-11 for what AWS does not list.

use super::regions;

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It cannot be told.
    No,
    /// `thinking: {type: enabled, budget_tokens}`.
    Budget,
    /// `thinking: {type: adaptive}` and `outputConfig.effort` up to this one.
    Adaptive(&'static str),
    /// `reasoningConfig: {type, maxReasoningEffort}` (Nova 2).
    ReasoningConfig,
    /// `reasoning_effort` (gpt-oss, DeepSeek).
    Effort,
    /// `reasoning: {effort}` (OpenAI's GPT).
    Reasoning,
}

/// What sampling values a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    Any,
    /// `temperature` or `topP`, not both.
    One,
    None,
}

/// What one family can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Family {
    pub claude: bool,
    pub thinking: Thinking,
    pub sampling: Sampling,
    /// `toolChoice.any`.
    pub any: bool,
    /// `toolChoice.tool`, and `toolResult.status`.
    pub named: bool,
    /// `disable_parallel_tool_use` in `additionalModelRequestFields`.
    pub serial_tools: bool,
    /// `outputConfig.textFormat`.
    pub schema: bool,
    /// `toolSpec.strict`.
    pub strict: bool,
    /// An assistant message at the end is continued.
    pub prefill: bool,
    /// `cachePoint`.
    pub cache: bool,
    /// `cachePoint.ttl`.
    pub cache_ttl: bool,
}

const PLAIN: Family = Family {
    claude: false,
    thinking: Thinking::No,
    sampling: Sampling::Any,
    any: false,
    named: false,
    serial_tools: false,
    schema: false,
    strict: false,
    prefill: false,
    cache: false,
    cache_ttl: false,
};
const SCHEMA: Family = Family { schema: true, strict: true, ..PLAIN };
const MISTRAL: Family = Family { any: true, ..PLAIN };
const NOVA: Family = Family { any: true, named: true, cache: true, ..PLAIN };
const GPT: Family = Family { thinking: Thinking::Reasoning, sampling: Sampling::None, ..PLAIN };
const CLAUDE_3: Family = Family { claude: true, any: true, named: true, prefill: true, ..PLAIN };
const CLAUDE_3_CACHED: Family = Family { cache: true, ..CLAUDE_3 };
const CLAUDE_4: Family = Family { thinking: Thinking::Budget, ..CLAUDE_3_CACHED };
const CLAUDE_4_1: Family = Family { sampling: Sampling::One, ..CLAUDE_4 };
const CLAUDE_4_5: Family = Family { serial_tools: true, schema: true, strict: true, cache_ttl: true, ..CLAUDE_4_1 };
const CLAUDE_4_6: Family = Family { thinking: Thinking::Adaptive("max"), prefill: false, ..CLAUDE_4_5 };
const CLAUDE_4_7: Family = Family {
    thinking: Thinking::Adaptive("xhigh"),
    sampling: Sampling::None,
    schema: false,
    strict: false,
    ..CLAUDE_4_6
};
const CLAUDE_4_8: Family = Family { schema: true, ..CLAUDE_4_7 };
/// From here on some models cannot be made to call a tool.
const CLAUDE_UNFORCED: Family = Family { any: false, named: false, ..CLAUDE_4_7 };

/// The first row whose beginning fits counts.
const FAMILIES: &[(&str, Family)] = &[
    ("anthropic.claude-v", Family { any: false, named: false, ..CLAUDE_3 }),
    ("anthropic.claude-instant", Family { any: false, named: false, ..CLAUDE_3 }),
    ("anthropic.claude-3-7", CLAUDE_4),
    ("anthropic.claude-3-5-haiku", CLAUDE_3_CACHED),
    ("anthropic.claude-3-5-sonnet-20241022", CLAUDE_3_CACHED),
    ("anthropic.claude-3", CLAUDE_3),
    ("anthropic.claude-opus-4-1", CLAUDE_4_1),
    ("anthropic.claude-opus-4-2", CLAUDE_4),
    ("anthropic.claude-sonnet-4-2", CLAUDE_4),
    ("anthropic.claude-opus-4-5", CLAUDE_4_5),
    ("anthropic.claude-sonnet-4-5", CLAUDE_4_5),
    ("anthropic.claude-haiku-4-5", CLAUDE_4_5),
    ("anthropic.claude-opus-4-6", CLAUDE_4_6),
    ("anthropic.claude-sonnet-4-6", CLAUDE_4_6),
    ("anthropic.claude-opus-4-7", CLAUDE_4_7),
    ("anthropic.claude-opus-4-8", CLAUDE_4_8),
    ("anthropic.claude-fable-5-1", CLAUDE_UNFORCED),
    ("anthropic.claude-mythos-5-1", Family { schema: true, ..CLAUDE_UNFORCED }),
    ("anthropic.claude-mythos-5", CLAUDE_4_8),
    ("anthropic.claude-opus-5-5", CLAUDE_UNFORCED),
    ("anthropic.claude-sonnet-5-5", Family { schema: true, ..CLAUDE_UNFORCED }),
    ("anthropic.claude-haiku-5-5", CLAUDE_4_8),
    ("anthropic.claude-sonnet-5", CLAUDE_4_8),
    // what is newer is taken to be like the newest that is known
    ("anthropic.claude", CLAUDE_4_7),
    ("amazon.nova-2", Family { thinking: Thinking::ReasoningConfig, ..NOVA }),
    ("amazon.nova", NOVA),
    ("openai.gpt-oss", Family { thinking: Thinking::Effort, ..PLAIN }),
    ("openai.gpt-", GPT),
    ("deepseek.v3", Family { thinking: Thinking::Effort, ..SCHEMA }),
    ("mistral.ministral-3", Family { any: true, ..SCHEMA }),
    ("mistral.mistral-large-3", Family { any: true, ..SCHEMA }),
    ("mistral.voxtral", Family { any: true, ..SCHEMA }),
    ("mistral.", MISTRAL),
    ("qwen.qwen3-coder-next", PLAIN),
    ("qwen.qwen3", SCHEMA),
    ("minimax.minimax-m2", SCHEMA),
    ("moonshot.kimi-k2", SCHEMA),
    ("nvidia.nemotron-nano-3", SCHEMA),
    ("zai.glm-5", SCHEMA),
];

/// An application's own profile hides the model: it is taken for a Claude that takes all that most of them do.
const HIDDEN: Family = Family { thinking: Thinking::No, sampling: Sampling::Any, strict: false, ..CLAUDE_4_5 };

/// What that model can do.
pub(super) fn family(model: &str) -> &'static Family {
    let base = regions::base(model);
    let row = FAMILIES.iter().find(|(beginning, _)| base.starts_with(beginning));
    match row {
        Some((_, family)) => family,
        None if model.starts_with("arn:") => &HIDDEN,
        None => &PLAIN,
    }
}
