//! Tools, which of them the model calls, and the tool that stands for a schema where Converse has no other way.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{
    body::{OutputConfig, Schema, Structure, TextFormat, ToolBlock, ToolChoice, ToolConfig},
    content::cache_point,
    families::Family,
};
use crate::{
    api::{ChatCompletionRequest, FunctionTool, JsonSchemaFormat, ResponseFormat},
    refusal::Refusal,
    wire::hub::{
        Losses, search,
        tools::{self, Choice},
    },
};

/// Models that search the web themselves, through profiles of the US alone
/// (docs.aws.amazon.com/nova/latest/userguide/grounding.html and nova2-userguide/web-grounding.html).
const GROUNDED: &[&str] = &["us.amazon.nova-premier", "us.amazon.nova-2-"];

/// What the request says of tools, in Converse's form.
#[derive(Debug, Default)]
pub(super) struct Toolbox<'a> {
    pub config: Option<ToolConfig<'a>>,
    /// For `additionalModelRequestFields.tool_choice`: Claude's own way to say what `toolChoice` cannot.
    pub serial: Option<Value>,
    pub output: Option<OutputConfig<'a>>,
    pub json_tool: Option<Box<str>>,
    /// A tool call is demanded, which excludes thinking.
    pub forced: bool,
}

/// # Errors
/// 400 for tools that Converse does not know and choices that cannot be met.
pub(super) fn toolbox<'a>(
    request: &'a ChatCompletionRequest,
    called: &[Cow<'a, str>],
    model: &str,
    family: &'static Family,
    losses: &mut Losses,
) -> Result<Toolbox<'a>, Refusal> {
    let asked = tools::tools(request)?;
    let mut functions = asked.functions;
    let mut choice = asked.choice;
    let mut toolbox = Toolbox::default();
    if choice == Choice::None {
        if called.is_empty() {
            functions.clear();
        } else {
            // the history is refused without tools, and there is no word for "none"
            losses.approximated("tool_choice");
        }
    }
    if let (Choice::Named(name), false) = (choice, family.named) {
        functions.retain(|(_, tool)| tool.function.name == name);
        choice = Choice::Required;
    }
    let schema = match &request.response_format {
        Some(ResponseFormat::JsonSchema { json_schema }) => Some(json_schema),
        Some(ResponseFormat::JsonObject) => {
            losses.dropped("response_format");
            None
        }
        _ => None,
    };
    let mut blocks = Vec::with_capacity(functions.len() + 1);
    for (at, tool) in &functions {
        specification(tool, *at, family, losses, &mut blocks)?;
    }
    match schema {
        Some(format) if family.schema => toolbox.output = Some(output(format, losses)),
        // a call is demanded: there will be no text to have the form
        Some(_) if matches!(choice, Choice::Required | Choice::Named(_)) => losses.dropped("response_format"),
        Some(format) => {
            losses.approximated("response_format");
            let name = json_tool_name(format, request);
            choice = if functions.is_empty() || choice == Choice::None {
                Choice::Named(format.name.as_str())
            } else {
                Choice::Required
            };
            toolbox.json_tool = Some(name.clone().into());
            blocks.push(json_tool(format, name));
        }
        None => {}
    }
    if blocks.is_empty() {
        blocks.extend(called.iter().map(|name| ToolBlock::ToolSpec {
            name: name.clone(),
            description: None,
            input_schema: Schema { json: Cow::Owned(any_object()) },
            strict: None,
        }));
    }
    if let Some(options) = &request.web_search_options {
        // A search would count as the call that is demanded.
        if GROUNDED.iter().any(|beginning| model.starts_with(beginning))
            && !matches!(choice, Choice::Required | Choice::Named(_))
        {
            search::drop_members(options, &[], losses);
            blocks.push(ToolBlock::SystemTool { name: "nova_grounding" });
        } else {
            losses.dropped("web_search_options");
        }
    }
    if blocks.is_empty() {
        return Ok(toolbox);
    }
    let named = |name: &'a str| match &toolbox.json_tool {
        Some(own) => Cow::Owned(own.to_string()),
        None => Cow::Borrowed(name),
    };
    let tool_choice = match choice {
        Choice::Unsaid | Choice::None => None,
        Choice::Auto => Some(ToolChoice::Auto {}),
        Choice::Named(name) if family.named => Some(ToolChoice::Tool { name: named(name) }),
        Choice::Required | Choice::Named(_) if family.any => Some(ToolChoice::Any {}),
        Choice::Required | Choice::Named(_) => {
            if toolbox.json_tool.is_none() {
                losses.approximated("tool_choice");
            }
            Some(ToolChoice::Auto {})
        }
    };
    toolbox.forced = matches!(tool_choice, Some(ToolChoice::Any {} | ToolChoice::Tool { .. }));
    let serial = request.parallel_tool_calls == Some(false) && !functions.is_empty();
    let tool_choice = match tool_choice {
        choice if !serial => choice,
        choice if family.serial_tools => {
            // next to `toolConfig.toolChoice` it is refused, so that all of the choice is said here
            toolbox.serial = Some(match &choice {
                Some(ToolChoice::Any {}) => json!({ "type": "any", "disable_parallel_tool_use": true }),
                Some(ToolChoice::Tool { name }) => {
                    json!({ "type": "tool", "name": name, "disable_parallel_tool_use": true })
                }
                _ => json!({ "type": "auto", "disable_parallel_tool_use": true }),
            });
            None
        }
        choice => {
            losses.dropped("parallel_tool_calls");
            choice
        }
    };
    toolbox.config = Some(ToolConfig { tools: blocks, tool_choice });
    Ok(toolbox)
}

fn specification<'a>(
    tool: &'a FunctionTool,
    at: usize,
    family: &'static Family,
    losses: &mut Losses,
    to: &mut Vec<ToolBlock<'a>>,
) -> Result<(), Refusal> {
    let function = &tool.function;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !(1..=64).contains(&function.name.len()) || !function.name.chars().all(fits) {
        let message = "a name of a tool has 1 to 64 letters, digits, underscores and dashes";
        return Err(Refusal::invalid(format!("tools[{at}].function.name"), message));
    }
    let json = match &function.parameters {
        Some(schema) if schema.contains_key("type") => Cow::Borrowed(schema),
        Some(schema) if !schema.is_empty() => {
            let mut typed = Map::from_iter([("type".to_owned(), json!("object"))]);
            typed.extend(schema.clone());
            Cow::Owned(typed)
        }
        _ => Cow::Owned(any_object()),
    };
    if function.strict == Some(true) && !family.strict {
        losses.dropped("tools[].function.strict");
    }
    to.push(ToolBlock::ToolSpec {
        name: function.name.as_str().into(),
        description: function.description.as_deref().filter(|text| !text.trim().is_empty()),
        input_schema: Schema { json },
        strict: function.strict.filter(|strict| *strict && family.strict),
    });
    let point = cache_point(&tool.extra, family, losses).or_else(|| cache_point(&function.extra, family, losses));
    to.extend(point.map(ToolBlock::CachePoint));
    Ok(())
}

fn output<'a>(format: &'a JsonSchemaFormat, losses: &mut Losses) -> OutputConfig<'a> {
    let mut schema = Value::Object(format.schema.clone().unwrap_or_else(any_object));
    if close_objects(&mut schema) {
        losses.approximated("response_format");
    }
    let structure = Structure::JsonSchema {
        schema: schema.to_string(),
        name: &format.name,
        description: format.description.as_deref().filter(|text| !text.trim().is_empty()),
    };
    OutputConfig { text_format: Some(TextFormat { kind: "json_schema", structure }), effort: None }
}

/// Bedrock wants `additionalProperties: false` on every object, as OpenAI does when `strict`. Gives whether it was
/// missing somewhere.
fn close_objects(schema: &mut Value) -> bool {
    let mut changed = false;
    match schema {
        Value::Object(members) => {
            for value in members.values_mut() {
                changed |= close_objects(value);
            }
            // `properties` may hold a property of that name, which is no schema's own
            let is_object = members.get("type").and_then(Value::as_str) == Some("object");
            if is_object
                && members.get("properties").is_some_and(Value::is_object)
                && !members.contains_key("additionalProperties")
            {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
                changed = true;
            }
        }
        Value::Array(items) => {
            for item in items {
                changed |= close_objects(item);
            }
        }
        _ => {}
    }
    changed
}

fn json_tool<'a>(format: &'a JsonSchemaFormat, name: String) -> ToolBlock<'a> {
    let json = format.schema.as_ref().map_or_else(|| Cow::Owned(any_object()), Cow::Borrowed);
    let own = format.description.as_deref().filter(|text| !text.trim().is_empty());
    let description = Some(own.unwrap_or("Gives the final answer, in the form that was asked for."));
    ToolBlock::ToolSpec { name: name.into(), description, input_schema: Schema { json }, strict: None }
}

/// The format's name, unless a tool has it.
fn json_tool_name(format: &JsonSchemaFormat, request: &ChatCompletionRequest) -> String {
    let mut name = super::names::tool_name(&format.name).into_owned();
    while request.tools.iter().flatten().any(|tool| tool.name() == name) {
        name.truncate(56);
        name.push_str("_answer");
    }
    name
}

fn any_object() -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), json!("object")), ("properties".to_owned(), json!({}))])
}
