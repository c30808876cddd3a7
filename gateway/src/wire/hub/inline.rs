//! Bytes inside JSON: `data:` URLs and base64.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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

/// Standard base64 with padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let sextet = (group >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    text
}

/// Standard or URL-safe base64, padded or not; white space is skipped. `None` when it is something else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut bits) = (0u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        group = group << 6 | u32::from(sextet);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits) as u8);
        }
    }
    (bits < 6).then_some(bytes)
}

/// A vector as OpenAI writes it with `encoding_format: base64`: 32-bit floats, little-endian.
pub fn encode_vector(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|float| float.to_le_bytes()).collect();
    encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_goes_there_and_back() {
        for (plain, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(encode(plain.as_bytes()), text);
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
