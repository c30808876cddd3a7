//! Quirks that lie inside messages and tools: looked for only where the first pass has seen something that may be one.

use std::{borrow::Cow, ops::Range};

use super::{
    messages::{Key, loss_name},
    request::Draft,
    spans::{Member, elements, members, unquote},
    tool_ids::Rewriter,
};
use crate::{
    api::{Endpoint, MessageFacts},
    config::ToolIds,
    wire::Fate,
};

/// Cuts, renames roles and rewrites ids inside `messages`.
pub(super) fn messages(draft: &mut Draft<'_>) {
    let facts = draft.request.envelope.facts;
    let quirks = draft.quirks;
    let cuts = quirks.message_refuses.iter().any(|name| may_have(facts, name))
        || (quirks.strict_messages && facts.foreign_fields);
    let roles = !quirks.developer_role && facts.developer;
    let ids = quirks.tool_ids == ToolIds::Nine && facts.tool_ids;
    if draft.request.endpoint != Endpoint::ChatCompletions || !(cuts || roles || ids) {
        return;
    }
    let Some(field) = draft.field("messages") else { return };
    let body = &*draft.request.body;
    let mut rewriter = Rewriter::default();
    for message in elements(body, field.value.clone()) {
        let members = members(body, message);
        cut_members(draft, &members, loss_name, |name| {
            quirks.message_refuses.contains(&name) || (quirks.strict_messages && Key::from(name) == Key::Foreign)
        });
        for member in members {
            match &*member.name {
                "role" if roles && text(body, &member.value).is_some_and(|role| role == "developer") => {
                    draft.edits.replace(member.value, r#""system""#);
                }
                "tool_calls" if ids && !quirks.message_refuses.contains(&"tool_calls") => {
                    for id in call_ids(body, member.value) {
                        rewriter.note(text(body, &id), id);
                    }
                }
                "tool_call_id" if ids && !quirks.message_refuses.contains(&"tool_call_id") => {
                    rewriter.note(text(body, &member.value), member.value);
                }
                _ => {}
            }
        }
    }
    draft.tool_ids = rewriter.rewrite(&mut draft.edits);
}

/// Cuts members out of the `function` of every tool.
pub(super) fn tools(draft: &mut Draft<'_>) {
    let refuses = draft.quirks.function_refuses;
    if refuses.is_empty() || draft.request.endpoint != Endpoint::ChatCompletions {
        return;
    }
    let Some(field) = draft.field("tools") else { return };
    let body = &*draft.request.body;
    for tool in elements(body, field.value.clone()) {
        for function in members(body, tool).into_iter().filter(|member| member.name == "function") {
            let members = members(body, function.value);
            let loss = |name: &str| format!("tools[].function.{name}").into();
            cut_members(draft, &members, loss, |name| refuses.contains(&name));
        }
    }
}

/// Cuts members and reports those that said something.
fn cut_members(
    draft: &mut Draft<'_>,
    members: &[Member<'_>],
    loss: impl Fn(&str) -> Cow<'static, str>,
    goes: impl Fn(&str) -> bool,
) {
    let cuts: Vec<_> = members.iter().map(|member| (member.span(), goes(&member.name))).collect();
    draft.edits.cut(&cuts);
    for (member, (_, goes)) in members.iter().zip(&cuts) {
        if *goes && draft.raw(&member.value) != b"null" {
            draft.lose(loss(&member.name), Fate::Dropped);
        }
    }
}

/// Whether a message may have a field of that name, as far as the first pass knows.
fn may_have(facts: MessageFacts, name: &str) -> bool {
    match Key::from(name) {
        Key::Name => facts.named,
        Key::ToolIds => facts.tool_ids,
        Key::Foreign => facts.foreign_fields,
        Key::Role | Key::Plain => true,
    }
}

/// Where the ids of these tool calls stand.
pub(super) fn call_ids(text: &[u8], calls: Range<usize>) -> Vec<Range<usize>> {
    let calls = elements(text, calls).into_iter();
    let ids = calls.flat_map(|call| members(text, call)).filter(|member| member.name == "id");
    ids.map(|member| member.value).collect()
}

/// The string that stands there.
pub(super) fn text<'a>(body: &'a [u8], span: &Range<usize>) -> Option<Cow<'a, str>> {
    unquote(std::str::from_utf8(&body[span.clone()]).ok()?)
}
