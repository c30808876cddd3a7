//! What the configuration will understand later: refused by name until it is built, never silently accepted.
//!
//! Building a feature deletes its rows here and adds its fields to `file`.

use super::tree::{Step, Trail};

/// (path, feature): `*` is any key or index.
const UNBUILT: &[(&str, &str)] = &[("cache", "the cache of answers")];

/// The feature that a key belongs to, when it is known and not built yet.
pub(super) fn feature(trail: &Trail) -> Option<&'static str> {
    UNBUILT.iter().find(|(pattern, _)| matches(pattern, trail)).map(|(_, feature)| *feature)
}

fn matches(pattern: &str, trail: &Trail) -> bool {
    pattern.split('.').count() == trail.0.len()
        && pattern.split('.').zip(&trail.0).all(|(wanted, step)| match step {
            _ if wanted == "*" => true,
            Step::Key(key) => key == wanted,
            Step::Index(_) => false,
        })
}

#[cfg(test)]
pub(super) fn patterns() -> impl Iterator<Item = &'static str> {
    UNBUILT.iter().map(|(pattern, _)| *pattern)
}
