//! How a compatible provider deviates from OpenAI's format, as data.
//!
//! `wire::openai` applies these to spans of the client's bytes. The default is OpenAI itself: nothing is touched.

/// Named deviations of one provider. Sources are in the table of presets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quirks {
    /// Top-level request fields that the provider refuses: cut and reported.
    pub refuses: &'static [&'static str],
    /// Top-level request fields under another name: (OpenAI's, the provider's).
    pub renames: &'static [(&'static str, &'static str)],
    /// Values under another spelling: (field, OpenAI's JSON value, the provider's JSON value).
    pub values: &'static [(&'static str, &'static str, &'static str)],
    /// Fields cut from every message and reported as `messages[].NAME`.
    pub message_refuses: &'static [&'static str],
    /// Message fields outside OpenAI's request format are cut, because the provider answers them with 400.
    pub strict_messages: bool,
    /// Fields cut from the `function` object of every tool and reported as `tools[].function.NAME`.
    pub function_refuses: &'static [&'static str],
    /// `false`: the role `developer` is sent as `system`.
    pub developer_role: bool,
    /// `false`: `stream_options` is not understood and not sent; usage comes unasked, or not at all.
    pub stream_options: bool,
    /// Put before a model name that has no `/`.
    pub model_prefix: &'static str,
    pub tool_ids: ToolIds,
    /// Inputs of one request for embeddings; more are sent in several.
    pub most_inputs: usize,
    /// It answers `/rerank` as Cohere does.
    pub rerank: bool,
    /// What is mended in the provider's answers.
    pub mends: &'static [Mend],
}

/// The form a provider demands of tool call ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolIds {
    Any,
    /// Exactly nine of `[a-zA-Z0-9]`: others are rewritten deterministically and restored in the answer.
    Nine,
}

/// A deviation in answers that OpenAI clients trip over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mend {
    /// `finish_reason` values outside OpenAI's: (the provider's, OpenAI's).
    FinishReason(&'static str, &'static str),
    /// `content` may be a list of parts, `thinking` among them: flattened to a string and `reasoning_content`.
    ContentList,
    /// Usage of a stream stands under `x_groq` in the last chunk: read from there (nothing is moved).
    UsageUnderXGroq,
}

impl Quirks {
    /// OpenAI's own behaviour.
    pub const NONE: Quirks = Quirks {
        refuses: &[],
        renames: &[],
        values: &[],
        message_refuses: &[],
        strict_messages: false,
        function_refuses: &[],
        developer_role: true,
        stream_options: true,
        model_prefix: "",
        tool_ids: ToolIds::Any,
        most_inputs: usize::MAX,
        rerank: false,
        mends: &[],
    };
}
