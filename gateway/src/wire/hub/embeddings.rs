//! What the formats' embeddings share: the client's wishes, requests in parts, and one answer out of theirs.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    api::{
        ClientRequest, EmbeddingObject, EmbeddingRequest, EmbeddingUsage, EncodingFormat, ListObject, TextInput,
        TokenUsage,
    },
    refusal::{Cause, Refusal},
    wire::{Answer, Upstream},
};

/// More parts than this are not sent for one request.
const MOST_PARTS: usize = 2048;

/// The client's request, typed.
///
/// # Errors
/// 400 naming the field.
pub fn asked(request: &ClientRequest) -> Result<EmbeddingRequest, Refusal> {
    let asked: EmbeddingRequest = super::parse(&request.body)?;
    if let Some(EncodingFormat::Other(_)) = &asked.encoding_format {
        let message = "this provider's vectors are written as `float` or `base64`";
        return Err(Refusal::invalid("encoding_format", message));
    }
    Ok(asked)
}

/// The texts to embed; there is at least one.
///
/// # Errors
/// 400 for token ids, and for nothing.
pub fn texts(input: &TextInput) -> Result<&[String], Refusal> {
    let texts = match input {
        TextInput::Text(text) => std::slice::from_ref(text),
        TextInput::Texts(texts) => texts,
        TextInput::Tokens(tokens) if tokens.is_empty() => &[],
        TextInput::Tokens(_) | TextInput::TokenLists(_) => {
            let message = "this provider embeds texts; token ids of another vocabulary mean nothing to it";
            return Err(Refusal::invalid("input", message));
        }
    };
    if texts.is_empty() {
        return Err(Refusal::invalid("input", "there is nothing to embed"));
    }
    Ok(texts)
}

/// One request, or several where the provider takes no more than `most` texts at once. `write` makes the request for
/// some of them.
///
/// # Errors
/// Those of `write`, and 400 for more parts than make sense.
pub fn in_parts<'a>(
    texts: &'a [String],
    most: usize,
    mut write: impl FnMut(&'a [String]) -> Result<Upstream, Refusal>,
) -> Result<Upstream, Refusal> {
    if texts.len() <= most {
        return write(texts);
    }
    if texts.len().div_ceil(most) > MOST_PARTS {
        let message = format!("at most {} texts are embedded in one request", MOST_PARTS * most);
        return Err(Refusal::invalid("input", message));
    }
    let mut parts = Vec::with_capacity(texts.len().div_ceil(most));
    for some in texts.chunks(most) {
        let mut part = write(some)?;
        part.reading.inputs = some.len();
        parts.push(part);
    }
    Ok(joined(parts))
}

/// Several requests as one; there is at least one.
pub fn joined(mut parts: Vec<Upstream>) -> Upstream {
    let more = parts.split_off(1);
    let first = parts.pop().expect("a request has at least one part");
    Upstream { more, ..first }
}

/// An answer as the formats give it: vectors are not looked into.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    data: Vec<Item<'a>>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    usage: Option<EmbeddingUsage>,
}

#[derive(Deserialize)]
struct Item<'a> {
    index: Option<usize>,
    #[serde(borrow)]
    embedding: &'a RawValue,
}

#[derive(Serialize)]
struct Whole<'a> {
    object: ListObject,
    data: Vec<Embedded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a RawValue>,
    usage: EmbeddingUsage,
}

#[derive(Serialize)]
struct Embedded<'a> {
    object: EmbeddingObject,
    index: usize,
    embedding: &'a RawValue,
}

/// One answer out of those to the parts of a request, each with the number of its inputs: vectors in the order of all
/// inputs, usage summed.
///
/// # Errors
/// When a part is answered with another number of vectors, or with none at all.
pub fn merge(parts: &[(usize, Answer)]) -> Result<Answer, Refusal> {
    let mut whole = Whole { object: ListObject, data: Vec::new(), model: None, usage: EmbeddingUsage::default() };
    let mut tokens: Option<TokenUsage> = None;
    for (inputs, answer) in parts {
        let mut part: Part<'_> = serde_json::from_slice(&answer.body)
            .map_err(|_| Refusal::new(Cause::Upstream, "the provider's answer holds no embeddings"))?;
        if part.data.len() != *inputs {
            let message = format!("the provider answered {inputs} inputs with {} vectors", part.data.len());
            return Err(Refusal::new(Cause::Upstream, message));
        }
        part.data.sort_by_key(|item| item.index);
        let offset = whole.data.len();
        whole.data.extend(part.data.iter().zip(offset..).map(|(item, index)| Embedded {
            object: EmbeddingObject,
            index,
            embedding: item.embedding,
        }));
        whole.model = whole.model.or(part.model);
        if let Some(usage) = part.usage {
            whole.usage.prompt_tokens += usage.prompt_tokens;
            whole.usage.total_tokens += usage.total_tokens;
        }
        if let Some(usage) = answer.usage {
            tokens.get_or_insert_default().input += usage.input;
        }
    }
    let body = serde_json::to_vec(&whole).expect("an answer serialises");
    Ok(Answer { body: body.into(), usage: tokens })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &'static str, input: u64) -> Answer {
        Answer { body: body.into(), usage: Some(TokenUsage { input, ..TokenUsage::default() }) }
    }

    const ONE: &str = r#"{"object":"list","model":"m","data":[{"index":1,"embedding":"BB"},{"index":0,"embedding":[0.10]}],
        "usage":{"prompt_tokens":2,"total_tokens":2}}"#;
    const TWO: &str = r#"{"object":"list","data":[{"embedding":"CC","object":"embedding"}],"usage":{"prompt_tokens":3,"total_tokens":4}}"#;

    #[test]
    fn vectors_keep_their_order_and_their_digits() {
        let merged = merge(&[(2, answer(ONE, 2)), (1, answer(TWO, 3))]).unwrap();
        assert_eq!(
            merged.body,
            concat!(
                r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10]},"#,
                r#"{"object":"embedding","index":1,"embedding":"BB"},{"object":"embedding","index":2,"embedding":"CC"}],"#,
                r#""model":"m","usage":{"prompt_tokens":5,"total_tokens":6}}"#
            )
        );
        assert_eq!(merged.usage.unwrap().input, 5);
    }

    #[test]
    fn a_part_without_its_vectors_is_no_answer() {
        for (inputs, body) in [(3, ONE), (0, TWO), (1, "{}"), (1, "[]")] {
            let refusal = merge(&[(2, answer(ONE, 1)), (inputs, answer(body, 1))]).unwrap_err();
            assert_eq!(refusal.cause, Cause::Upstream, "{body}");
        }
    }
}
