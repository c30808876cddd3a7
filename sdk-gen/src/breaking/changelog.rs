//! Deliberate breaks: what stands in backquotes in openapi/CHANGELOG.md.

use std::{collections::BTreeSet, fs, io::ErrorKind, path::Path};

use crate::trouble::Trouble;

pub fn read(path: &Path) -> Result<BTreeSet<String>, Trouble> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(announced(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(source) => Err(Trouble::file("read", path, source)),
    }
}

pub fn announced(text: &str) -> BTreeSet<String> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}
