//! The model `tool`: calls tools, and quotes what they answered.

use serde_json::{Map, Value};

use super::{
    id,
    instance::instance,
    rejection::Rejection,
    text::{LOREM, Speech},
};
use crate::api::{
    ChatCompletionRequest, ChatMessage, CustomCall, CustomToolCall, FinishReason, FunctionCall, FunctionCallOption,
    FunctionDefinition, FunctionToolCall, NamedToolChoice, Tool, ToolCall, ToolChoice, ToolChoiceMode,
};

/// What the model does.
pub(super) enum Turn {
    Says(Speech),
    Calls(Vec<ToolCall>),
    /// The older form of a call.
    CallsFunction(FunctionCall),
}

impl Turn {
    pub fn finish(&self) -> FinishReason {
        match self {
            Self::Says(speech) => speech.finish.clone(),
            Self::Calls(_) => FinishReason::ToolCalls,
            Self::CallsFunction(_) => FinishReason::FunctionCall,
        }
    }

    /// The text that was generated for it.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Says(speech) => vec![&speech.text],
            Self::Calls(calls) => calls.iter().map(written).collect(),
            Self::CallsFunction(call) => vec![&call.arguments],
        }
    }
}

/// What a call's arguments or input are.
pub(super) fn written(call: &ToolCall) -> &str {
    match call {
        ToolCall::Function(call) => &call.function.arguments,
        ToolCall::Custom(call) => &call.custom.input,
    }
}

/// What the model does next: `Err(text)` if it talks.
pub(super) fn calls(request: &ChatCompletionRequest) -> Result<Result<Turn, String>, Rejection> {
    if let Some(results) = results(&request.messages) {
        return Ok(Err(format!("The tool answered: {results}")));
    }
    if let Some(functions) = request.functions.as_deref().filter(|_| request.tools.is_none()) {
        return Ok(match chosen_function(functions, request.function_call.as_ref())? {
            Some(function) => Ok(Turn::CallsFunction(call_function(function)?)),
            None => Err("No function was called.".to_owned()),
        });
    }
    let mut chosen = chosen_tools(request.tools.as_deref().unwrap_or_default(), request.tool_choice.as_ref())?;
    chosen.truncate(if request.parallel_tool_calls == Some(false) { 1 } else { 2 });
    if chosen.is_empty() {
        return Ok(Err("No tool was called.".to_owned()));
    }
    Ok(Ok(Turn::Calls(chosen.into_iter().map(call).collect::<Result<_, _>>()?)))
}

/// What the tools answered, if that is the last that was said.
fn results(messages: &[ChatMessage]) -> Option<String> {
    let last =
        messages.iter().rev().take_while(|message| matches!(message, ChatMessage::Tool(_) | ChatMessage::Function(_)));
    let mut texts: Vec<_> =
        last.map(|message| message.content().map(|content| content.text()).unwrap_or_default()).collect();
    texts.reverse();
    (!texts.is_empty()).then(|| texts.join("; "))
}

fn chosen_tools<'a>(tools: &'a [Tool], choice: Option<&ToolChoice>) -> Result<Vec<&'a Tool>, Rejection> {
    let named = |name: &str| {
        let tool = tools.iter().find(|tool| tool.name() == name);
        tool.ok_or_else(|| Rejection::invalid("tool_choice", format!("Tool '{name}' not found in 'tools' parameter.")))
    };
    match choice {
        None | Some(ToolChoice::Mode(ToolChoiceMode::Auto)) => Ok(tools.iter().collect()),
        Some(ToolChoice::Mode(ToolChoiceMode::None)) => Ok(Vec::new()),
        Some(ToolChoice::Mode(ToolChoiceMode::Required)) if tools.is_empty() => {
            Err(Rejection::invalid("tool_choice", "'tool_choice' is only allowed when 'tools' are specified."))
        }
        Some(ToolChoice::Mode(ToolChoiceMode::Required)) => Ok(tools.iter().collect()),
        Some(ToolChoice::Mode(ToolChoiceMode::Other(mode))) => {
            Err(Rejection::invalid("tool_choice", format!("Invalid value: '{mode}'.")))
        }
        Some(ToolChoice::Named(
            NamedToolChoice::Function { function: tool } | NamedToolChoice::Custom { custom: tool },
        )) => Ok(vec![named(&tool.name)?]),
        Some(ToolChoice::Named(NamedToolChoice::AllowedTools { allowed_tools })) => {
            allowed_tools.tools.iter().map(|tool| named(allowed_name(tool))).collect()
        }
    }
}

/// The name in `{"type": "function", "function": {"name": "get_time"}}`.
fn allowed_name(tool: &Map<String, Value>) -> &str {
    let of = |kind: &str| tool.get(kind)?.get("name")?.as_str();
    of("function").or_else(|| of("custom")).unwrap_or_default()
}

fn chosen_function<'a>(
    functions: &'a [FunctionDefinition],
    choice: Option<&FunctionCallOption>,
) -> Result<Option<&'a FunctionDefinition>, Rejection> {
    match choice {
        None | Some(FunctionCallOption::Mode(ToolChoiceMode::Auto)) => Ok(functions.first()),
        Some(FunctionCallOption::Mode(_)) => Ok(None),
        Some(FunctionCallOption::Named(function)) => {
            let found = functions.iter().find(|candidate| candidate.name == function.name);
            found.map(Some).ok_or_else(|| {
                let message = format!("Function '{}' not found in 'functions' parameter.", function.name);
                Rejection::invalid("function_call", message)
            })
        }
    }
}

fn call(tool: &Tool) -> Result<ToolCall, Rejection> {
    let id = id("call_sim_");
    Ok(match tool {
        Tool::Function(tool) => {
            let function = call_function(&tool.function)?;
            ToolCall::Function(FunctionToolCall { id, function, extra: Map::new() })
        }
        Tool::Custom(tool) => {
            let custom = CustomCall { name: tool.custom.name.clone(), input: LOREM[..26].to_owned() };
            ToolCall::Custom(CustomToolCall { id, custom, extra: Map::new() })
        }
    })
}

fn call_function(function: &FunctionDefinition) -> Result<FunctionCall, Rejection> {
    let arguments = match &function.parameters {
        None => "{}".to_owned(),
        Some(parameters) => instance(parameters)
            .map_err(|mistake| Rejection::invalid("tools", format!("Schema of '{}': {mistake}.", function.name)))?
            .to_string(),
    };
    Ok(FunctionCall { name: function.name.clone(), arguments })
}
