//! `/completions`.

use serde_json::Map;

use super::{
    chat::{MOST_CHOICES, check_stream, includes_usage, usage},
    id, now,
    options::Options,
    rejection::Rejection,
    reply::Reply,
    require_model,
    stream::{Stamp, completion_events},
    text::{LOREM, Speech, check_total, count, stretched, tokens},
};
use crate::api::{CompletionChoice, CompletionRequest, Stop, TextInput};

pub(super) fn answer(body: &[u8]) -> Result<(Reply, Options), Rejection> {
    let request: CompletionRequest = crate::wire::hub::parse(body)?;
    let (model, options) = Options::parse(&request.model)?;
    let elsewhere = if model == "embedding" { "/v1/embeddings" } else { "/v1/chat/completions" };
    require_model(model, &["echo", "lorem"], elsewhere)?;
    let n = request.n.unwrap_or(1) as usize;
    check_stream(n, request.stream, request.stream_options.as_ref())?;

    let prompts = request.prompt.as_ref().map_or_else(|| vec![String::new()], texts);
    let choices = prompts.len() * n;
    if choices > MOST_CHOICES {
        return Err(Rejection::invalid("prompt", format!("The simulator completes at most {MOST_CHOICES} times.")));
    }
    let mut speeches = Vec::with_capacity(choices);
    let mut bytes = 0;
    for prompt in &prompts {
        let speech = speech(model, &options, &request, prompt)?;
        bytes += speech.text.len() * n;
        check_total(bytes, choices)?;
        speeches.extend(std::iter::repeat_n(speech, n));
    }

    let read = prompts.iter().map(|prompt| count(prompt)).sum();
    let generated = speeches.iter().map(|speech| tokens(&*speech.text).count() as u64).sum();
    let usage = options.usage.then(|| usage(read, generated));
    let stamp = Stamp::new(id("cmpl-sim-"), now(), model);
    let reply = if request.stream == Some(true) {
        let usage = usage.filter(|_| includes_usage(request.stream_options.as_ref()));
        Reply::Stream(Box::new(completion_events(stamp, speeches, usage)))
    } else {
        let choices = (0..).zip(speeches).map(|(index, speech)| CompletionChoice {
            text: speech.text.to_string(),
            index,
            logprobs: None,
            finish_reason: Some(speech.finish),
            extra: Map::new(),
        });
        Reply::whole(&stamp.completion(choices.collect(), usage.map(Some)))
    };
    Ok((reply, options))
}

fn speech(model: &str, options: &Options, request: &CompletionRequest, prompt: &str) -> Result<Speech, Rejection> {
    let source = if model == "lorem" { LOREM } else { prompt };
    let text = options.tokens.map_or_else(|| Ok(source.to_owned()), |words| stretched(source, words))?;
    let stops = request.stop.as_ref().map(Stop::texts).unwrap_or_default();
    let mut speech = Speech::new(&text, stops, request.max_tokens);
    if request.echo == Some(true) {
        speech.text = format!("{prompt}{}", speech.text).into();
    }
    Ok(speech)
}

/// Each input as text; tokens are written as their numbers.
pub(super) fn texts(input: &TextInput) -> Vec<String> {
    let written = |ids: &[u32]| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    match input {
        TextInput::Text(text) => vec![text.clone()],
        TextInput::Texts(texts) => texts.clone(),
        TextInput::Tokens(ids) => vec![written(ids)],
        TextInput::TokenLists(lists) => lists.iter().map(|ids| written(ids)).collect(),
    }
}
