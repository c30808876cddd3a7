//! `web_search_options`: the search that Anthropic does itself, as one of the request's tools.

use super::{
    blocks::{Place, ToolChoice, ToolDefinition, WebSearch},
    facts::Facts,
};
use crate::{
    api::{ChatCompletionRequest, SearchContextSize},
    refusal::Refusal,
    wire::hub::{Losses, own::Own, search, tools::Tools},
};

const FIELD: &str = "web_search_options";
const NAME: &str = "web_search";
/// Members of the tool that clients send along.
const OWN: &[&str] = &["allowed_domains", "blocked_domains", "max_uses"];

/// The search that the request asks for; reported where the model has none.
///
/// # Errors
/// 400 when a tool of the client's has its name.
pub(super) fn search<'a>(
    request: &'a ChatCompletionRequest,
    offered: &Tools<'_>,
    facts: &Facts,
    losses: &mut Losses,
) -> Result<Option<WebSearch<'a>>, Refusal> {
    let Some(options) = &request.web_search_options else { return Ok(None) };
    if !facts.searches {
        losses.dropped(FIELD);
        return Ok(None);
    }
    if let Some((at, _)) = offered.functions.iter().find(|(_, tool)| tool.function.name == NAME) {
        let message = format!("`{NAME}` is the name of Claude's own search, which `{FIELD}` asks for");
        return Err(Refusal::invalid(format!("tools[{at}].function.name"), message));
    }
    search::drop_members(options, &[OWN, &["search_context_size", "user_location"]].concat(), losses);
    let own = Own::of(&options.extra, OWN);
    let size = options.search_context_size.as_ref().filter(|size| **size != SearchContextSize::Medium);
    if size.is_some() {
        losses.approximated("web_search_options.search_context_size");
    }
    Ok(Some(WebSearch {
        name: NAME,
        max_uses: (size == Some(&SearchContextSize::Low) && !own.has("max_uses")).then_some(1),
        user_location: options.user_location.as_ref().map(|location| Place { place: &location.approximate }),
        own,
    }))
}

/// Whether the search can stand beside the request's tools: Claude takes one choice for all of them. Tools that may not be
/// called give way to it, unless the history is `explained` by them.
pub(super) fn joins(
    definitions: &mut Vec<ToolDefinition<'_>>,
    choice: &mut Option<ToolChoice<'_>>,
    explained: bool,
    losses: &mut Losses,
) -> bool {
    match choice {
        None | Some(ToolChoice::Auto { .. }) => true,
        Some(ToolChoice::None) if !explained => {
            definitions.clear();
            *choice = None;
            true
        }
        // It would count as the call that is demanded, or take the place of the answer's form.
        Some(ToolChoice::None | ToolChoice::Any { .. } | ToolChoice::Tool { .. }) => {
            losses.dropped(FIELD);
            false
        }
    }
}
