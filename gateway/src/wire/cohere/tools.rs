//! Tools and which of them are called.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::blocks::{FunctionDefinition, ToolDefinition};
use crate::wire::hub::{
    Losses,
    tools::{Choice, Tools},
};

/// Sends the tools of the request; a named one alone.
pub(super) fn definitions<'a>(tools: &Tools<'a>, losses: &mut Losses) -> Vec<ToolDefinition<'a>> {
    let meant = |name: &str| !matches!(tools.choice, Choice::Named(named) if named != name);
    let mut definitions = Vec::with_capacity(tools.functions.len());
    for (_, tool) in tools.functions.iter().filter(|(_, tool)| meant(&tool.function.name)) {
        let function = &tool.function;
        for name in tool.extra.keys().chain(function.extra.keys()) {
            losses.dropped(format!("tools[].{name}"));
        }
        let parameters = function.parameters.as_ref().map_or_else(|| Cow::Owned(empty_schema()), Cow::Borrowed);
        let description = function.description.as_deref();
        definitions
            .push(ToolDefinition { function: FunctionDefinition { name: &function.name, description, parameters } });
    }
    definitions
}

/// Whether all tools are strict: Cohere knows no difference between them.
pub(super) fn strict(tools: &Tools<'_>, losses: &mut Losses) -> bool {
    let strict = tools.functions.iter().filter(|(_, tool)| tool.function.strict == Some(true)).count();
    losses.drop_if("tools[].function.strict", strict > 0 && strict < tools.functions.len());
    strict > 0 && strict == tools.functions.len()
}

/// Which tools are called; there is no word for `auto`.
pub(super) fn choice(tools: &Tools<'_>) -> Option<&'static str> {
    match tools.choice {
        Choice::Required | Choice::Named(_) => Some("REQUIRED"),
        Choice::None if !tools.functions.is_empty() => Some("NONE"),
        Choice::None | Choice::Auto | Choice::Unsaid => None,
    }
}

fn empty_schema() -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), Value::Object(Map::new()));
    schema
}
