//! What of a provider outlives its actor: connections, permits, counters, and the way to the actor's mailbox.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use http::{
    HeaderMap, HeaderValue, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, USER_AGENT},
    uri::{Authority, PathAndQuery, Scheme},
};
use prometheus::IntCounter;
use ractor::ActorRef;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{ProviderMessage, stats::Stats};
use crate::{
    config::{self, AuthScheme},
    refusal::{Cause, Refusal},
    telemetry::Metrics,
    transport::{Transport, credentials::Authoriser},
    wire::{Payload, WireFormat},
};

/// A mailbox is told of at most one failure in this time; the counters know of all.
const FAILURE_MAIL_GAP: Duration = Duration::from_millis(1);

/// Created once per configured provider, handed to every incarnation of its actor, and borrowed by every call: a call
/// keeps it alive, so that a provider that is removed or restarted cuts nothing.
pub struct ProviderCore {
    pub config: Arc<config::Provider>,
    pub format: &'static dyn WireFormat,
    pub(super) transport: Arc<dyn Transport>,
    authoriser: Option<Arc<dyn Authoriser>>,
    /// The provider's name, ready for `x-prism-provider`.
    pub name: Arc<str>,
    pub name_header: HeaderValue,
    pub(super) stats: Stats,
    pub(super) born: Instant,
    pub(super) born_at: SystemTime,
    permits: Arc<Semaphore>,
    draining: AtomicBool,
    headers: HeaderMap,
    scheme: Scheme,
    authority: Authority,
    prefix: String,
    discovery: ArcSwap<Discovery>,
    mailbox: ArcSwapOption<ActorRef<ProviderMessage>>,
    /// Age in ms at which the mailbox was last told of a failure.
    last_failure_mail: AtomicU64,
    pub(super) counters: AttemptCounters,
}

/// Attempts by outcome, resolved once.
pub struct AttemptCounters {
    pub succeeded: IntCounter,
    pub failed: IntCounter,
    pub refused: IntCounter,
    pub abandoned: IntCounter,
}

/// What is known of a provider's model list.
#[derive(Debug, Default, Clone)]
pub struct Discovery {
    /// The first reading has ended, well or not.
    pub settled: bool,
    pub models: Arc<[Box<str>]>,
    pub last_success: Option<SystemTime>,
    pub error: Option<String>,
}

/// The right to make one call; its drop gives the permit back.
pub struct Lease {
    pub core: Arc<ProviderCore>,
    _permit: OwnedSemaphorePermit,
}

/// Why there is no lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLease {
    /// `max_concurrent` calls are running.
    Full,
    /// The provider is being removed.
    Draining,
}

impl ProviderCore {
    /// # Panics
    /// When the base URL is not absolute: configuration has checked it.
    pub fn new(
        config: Arc<config::Provider>,
        format: &'static dyn WireFormat,
        transport: Arc<dyn Transport>,
        metrics: &Metrics,
    ) -> Arc<Self> {
        Self::authorised(config, format, transport, None, metrics)
    }

    /// One whose requests carry more than a fixed key.
    ///
    /// # Panics
    /// When the base URL is not absolute: configuration has checked it.
    pub fn authorised(
        config: Arc<config::Provider>,
        format: &'static dyn WireFormat,
        transport: Arc<dyn Transport>,
        authoriser: Option<Arc<dyn Authoriser>>,
        metrics: &Metrics,
    ) -> Arc<Self> {
        let base: Uri = config.base_url.parse().expect("configuration has checked the base URL");
        let parts = base.into_parts();
        let prefix = parts.path_and_query.as_ref().map_or("", PathAndQuery::path).trim_end_matches('/').to_owned();
        let counter = |outcome| metrics.attempts(&config.name, outcome);
        Arc::new(Self {
            format,
            transport,
            authoriser,
            name: config.name.as_str().into(),
            name_header: HeaderValue::from_str(&config.name).unwrap_or_else(|_| HeaderValue::from_static("?")),
            stats: Stats::default(),
            born: Instant::now(),
            born_at: SystemTime::now(),
            permits: Arc::new(Semaphore::new(config.max_concurrent.min(Semaphore::MAX_PERMITS))),
            draining: AtomicBool::new(false),
            headers: upstream_headers(&config, format),
            scheme: parts.scheme.expect("configuration has checked the base URL"),
            authority: parts.authority.expect("configuration has checked the base URL"),
            prefix,
            discovery: ArcSwap::default(),
            mailbox: ArcSwapOption::empty(),
            last_failure_mail: AtomicU64::new(0),
            counters: AttemptCounters {
                succeeded: counter("succeeded"),
                failed: counter("failed"),
                refused: counter("refused"),
                abandoned: counter("abandoned"),
            },
            config,
        })
    }

    /// Never waits: full or draining is an answer.
    ///
    /// # Errors
    /// Why not.
    pub fn try_lease(self: &Arc<Self>) -> Result<Lease, NoLease> {
        if self.draining.load(Relaxed) {
            return Err(NoLease::Draining);
        }
        match self.permits.clone().try_acquire_owned() {
            Ok(permit) => Ok(Lease { core: self.clone(), _permit: permit }),
            Err(_) => Err(NoLease::Full),
        }
    }

    pub fn in_flight(&self) -> usize {
        self.config.max_concurrent.min(Semaphore::MAX_PERMITS) - self.permits.available_permits()
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// No new lease from now on; running calls finish.
    pub fn drain(&self) {
        self.draining.store(true, Relaxed);
    }

    pub fn discovery(&self) -> arc_swap::Guard<Arc<Discovery>> {
        self.discovery.load()
    }

    pub(super) fn publish_discovery(&self, discovery: Discovery) {
        self.discovery.store(Arc::new(discovery));
    }

    /// Whether its models are still to be learned.
    pub fn awaits_discovery(&self) -> bool {
        self.config.discover.is_some() && !self.discovery.load().settled
    }

    /// A local server that never answered: it is not shown and serves nothing.
    pub fn is_absent(&self) -> bool {
        self.config.opportunistic && self.discovery.load().last_success.is_none()
    }

    pub(super) fn deliver_to(&self, actor: ActorRef<ProviderMessage>) {
        self.mailbox.store(Some(Arc::new(actor)));
    }

    /// The actor's present incarnation.
    pub fn mailbox(&self) -> Option<Arc<ActorRef<ProviderMessage>>> {
        self.mailbox.load_full()
    }

    pub(super) fn age(&self) -> Duration {
        self.born.elapsed()
    }

    /// The wall clock at an age of this provider.
    pub(super) fn at(&self, age: Duration) -> SystemTime {
        self.born_at + age
    }

    /// Tells the actor, at most once a millisecond: during an outage the mailbox, which has no bound, must not grow.
    pub(super) fn report_failure(&self, refusal: &Refusal) {
        let now = self.age().as_millis() as u64;
        let last = self.last_failure_mail.load(Relaxed);
        let due = last == 0 || now >= last + FAILURE_MAIL_GAP.as_millis() as u64;
        if due && self.last_failure_mail.compare_exchange(last, now.max(1), Relaxed, Relaxed).is_ok() {
            self.cast(ProviderMessage::Failed { cause: refusal.cause, message: refusal.message.clone() });
        }
    }

    /// A message to an actor that is just being restarted is lost: what matters is in the counters.
    pub(super) fn cast(&self, message: ProviderMessage) {
        if let Some(actor) = self.mailbox.load().as_deref() {
            let _ = actor.cast(message);
        }
    }

    /// The address of a path below the base URL.
    ///
    /// # Errors
    /// When the path, which may hold a model's name, cannot stand in a URL.
    pub(super) fn uri(&self, path: &str) -> Result<Uri, Refusal> {
        let mut full = String::with_capacity(self.prefix.len() + path.len());
        full.push_str(&self.prefix);
        full.push_str(path);
        let bad = |_| Refusal::new(Cause::Invalid, "the model name cannot be part of a URL").param("model");
        let path = PathAndQuery::from_maybe_shared(full).map_err(bad)?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Ok(Uri::from_parts(parts).expect("scheme, authority and path are all there"))
    }

    /// The address of the model list: a path below the base URL or a whole URL, which may be elsewhere only where the
    /// credential belongs.
    ///
    /// # Errors
    /// When it can be none, or would carry the credential to strangers.
    pub(super) fn list_uri(&self, path: &str) -> Result<Uri, Refusal> {
        if path.starts_with('/') || path.is_empty() {
            return self.uri(path);
        }
        let refused = || Refusal::new(Cause::Internal, "the model list is not at an address of this provider");
        let uri: Uri = path.parse().map_err(|_| refused())?;
        let home = self.authority.host();
        let near = uri.scheme() == Some(&self.scheme) && uri.host().is_some_and(|host| is_kin(home, host));
        if near { Ok(uri) } else { Err(refused()) }
    }

    /// Puts the credential that is no fixed header on a request that is otherwise final.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn authorise(&self, request: &mut http::Request<Payload>) -> Result<(), Refusal> {
        match &self.authoriser {
            Some(authoriser) => authoriser.authorise(request).await,
            None => Ok(()),
        }
    }

    /// The headers of every upstream request: made here, never taken from a client.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

fn upstream_headers(config: &config::Provider, format: &dyn WireFormat) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(config.headers.len() + 5);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("prism/", env!("CARGO_PKG_VERSION"))));
    headers.extend(format.headers(config));
    for (name, value) in &config.headers {
        headers.insert(name, value.clone());
    }
    if let Some((name, mut value)) = credential(config) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    headers
}

fn credential(config: &config::Provider) -> Option<(HeaderName, HeaderValue)> {
    let key = config.key.as_ref()?.expose();
    let (name, value) = match config.auth {
        AuthScheme::Bearer => (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {key}"))),
        AuthScheme::ApiKey => (HeaderName::from_static("api-key"), HeaderValue::from_str(key)),
        AuthScheme::XApiKey => (HeaderName::from_static("x-api-key"), HeaderValue::from_str(key)),
        AuthScheme::XGoogApiKey => (HeaderName::from_static("x-goog-api-key"), HeaderValue::from_str(key)),
        AuthScheme::None => return None,
    };
    Some((name, value.expect("configuration has checked that the key can stand in a header")))
}

/// Whether two hosts belong together: the same, or both AWS's, or of one domain of at least three labels (of shorter ones
/// it cannot be known who owns them).
fn is_kin(home: &str, host: &str) -> bool {
    let aws = |host: &str| host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    let parent = |host: &str| host.split_once('.').map(|(_, parent)| parent.to_owned());
    let is_address = home.parse::<std::net::IpAddr>().is_ok();
    home.eq_ignore_ascii_case(host)
        || (aws(home) && aws(host))
        || (!is_address
            && parent(home) == parent(host)
            && parent(home).is_some_and(|parent| parent.split('.').count() >= 3))
}

#[cfg(test)]
mod tests {
    use super::is_kin;

    #[test]
    fn a_credential_goes_only_where_it_belongs() {
        for (home, host, expected) in [
            ("bedrock-runtime.us-east-1.amazonaws.com", "bedrock.us-east-1.amazonaws.com", true),
            ("llm.example.com", "llm.example.com", true),
            ("a.llm.example.com", "b.llm.example.com", true),
            ("llm.example.co", "evil.example.co", false),
            ("127.0.0.1", "9.0.0.1", false),
            ("llm.example.com", "bedrock.us-east-1.amazonaws.com", false),
            ("bedrock-runtime.us-east-1.amazonaws.com", "amazonaws.com.evil.example", false),
            ("bedrock-runtime.us-east-1.amazonaws.com", "evilamazonaws.com", false),
        ] {
            assert_eq!(is_kin(home, host), expected, "{home} {host}");
        }
    }
}
