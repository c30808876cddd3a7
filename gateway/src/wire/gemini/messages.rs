//! The conversation: instructions hoisted, turns merged, results next to their calls.

use super::{
    body::{Content, Data, FunctionCall, FunctionResponse, Instruction, Json, Part, Role},
    media::{self, Place},
    signatures,
};
use crate::{
    api::{AssistantMessage, ChatMessage, ContentPart, ImageDetail, MessageContent, ToolCall, ToolMessage},
    refusal::Refusal,
    wire::hub::{
        Losses,
        turns::{FILLER, Turn, asks_for_answer, turns},
    },
};

/// The conversation being written.
#[derive(Debug)]
pub(super) struct Conversation<'a, 'l> {
    pub contents: Vec<Content<'a>>,
    pub system: Vec<Part<'a>>,
    /// What was asked of every image.
    pub details: Vec<Option<&'a ImageDetail>>,
    vertex: bool,
    losses: &'l mut Losses,
}

/// Reads the messages. `signs`: the model insists on signatures.
pub(super) fn conversation<'a, 'l>(
    messages: &'a [ChatMessage],
    vertex: bool,
    signs: bool,
    losses: &'l mut Losses,
) -> Result<Conversation<'a, 'l>, Refusal> {
    let turns = turns(messages, losses)?;
    let asked = asks_for_answer(&turns);
    let (contents, system, details) = (Vec::new(), Vec::new(), Vec::new());
    let mut talk = Conversation { contents, system, details, vertex, losses };
    // The current turn begins after the last thing that the user said.
    let current = messages.iter().rposition(|message| matches!(message, ChatMessage::User(_))).unwrap_or(0);
    for turn in turns {
        match turn {
            Turn::System(at, system) => {
                talk.note(system.named, system.extra);
                if system.late {
                    talk.losses.approximated("messages");
                }
                let parts = talk.parts(at, system.content)?;
                talk.system.extend(parts);
            }
            Turn::User(at, user) => {
                talk.note(user.name.is_some(), &user.extra);
                let parts = talk.parts(at, &user.content)?;
                talk.say(Role::User, parts);
            }
            Turn::Assistant(at, assistant, results) => {
                talk.assistant(at, assistant, signs && at > current)?;
                talk.results(assistant, &results)?;
            }
            Turn::Orphan(at, result) => {
                talk.losses.approximated("messages");
                let parts = talk.parts(at, &result.content)?;
                talk.say(Role::User, parts);
            }
        }
    }
    if asked && talk.contents.last().is_some_and(|last| last.role == Role::Model) {
        talk.losses.approximated("messages");
        talk.say(Role::User, vec![Data::Text(FILLER.into()).into()]);
    }
    if talk.contents.is_empty() && !talk.system.is_empty() {
        // Contents are required: what was meant as instructions is all there is to answer.
        talk.losses.approximated("messages");
        let parts = std::mem::take(&mut talk.system);
        talk.say(Role::User, parts);
    }
    if talk.contents.is_empty() {
        return Err(Refusal::invalid("messages", "the messages are empty: there is nothing to answer"));
    }
    Ok(talk)
}

impl<'a> Conversation<'a, '_> {
    pub(super) fn instruction(&mut self) -> Option<Instruction<'a>> {
        let parts = std::mem::take(&mut self.system);
        (!parts.is_empty()).then_some(Instruction { parts })
    }

    /// Appends to the last turn when it is of the same role.
    fn say(&mut self, role: Role, parts: Vec<Part<'a>>) {
        match self.contents.last_mut() {
            _ if parts.is_empty() => {}
            Some(last) if last.role == role => last.parts.extend(parts),
            _ => self.contents.push(Content { role, parts }),
        }
    }

    /// Reports what no message of Gemini's has.
    fn note(&mut self, named: bool, extra: &serde_json::Map<String, serde_json::Value>) {
        self.losses.drop_if("messages[].name", named);
        self.losses.drop_if("messages[].cache_control", extra.contains_key("cache_control"));
    }

    /// Empty texts are left out: Gemini refuses them.
    fn parts(&mut self, message: usize, content: &'a MessageContent) -> Result<Vec<Part<'a>>, Refusal> {
        let list = match content {
            MessageContent::Text(text) if text.is_empty() => return Ok(Vec::new()),
            MessageContent::Text(text) => return Ok(vec![Data::Text(text.into()).into()]),
            MessageContent::Parts(list) => list,
        };
        let mut parts = Vec::with_capacity(list.len());
        for (part, content) in list.iter().enumerate() {
            let place = Place { message, part, vertex: self.vertex };
            let (data, extra, breakpoint) = match content {
                ContentPart::Text(text) => {
                    (Data::Text(text.text.as_str().into()), &text.extra, &text.prompt_cache_breakpoint)
                }
                ContentPart::Refusal(refusal) => (Data::Text(refusal.refusal.as_str().into()), &refusal.extra, &None),
                ContentPart::ImageUrl(image) => {
                    self.details.push(image.image_url.detail.as_ref());
                    (media::image(image, place)?, &image.extra, &image.prompt_cache_breakpoint)
                }
                ContentPart::InputAudio(audio) => (media::audio(audio), &audio.extra, &audio.prompt_cache_breakpoint),
                ContentPart::File(file) => (media::file(file, place)?, &file.extra, &file.prompt_cache_breakpoint),
            };
            self.losses.drop_if("messages[].content[].prompt_cache_breakpoint", breakpoint.is_some());
            self.losses.drop_if("messages[].content[].cache_control", extra.contains_key("cache_control"));
            if !matches!(&data, Data::Text(text) if text.is_empty()) {
                parts.push(data.into());
            }
        }
        Ok(parts)
    }

    /// `must_sign`: the first call of this step has to have a signature.
    fn assistant(&mut self, at: usize, message: &'a AssistantMessage, must_sign: bool) -> Result<(), Refusal> {
        if message.audio.is_some() {
            let message = "this provider does not have the spoken answer that `audio` refers to; send its transcript";
            return Err(Refusal::invalid(format!("messages[{at}].audio"), message));
        }
        self.note(message.name.is_some(), &message.extra);
        let thought = message.reasoning_content.as_ref().is_some_and(|thought| !thought.is_empty());
        self.losses.drop_if("messages[].reasoning_content", thought);
        let mut parts = message.content.as_ref().map_or(Ok(Vec::new()), |content| self.parts(at, content))?;
        if let Some(refusal) = message.refusal.as_deref().filter(|refusal| !refusal.is_empty()) {
            parts.push(Data::Text(refusal.into()).into());
        }
        if let (Some(signature), Some(last)) = (signatures::of_extra(&message.extra), parts.last_mut()) {
            last.signature = Some(signature.into());
        }
        for (number, call) in message.tool_calls.iter().flatten().enumerate() {
            // Others were refused before.
            let ToolCall::Function(call) = call else { continue };
            let (id, appended) = signatures::of_id(&call.id);
            let carried = signatures::of_extra(&call.extra).map(Into::into).or(appended);
            let missing = (must_sign && number == 0).then(|| signatures::SKIP.into());
            let args = self.arguments(&call.function.arguments);
            let call = FunctionCall { id, name: &call.function.name, args };
            parts.push(Part { data: Data::FunctionCall(call), signature: carried.or(missing) });
        }
        self.say(Role::Model, parts);
        Ok(())
    }

    /// Arguments are an object; what a model wrote that is none goes along as text.
    fn arguments(&mut self, text: &'a str) -> Json<'a> {
        if text.trim().is_empty() {
            return Json::Owned(serde_json::Map::default().into());
        }
        Json::object(text).unwrap_or_else(|| {
            self.losses.approximated("messages[].tool_calls[].function.arguments");
            Json::wrapped("arguments", text)
        })
    }

    /// One response for each call, in one turn and in the order of the calls; media that came with them after all of
    /// them.
    fn results(&mut self, caller: &'a AssistantMessage, results: &[(usize, &'a ToolMessage)]) -> Result<(), Refusal> {
        let (mut parts, mut media) = (Vec::new(), Vec::new());
        for (call, (at, result)) in caller.tool_calls.iter().flatten().zip(results) {
            let ToolCall::Function(call) = call else { continue };
            self.losses.drop_if("messages[].cache_control", result.extra.contains_key("cache_control"));
            let response = FunctionResponse {
                id: signatures::of_id(&call.id).0,
                name: &call.function.name,
                response: response(result),
            };
            parts.push(Data::FunctionResponse(response).into());
            if matches!(&result.content, MessageContent::Parts(list) if list.iter().any(|part| part.text().is_none())) {
                self.losses.approximated("messages[].content");
                let found = self.parts(*at, &result.content)?;
                media.extend(found.into_iter().filter(|part| !matches!(part.data, Data::Text(_))));
            }
        }
        parts.extend(media);
        self.say(Role::User, parts);
        Ok(())
    }
}

/// A JSON object goes as it is; any other text is the `output`, or the `error` where the client marks it as one.
fn response(result: &ToolMessage) -> Json<'_> {
    let failed = result.extra.get("is_error") == Some(&serde_json::Value::Bool(true));
    let own = match &result.content {
        MessageContent::Text(text) if !failed => Json::object(text),
        MessageContent::Parts(parts) if !failed => match &parts[..] {
            [part] => part.text().and_then(Json::object),
            _ => None,
        },
        _ => None,
    };
    own.unwrap_or_else(|| Json::wrapped(if failed { "error" } else { "output" }, &result.content.text()))
}
