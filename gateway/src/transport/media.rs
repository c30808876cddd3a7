//! Images and documents that a request names by their address, fetched for formats that have to send the bytes.
//!
//! Only `https`, only public hosts (`guard`), at most [`MOST_REDIRECTS`] redirects, each of which passes the guard again;
//! nothing of the client or of a provider's credentials goes along. They draw from the memory that all bodies share.

use std::{
    borrow::Cow,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::{
    HeaderValue, Request, Response, Uri,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, LOCATION, USER_AGENT},
};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::{
    TransportSetupError, chain,
    guard::{GuardedConnector, NotPublic},
    pool,
};
use crate::{
    api::{Fetched, Medium, Wanted},
    config::RemoteMedia,
    memory::{BodyMemory, Full, Share},
    refusal::Refusal,
    wire::media_type,
};

const MOST_REDIRECTS: usize = 2;
/// Of one request at a time.
const ABREAST: usize = 4;
/// Of all requests at a time; further ones wait within their deadline.
const MOST_AT_ONCE: usize = 64;

/// Fetches what requests name by address, within the operator's limits.
pub struct MediaFetcher {
    client: Client<HttpsConnector<GuardedConnector>, Empty<Bytes>>,
    limits: RemoteMedia,
    memory: Arc<BodyMemory>,
    places: Semaphore,
}

/// Why it cannot be had, in words for the caller: they hold no address but the caller's.
type Why = Cow<'static, str>;

enum Failure {
    Elsewhere(Why),
    NoRoom,
}

impl<W: Into<Why>> From<W> for Failure {
    fn from(why: W) -> Self {
        Self::Elsewhere(why.into())
    }
}

impl MediaFetcher {
    /// # Errors
    /// When the CA file cannot be read.
    pub fn new(limits: &RemoteMedia, memory: Arc<BodyMemory>) -> Result<Self, TransportSetupError> {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config((*pool::trusting(limits.ca_file.as_deref())?).clone())
            .https_only()
            .enable_http1()
            .wrap_connector(GuardedConnector::new(&limits.hosts));
        // a connection that is kept would answer for a name that may have moved inside
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { client, limits: limits.clone(), memory, places: Semaphore::new(MOST_AT_ONCE) })
    }

    /// Adds to `fetched` what is wanted and not there yet.
    ///
    /// # Errors
    /// 400 naming the field whose address cannot be fetched; 503 when there is no memory left for what is there.
    pub async fn fetch(&self, wanted: Vec<Wanted>, fetched: &Fetched, deadline: Instant) -> Result<(), Refusal> {
        let known = fetched.all();
        let mut missing: Vec<Wanted> = Vec::new();
        for one in wanted {
            let is_known = known.iter().any(|medium| medium.url == one.url);
            if !is_known && !missing.iter().any(|other| other.url == one.url) {
                missing.push(one);
            }
        }
        if let Some(beyond) = missing.get(self.limits.max_count) {
            let most = self.limits.max_count;
            let why = format!("the request names more than {most} addresses (`security.remote_media_max_count`)");
            return Err(refusal(&beyond.param, &why));
        }
        let left = AtomicU64::new(self.limits.max_total);
        let mut fetching = stream::iter(missing).map(|one| self.one(one, &left, deadline)).buffer_unordered(ABREAST);
        while let Some(medium) = fetching.next().await {
            let (medium, share) = medium?;
            fetched.add(medium, share);
        }
        Ok(())
    }

    async fn one(&self, wanted: Wanted, left: &AtomicU64, deadline: Instant) -> Result<(Medium, Share), Refusal> {
        let until = deadline.min(Instant::now() + self.limits.timeout);
        let fetching = async {
            let _place = self.places.acquire().await.map_err(|_| "the gateway is stopping")?;
            let response = self.get(&wanted.url).await?;
            self.read(response, left, wanted.takes).await
        };
        let late = || Err("it did not arrive in time (`security.remote_media_timeout`)".into());
        let got: Result<_, Failure> = timeout_at(until, fetching).await.unwrap_or_else(|_| late());
        let (media_type, base64, share) = got.map_err(|failure| match failure {
            Failure::Elsewhere(why) => refusal(&wanted.param, &why),
            Failure::NoRoom => Refusal::no_room("what the request names by its address"),
        })?;
        Ok((Medium { url: wanted.url, media_type, base64 }, share))
    }

    /// The answer at the end of the redirects.
    async fn get(&self, url: &str) -> Result<Response<Incoming>, Why> {
        let mut uri = address(url)?;
        for _ in 0..=MOST_REDIRECTS {
            let response = self.client.request(request(&uri)).await.map_err(|error| {
                tracing::debug!(error = %chain(&error), "remote media could not be fetched");
                unreachable(&error)
            })?;
            let status = response.status();
            let location = response.headers().get(LOCATION).filter(|_| status.is_redirection());
            match location {
                Some(location) => uri = moved(&uri, location)?,
                None if status.is_success() => return Ok(response),
                None => return Err(format!("its host answered {}", status.as_u16()).into()),
            }
        }
        Err(format!("it is redirected more than {MOST_REDIRECTS} times").into())
    }

    async fn read(
        &self,
        response: Response<Incoming>,
        left: &AtomicU64,
        takes: &[&'static str],
    ) -> Result<(&'static str, String, Share), Failure> {
        let (head, mut body) = response.into_parts();
        let most = self.limits.max_size;
        let too_large = || Err(format!("it has more than {most} bytes (`security.remote_media_max_size`)").into());
        if body.size_hint().lower() > most {
            return too_large();
        }
        let (mut bytes, mut share) = (BytesMut::new(), Share::default());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| "the connection to its host broke")?;
            let Ok(data) = frame.into_data() else { continue };
            if (bytes.len() + data.len()) as u64 > most {
                return too_large();
            }
            let taken = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(data.len() as u64));
            if taken.is_err() {
                let total = self.limits.max_total;
                let why =
                    format!("all of the request's have more than {total} bytes (`security.remote_media_max_total`)");
                return Err(why.into());
            }
            share.grow(&self.memory, encoded((bytes.len() + data.len()) as u64)).map_err(|Full| Failure::NoRoom)?;
            bytes.extend_from_slice(&data);
        }
        let declared = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let media_type = media_type(declared, &bytes, takes)
            .ok_or_else(|| format!("what is there is not of a type that this provider takes ({})", takes.join(", ")))?;
        Ok((media_type, BASE64_STANDARD.encode(&bytes), share))
    }
}

/// How long so many bytes are in base64, which is what is kept of them.
fn encoded(bytes: u64) -> u64 {
    bytes.div_ceil(3) * 4
}

fn refusal(param: &str, why: &str) -> Refusal {
    let message = format!("the gateway could not fetch this address: {why}");
    Refusal::invalid(param.to_owned(), message).code("media_not_fetched")
}

fn request(uri: &Uri) -> Request<Empty<Bytes>> {
    const HEADERS: [(HeaderName, HeaderValue); 2] = [
        (ACCEPT, HeaderValue::from_static("*/*")),
        (USER_AGENT, HeaderValue::from_static(concat!("prism/", env!("CARGO_PKG_VERSION")))),
    ];
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = uri.clone();
    request.headers_mut().extend(HEADERS);
    request
}

/// An `https` URL with a host and without a password.
fn address(url: &str) -> Result<Uri, Why> {
    let uri: Uri = url.parse().map_err(|_| "it is not an address")?;
    if uri.scheme_str() != Some("https") {
        return Err("only https addresses are fetched".into());
    }
    match uri.authority() {
        Some(authority) if !authority.as_str().contains('@') && !authority.host().is_empty() => Ok(uri),
        _ => Err("it is not an address of a host alone".into()),
    }
}

/// Where a redirect leads: a whole URL, one without its scheme, or a path.
fn moved(from: &Uri, location: &HeaderValue) -> Result<Uri, Why> {
    let to = location.to_str().map_err(|_| "it is redirected to what is not an address")?;
    let home = from.authority().map_or("", |authority| authority.as_str());
    let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    address(&match to {
        whole if whole.contains("://") => whole.to_owned(),
        host if host.starts_with("//") => format!("https:{host}"),
        path if path.starts_with('/') => format!("https://{home}{path}"),
        near => format!("https://{home}{folder}/{near}"),
    })
}

fn unreachable(error: &(dyn Error + 'static)) -> Why {
    let mut source = Some(error);
    while let Some(inner) = source {
        if inner.is::<NotPublic>() {
            return NotPublic.to_string().into();
        }
        source = inner.source();
    }
    "its host could not be reached".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_to_https_addresses_only() {
        let from: Uri = "https://a.example/x/y?z".parse().unwrap();
        let to = |location: &'static str| moved(&from, &HeaderValue::from_static(location)).map(|uri| uri.to_string());
        assert_eq!(to("https://b.example/c").unwrap(), "https://b.example/c");
        assert_eq!(to("//b.example/c").unwrap(), "https://b.example/c");
        assert_eq!(to("/c?d").unwrap(), "https://a.example/c?d");
        assert_eq!(to("c").unwrap(), "https://a.example/x/c");
        for location in ["http://b.example/c", "file:///etc/passwd", "ftp://b.example/", "https://u:p@b.example/"] {
            assert!(to(location).is_err(), "{location}");
        }
    }

    #[test]
    fn addresses_are_https_without_a_password() {
        assert!(address("HTTPS://a.example/b").is_ok());
        for url in
            ["http://a.example/b", "https://u@a.example/b", "https:///b", "a.example/b", "https://a b/", "s3://a/b"]
        {
            assert!(address(url).is_err(), "{url}");
        }
    }
}
