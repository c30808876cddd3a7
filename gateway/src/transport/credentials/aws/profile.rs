//! Profiles in `~/.aws/credentials` and `~/.aws/config`: keys, or a role for a web identity.

use std::{collections::HashMap, path::PathBuf};

use super::{Found, Fresh, Life, REREAD, Surroundings, credentials, web_identity};
use crate::{secret::Secret, transport::credentials::Failure};

/// Ways to a credential that are not built; a profile that has one of them and no key says so.
const UNBUILT: &[&str] = &["credential_process", "sso_session", "sso_start_url", "source_profile", "credential_source"];

pub(super) async fn find(name: Option<&str>, region: &str, around: &Surroundings) -> Found {
    let chosen = name.map(str::to_owned).or_else(|| around.env("AWS_PROFILE"));
    let name = chosen.as_deref().unwrap_or("default");
    let profile = settings(name, around);
    if profile.is_empty() && chosen.is_some() {
        return Err(Failure::new(format!("there is no AWS profile `{name}`")));
    }
    let get = |key: &str| profile.get(key);
    if let (Some(id), Some(key)) = (get("aws_access_key_id"), get("aws_secret_access_key")) {
        let value = credentials(id, key, get("aws_session_token"));
        return Ok(Some(Fresh { value, life: Life::Unknown(REREAD) }));
    }
    if let (Some(file), Some(role)) = (get("web_identity_token_file"), get("role_arn")) {
        let session = get("role_session_name").map(Secret::expose);
        return web_identity::assume(file.expose(), role.expose(), session, region, around).await;
    }
    match UNBUILT.iter().find(|key| profile.contains_key(**key)) {
        Some(key) => Err(Failure::new(format!("not built yet: `{key}` in AWS profile `{name}`"))),
        None => Ok(None),
    }
}

/// What both files say of a profile; the credentials file wins.
fn settings(name: &str, around: &Surroundings) -> HashMap<String, Secret> {
    let path = |variable: &str, usual: &str| around.env(variable).map(PathBuf::from).or_else(|| around.home(usual));
    let read = |path: Option<PathBuf>| path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let config = read(path("AWS_CONFIG_FILE", ".aws/config"));
    let keys = read(path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"));
    let mut found = section(&config, |title| {
        title.strip_prefix("profile ").map(str::trim) == Some(name) || (name == "default" && title == name)
    });
    found.extend(section(&keys, |title| title == name));
    found
}

/// The entries of the sections whose title is wanted.
fn section(text: &str, wanted: impl Fn(&str) -> bool) -> HashMap<String, Secret> {
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
