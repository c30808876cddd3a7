//! What is known of Claude models, by the beginning of their names.
//!
//! Sources: WIRE §0 (platform.claude.com/docs/en/api/migration-2026-10-21, `anthropic` 2.12.0 `types/model.py`,
//! `types/output_config_param.py`, `types/thinking_config_*_param.py`). The longest answers of 4.5 and older are as
//! LiteLLM's model list has them; later models are given what 4.5 had, since a larger number than the model's is a 400.

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Never,
    /// `thinking: {type: "enabled", budget_tokens}`.
    Budget,
    /// `thinking: {type: "adaptive"}` and `output_config.effort`, without `xhigh`.
    Adaptive,
    /// The same, with every effort.
    AdaptiveFully,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// `max_tokens` when the client says nothing.
    pub max_tokens: u32,
    pub thinking: Thinking,
    /// `temperature`, `top_p` and `top_k` may differ from their defaults.
    pub sampling: bool,
    /// `temperature` and `top_p` may be given together.
    pub both_samplings: bool,
    /// `output_config.format` and `strict` tools.
    pub schemas: bool,
    /// It searches the web by itself (platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool).
    pub searches: bool,
}

const fn early(max_tokens: u32, thinking: Thinking) -> Facts {
    Facts { max_tokens, thinking, sampling: true, both_samplings: true, schemas: false, searches: true }
}

const fn ancient() -> Facts {
    Facts { searches: false, ..early(4_096, Thinking::Never) }
}

const fn four_five(thinking: Thinking) -> Facts {
    Facts { max_tokens: 64_000, thinking, sampling: true, both_samplings: false, schemas: true, searches: true }
}

/// Everything that is not below, and what is still to come.
const NEWEST: Facts = Facts {
    max_tokens: 64_000,
    thinking: Thinking::AdaptiveFully,
    sampling: false,
    both_samplings: false,
    schemas: true,
    searches: true,
};

/// The first that fits counts.
const MODELS: &[(&str, Facts)] = &[
    ("claude-instant", ancient()),
    ("claude-2", ancient()),
    ("claude-3-7-", early(64_000, Thinking::Budget)),
    ("claude-3-5-", early(8_192, Thinking::Never)),
    ("claude-3-", ancient()),
    ("claude-opus-4-0", early(32_000, Thinking::Budget)),
    ("claude-opus-4-2025", early(32_000, Thinking::Budget)),
    ("claude-opus-4@", early(32_000, Thinking::Budget)),
    ("claude-4-opus", early(32_000, Thinking::Budget)),
    ("claude-opus-4-1", Facts { both_samplings: false, ..early(32_000, Thinking::Budget) }),
    ("claude-sonnet-4-0", early(64_000, Thinking::Budget)),
    ("claude-sonnet-4-2025", early(64_000, Thinking::Budget)),
    ("claude-sonnet-4@", early(64_000, Thinking::Budget)),
    ("claude-4-sonnet", early(64_000, Thinking::Budget)),
    ("claude-opus-4-5", four_five(Thinking::Budget)),
    ("claude-sonnet-4-5", four_five(Thinking::Budget)),
    ("claude-haiku-4-5", four_five(Thinking::Budget)),
    ("claude-opus-4-6", four_five(Thinking::Adaptive)),
    ("claude-sonnet-4-6", four_five(Thinking::Adaptive)),
];

/// The facts of a model under a version of the API.
pub(super) fn facts(model: &str, version: &str) -> Facts {
    let name = model.rsplit('/').next().unwrap_or(model);
    let name = name.strip_prefix("anthropic.").unwrap_or(name);
    let found = MODELS.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(NEWEST, |(_, facts)| *facts);
    // From 2026-10-21 on the API refuses sampling parameters, whatever the model.
    Facts { sampling: found.sampling && version < "2026-10-21", ..found }
}
