//! `~/.aws/config` and `~/.aws/credentials`. They are read anew each time, since other programs rewrite them.

use std::{collections::HashMap, path::PathBuf};

use super::Surroundings;
use crate::secret::Secret;

pub(super) type Entries = HashMap<String, Secret>;

/// The text of both files; empty where there is none.
pub(super) struct Files {
    config: String,
    keys: String,
}

/// What both files say of a profile.
pub(super) struct Profile {
    pub name: String,
    /// In the credentials file, which wins.
    pub keys: Entries,
    pub config: Entries,
}

impl Files {
    pub(super) fn read(around: &Surroundings) -> Self {
        let path = |variable: &str, usual: &str| around.env(variable).map(PathBuf::from).or_else(|| around.home(usual));
        let read = |path: Option<PathBuf>| path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        Self {
            config: read(path("AWS_CONFIG_FILE", ".aws/config")),
            keys: read(path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")),
        }
    }

    pub(super) fn profile(&self, name: &str) -> Profile {
        let config =
            section(&self.config, |title| titled(title, "profile", name) || (name == "default" && title == name));
        Profile { name: name.to_owned(), keys: section(&self.keys, |title| title == name), config }
    }

    pub(super) fn sso_session(&self, name: &str) -> Entries {
        section(&self.config, |title| titled(title, "sso-session", name))
    }
}

impl Profile {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.config.is_empty()
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.keys.get(key).or_else(|| self.config.get(key)).map(Secret::expose)
    }
}

/// `profile name`, `profile "the name"`.
fn titled(title: &str, kind: &str, name: &str) -> bool {
    let rest = title.strip_prefix(kind).filter(|rest| rest.starts_with([' ', '\t']));
    rest.is_some_and(|rest| rest.trim().trim_matches(['"', '\'']) == name)
}

/// The entries of the sections whose title is wanted.
fn section(text: &str, wanted: impl Fn(&str) -> bool) -> Entries {
    let mut found = HashMap::new();
    let mut inside = false;
    for line in text.lines() {
        if line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        if let Some(title) = line.trim().strip_prefix('[') {
            inside = title.split_once(']').is_some_and(|(title, _)| wanted(title.trim()));
        } else if inside
            && !line.starts_with([' ', '\t']) // part of a nested block such as `s3 =`
            && let Some((key, value)) = line.split_once('=')
        {
            // a comment in a line stands after a space
            let value = value.split(" #").next().unwrap_or_default().split(" ;").next().unwrap_or_default().trim();
            if !value.is_empty() {
                found.insert(key.trim().to_lowercase(), Secret::new(value));
            }
        }
    }
    found
}
