//! The answers, built once for each shape and then only cloned (a reference count).

use bytes::Bytes;

use crate::behaviour::Behaviour;

pub struct Canned {
    pub chat: Bytes,
    pub messages: Bytes,
    pub embeddings: Bytes,
    pub openai: Stream,
    pub anthropic: Stream,
}

/// The pieces of a stream; `chunk` is sent as often as asked.
pub struct Stream {
    pub first: Bytes,
    pub chunk: Bytes,
    pub last: Bytes,
    pub last_with_usage: Bytes,
}

impl Canned {
    pub fn new(behaviour: &Behaviour) -> Self {
        let tokens = behaviour.resp_bytes.div_ceil(4);
        let streamed = behaviour.chunks as usize * behaviour.chunk_bytes.div_ceil(4);
        let answer = text(behaviour.resp_bytes);
        let delta = text(behaviour.chunk_bytes);
        Canned {
            chat: chat(&answer, tokens).into(),
            messages: messages(&answer, tokens).into(),
            embeddings: embeddings(behaviour.embed_dim).into(),
            openai: openai(&delta, streamed),
            anthropic: anthropic(&delta, streamed),
        }
    }
}

const WORDS: &str = "The quick brown fox jumps over the lazy dog while seventeen engineers measure latency. ";

fn text(bytes: usize) -> String {
    WORDS.chars().cycle().take(bytes).collect()
}

fn usage(output: usize) -> String {
    let total = 256 + output;
    let details = concat!(
        r#""prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"#,
        r#""completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"#,
        r#""accepted_prediction_tokens":0,"rejected_prediction_tokens":0}"#
    );
    format!(r#"{{"prompt_tokens":256,"completion_tokens":{output},"total_tokens":{total},{details}}}"#)
}

fn chat(answer: &str, tokens: usize) -> String {
    let message = format!(r#"{{"role":"assistant","content":"{answer}","refusal":null,"annotations":[]}}"#);
    let choice = format!(r#"{{"index":0,"message":{message},"logprobs":null,"finish_reason":"stop"}}"#);
    let head =
        r#""id":"chatcmpl-mock0123456789","object":"chat.completion","created":1760000000,"model":"gpt-4o-mini""#;
    let tail = r#""service_tier":"default","system_fingerprint":"fp_mock""#;
    format!(r#"{{{head},"choices":[{choice}],"usage":{},{tail}}}"#, usage(tokens))
}

fn messages(answer: &str, tokens: usize) -> String {
    let head = concat!(
        r#""id":"msg_mock0123456789","type":"message","role":"assistant","#,
        r#""model":"claude-3-5-haiku-latest""#
    );
    let input = r#""input_tokens":256,"cache_creation_input_tokens":0,"cache_read_input_tokens":0"#;
    let content = format!(r#"[{{"type":"text","text":"{answer}"}}]"#);
    let stop = r#""stop_reason":"end_turn","stop_sequence":null"#;
    format!(r#"{{{head},"content":{content},{stop},"usage":{{{input},"output_tokens":{tokens}}}}}"#)
}

fn embeddings(dimensions: usize) -> String {
    let numbers: Vec<String> = (0..dimensions).map(|i| format!("{:.6}", (i as f64 * 0.37).sin())).collect();
    let datum = format!(r#"{{"object":"embedding","index":0,"embedding":[{}]}}"#, numbers.join(","));
    let tail = r#""model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}"#;
    format!(r#"{{"object":"list","data":[{datum}],{tail}}}"#)
}

fn openai(delta: &str, tokens: usize) -> Stream {
    let head = concat!(
        r#""id":"chatcmpl-mock0123456789","object":"chat.completion.chunk","created":1760000000,"#,
        r#""model":"gpt-4o-mini","system_fingerprint":"fp_mock""#
    );
    let event = |delta: &str, finish: &str| {
        let choice = format!(r#"{{"index":0,"delta":{{{delta}}},"logprobs":null,"finish_reason":{finish}}}"#);
        format!("data: {{{head},\"choices\":[{choice}]}}\n\n")
    };
    let stop = event("", r#""stop""#);
    let metered = format!("data: {{{head},\"choices\":[],\"usage\":{}}}\n\n", usage(tokens));
    Stream {
        first: event(r#""role":"assistant","content":"","refusal":null"#, "null").into(),
        chunk: event(&format!(r#""content":"{delta}""#), "null").into(),
        last: format!("{stop}data: [DONE]\n\n").into(),
        last_with_usage: format!("{stop}{metered}data: [DONE]\n\n").into(),
    }
}

fn anthropic(delta: &str, tokens: usize) -> Stream {
    let event = |name: &str, fields: &str| {
        let comma = if fields.is_empty() { "" } else { "," };
        format!("event: {name}\ndata: {{\"type\":\"{name}\"{comma}{fields}}}\n\n")
    };
    let message = concat!(
        r#""message":{"id":"msg_mock0123456789","type":"message","role":"assistant","#,
        r#""model":"claude-3-5-haiku-latest","content":[],"stop_reason":null,"stop_sequence":null,"#,
        r#""usage":{"input_tokens":256,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}"#
    );
    let block = r#""index":0,"content_block":{"type":"text","text":""}"#;
    let end = r#""delta":{"stop_reason":"end_turn","stop_sequence":null}"#;
    let last: Bytes = [
        event("content_block_stop", r#""index":0"#),
        event("message_delta", &format!(r#"{end},"usage":{{"output_tokens":{tokens}}}"#)),
        event("message_stop", ""),
    ]
    .concat()
    .into();
    Stream {
        first: [event("message_start", message), event("content_block_start", block)].concat().into(),
        chunk: event("content_block_delta", &format!(r#""index":0,"delta":{{"type":"text_delta","text":"{delta}"}}"#))
            .into(),
        last: last.clone(),
        last_with_usage: last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_json() {
        let canned = Canned::new(&Behaviour::default());
        for body in [&canned.chat, &canned.messages, &canned.embeddings] {
            serde_json::from_slice::<serde_json::Value>(body).unwrap();
        }
        for stream in [&canned.openai, &canned.anthropic] {
            for piece in [&stream.first, &stream.chunk, &stream.last, &stream.last_with_usage] {
                let piece = std::str::from_utf8(piece).unwrap();
                let data = piece.lines().filter_map(|line| line.strip_prefix("data: "));
                for event in data.filter(|event| *event != "[DONE]") {
                    serde_json::from_str::<serde_json::Value>(event).unwrap();
                }
            }
        }
    }
}
