//! Names with `*`.

/// Whether a pattern names a model. One without a slash also stands for what is behind a provider's prefix.
pub fn names_model(pattern: &str, model: &str) -> bool {
    let bare = model.split_once('/').map_or(model, |(_, rest)| rest);
    wildcard(pattern, model) || (!pattern.contains('/') && wildcard(pattern, bare))
}

/// Whether a name fits a pattern in which `*` stands for any number of characters.
pub fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
