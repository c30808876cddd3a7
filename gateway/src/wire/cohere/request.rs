//! The chat request to Cohere.

use http::{HeaderValue, header};

use super::{blocks::Request, messages, options, tools};
use crate::{
    api::ClientRequest,
    refusal::{Cause, Refusal},
    wire::{Reading, Target, Upstream, hub},
};

/// # Errors
/// 400 for what cannot be asked of Cohere.
pub(super) fn chat(request: &ClientRequest, target: Target<'_>) -> Result<Upstream, Refusal> {
    let mut chat = hub::chat(request)?;
    let mut losses = hub::Losses::default();
    let (calls, functions) = (chat.function_call.is_some(), chat.functions.is_some());
    if hub::tools::modernise(&mut chat) {
        losses.approximated(if calls && !functions { "function_call" } else { "functions" });
    }
    let offered = hub::tools::tools(&chat)?;
    let has_tools = !offered.functions.is_empty();
    options::refuse(&chat, has_tools)?;
    options::drop_unknown(&chat, has_tools, &mut losses);
    let stream = request.envelope.stream;
    let body = Request {
        model: target.model,
        messages: messages::conversation(&chat.messages, &mut losses)?,
        tools: tools::definitions(&offered, &mut losses),
        strict_tools: tools::strict(&offered, &mut losses),
        tool_choice: tools::choice(&offered),
        options: options::options(&chat, target.model, &mut losses),
        stream,
    };
    let body = hub::written(request, &body)
        .map_err(|_| Refusal::new(Cause::Internal, "the request could not be written for Cohere"))?;
    // With `application/json` streams come as lines of JSON.
    let events = stream.then_some((header::ACCEPT, HeaderValue::from_static("text/event-stream")));
    Ok(Upstream {
        path: "/v2/chat".into(),
        headers: events.into_iter().collect(),
        body: body.into(),
        losses: losses.into_vec(),
        reading: Reading::of(request, target),
        more: Vec::new(),
    })
}
