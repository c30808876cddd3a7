//! A provider's keys: which of them a call uses, and what each has lived through.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use smallvec::SmallVec;

use super::{
    ModelState, Readiness,
    credential::CredentialState,
    quota::{Demand, Standing},
};
use crate::{
    config::{self, AuthScheme},
    secret::Secret,
};

/// One key.
pub(super) struct Key {
    /// What carries it; `None` when the provider takes none, or gets one that is made for each request.
    header: Option<(HeaderName, HeaderValue)>,
    weight: u32,
    pub(super) credential: CredentialState,
}

/// All keys of a provider; at least one.
pub(super) struct Keys(Box<[Key]>);

/// Why no key may be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllLimited {
    /// Until the first of them is free again.
    pub wait: Duration,
}

impl Keys {
    pub(super) fn of(config: &config::Provider) -> Self {
        let key = |(key, weight): (Option<&Secret>, u32)| Key {
            header: key.and_then(|key| credential(config.auth, key.expose())),
            weight,
            credential: CredentialState::default(),
        };
        match &config.keys[..] {
            [] => Self(Box::new([key((config.key.as_ref(), 1))])),
            several => Self(several.iter().map(|(secret, weight)| key((Some(secret), *weight))).collect()),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, at: usize) -> &Key {
        &self.0[at]
    }

    /// The key for a call: by weight among those that have quota left, then among those that run low. A key that the
    /// provider refused is the last choice, until its time to be tried again has come.
    ///
    /// # Errors
    /// When each of them waits for its quota.
    pub(super) fn choose(
        &self,
        model: &ModelState,
        demand: Demand,
        now: Duration,
        draw: f64,
    ) -> Result<usize, AllLimited> {
        if let [_] = &*self.0 {
            self.class(0, model, demand, now).map_err(|wait| AllLimited { wait })?;
            let _ = self.0[0].credential.admit(now); // the trial, if one is due: others go elsewhere until it has ended
            return Ok(0);
        }
        let classes: SmallVec<[_; 8]> = (0..self.0.len()).map(|at| self.class(at, model, demand, now)).collect();
        let Some(best) = classes.iter().flatten().min() else {
            let wait = classes.iter().filter_map(|one| one.as_ref().err()).min();
            return Err(AllLimited { wait: wait.copied().unwrap_or_default() });
        };
        let equals = || (0..self.0.len()).filter(|&at| classes[at].as_ref() == Ok(best));
        let all: u64 = equals().map(|at| u64::from(self.0[at].weight)).sum();
        let mut left = draw * all as f64;
        let drawn = equals().find(|&at| {
            left -= f64::from(self.0[at].weight);
            left < 0.0
        });
        let chosen = drawn.or_else(|| equals().next()).unwrap_or(0);
        // of a refused key that is due, this request makes the trial; whether it is one is all the same to it
        let _ = self.0[chosen].credential.admit(now);
        Ok(chosen)
    }

    /// One that the provider has not refused, for calls that no quota counts.
    pub(super) fn any(&self) -> usize {
        self.0.iter().position(|key| key.credential.refused().is_none()).unwrap_or(0)
    }

    /// The best of the keys.
    pub(super) fn readiness(&self, model: &ModelState, demand: Demand, now: Duration) -> Readiness {
        let best = (0..self.0.len()).filter_map(|at| self.class(at, model, demand, now).ok()).min();
        best.unwrap_or(Readiness::Out)
    }

    /// # Errors
    /// When the provider has said that the key has no quota left: for how long. What its counters foretell only makes a key
    /// the worse choice, since nobody else may be there.
    fn class(&self, at: usize, model: &ModelState, demand: Demand, now: Duration) -> Result<Readiness, Duration> {
        let quota = model.quota(at);
        match quota.refused_for(now) {
            Some(wait) => Err(wait),
            None if self.0[at].credential.refused().is_some_and(|refused| now < refused.until) => Ok(Readiness::Low),
            None => Ok(match quota.standing(now, demand) {
                Standing::UntilReset(_) => Readiness::Low,
                Standing::Low => Readiness::Reluctant,
                Standing::Free => Readiness::Ready,
            }),
        }
    }
}

impl Key {
    pub(super) fn put_on(&self, headers: &mut HeaderMap) {
        if let Some((name, value)) = &self.header {
            headers.insert(name, value.clone());
        }
    }
}

fn credential(auth: AuthScheme, key: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = match auth {
        AuthScheme::Bearer => (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {key}"))),
        AuthScheme::ApiKey => (HeaderName::from_static("api-key"), HeaderValue::from_str(key)),
        AuthScheme::XApiKey => (HeaderName::from_static("x-api-key"), HeaderValue::from_str(key)),
        AuthScheme::XGoogApiKey => (HeaderName::from_static("x-goog-api-key"), HeaderValue::from_str(key)),
        AuthScheme::None => return None,
    };
    let mut value = value.expect("configuration has checked that the key can stand in a header");
    value.set_sensitive(true);
    Some((name, value))
}
