//! OpenAI's whole answer, written.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::usage;
use crate::{
    api::{
        AssistantRole, ChatCompletion, ChatCompletionObject, Choice, FinishReason, FunctionCall, FunctionToolCall,
        Logprobs, ResponseMessage, TokenUsage, ToolCall,
    },
    wire::{Answer, Reading},
};

/// What a format found in an answer.
#[derive(Debug, Default)]
pub struct Found {
    pub id: String,
    /// Empty when the answer does not name it.
    pub model: String,
    pub content: Option<String>,
    pub reasoning: Option<String>,
    pub refusal: Option<String>,
    pub calls: Vec<FunctionToolCall>,
    pub annotations: Vec<crate::api::Annotation>,
    /// Members of the message that are not OpenAI's (`thinking_blocks`).
    pub extra: Map<String, Value>,
    pub logprobs: Option<Logprobs>,
    pub finish_reason: &'static str,
    pub usage: Option<TokenUsage>,
}

impl Found {
    /// A call; its id is the client's again if it was rewritten for the provider.
    pub fn call(&mut self, reading: &Reading, id: &str, name: &str, arguments: String) {
        let id = own_id(reading, id).to_owned();
        let function = FunctionCall { name: name.to_owned(), arguments };
        self.calls.push(FunctionToolCall { id, function, extra: Map::default() });
    }

    /// The answer as the client gets it.
    pub fn answer(self, reading: &Reading) -> Answer {
        // `null` where the model only called tools or refused, never where it said nothing.
        let is_silent = self.calls.is_empty() && self.refusal.is_none();
        let content = self.content.filter(|text| is_silent || !text.is_empty());
        let message = ResponseMessage {
            role: AssistantRole,
            content: content.or_else(|| is_silent.then(String::new)),
            refusal: self.refusal,
            reasoning_content: self.reasoning.filter(|text| !text.is_empty()),
            tool_calls: (!self.calls.is_empty()).then(|| self.calls.into_iter().map(ToolCall::Function).collect()),
            annotations: (!self.annotations.is_empty()).then_some(self.annotations),
            audio: None,
            function_call: None,
            extra: self.extra,
        };
        let choice = Choice {
            index: 0,
            message,
            logprobs: self.logprobs,
            finish_reason: FinishReason::from(self.finish_reason.to_owned()),
            extra: Map::default(),
        };
        completion(self.id, self.model, vec![choice], self.usage, reading)
    }
}

/// The answer of these choices. `model` is empty when the provider does not name it.
pub fn completion(
    id: String,
    model: String,
    choices: Vec<Choice>,
    tokens: Option<TokenUsage>,
    reading: &Reading,
) -> Answer {
    let completion = ChatCompletion {
        id,
        object: ChatCompletionObject,
        created: i64::try_from(reading.created).unwrap_or(i64::MAX),
        model: if model.is_empty() { reading.model.to_string() } else { model },
        choices,
        usage: tokens.as_ref().map(usage),
        service_tier: None,
        system_fingerprint: None,
        metadata: None,
        moderation: None,
        extra: Map::default(),
    };
    let body = serde_json::to_vec(&completion).expect("an answer serialises");
    Answer { body: Bytes::from(body), usage: tokens }
}

/// The client's id for an id that was rewritten, or the id itself.
pub fn own_id<'a>(reading: &'a Reading, id: &'a str) -> &'a str {
    reading.tool_ids.iter().find(|(theirs, _)| theirs == id).map_or(id, |(_, own)| own)
}
