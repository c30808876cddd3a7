//! Sends a fetched token as `Authorization: Bearer`.

use std::time::Duration;

use http::{HeaderValue, header::AUTHORIZATION};
use serde::Deserialize;

use super::{
    Authoriser, Authorising, Failure,
    asking::json,
    keeper::{Fresh, Keeper, Life, Source},
    surroundings::Surroundings,
};
use crate::{secret::Secret, wire::Payload};

pub(super) struct Bearer(Keeper<HeaderValue>);

impl Bearer {
    pub(super) fn new(source: impl Source<HeaderValue>, around: &Surroundings) -> Self {
        Self(Keeper::new(source, around.clock.clone()))
    }
}

impl Authoriser for Bearer {
    fn authorise<'a>(&'a self, request: &'a mut http::Request<Payload>) -> Authorising<'a> {
        Box::pin(async move {
            let token = self.0.get().await.map_err(|failure| failure.refusal())?;
            request.headers_mut().insert(AUTHORIZATION, token.value.clone());
            Ok(())
        })
    }
}

/// A token endpoint's answer.
#[derive(Deserialize)]
pub(super) struct Token {
    pub access_token: Secret,
    /// Seconds; some endpoints write it as a text.
    #[serde(default)]
    expires_in: serde_json::Value,
}

impl Token {
    pub(super) fn read(who: &str, body: &[u8]) -> Result<Self, Failure> {
        json(who, body)
    }

    /// An hour is what every one of these endpoints gives when it does not say.
    fn life(&self) -> Duration {
        let text = self.expires_in.as_str().and_then(|text| text.parse().ok());
        Duration::from_secs(self.expires_in.as_f64().map(|seconds| seconds as u64).or(text).unwrap_or(3600))
    }

    pub(super) fn fresh(self, around: &Surroundings) -> Result<Fresh<HeaderValue>, Failure> {
        let life = Life::Until(around.now() + self.life());
        Ok(Fresh { value: header(&self.access_token)?, life })
    }
}

pub(super) fn header(token: &Secret) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
    let mut value = value.map_err(|_| Failure::new("its source gave one that cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}
