//! What OpenAI's clients trip over in a compatible provider's answers, replaced in place.

use std::ops::Range;

use bytes::Bytes;

use super::{
    edits::Edits,
    request::json_string,
    second_look::{call_ids, text},
    sniff,
    spans::{Member, elements, members},
};
use crate::{config::Mend, wire::Reading};

/// Applies what one provider needs, to a whole answer or to the JSON of one chunk.
#[derive(Debug, Clone)]
pub(super) struct Mender {
    mends: &'static [Mend],
    /// (the provider's, the client's)
    tool_ids: Vec<(String, String)>,
}

impl Mender {
    /// `None` when answers are passed on untouched.
    pub(super) fn of(reading: &Reading) -> Option<Self> {
        // Usage is read from wherever it stands: nothing to mend.
        let mends = reading.quirks.mends;
        let idle = mends.iter().all(|mend| *mend == Mend::UsageUnderXGroq) && reading.tool_ids.is_empty();
        (!idle).then(|| Self { mends, tool_ids: reading.tool_ids.clone() })
    }

    /// A cheap look at one or more chunks: whether there may be anything to mend.
    pub(super) fn may_apply(&self, chunks: &[u8]) -> bool {
        let mend = |mend: &Mend| match mend {
            Mend::FinishReason(..) => sniff::finish_reason(chunks),
            Mend::ContentList => sniff::content_list(chunks),
            Mend::UsageUnderXGroq => false,
        };
        self.mends.iter().any(mend) || (!self.tool_ids.is_empty() && sniff::tool_calls(chunks))
    }

    /// The mended JSON; `None` when there is nothing to mend.
    pub(super) fn mend(&self, json: &Bytes) -> Option<Bytes> {
        let start = json.iter().position(|&byte| byte == b'{')?;
        let mut edits = Edits::default();
        for choices in members(json, start..json.len()).into_iter().filter(|member| member.name == "choices") {
            for choice in elements(json, choices.value) {
                self.choice(json, choice, &mut edits);
            }
        }
        (!edits.is_empty()).then(|| edits.apply(json).to_bytes())
    }

    fn choice(&self, json: &[u8], choice: Range<usize>, edits: &mut Edits) {
        for member in members(json, choice) {
            match &*member.name {
                "finish_reason" => self.finish_reason(json, member.value, edits),
                "message" | "delta" => self.message(json, member.value, edits),
                _ => {}
            }
        }
    }

    fn finish_reason(&self, json: &[u8], value: Range<usize>, edits: &mut Edits) {
        let Some(reason) = text(json, &value) else { return };
        let spelled = self.mends.iter().find_map(|mend| match mend {
            Mend::FinishReason(theirs, openai) if *theirs == reason => Some(openai),
            _ => None,
        });
        if let Some(openai) = spelled {
            edits.replace(value, json_string(openai));
        }
    }

    fn message(&self, json: &[u8], message: Range<usize>, edits: &mut Edits) {
        let members = members(json, message);
        for member in &members {
            match &*member.name {
                "content" if self.mends.contains(&Mend::ContentList) && json[member.value.start] == b'[' => {
                    flatten(json, member, &members, edits);
                }
                "tool_calls" if !self.tool_ids.is_empty() => self.restore(json, member.value.clone(), edits),
                _ => {}
            }
        }
    }

    /// A provider that repeats an id it was given repeats the rewritten one.
    fn restore(&self, json: &[u8], calls: Range<usize>, edits: &mut Edits) {
        for id in call_ids(json, calls) {
            let theirs = text(json, &id);
            if let Some((_, client)) = self.tool_ids.iter().find(|(nine, _)| theirs.as_deref() == Some(nine)) {
                edits.replace(id, json_string(client));
            }
        }
    }
}

/// Makes a list of parts a string, its thinking `reasoning_content`. The text stays escaped as it came.
fn flatten(json: &[u8], content: &Member<'_>, message: &[Member<'_>], edits: &mut Edits) {
    let mut said = Vec::new();
    let mut thought = Vec::new();
    for part in elements(json, content.value.clone()) {
        collect(json, part, &mut said, &mut thought);
    }
    let mut value = [b"\"", said.as_slice(), b"\""].concat();
    if !thought.is_empty() && !message.iter().any(|member| member.name == "reasoning_content") {
        value.extend_from_slice(b",\"reasoning_content\":\"");
        value.extend_from_slice(&thought);
        value.push(b'"');
    }
    edits.replace(content.value.clone(), value);
}

/// Appends the text of one part: a string, `{type:"text",text}` or `{type:"thinking",thinking:[parts] | string}`.
fn collect(json: &[u8], part: Range<usize>, said: &mut Vec<u8>, thought: &mut Vec<u8>) {
    if let Some(inner) = inside(json, &part) {
        said.extend_from_slice(inner);
        return;
    }
    for member in members(json, part) {
        match (&*member.name, inside(json, &member.value)) {
            ("text", Some(inner)) => said.extend_from_slice(inner),
            ("thinking", Some(inner)) => thought.extend_from_slice(inner),
            ("thinking", None) => {
                for thinking in elements(json, member.value) {
                    let text = members(json, thinking).into_iter().find(|member| member.name == "text");
                    thought.extend_from_slice(text.and_then(|text| inside(json, &text.value)).unwrap_or_default());
                }
            }
            _ => {}
        }
    }
}

/// What stands between the quotes of a string, escapes and all.
fn inside<'a>(json: &'a [u8], span: &Range<usize>) -> Option<&'a [u8]> {
    json[span.clone()].strip_prefix(b"\"")?.strip_suffix(b"\"")
}
