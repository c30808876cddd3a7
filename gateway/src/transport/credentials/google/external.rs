//! Workload identity federation: another issuer's token is exchanged for Google's, and that for a service account's.

use std::{collections::HashMap, time::SystemTime};

use http::HeaderValue;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failure, SCOPE, Surroundings, Token, WHO};
use crate::{
    secret::Secret,
    transport::credentials::{asking, bearer, keeper::Fresh, keeper::Life},
};

#[derive(Deserialize)]
pub(super) struct External {
    audience: String,
    subject_token_type: String,
    token_url: String,
    credential_source: Place,
}

/// Where the other issuer's token is; one that AWS or a program makes is not built.
#[derive(Deserialize)]
struct Place {
    file: Option<String>,
    url: Option<String>,
    #[serde(default)]
    headers: HashMap<String, Secret>,
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize, Default)]
struct Format {
    subject_token_field_name: Option<String>,
}

pub(super) async fn token(account: &External, around: &Surroundings) -> Result<Token, Failure> {
    let subject = subject(&account.credential_source, around).await?;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("audience", account.audience.as_str()),
        ("scope", SCOPE),
        ("subject_token_type", account.subject_token_type.as_str()),
        ("subject_token", subject.expose()),
    ];
    Token::read(WHO, &around.web.post_form(WHO, &account.token_url, &form).await?)
}

async fn subject(place: &Place, around: &Surroundings) -> Result<Secret, Failure> {
    let unreadable = || Failure::new("the identity token that is exchanged cannot be read");
    let text = match (&place.file, &place.url) {
        (Some(file), _) => std::fs::read(file).map_err(|_| unreadable())?,
        (None, Some(url)) => {
            let headers: Vec<_> = place.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
            around.machine.get("the issuer of the identity token", url, &headers).await?.to_vec()
        }
        (None, None) => return Err(Failure::new("not built yet: this source of an identity token")),
    };
    let text = String::from_utf8(text).map_err(|_| unreadable())?;
    let Some(field) = &place.format.subject_token_field_name else { return Ok(Secret::new(text.trim())) };
    let answer: Value = serde_json::from_str(&text).map_err(|_| unreadable())?;
    answer.get(field).and_then(Value::as_str).map(Secret::new).ok_or_else(unreadable)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Impersonated {
    access_token: Secret,
    expire_time: chrono::DateTime<chrono::Utc>,
}

pub(super) async fn impersonate(
    url: &str,
    token: &Secret,
    around: &Surroundings,
) -> Result<Fresh<HeaderValue>, Failure> {
    const SERVICE: &str = "Google's service that lends service accounts";
    let body = json!({ "scope": [SCOPE], "lifetime": "3600s" });
    let answer = around.web.post_json(SERVICE, url, token.expose(), &body).await?;
    let answer: Impersonated = asking::json(SERVICE, &answer)?;
    let life = Life::Until(SystemTime::from(answer.expire_time));
    Ok(Fresh { value: bearer::header(&answer.access_token)?, life })
}
