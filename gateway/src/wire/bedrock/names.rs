//! Names and ids within Converse's alphabets.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::ids::hex;

/// Converse takes no longer ids and names.
pub(super) const MAX: usize = 64;

/// A name that Converse takes.
pub(super) fn tool_name(name: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.len() <= MAX && name.chars().all(fits) {
        return name.into();
    }
    let name: String = name.chars().take(MAX).map(|c| if fits(c) { c } else { '_' }).collect();
    if name.is_empty() { "tool".into() } else { name.into() }
}

/// An id made of another that Converse does not take, always the same.
pub(super) fn hashed(id: &str) -> String {
    format!("call_{}", hex(&Sha256::digest(id.as_bytes())[..16]))
}
