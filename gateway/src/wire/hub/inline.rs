//! Bytes inside JSON: `data:` URLs and base64.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};

/// A `data:` URL whose bytes are base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataUrl<'a> {
    /// Without parameters, as written; empty when there is none.
    pub media_type: &'a str,
    pub base64: &'a str,
}

impl<'a> DataUrl<'a> {
    /// `None` when it is no `data:` URL, or one that is not base64.
    pub fn read(url: &'a str) -> Option<Self> {
        let rest = url.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:")).and(url.get(5..))?;
        let (head, base64) = rest.split_once(',')?;
        let (media_type, parameters) = head.split_once(';')?;
        let is_base64 = parameters.rsplit(';').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
        is_base64.then(|| Self { media_type: media_type.trim(), base64: base64.trim() })
    }
}

/// Standard or URL-safe base64, padded or not; white space is skipped. `None` when it is something else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let standard = |byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let text = text.trim_end().trim_end_matches('=').bytes();
    let sextets: Vec<u8> = text.filter(|byte| !byte.is_ascii_whitespace()).map(standard).collect();
    BASE64_STANDARD_NO_PAD.decode(sextets).ok()
}

/// A vector as OpenAI writes it with `encoding_format: base64`: 32-bit floats, little-endian.
pub fn encode_vector(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|float| float.to_le_bytes()).collect();
    BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_every_kind_is_read() {
        for (plain, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8"), ("foo", "Z m\n9v"), ("foob", "Zm9vYg==\n")] {
            assert_eq!(decode(text).unwrap(), plain.as_bytes());
        }
        assert_eq!(decode("-_8"), Some(vec![251, 255]));
        assert_eq!(decode("a"), None);
        assert_eq!(decode("!"), None);
        assert_eq!(encode_vector(&[1.0, -2.5]), "AACAPwAAIMA=");
    }

    #[test]
    fn data_urls_are_read() {
        let read = DataUrl::read("data:image/png;base64,AAAA").unwrap();
        assert_eq!((read.media_type, read.base64), ("image/png", "AAAA"));
        assert_eq!(DataUrl::read("DATA:text/plain;charset=utf-8;base64,AA==").unwrap().media_type, "text/plain");
        assert_eq!(DataUrl::read("data:text/plain,hi"), None);
        assert_eq!(DataUrl::read("https://x/y"), None);
    }
}
