//! The request to Claude.

use http::{HeaderName, HeaderValue};

use super::{
    blocks::{Request, Tool},
    facts::facts,
    messages, options, search, tools, version,
};
use crate::{
    api::{ClientRequest, ResponseFormat},
    refusal::{Cause, Refusal},
    wire::{Reading, Target, Upstream, hub},
};

const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// What makes `file_id` work with the first version of the API.
const FILES: HeaderValue = HeaderValue::from_static("files-api-2025-04-14");

/// # Errors
/// 400 for what cannot be asked of Claude.
pub(super) fn chat(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    let mut chat = hub::chat(request)?;
    let mut losses = hub::Losses::default();
    let (calls, functions) = (chat.function_call.is_some(), chat.functions.is_some());
    if hub::tools::modernise(&mut chat) {
        losses.approximated(if calls && !functions { "function_call" } else { "functions" });
    }
    options::refuse(&chat)?;
    options::drop_unknown(&chat, &mut losses);
    let version = version(target.settings);
    let facts = facts(target.model, version);

    let mut conversation = messages::conversation(&chat.messages, &mut losses)?;
    let offered = hub::tools::tools(&chat)?;
    let mut definitions = tools::definitions(&offered, &facts, &mut losses)?;
    let mut choice = tools::choice(&offered, &chat);
    if definitions.is_empty() && conversation.has_tool_blocks() {
        definitions = tools::of_history(&chat);
        choice = Some(super::blocks::ToolChoice::None);
    }
    let schema = options::schema_of(&chat);
    let json_tool = schema.filter(|_| !facts.schemas).map(|format| {
        losses.approximated("response_format");
        tools::json_tool(format, &mut definitions, &mut choice)
    });
    let explained = conversation.has_tool_blocks();
    let search = search::search(&chat, &offered, &facts, &mut losses)?
        .filter(|_| search::joins(&mut definitions, &mut choice, explained, &mut losses));
    let forced = choice.as_ref().is_some_and(super::blocks::ToolChoice::forces);
    let max_tokens = chat.max_completion_tokens.or(chat.max_tokens).unwrap_or(facts.max_tokens);
    let mut options = options::options(&chat, &facts, max_tokens, &conversation, forced, &mut losses);
    options.output_config.format =
        schema.filter(|_| facts.schemas).and_then(|format| options::format(format, &mut losses));
    let wants_json = schema.is_none() && !matches!(chat.response_format, None | Some(ResponseFormat::Text));
    if wants_json {
        losses.approximated("response_format");
    }

    let headers = if conversation.uses_files && version < "2026" { vec![(BETA, FILES)] } else { Vec::new() };
    let stream = request.envelope.stream;
    let body = Request {
        model: target.model,
        max_tokens,
        system: conversation.system_prompt(wants_json.then_some(options::ASK_FOR_JSON)),
        messages: conversation.messages,
        tools: definitions.into_iter().map(Tool::Function).chain(search.map(Tool::Search)).collect(),
        tool_choice: choice,
        options,
        stream,
    };
    let body = hub::written(request, &body)
        .map_err(|_| Refusal::new(Cause::Internal, "the request could not be written for Anthropic"))?;
    Ok(Upstream {
        path: "/v1/messages".into(),
        headers,
        body: body.into(),
        losses: losses.into_vec(),
        reading: Reading { tool_ids: conversation.tool_ids, json_tool, ..Reading::of(request, target) },
        more: Vec::new(),
    })
}
