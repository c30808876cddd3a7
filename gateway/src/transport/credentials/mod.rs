//! Credentials that are more than a fixed header: signatures, and tokens that are fetched and renewed.
//!
//! An [`Authoriser`] puts the credential on a request that is otherwise final. What expires is held by a `keeper`, which
//! renews it early and in the background; where it comes from is a source: `aws` (a chain of them), `google`, `entra`.
//! `asking` is how all of them speak to token endpoints and metadata services. `signer` signs for AWS, `bearer` sends a
//! token.

mod asking;
mod aws;
mod bearer;
mod entra;
mod google;
mod keeper;
mod signer;
mod surroundings;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, future::Future, pin::Pin, sync::Arc};

use self::{bearer::Bearer, signer::Signer, surroundings::Surroundings};
use super::TransportSetupError;
use crate::{
    config::{Credentials, Provider},
    refusal::{Cause, Refusal},
    wire::Payload,
};

/// Puts a credential on requests.
pub trait Authoriser: Send + Sync + 'static {
    /// The request is final but for its credential. Waits only when there is no valid one.
    fn authorise<'a>(&'a self, request: &'a mut http::Request<Payload>) -> Authorising<'a>;
}

pub type Authorising<'a> = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + 'a>>;

/// The authoriser of a provider, if it needs one. A token is fetched at once when there is a runtime to do it on.
///
/// # Errors
/// When the provider's CA file or proxy cannot be used.
pub fn authoriser(provider: &Provider) -> Result<Option<Arc<dyn Authoriser>>, TransportSetupError> {
    let Some(credentials) = &provider.credentials else { return Ok(None) };
    Ok(Some(made(credentials, &Surroundings::of(provider)?)))
}

fn made(credentials: &Credentials, around: &Surroundings) -> Arc<dyn Authoriser> {
    match credentials {
        Credentials::Aws { service, region, source } => Arc::new(Signer::new(service, region, source, around)),
        Credentials::Google(source) => Arc::new(Bearer::new(google::Google::new(source, around), around)),
        Credentials::Entra(entra) => Arc::new(Bearer::new(entra::Application::new(entra, around), around)),
    }
}

/// Why there is no credential, in words that callers may read: no secret, no address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure(Cow<'static, str>);

impl Failure {
    fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }

    fn refusal(&self) -> Refusal {
        Refusal::new(Cause::Credential, format!("there is no credential for the provider: {}", self.0))
    }
}
