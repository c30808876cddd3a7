//! AWS IAM Identity Center: a role's credentials for the token that `aws sso login` has left in its cache.
//!
//! The token is only read: renewing it is the login's affair, which keeps the token that renews it.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::{
    Found, Fresh, Life, Surroundings, credentials,
    files::{Files, Profile},
};
use crate::{
    ids::hex,
    secret::Secret,
    transport::credentials::{Failure, asking::json},
};

const WHO: &str = "AWS's single sign-on";

/// `~/.aws/sso/cache/….json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    access_token: Secret,
    expires_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    role_credentials: RoleCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleCredentials {
    access_key_id: Secret,
    secret_access_key: Secret,
    session_token: Secret,
    /// Milliseconds since 1970.
    expiration: u64,
}

pub(super) async fn find(profile: &Profile, files: &Files, around: &Surroundings) -> Found {
    let name = &profile.name;
    let session = profile.get("sso_session");
    let shared = session.map(|session| files.sso_session(session)).unwrap_or_default();
    let need = |key: &str| {
        let own = || profile.get(key).map(str::to_owned);
        let found = shared.get(key).map(|value| value.expose().to_owned()).or_else(own);
        found.ok_or_else(|| match session {
            Some(session) => {
                Failure::new(format!("AWS profile `{name}` with its `sso-session {session}` has no `{key}`"))
            }
            None => Failure::new(format!("AWS profile `{name}` has no `{key}`")),
        })
    };
    let (account, role, region) = (need("sso_account_id")?, need("sso_role_name")?, need("sso_region")?);
    let start_url = need("sso_start_url")?;
    let login = || format!("`aws sso login --profile {name}` begins a new session");

    let token = token(session.unwrap_or(&start_url), around);
    let token =
        token.ok_or_else(|| Failure::new(format!("AWS profile `{name}` has no valid SSO session: {}", login())))?;
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("role_name", role.as_str()), ("account_id", account.as_str())])
        .finish();
    let url = format!("{}/federation/credentials?{query}", endpoint(&region, around));
    let answer = around.web.get(WHO, &url, &[("x-amz-sso_bearer_token", token.expose())]).await;
    let answer =
        answer.map_err(|failure| Failure::new(format!("{} for AWS profile `{name}`: {}", failure.0, login())))?;
    let RoleCredentials { access_key_id, secret_access_key, session_token, expiration } =
        json::<Answer>(WHO, &answer)?.role_credentials;
    let value = credentials(&access_key_id, &secret_access_key, Some(&session_token));
    Ok(Some(Fresh { value, life: Life::Until(SystemTime::UNIX_EPOCH + Duration::from_millis(expiration)) }))
}

/// The token in the cache, if it is still valid: its file is named by a digest of the session's name, or of the start
/// URL where there is none.
fn token(key: &str, around: &Surroundings) -> Option<Secret> {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    let file = hex(digest.as_ref());
    let text = std::fs::read(around.home(&format!(".aws/sso/cache/{file}.json"))?).ok()?;
    let token: Token = serde_json::from_slice(&text).ok()?;
    // older logins write `2026-11-22T12:00:00UTC`
    let expires = chrono::DateTime::parse_from_rfc3339(&token.expires_at.replace("UTC", "Z")).ok()?;
    (SystemTime::from(expires) > around.now()).then_some(token.access_token)
}

fn endpoint(region: &str, around: &Surroundings) -> String {
    let partition = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let endpoint = around.env("AWS_ENDPOINT_URL_SSO").or_else(|| around.env("AWS_ENDPOINT_URL"));
    let endpoint = endpoint.unwrap_or_else(|| format!("https://portal.sso.{region}.{partition}"));
    endpoint.trim_end_matches('/').to_owned()
}
