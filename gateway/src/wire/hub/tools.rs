//! Tools of a request in one shape: deprecated `functions` converted, the choice read, allowed tools filtered.

use serde_json::Value;

use crate::{
    api::{
        AssistantMessage, ChatCompletionRequest, ChatMessage, CustomTool, FunctionCallOption, FunctionDefinition,
        FunctionTool, FunctionToolCall, MessageContent, NamedToolChoice, Tool, ToolCall, ToolChoice, ToolChoiceMode,
        ToolMessage, ToolName,
    },
    refusal::Refusal,
};

/// The tools that the model may call, and whether it must.
#[derive(Debug, Default)]
pub struct Tools<'a> {
    /// (position in the request, the tool).
    pub functions: Vec<(usize, &'a FunctionTool)>,
    pub choice: Choice<'a>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Choice<'a> {
    /// The client did not say: the model may call tools.
    #[default]
    Unsaid,
    Auto,
    None,
    Required,
    Named(&'a str),
}

/// Reads `tools` and `tool_choice`; call [`modernise`] first.
///
/// # Errors
/// 400 for custom tools, which only OpenAI has, and for a choice that no tool satisfies.
pub fn tools(request: &ChatCompletionRequest) -> Result<Tools<'_>, Refusal> {
    let mut functions = Vec::new();
    for (at, tool) in request.tools.iter().flatten().enumerate() {
        match tool {
            Tool::Function(tool) => functions.push((at, tool)),
            Tool::Custom(CustomTool { .. }) => {
                let message = "custom tools exist only in OpenAI's own format; use a function instead";
                return Err(Refusal::invalid(format!("tools[{at}]"), message));
            }
        }
    }
    let mode = |mode: &ToolChoiceMode| match mode {
        ToolChoiceMode::Auto => Ok(Choice::Auto),
        ToolChoiceMode::None => Ok(Choice::None),
        ToolChoiceMode::Required => Ok(Choice::Required),
        ToolChoiceMode::Other(other) => {
            Err(Refusal::invalid("tool_choice", format!("`{other}` is none of `none`, `auto` and `required`")))
        }
    };
    let choice = match &request.tool_choice {
        None => Choice::Unsaid,
        Some(ToolChoice::Mode(word)) => mode(word)?,
        Some(ToolChoice::Named(NamedToolChoice::Function { function: ToolName { name } })) => Choice::Named(name),
        Some(ToolChoice::Named(NamedToolChoice::Custom { .. })) => {
            return Err(Refusal::invalid("tool_choice", "custom tools exist only in OpenAI's own format"));
        }
        Some(ToolChoice::Named(NamedToolChoice::AllowedTools { allowed_tools })) => {
            let name = |tool: &serde_json::Map<String, Value>| {
                Some(
                    tool.get("function").unwrap_or(&Value::Null).get("name").or(tool.get("name"))?.as_str()?.to_owned(),
                )
            };
            let allowed: Vec<String> = allowed_tools.tools.iter().filter_map(name).collect();
            functions.retain(|(_, tool)| allowed.contains(&tool.function.name));
            mode(&allowed_tools.mode)?
        }
    };
    let known = |name: &str| functions.iter().any(|(_, tool)| tool.function.name == name);
    match choice {
        Choice::Required if functions.is_empty() => {
            Err(Refusal::invalid("tool_choice", "a tool call is required, and there is no tool to call"))
        }
        Choice::Named(name) if !known(name) => {
            Err(Refusal::invalid("tool_choice", format!("the tool `{name}` is not among the request's tools")))
        }
        choice => Ok(Tools { functions, choice }),
    }
}

/// Converts `functions`, `function_call` and the messages that go with them into tools. Gives whether there were any.
pub fn modernise(request: &mut ChatCompletionRequest) -> bool {
    let functions = request.functions.take().filter(|functions| !functions.is_empty());
    let call = request.function_call.take();
    let mut found = functions.is_some();
    if let Some(functions) = functions {
        let tool =
            |function: FunctionDefinition| Tool::Function(FunctionTool { function, extra: serde_json::Map::default() });
        request.tools.get_or_insert_default().extend(functions.into_iter().map(tool));
    }
    if let (Some(call), None) = (call, &request.tool_choice) {
        request.tool_choice = Some(match call {
            FunctionCallOption::Mode(mode) => ToolChoice::Mode(mode),
            FunctionCallOption::Named(function) => ToolChoice::Named(NamedToolChoice::Function { function }),
        });
    }
    // The call of a function has no id: its position gives it one, and the next answer of that name belongs to it.
    let mut open: Vec<(String, String)> = Vec::new();
    for (at, message) in request.messages.iter_mut().enumerate() {
        match message {
            ChatMessage::Assistant(AssistantMessage { function_call, tool_calls, .. }) => {
                let Some(function) = function_call.take() else { continue };
                found = true;
                let id = format!("function_call_{at}");
                open.push((function.name.clone(), id.clone()));
                let call = FunctionToolCall { id, function, extra: serde_json::Map::default() };
                tool_calls.get_or_insert_default().push(ToolCall::Function(call));
            }
            ChatMessage::Function(function) => {
                found = true;
                let position = open.iter().position(|(name, _)| *name == function.name);
                let id = position.map_or_else(|| format!("function_{}", function.name), |at| open.remove(at).1);
                let content = function.content.take().unwrap_or_else(|| MessageContent::from(""));
                let extra = std::mem::take(&mut function.extra);
                *message = ChatMessage::Tool(ToolMessage { content, tool_call_id: id, extra });
            }
            _ => {}
        }
    }
    found
}
