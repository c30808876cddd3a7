//! AWS's signature, version 4, over the bytes that are sent.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{self, SignableBody, SignableRequest, SigningParams, SigningSettings},
    sign::v4,
};
use http::{HeaderValue, header::HOST};

use super::{
    Authoriser, Authorising, Failure, aws,
    keeper::Keeper,
    surroundings::{Clock, Surroundings},
};
use crate::{
    config::AwsSource,
    refusal::{Cause, Refusal},
    wire::Payload,
};

pub(super) struct Signer {
    service: &'static str,
    region: String,
    keys: Keys,
    clock: Clock,
}

enum Keys {
    Fixed(Credentials),
    Kept(Keeper<Credentials>),
}

impl Signer {
    pub(super) fn new(service: &'static str, region: &str, source: &AwsSource, around: &Surroundings) -> Self {
        let keys = match source {
            AwsSource::Keys { access_key_id, secret_access_key, session_token } => {
                Keys::Fixed(aws::credentials(access_key_id, secret_access_key, session_token.as_ref()))
            }
            source => Keys::Kept(Keeper::new(aws::Chain::new(source, region, around), around.clock.clone())),
        };
        Self { service, region: region.to_owned(), keys, clock: around.clock.clone() }
    }

    fn sign(&self, request: &mut http::Request<Payload>, keys: &Credentials) -> Option<()> {
        sign(request, keys, self.service, &self.region, (self.clock)())
    }
}

impl Authoriser for Signer {
    fn authorise<'a>(&'a self, request: &'a mut http::Request<Payload>) -> Authorising<'a> {
        Box::pin(async move {
            let signed = match &self.keys {
                Keys::Fixed(keys) => self.sign(request, keys),
                Keys::Kept(keeper) => {
                    let held = keeper.get().await.map_err(|failure: Failure| failure.refusal())?;
                    self.sign(request, &held.value)
                }
            };
            signed.ok_or_else(|| Refusal::new(Cause::Internal, "the request could not be signed"))
        })
    }
}

/// `content-type`, `host` and AWS's own headers are signed; the others may be changed on the way.
pub(super) fn sign(
    request: &mut http::Request<Payload>,
    keys: &Credentials,
    service: &str,
    region: &str,
    now: SystemTime,
) -> Option<()> {
    let host = HeaderValue::from_str(&host(request.uri())?).ok()?;
    request.headers_mut().insert(HOST, host);
    let identity = keys.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .ok()?;
    let body = request.body().to_bytes();
    let url = request.uri().to_string();
    let signed = |name: &str| matches!(name, "host" | "content-type") || name.starts_with("x-amz-");
    let headers = request.headers().iter().filter(|(name, _)| signed(name.as_str()));
    let headers: Option<Vec<_>> = headers.map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let signable =
        SignableRequest::new(request.method().as_str(), &url, headers?.into_iter(), SignableBody::Bytes(&body)).ok()?;
    let (instructions, _) = http_request::sign(signable, &SigningParams::V4(params)).ok()?.into_parts();
    instructions.apply_to_request_http1x(request);
    for name in ["authorization", "x-amz-security-token"] {
        if let Some(value) = request.headers_mut().get_mut(name) {
            value.set_sensitive(true);
        }
    }
    Some(())
}

/// As the connection will send it.
fn host(uri: &http::Uri) -> Option<String> {
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Some(match uri.port_u16() {
        Some(port) if port != default => format!("{}:{port}", uri.host()?),
        _ => uri.host()?.to_owned(),
    })
}
