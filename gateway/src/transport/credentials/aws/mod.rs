//! AWS keys from where a program finds them, in the order of AWS's own SDKs: environment, profile files, web identity,
//! container, instance metadata. The first that is set up is the one; when it fails, no other is tried in its place.

mod container;
mod environment;
mod files;
mod instance;
mod process;
mod profile;
mod sso;
mod sts;
mod web_identity;

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use serde::Deserialize;

use super::{
    Failure,
    asking::json,
    keeper::{Fetching, Fresh, Life, Source},
    surroundings::Surroundings,
};
use crate::{config::AwsSource, secret::Secret};

/// Other programs rewrite profile files.
const REREAD: Duration = Duration::from_secs(300);

/// What one link of the chain says: `None` when it is not set up here.
type Found = Result<Option<Fresh<Credentials>>, Failure>;

pub(super) struct Chain {
    /// The only profile to look in; `None` for the whole chain.
    profile: Option<String>,
    region: String,
    around: Surroundings,
}

impl Chain {
    pub(super) fn new(source: &AwsSource, region: &str, around: &Surroundings) -> Self {
        let profile = match source {
            AwsSource::Profile(name) => Some(name.clone()),
            _ => None,
        };
        Self { profile, region: region.to_owned(), around: around.clone() }
    }

    async fn find(&self) -> Result<Fresh<Credentials>, Failure> {
        let Self { profile, region, around } = self;
        if let Some(name) = profile {
            let found = profile::find(Some(name), region, around).await?;
            return found.ok_or_else(|| Failure::new(format!("no AWS profile `{name}` with a credential")));
        }
        if let Some(found) = environment::find(around)? {
            return Ok(found);
        }
        if let Some(found) = profile::find(None, region, around).await? {
            return Ok(found);
        }
        if let Some(found) = web_identity::find(region, around).await? {
            return Ok(found);
        }
        if let Some(found) = container::find(around).await? {
            return Ok(found);
        }
        let found = instance::find(around).await?;
        found.ok_or_else(|| Failure::new("no AWS credential in environment, profile files, container or instance"))
    }
}

impl Source<Credentials> for Chain {
    fn fetch(&self) -> Fetching<'_, Credentials> {
        Box::pin(self.find())
    }
}

pub(super) fn credentials(id: &Secret, secret: &Secret, token: Option<&Secret>) -> Credentials {
    let token = token.map(|token| token.expose().to_owned());
    Credentials::new(id.expose(), secret.expose(), token, None, "prism")
}

/// What containers and instances answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: Secret,
    secret_access_key: Secret,
    token: Option<Secret>,
    expiration: Option<String>,
}

fn answer(who: &str, body: &[u8]) -> Found {
    let answer: Answer = json(who, body)?;
    let value = credentials(&answer.access_key_id, &answer.secret_access_key, answer.token.as_ref());
    Ok(Some(Fresh { value, life: life(answer.expiration.as_deref()) }))
}

fn life(expiration: Option<&str>) -> Life {
    let moment = expiration.and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    moment.map_or(Life::Unknown(REREAD), |moment| Life::Until(SystemTime::from(moment)))
}

/// The contents of a small file that holds a credential.
fn read(path: &str, what: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|_| Failure::new(format!("{what} cannot be read")))
}
