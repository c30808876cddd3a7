//! Function declarations and which of them the model calls, or the search that Google does itself.

use serde_json::{Map, Value};

use super::{
    body::{Declaration, FunctionCalling, GoogleSearch, ToolConfig, Tools},
    facts::Facts,
};
use crate::{
    api::{ChatCompletionRequest, NamedToolChoice, Tool, ToolChoice, ToolChoiceMode},
    refusal::Refusal,
    wire::hub::{
        Losses, search,
        tools::{self, Choice},
    },
};

pub(super) type Declared<'a> = (Option<[Tools<'a>; 1]>, Option<ToolConfig<'a>>);

pub(super) fn tools<'a>(
    chat: &'a ChatCompletionRequest,
    facts: Facts,
    losses: &mut Losses,
) -> Result<Declared<'a>, Refusal> {
    let read = tools::tools(chat)?;
    let mut declarations = Vec::new();
    for (at, tool) in chat.tools.iter().flatten().enumerate() {
        let Tool::Function(tool) = tool else { continue };
        let function = &tool.function;
        if !is_name(&function.name) {
            let message = "this provider's function names begin with a letter or an underscore and have at most 128 \
                           letters, digits, underscores, dots, colons and dashes";
            return Err(Refusal::invalid(format!("tools[{at}].function.name"), message));
        }
        losses.drop_if("tools[].function.strict", function.strict == Some(true));
        losses.drop_if("tools[].cache_control", tool.extra.contains_key("cache_control"));
        declarations.push(Declaration {
            name: &function.name,
            description: function.description.as_deref().filter(|description| !description.is_empty()),
            parameters_json_schema: function.parameters.as_ref().filter(|schema| !takes_nothing(schema)),
        });
    }
    losses.drop_if("parallel_tool_calls", chat.parallel_tool_calls == Some(false) && !declarations.is_empty());
    if searches(chat, facts) {
        // Functions that may not be called give way.
        let options = chat.web_search_options.as_ref();
        options.into_iter().for_each(|options| search::drop_members(options, &[], losses));
        return Ok((Some([Tools::GoogleSearch(GoogleSearch {})]), None));
    }
    losses.drop_if("web_search_options", chat.web_search_options.is_some());
    if declarations.is_empty() {
        return Ok((None, None));
    }
    // All tools stay declared, so that the provider's prompt cache holds; only the choice is narrowed.
    let limited = matches!(&chat.tool_choice, Some(ToolChoice::Named(NamedToolChoice::AllowedTools { .. })));
    let names = || read.functions.iter().map(|(_, tool)| tool.function.name.as_str()).collect();
    let (mode, allowed) = match read.choice {
        Choice::Unsaid => return Ok((Some([Tools::FunctionDeclarations(declarations)]), None)),
        Choice::None => ("NONE", Vec::new()),
        Choice::Auto if limited && read.functions.is_empty() => ("NONE", Vec::new()),
        // AUTO takes no list of names; VALIDATED leaves the model the choice, too.
        Choice::Auto if limited => ("VALIDATED", names()),
        Choice::Auto => ("AUTO", Vec::new()),
        Choice::Required if limited => ("ANY", names()),
        Choice::Required => ("ANY", Vec::new()),
        Choice::Named(name) => ("ANY", vec![name]),
    };
    let function_calling_config = FunctionCalling { mode, allowed_function_names: allowed };
    Ok((Some([Tools::FunctionDeclarations(declarations)]), Some(ToolConfig { function_calling_config })))
}

/// Whether Google's search is the request's tool. Next to functions Gemini 2 refuses it, and later models want its calls
/// and their results back in every turn, which OpenAI's clients do not keep (ai.google.dev/gemini-api/docs/tool-combination).
pub(super) fn searches(chat: &ChatCompletionRequest, facts: Facts) -> bool {
    let callable = chat.tools.as_ref().is_some_and(|tools| !tools.is_empty())
        && chat.tool_choice != Some(ToolChoice::Mode(ToolChoiceMode::None));
    chat.web_search_options.is_some() && facts.searches && !callable
}

/// `^[a-zA-Z_][\w.:-]{0,127}$`.
fn is_name(name: &str) -> bool {
    let follows = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-');
    name.len() <= 128
        && name.as_bytes().first().is_some_and(|&first| first.is_ascii_alphabetic() || first == b'_')
        && name.bytes().all(follows)
}

/// An object without properties, which Gemini refuses: a function without arguments has no `parameters`.
fn takes_nothing(schema: &Map<String, Value>) -> bool {
    let empty = |name: &str| match schema.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    };
    let says =
        ["properties", "$ref", "anyOf", "oneOf", "allOf", "patternProperties", "additionalProperties", "required"];
    says.iter().all(|name| empty(name))
}
