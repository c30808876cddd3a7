//! Tools and which of them are called.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    blocks::{Cache, ToolChoice, ToolDefinition},
    facts::Facts,
    schema,
};
use crate::{
    api::{ChatCompletionRequest, ChatMessage, FunctionTool, JsonSchemaFormat, ToolCall},
    refusal::Refusal,
    wire::hub::{
        Losses,
        tools::{Choice, Tools},
    },
};

/// Sends the tools of the request.
///
/// # Errors
/// 400 for a name that Anthropic refuses.
pub(super) fn definitions<'a>(
    tools: &Tools<'a>,
    facts: &Facts,
    losses: &mut Losses,
) -> Result<Vec<ToolDefinition<'a>>, Refusal> {
    tools.functions.iter().map(|(at, tool)| definition(*at, tool, facts, losses)).collect()
}

fn definition<'a>(
    at: usize,
    tool: &'a FunctionTool,
    facts: &Facts,
    losses: &mut Losses,
) -> Result<ToolDefinition<'a>, Refusal> {
    let function = &tool.function;
    check_name(&function.name, || format!("tools[{at}].function.name"))?;
    for name in tool.extra.keys().chain(function.extra.keys()).filter(|name| *name != "cache_control") {
        losses.dropped(format!("tools[].{name}"));
    }
    let strict = function.strict == Some(true) && facts.schemas;
    losses.drop_if("tools[].function.strict", function.strict == Some(true) && !facts.schemas);
    let input_schema = match &function.parameters {
        None => Cow::Owned(empty_schema()),
        Some(parameters) if strict => {
            let (schema, loose) = schema::strict(parameters);
            if loose {
                losses.approximated("tools[].function.parameters");
            }
            Cow::Owned(schema)
        }
        Some(parameters) if parameters.get("type").is_some_and(|kind| kind == "object") => Cow::Borrowed(parameters),
        Some(parameters) => {
            let mut schema = parameters.clone();
            schema.insert("type".to_owned(), "object".into());
            Cow::Owned(schema)
        }
    };
    let mark = tool.extra.get("cache_control").or(function.extra.get("cache_control"));
    let cache_control: Cache<'_> = mark.filter(|mark| !mark.is_null()).map(Cow::Borrowed);
    let description = function.description.as_deref().filter(|text| !text.is_empty());
    Ok(ToolDefinition { name: Cow::Borrowed(&function.name), description, input_schema, strict, cache_control })
}

/// Which tools are called. `parallel_tool_calls: false` needs a choice to stand in.
pub(super) fn choice<'a>(tools: &Tools<'a>, request: &ChatCompletionRequest) -> Option<ToolChoice<'a>> {
    if tools.functions.is_empty() {
        return None;
    }
    let disable_parallel_tool_use = request.parallel_tool_calls == Some(false);
    match tools.choice {
        Choice::Unsaid if !disable_parallel_tool_use => None,
        Choice::Unsaid | Choice::Auto => Some(ToolChoice::Auto { disable_parallel_tool_use }),
        Choice::None => Some(ToolChoice::None),
        Choice::Required => Some(ToolChoice::Any { disable_parallel_tool_use }),
        Choice::Named(name) => Some(ToolChoice::Tool { name: name.into(), disable_parallel_tool_use }),
    }
}

/// The tool that stands for a JSON schema. Beside it, the client's own tools stay callable.
pub(super) fn json_tool<'a>(
    format: &'a JsonSchemaFormat,
    definitions: &mut Vec<ToolDefinition<'a>>,
    choice: &mut Option<ToolChoice<'a>>,
) -> Box<str> {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let mut name: String = format.name.chars().take(100).map(kept).collect();
    if name.is_empty() {
        name.push_str("answer");
    }
    while definitions.iter().any(|tool| tool.name == name) {
        name.push_str("_answer");
    }
    let mut schema = format.schema.clone().unwrap_or_default();
    schema.entry("type").or_insert_with(|| "object".into());
    definitions.push(ToolDefinition {
        name: name.clone().into(),
        description: format.description.as_deref().or(Some("Gives the answer to the user, in this form.")),
        input_schema: Cow::Owned(schema),
        strict: false,
        cache_control: None,
    });
    let forced = ToolChoice::Tool { name: name.clone().into(), disable_parallel_tool_use: false };
    *choice = match choice.take() {
        Some(ToolChoice::None) => Some(forced),
        None | Some(ToolChoice::Auto { .. }) if definitions.len() == 1 => Some(forced),
        None => Some(ToolChoice::Any { disable_parallel_tool_use: false }),
        Some(ToolChoice::Auto { disable_parallel_tool_use }) => Some(ToolChoice::Any { disable_parallel_tool_use }),
        // The client insists on its own tool: the schema is for a later turn.
        other => other,
    };
    name.into()
}

/// Tools for the calls in a conversation whose request has none: the history must be explained, and nothing may be
/// called.
pub(super) fn of_history(request: &ChatCompletionRequest) -> Vec<ToolDefinition<'_>> {
    let mut definitions: Vec<ToolDefinition<'_>> = Vec::new();
    for message in &request.messages {
        let ChatMessage::Assistant(message) = message else { continue };
        for call in message.tool_calls.iter().flatten() {
            let ToolCall::Function(call) = call else { continue };
            let name = call.function.name.as_str();
            if !definitions.iter().any(|tool| tool.name == name) {
                definitions.push(ToolDefinition {
                    name: name.into(),
                    description: None,
                    input_schema: Cow::Owned(empty_schema()),
                    strict: false,
                    cache_control: None,
                });
            }
        }
    }
    definitions
}

/// # Errors
/// 400 for a name outside `^[a-zA-Z0-9_-]{1,128}$`.
pub(super) fn check_name(name: &str, place: impl FnOnce() -> String) -> Result<(), Refusal> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=128).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    let message = format!("`{shown}`: Anthropic takes 1 to 128 letters, digits, `_` and `-` for a tool's name");
    Err(Refusal::invalid(place(), message))
}

fn empty_schema() -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), Value::Object(Map::new()));
    schema
}
