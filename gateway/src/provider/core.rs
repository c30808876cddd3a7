//! What of a provider outlives its actor: connections, permits, counters, and the way to the actor's mailbox.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use http::{
    HeaderMap, HeaderValue, Uri,
    header::{ACCEPT, CONTENT_TYPE, USER_AGENT},
};
use prometheus::IntCounter;
use ractor::ActorRef;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    ModelState, ProviderMessage,
    address::Address,
    breaker::{Admission, Breaker, BreakerState, Pass, Phase, Transition},
    errands::Errands,
    health::Changes,
    keys::{AllLimited, Keys},
    quota::Demand,
    stats::Stats,
};
use crate::{
    config,
    memory::BodyMemory,
    refusal::Refusal,
    telemetry::{Gauges, Metrics, Shown},
    transport::{Transport, credentials::Authoriser},
    wire::{Payload, WireFormat},
};

/// Models with a state of their own; the names of later ones may be junk, and share one.
const MOST_MODELS: usize = 2_048;
/// A mailbox is told of at most one failure in this time; the counters know of all.
const FAILURE_MAIL_GAP: Duration = Duration::from_millis(1);

/// Created once per configured provider, handed to every incarnation of its actor, and borrowed by every call: a call
/// keeps it alive, so that a provider that is removed or restarted cuts nothing.
pub struct ProviderCore {
    pub config: Arc<config::Provider>,
    pub format: &'static dyn WireFormat,
    pub(super) transport: Arc<dyn Transport>,
    /// What whole answers draw on.
    pub(super) memory: Arc<BodyMemory>,
    authoriser: Option<Arc<dyn Authoriser>>,
    /// The provider's name, ready for `x-prism-provider`.
    pub name: Arc<str>,
    pub name_header: HeaderValue,
    pub(super) stats: Stats,
    pub(super) breaker: Breaker,
    pub(super) changes: Changes,
    /// The breaker's transitions, by the phase that they lead to.
    transitions: [IntCounter; Phase::ALL.len()],
    pub(super) keys: Keys,
    models: RwLock<HashMap<Box<str>, Arc<ModelState>>>,
    /// Of all the models that are too many to know by name.
    other: Arc<ModelState>,
    pub(super) born: Instant,
    pub(super) born_at: SystemTime,
    permits: Arc<Semaphore>,
    draining: AtomicBool,
    headers: HeaderMap,
    address: Address,
    discovery: ArcSwap<Discovery>,
    mailbox: ArcSwapOption<ActorRef<ProviderMessage>>,
    /// Age in ms at which the mailbox was last told of a failure.
    last_failure_mail: AtomicU64,
    pub(super) counters: AttemptCounters,
    /// Set by the actor when it first starts.
    pub(super) errands: OnceLock<Errands>,
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
    pub(super) model: Arc<ModelState>,
    /// Which of the provider's keys it uses.
    pub(super) key: usize,
    /// The breaker's leave; taken by whatever decides how the call ended.
    pub(super) pass: Option<Pass>,
    _permit: OwnedSemaphorePermit,
}

/// Why there is no lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLease {
    /// `max_concurrent` calls are running.
    Full,
    /// The provider is being removed.
    Draining,
    /// Its breaker is open for so long.
    Open(Duration),
    /// Every key waits for its quota for so long.
    Limited(Duration),
}

impl NoLease {
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "it has no free permit",
            Self::Draining => "it is being removed",
            Self::Open(_) => "its breaker is open",
            Self::Limited(_) => "every key waits for its quota",
        }
    }
}

/// How gladly a provider is asked; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Readiness {
    Ready,
    /// It has just recovered and is given part of its share.
    Reluctant,
    /// It is about to refuse, by what it said of its quota, or refused its key.
    Low,
    /// It waits for its quota, has no free permit, or its breaker is open.
    Out,
}

impl Lease {
    /// Which of the provider's keys it uses.
    pub fn key(&self) -> usize {
        self.key
    }
}

impl ProviderCore {
    /// One whose requests carry a fixed key, and whose answers may be as many as they like.
    ///
    /// # Panics
    /// When the base URL is not absolute: configuration has checked it.
    pub fn new(
        config: Arc<config::Provider>,
        format: &'static dyn WireFormat,
        transport: Arc<dyn Transport>,
        metrics: &Metrics,
    ) -> Arc<Self> {
        Self::authorised(config, format, transport, None, metrics, BodyMemory::unbounded())
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
        memory: Arc<BodyMemory>,
    ) -> Arc<Self> {
        let keys = Keys::of(&config);
        let own = config.organisation.is_none();
        let region = config.settings.region.as_deref().filter(|_| own).unwrap_or_default();
        let counter = |outcome| metrics.attempts(config.label(), outcome);
        Arc::new(Self {
            format,
            transport,
            memory,
            authoriser,
            name: config.name.as_str().into(),
            name_header: HeaderValue::from_str(&config.name).unwrap_or_else(|_| HeaderValue::from_static("?")),
            stats: Stats::default(),
            born: Instant::now(),
            born_at: SystemTime::now(),
            permits: Arc::new(Semaphore::new(config.max_concurrent.min(Semaphore::MAX_PERMITS))),
            draining: AtomicBool::new(false),
            headers: upstream_headers(&config, format),
            breaker: Breaker::new(config.breaker.clone()),
            changes: Changes::default(),
            transitions: Phase::ALL.map(|to| metrics.transitions(config.label(), region, to.name())),
            models: RwLock::default(),
            other: Arc::new(ModelState::new(keys.len())),
            keys,
            address: Address::of(&config.base_url),
            discovery: ArcSwap::default(),
            mailbox: ArcSwapOption::empty(),
            last_failure_mail: AtomicU64::new(0),
            counters: AttemptCounters {
                succeeded: counter("succeeded"),
                failed: counter("failed"),
                refused: counter("refused"),
                abandoned: counter("abandoned"),
            },
            errands: OnceLock::new(),
            config,
        })
    }

    /// Never waits: whatever stands in the way is an answer.
    ///
    /// # Errors
    /// Why not.
    pub fn try_lease(self: &Arc<Self>, model: &Arc<ModelState>) -> Result<Lease, NoLease> {
        if self.draining.load(Relaxed) {
            return Err(NoLease::Draining);
        }
        let now = self.age();
        let limited = |all: AllLimited| NoLease::Limited(all.wait);
        let key = self.keys.choose(model, self.demand(), now, fastrand::f64()).map_err(limited)?;
        let permit = self.permits.clone().try_acquire_owned().map_err(|_| NoLease::Full)?;
        let (admission, transition) = self.breaker.admit(now, fastrand::f64());
        self.announce(transition);
        let pass = match admission {
            Admission::Free(pass) | Admission::Reluctant(pass) | Admission::Probe(pass) => Some(pass),
            Admission::Refused { until } => return Err(NoLease::Open(until.saturating_sub(now))),
        };
        Ok(Lease { core: self.clone(), model: model.clone(), key, pass, _permit: permit })
    }

    /// How gladly it is asked for a model. Changes nothing.
    pub fn readiness(&self, model: &ModelState) -> Readiness {
        let now = self.age();
        if self.draining.load(Relaxed) || self.permits.available_permits() == 0 {
            return Readiness::Out;
        }
        let by_health = match self.breaker.state(now) {
            BreakerState::Closed => Readiness::Ready,
            BreakerState::HalfOpen { probes, .. } if probes < self.config.breaker.half_open_max_requests => {
                Readiness::Ready
            }
            BreakerState::Ramping { share } if fastrand::f64() >= share => Readiness::Reluctant,
            BreakerState::Ramping { .. } => Readiness::Ready,
            BreakerState::Open { .. } | BreakerState::HalfOpen { .. } => Readiness::Out,
        };
        by_health.max(self.keys.readiness(model, self.demand(), now))
    }

    /// What its quota has to bear already.
    pub(super) fn demand(&self) -> Demand {
        let requests = self.stats.succeeded.load(Relaxed).max(1);
        Demand { in_flight: self.in_flight() as u64, tokens_each: self.stats.tokens.load(Relaxed) / requests }
    }

    /// Of its recent answers; `None` without any.
    pub fn success_rate(&self) -> Option<f64> {
        self.stats.error_rate(self.age()).map(|errors| 1.0 - errors)
    }

    /// Probes of its breaker that are under way.
    #[cfg(test)]
    pub fn probes(&self) -> u32 {
        match self.breaker.state(self.age()) {
            BreakerState::HalfOpen { probes, .. } => probes,
            _ => 0,
        }
    }

    /// How many keys a request may use one after the other.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// What is known of a model here.
    pub fn model(&self, upstream: &str) -> Arc<ModelState> {
        let known = self.models.read().expect("no panic holds this lock");
        if let Some(model) = known.get(upstream) {
            return model.clone();
        }
        drop(known);
        let mut all = self.models.write().expect("no panic holds this lock");
        if all.len() >= MOST_MODELS {
            return self.other.clone();
        }
        all.entry(upstream.into()).or_insert_with(|| Arc::new(ModelState::new(self.keys.len()))).clone()
    }

    pub(super) fn each_model(&self, mut see: impl FnMut(&str, &ModelState)) {
        let known = self.models.read().expect("no panic holds this lock");
        known.iter().for_each(|(name, model)| see(name, model));
        see("other", &self.other);
    }

    /// Where it is, where it has several places.
    pub fn region(&self) -> Option<&str> {
        self.config.settings.region.as_deref()
    }

    /// How many of its keys it refuses at the moment.
    pub(super) fn refused_keys(&self) -> usize {
        (0..self.keys.len()).filter(|&key| self.keys.get(key).credential.refused().is_some()).count()
    }

    /// What it shows to whoever reads the metrics now.
    pub fn show(&self, gauges: &Gauges) {
        let now = self.age();
        let mut limited = 0;
        self.each_model(|_, model| {
            let is_limited = |&key: &usize| model.quota(key).refused_for(now).is_some();
            limited += (0..self.keys.len()).filter(is_limited).count();
        });
        gauges.show(
            &self.name,
            self.region().unwrap_or_default(),
            &Shown { breaker: self.breaker.state(now).phase().number(), limited, refused_keys: self.refused_keys() },
        );
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

    /// Time since its birth: the clock of everything that is known of it.
    pub fn age(&self) -> Duration {
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

    pub(super) fn count(&self, transition: &Transition) {
        self.transitions[transition.to.number()].inc();
    }

    /// Counts that the breaker has changed its state, and tells the actor.
    pub(super) fn announce(&self, transition: Option<Transition>) {
        if let Some(transition) = transition {
            self.count(&transition);
            self.cast(ProviderMessage::Breaker(transition));
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
        self.address.uri(path)
    }

    /// The address of something that the provider named: a path below the base URL, or a whole URL of its own.
    ///
    /// # Errors
    /// When it can be none, or would carry the credential to strangers.
    pub(super) fn list_uri(&self, path: &str) -> Result<Uri, Refusal> {
        self.address.kin(path)
    }

    /// The address of something that an answer named, at one of the provider's own hosts.
    ///
    /// # Errors
    /// When it is elsewhere.
    pub(super) fn own_uri(&self, url: &str, domain: &str) -> Result<Uri, Refusal> {
        self.address.own(url, domain)
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

    /// The headers of an upstream request with one of the keys: made here, never taken from a client.
    pub(super) fn headers(&self, key: usize) -> HeaderMap {
        let mut headers = self.headers.clone();
        self.keys.get(key).put_on(&mut headers);
        headers
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
    headers
}
