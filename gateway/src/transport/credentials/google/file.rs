//! A credentials file of any kind that Google gives out.

use std::path::Path;

use http::HeaderValue;
use serde::Deserialize;
use serde_json::Value;

use super::{Failure, Fresh, Surroundings, TOKEN_URI, Token, WHO, external, service_account};
use crate::secret::Secret;

/// What a user's own login leaves (`gcloud auth application-default login`).
#[derive(Deserialize)]
struct User {
    client_id: String,
    client_secret: Secret,
    refresh_token: Secret,
    token_uri: Option<String>,
}

pub(super) async fn fetch(path: &Path, around: &Surroundings) -> Result<Fresh<HeaderValue>, Failure> {
    let text = std::fs::read(path).map_err(|_| Failure::new("the credentials file cannot be read"))?;
    of(&text, around).await
}

/// What stands in such a file.
pub(super) async fn of(text: &[u8], around: &Surroundings) -> Result<Fresh<HeaderValue>, Failure> {
    let file: Value = serde_json::from_slice(text).map_err(|_| Failure::new("the credentials file is not JSON"))?;
    if file.get("type").and_then(Value::as_str) == Some("impersonated_service_account") {
        let source = file.get("source_credentials").ok_or_else(incomplete)?;
        let url = file.get("service_account_impersonation_url").and_then(Value::as_str).ok_or_else(incomplete)?;
        let token = token(source, around).await?;
        return external::impersonate(url, &token.access_token, around).await;
    }
    if let Some(url) = file.get("service_account_impersonation_url").and_then(Value::as_str) {
        let token = token(&file, around).await?;
        return external::impersonate(url, &token.access_token, around).await;
    }
    token(&file, around).await?.fresh(around)
}

async fn token(file: &Value, around: &Surroundings) -> Result<Token, Failure> {
    match file.get("type").and_then(Value::as_str) {
        Some("service_account") => service_account::token(&part(file)?, around).await,
        Some("authorized_user") => user(&part(file)?, around).await,
        Some("external_account") => external::token(&part(file)?, around).await,
        _ => Err(Failure::new("not built yet: this kind of credentials file")),
    }
}

async fn user(user: &User, around: &Surroundings) -> Result<Token, Failure> {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", user.client_id.as_str()),
        ("client_secret", user.client_secret.expose()),
        ("refresh_token", user.refresh_token.expose()),
    ];
    let url = user.token_uri.as_deref().unwrap_or(TOKEN_URI);
    Token::read(WHO, &around.web.post_form(WHO, url, &form).await?)
}

fn part<T: for<'de> Deserialize<'de>>(file: &Value) -> Result<T, Failure> {
    T::deserialize(file).map_err(|_| incomplete())
}

fn incomplete() -> Failure {
    Failure::new("the credentials file lacks a field that its kind has")
}
