//! A profile of AWS's files: keys of its own, or roles that are assumed one with the other.
//!
//! What counts before what is botocore's order: a role, a web identity, single sign-on, the credentials file, a process, the
//! config file.

use super::{
    Found, Fresh, Life, REREAD, Surroundings, container, credentials, environment,
    files::{Entries, Files, Profile},
    instance, process, sso,
    sts::{self, Role},
    web_identity,
};
use crate::transport::credentials::Failure;

pub(super) async fn find(name: Option<&str>, region: &str, around: &Surroundings) -> Found {
    let chosen = name.map(str::to_owned).or_else(|| around.env("AWS_PROFILE"));
    let name = chosen.as_deref().unwrap_or("default");
    let files = Files::read(around);
    let profile = files.profile(name);
    if profile.is_empty() {
        return match chosen {
            Some(_) => Err(Failure::new(format!("there is no AWS profile `{name}`"))),
            None => Ok(None),
        };
    }
    let (start, roles) = path(profile, &files)?;
    let mut found = start.fetch(&files, region, around).await?;
    if found.is_none() && !roles.is_empty() {
        return Err(Failure::new(format!("{} has no credential to assume a role with", start.name())));
    }
    for role in roles.iter().rev() {
        if let Some(with) = found {
            found = sts::assume(role, &with.value, region, around).await?;
        }
    }
    Ok(found)
}

/// Where the first keys come from.
enum Start {
    Profile(Profile),
    Source { kind: String, profile: String },
}

/// From a profile back to the first keys; of the roles on the way the last is assumed first.
fn path(mut profile: Profile, files: &Files) -> Result<(Start, Vec<Role>), Failure> {
    let mut roles: Vec<Role> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let has_keys = profile.get("aws_access_key_id").is_some();
        let role = profile.get("role_arn").filter(|_| profile.get("web_identity_token_file").is_none());
        // keys of a source are what it is for, even when it names a role as well
        let Some(arn) = role.filter(|_| roles.is_empty() || !has_keys) else {
            return Ok((Start::Profile(profile), roles));
        };
        let name = &profile.name;
        if profile.get("mfa_serial").is_some() {
            let message =
                format!("AWS profile `{name}` asks for a code of its `mfa_serial`, which a server cannot enter");
            return Err(Failure::new(message));
        }
        let text = |key: &str| profile.get(key).map(str::to_owned);
        roles.push(Role {
            profile: name.clone(),
            arn: arn.to_owned(),
            session_name: text("role_session_name"),
            external_id: text("external_id"),
            duration_seconds: text("duration_seconds"),
        });
        let source = match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(source), None) => source.to_owned(),
            (None, Some(kind)) => {
                return Ok((Start::Source { kind: kind.to_owned(), profile: name.clone() }, roles));
            }
            (None, None) => {
                let message = format!(
                    "AWS profile `{name}` has a `role_arn` and needs a `source_profile` or `credential_source`"
                );
                return Err(Failure::new(message));
            }
            (Some(_), Some(_)) => {
                let message = format!(
                    "AWS profile `{name}` has both `source_profile` and `credential_source`: one is its source"
                );
                return Err(Failure::new(message));
            }
        };
        let next = files.profile(&source);
        if next.is_empty() {
            let message = format!("there is no AWS profile `{source}`, which is the `source_profile` of `{name}`");
            return Err(Failure::new(message));
        }
        let is_itself = source == *name && next.get("aws_access_key_id").is_some();
        seen.push(name.clone());
        if seen.contains(&source) && !is_itself {
            seen.push(source);
            return Err(Failure::new(format!("AWS profiles lead back to themselves: `{}`", seen.join("` → `"))));
        }
        profile = next;
    }
}

impl Start {
    fn name(&self) -> String {
        match self {
            Self::Profile(profile) => format!("AWS profile `{}`", profile.name),
            Self::Source { kind, profile } => format!("`credential_source = {kind}` of AWS profile `{profile}`"),
        }
    }

    async fn fetch(&self, files: &Files, region: &str, around: &Surroundings) -> Found {
        match self {
            Self::Profile(profile) => own(profile, files, region, around).await,
            Self::Source { kind, profile } => match kind.to_ascii_lowercase().as_str() {
                "environment" => environment::find(around),
                "ec2instancemetadata" => instance::find(around).await,
                "ecscontainer" => container::find(around).await,
                _ => Err(Failure::new(format!(
                    "unknown `credential_source` in AWS profile `{profile}` (known: Environment, Ec2InstanceMetadata, EcsContainer)"
                ))),
            },
        }
    }
}

/// The profile's credential without a role.
async fn own(profile: &Profile, files: &Files, region: &str, around: &Surroundings) -> Found {
    if let (Some(file), Some(role)) = (profile.get("web_identity_token_file"), profile.get("role_arn")) {
        return web_identity::assume(file, role, profile.get("role_session_name"), region, around).await;
    }
    if profile.get("sso_account_id").or(profile.get("sso_role_name")).is_some() {
        return sso::find(profile, files, around).await;
    }
    if let Some(found) = keys(&profile.keys, &profile.name)? {
        return Ok(Some(found));
    }
    if let Some(command) = profile.get("credential_process") {
        return process::run(command, &profile.name).await;
    }
    keys(&profile.config, &profile.name)
}

fn keys(entries: &Entries, name: &str) -> Found {
    let Some(id) = entries.get("aws_access_key_id") else { return Ok(None) };
    let Some(key) = entries.get("aws_secret_access_key") else {
        let message =
            format!("AWS profile `{name}` has an `aws_access_key_id` and no `aws_secret_access_key` beside it");
        return Err(Failure::new(message));
    };
    let value = credentials(id, key, entries.get("aws_session_token"));
    Ok(Some(Fresh { value, life: Life::Unknown(REREAD) }))
}
