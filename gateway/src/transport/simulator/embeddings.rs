//! `/embeddings`.

use serde_json::Map;

use super::{completions::texts, options::Options, rejection::Rejection, reply::Reply, require_model, text::count};
use crate::api::{
    Embedding, EmbeddingObject, EmbeddingRequest, EmbeddingResponse, EmbeddingUsage, EmbeddingVector, EncodingFormat,
    ListObject,
};

const DIMENSIONS: u32 = 256;
const MOST_DIMENSIONS: u32 = 4096;
/// As at OpenAI.
const MOST_INPUTS: usize = 2048;
/// In one answer.
const MOST_NUMBERS: usize = 1 << 20;

pub(super) fn answer(body: &[u8]) -> Result<(Reply, Options), Rejection> {
    let request: EmbeddingRequest = crate::wire::hub::parse(body)?;
    let (model, options) = Options::parse(&request.model)?;
    require_model(model, &["embedding"], "/v1/chat/completions")?;
    let dimensions = request.dimensions.unwrap_or(DIMENSIONS);
    let inputs = texts(&request.input);
    check(&inputs, dimensions)?;
    let base64 = match &request.encoding_format {
        None | Some(EncodingFormat::Float) => false,
        Some(EncodingFormat::Base64) => true,
        Some(EncodingFormat::Other(format)) => {
            let message = format!("Invalid value: '{format}'. Supported values are: 'float' and 'base64'.");
            return Err(Rejection::invalid("encoding_format", message));
        }
    };

    let data = (0..).zip(&inputs).map(|(index, input)| {
        let vector = vector(input, dimensions);
        let embedding = if base64 {
            EmbeddingVector::Base64(to_base64(
                &vector.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>(),
            ))
        } else {
            EmbeddingVector::Floats(vector.into_iter().map(f64::from).collect())
        };
        Embedding { object: EmbeddingObject, index, embedding, extra: Map::new() }
    });
    let read = if options.usage { inputs.iter().map(|input| count(input)).sum() } else { 0 };
    let response = EmbeddingResponse {
        object: ListObject,
        data: data.collect(),
        model: model.to_owned(),
        usage: EmbeddingUsage { prompt_tokens: read, total_tokens: read, extra: Map::new() },
        extra: Map::new(),
    };
    Ok((Reply::whole(&response), options))
}

fn check(inputs: &[String], dimensions: u32) -> Result<(), Rejection> {
    if inputs.is_empty() || inputs.iter().any(String::is_empty) {
        return Err(Rejection::invalid("input", "Invalid 'input': it cannot be empty."));
    }
    if inputs.len() > MOST_INPUTS {
        return Err(Rejection::invalid("input", format!("Invalid 'input': at most {MOST_INPUTS} at once.")));
    }
    if !(1..=MOST_DIMENSIONS).contains(&dimensions) || inputs.len() * dimensions as usize > MOST_NUMBERS {
        let message = format!("Invalid 'dimensions': at most {MOST_DIMENSIONS}, and {MOST_NUMBERS} over all inputs.");
        return Err(Rejection::invalid("dimensions", message));
    }
    Ok(())
}

/// A vector of length 1 that depends on nothing but the text. A shorter one is the beginning of a longer one, scaled.
fn vector(text: &str, dimensions: u32) -> Vec<f32> {
    let mut state = fnv1a(text.as_bytes());
    let numbers: Vec<f64> = (0..dimensions).map(|_| uniform(&mut state)).collect();
    let length = numbers.iter().map(|number| number * number).sum::<f64>().sqrt();
    numbers.into_iter().map(|number| (number / length) as f32).collect()
}

/// FNV-1a: spread out enough for a seed, and the same on every machine.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// SplitMix64, as a number from -1 to 1.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// Base64 with padding.
fn to_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { letter.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_of_length_1_and_depend_on_the_text_only() {
        for text in ["", "a", "b", "a long text"] {
            let vector = vector(text, 256);
            let length: f32 = vector.iter().map(|number| number * number).sum();
            assert!((length - 1.0).abs() < 1e-4, "{text}: {length}");
        }
        assert_eq!(vector("a", 16), vector("a", 16));
        assert_ne!(vector("a", 16), vector("b", 16));
        let (long, short) = (vector("a", 16), vector("a", 4));
        assert!((long[0] / long[1] - short[0] / short[1]).abs() < 1e-3);
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")]
        {
            assert_eq!(to_base64(bytes.as_bytes()), text);
        }
    }
}
