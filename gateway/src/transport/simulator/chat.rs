//! `/chat/completions`.

use serde_json::{Map, Value};

use super::{
    id,
    instance::instance,
    now,
    options::Options,
    rejection::Rejection,
    reply::Reply,
    require_model,
    stream::{Stamp, chat_events},
    text::{LOREM, Speech, check_total, count, stretched, tokens},
    tool::{self, Turn},
};
use crate::api::{
    ChatCompletion, ChatCompletionObject, ChatCompletionRequest, ChatMessage, Choice, CompletionTokensDetails,
    PromptTokensDetails, ResponseFormat, ResponseMessage, ServiceTier, Stop, StreamOptions, Usage,
};

/// The most choices, as at OpenAI.
pub(super) const MOST_CHOICES: usize = 128;

pub(super) fn answer(body: &[u8]) -> Result<(Reply, Options), Rejection> {
    let request: ChatCompletionRequest = crate::wire::hub::parse(body)?;
    let (model, options) = Options::parse(&request.model)?;
    require_model(model, &["echo", "lorem", "tool", "json"], "/v1/embeddings")?;
    check(&request)?;

    let turn = turn(model, &options, &request)?;
    let choices = request.n.unwrap_or(1) as usize;
    check_total(turn.texts().iter().map(|text| text.len()).sum::<usize>() * choices, choices)?;

    let prompt: u64 =
        request.messages.iter().filter_map(ChatMessage::content).map(|content| count(&content.text())).sum();
    let generated: usize = turn.texts().iter().map(|text| tokens(text).count()).sum();
    let usage = options.usage.then(|| usage(prompt, (generated * choices) as u64));
    let stamp = Stamp::new(id("chatcmpl-sim-"), now(), model);

    let reply = if request.stream == Some(true) {
        let usage = usage.filter(|_| includes_usage(request.stream_options.as_ref()));
        Reply::Stream(Box::new(chat_events(stamp, turn, choices, usage)))
    } else {
        Reply::whole(&completion(stamp, &turn, choices, usage))
    };
    Ok((reply, options))
}

/// What OpenAI refuses that the types allow.
fn check(request: &ChatCompletionRequest) -> Result<(), Rejection> {
    if request.messages.is_empty() {
        return Err(Rejection::invalid("messages", "Invalid 'messages': empty array. Expected at least one message."));
    }
    for (param, limit) in [("max_completion_tokens", request.max_completion_tokens), ("max_tokens", request.max_tokens)]
    {
        if limit == Some(0) {
            return Err(Rejection::invalid(param, format!("Invalid '{param}': integer below minimum value.")));
        }
    }
    check_stream(request.n.unwrap_or(1) as usize, request.stream, request.stream_options.as_ref())
}

/// What OpenAI refuses of both chats and completions.
pub(super) fn check_stream(n: usize, stream: Option<bool>, options: Option<&StreamOptions>) -> Result<(), Rejection> {
    if !(1..=MOST_CHOICES).contains(&n) {
        return Err(Rejection::invalid("n", format!("Invalid 'n': expected an integer from 1 to {MOST_CHOICES}.")));
    }
    if options.is_some() && stream != Some(true) {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Rejection::invalid("stream_options", message));
    }
    Ok(())
}

pub(super) fn includes_usage(options: Option<&StreamOptions>) -> bool {
    options.and_then(|options| options.include_usage).unwrap_or(false)
}

/// What the model says or calls.
fn turn(model: &str, options: &Options, request: &ChatCompletionRequest) -> Result<Turn, Rejection> {
    let text = match (model, options.tokens) {
        ("tool", _) => match tool::calls(request)? {
            Ok(turn) => return Ok(turn),
            Err(text) => text,
        },
        ("json", _) => json_text(request)?,
        ("lorem", None) => LOREM.to_owned(),
        ("lorem", Some(words)) => stretched(LOREM, words)?,
        (_, None) => heard(&request.messages),
        (_, Some(words)) => stretched(&heard(&request.messages), words)?,
    };
    let stops = request.stop.as_ref().map(Stop::texts).unwrap_or_default();
    Ok(Turn::Says(Speech::new(&text, stops, request.max_completion_tokens.or(request.max_tokens))))
}

/// What the user said last; what anybody said last, if there is no user.
fn heard(messages: &[ChatMessage]) -> String {
    let user = messages.iter().rev().find(|message| matches!(message, ChatMessage::User(_)));
    let content = user.or(messages.last()).and_then(ChatMessage::content);
    content.map(|content| content.text().into_owned()).unwrap_or_default()
}

fn json_text(request: &ChatCompletionRequest) -> Result<String, Rejection> {
    let value = match &request.response_format {
        Some(ResponseFormat::JsonSchema { json_schema }) => {
            let schema = json_schema.schema.as_ref();
            schema.map_or(Ok(Value::Object(Map::new())), instance).map_err(|mistake| {
                Rejection::invalid("response_format", format!("Schema of '{}': {mistake}.", json_schema.name))
            })?
        }
        _ => serde_json::json!({ "simulated": true, "text": heard(&request.messages) }),
    };
    // With white space, so that there are words to stream.
    Ok(format!("{value:#}"))
}

pub(super) fn usage(prompt: u64, generated: u64) -> Usage {
    Usage {
        prompt_tokens: prompt,
        completion_tokens: generated,
        total_tokens: prompt + generated,
        prompt_tokens_details: Some(PromptTokensDetails {
            cached_tokens: Some(0),
            audio_tokens: Some(0),
            ..PromptTokensDetails::default()
        }),
        completion_tokens_details: Some(CompletionTokensDetails {
            reasoning_tokens: Some(0),
            audio_tokens: Some(0),
            accepted_prediction_tokens: Some(0),
            rejected_prediction_tokens: Some(0),
            ..CompletionTokensDetails::default()
        }),
        ..Usage::default()
    }
}

fn completion(stamp: Stamp, turn: &Turn, choices: usize, usage: Option<Usage>) -> ChatCompletion {
    let mut message = ResponseMessage { annotations: Some(Vec::new()), ..ResponseMessage::default() };
    match turn {
        Turn::Says(speech) => message.content = Some(speech.text.to_string()),
        Turn::Calls(calls) => message.tool_calls = Some(calls.clone()),
        Turn::CallsFunction(call) => message.function_call = Some(call.clone()),
    }
    let choice = |index| Choice {
        index,
        message: message.clone(),
        logprobs: None,
        finish_reason: turn.finish(),
        extra: Map::new(),
    };
    ChatCompletion {
        id: stamp.id,
        object: ChatCompletionObject,
        created: stamp.created,
        model: stamp.model,
        choices: (0..choices as u32).map(choice).collect(),
        usage,
        service_tier: Some(ServiceTier::Default),
        system_fingerprint: Some(Stamp::FINGERPRINT.to_owned()),
        metadata: None,
        moderation: None,
        extra: Map::new(),
    }
}
