//! Keys as a bucket takes them: letters, digits, `-`, `_` and `/` are themselves, every other byte is `=` and two hex digits.

/// The key in the bucket of a record's key.
pub fn escaped(key: &str) -> String {
    let mut escaped = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'/' => escaped.push(char::from(byte)),
            other => escaped.push_str(&format!("={other:02X}")),
        }
    }
    escaped
}

/// And back. What was never escaped stays as it is.
pub fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| byte == b'=').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(escaped) => {
                bytes.push(escaped);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_kept_of_organisations_is_readable_in_the_bucket() {
        for key in ["org/acme-1", "key/acme/key_01J", "version/acme/0000000001", "audit/000000000001", "meta/pepper"] {
            assert_eq!(escaped(key), key);
        }
        assert_eq!(escaped("org/~=."), "org/=7E=3D=2E");
    }

    proptest! {
        #[test]
        fn every_key_comes_back(key in "\\PC{0,40}") {
            let there = escaped(&key);
            prop_assert!(there.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/_=".contains(&byte)));
            prop_assert_eq!(unescaped(&there), key);
        }
    }
}
