//! What a model calls its inputs: every model has its own, and those of one family have the same.
//!
//! From the input schemas on the models' pages at replicate.com.

/// The inputs of a family. `None` and `false` where there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub system: &'static str,
    pub max_tokens: &'static str,
    /// The least number of tokens that it takes as its limit.
    pub least_tokens: u32,
    pub images: Images,
    /// Takes the conversation as OpenAI writes it; prompt and system prompt are then ignored.
    pub messages: bool,
    /// `temperature`, `top_p`.
    pub sampling: bool,
    /// `presence_penalty`, `frequency_penalty`.
    pub penalties: bool,
    /// `stop_sequences`, `seed`, `top_k`.
    pub open: bool,
    /// The values of `reasoning_effort`, the least first.
    pub efforts: &'static [&'static str],
    pub verbosity: bool,
    /// Its own inputs, passed when a client sends them.
    pub own: &'static [&'static str],
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Images {
    One(&'static str),
    Many(&'static str),
}

/// Llama and whoever followed it.
const COMMON: Dialect = Dialect {
    system: "system_prompt",
    max_tokens: "max_tokens",
    least_tokens: 1,
    images: Images::One("image"),
    messages: false,
    sampling: true,
    penalties: true,
    open: true,
    efforts: &[],
    verbosity: false,
    own: &["min_tokens", "prompt_template", "length_penalty", "repetition_penalty"],
};

const GPT: Dialect = Dialect {
    max_tokens: "max_completion_tokens",
    images: Images::Many("image_input"),
    messages: true,
    open: false,
    own: &[],
    ..COMMON
};

const REASONING: Dialect = Dialect { sampling: false, penalties: false, efforts: &["low", "medium", "high"], ..GPT };

/// (beginning of the model's name, its inputs); the first that fits.
const DIALECTS: &[(&str, &Dialect)] = &[
    ("openai/gpt-oss", &COMMON),
    ("openai/gpt-5.", &Dialect { verbosity: true, efforts: &["none", "low", "medium", "high"], ..REASONING }),
    ("openai/gpt-5", &Dialect { verbosity: true, efforts: &["minimal", "low", "medium", "high"], ..REASONING }),
    ("openai/o", &REASONING),
    ("openai/", &GPT),
    (
        "anthropic/",
        &Dialect {
            least_tokens: 1024,
            sampling: false,
            penalties: false,
            open: false,
            own: &["extended_thinking", "thinking_budget_tokens", "max_image_resolution"],
            ..COMMON
        },
    ),
    (
        "google/gemini",
        &Dialect {
            system: "system_instruction",
            max_tokens: "max_output_tokens",
            images: Images::Many("images"),
            penalties: false,
            open: false,
            own: &["thinking_budget", "dynamic_thinking", "videos"],
            ..COMMON
        },
    ),
];

pub(super) fn dialect(model: &str) -> &'static Dialect {
    DIALECTS.iter().find(|(prefix, _)| model.starts_with(prefix)).map_or(&COMMON, |(_, dialect)| dialect)
}
