//! The door: routes, the reading of requests, the writing of answers, and the only place that knows status codes.
//!
//! `routes` says which handler a request goes to; `call` is the straight line of a model call; `asked`, `body`, `reply` and `status`
//! are its steps. `serve` is what lies under it: cores and their connections; `listener` is where those come from, `tls` keeps their
//! certificate.

mod administration;
mod asked;
mod body;
mod call;
mod docs;
mod facts;
mod heads;
mod health;
mod keys;
mod leftover;
mod limited;
mod limits;
mod listener;
mod models;
mod openapi;
mod org_configs;
mod patience;
mod policies;
mod providers;
mod recorded;
mod replayed;
mod reply;
mod route;
mod routes;
mod serve;
mod status;
mod tenancy;
mod tls;
mod unreadable;
mod usage;
mod way;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::Instant,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::Semaphore;

pub use administration::Administration;
pub use listener::{Inherited, Listener};
pub use openapi::document;
pub use routes::{Routes, Side};
pub use serve::{Plane, Shutdown};
pub use status::error_answer;
pub use tls::Certificates;

use crate::{
    admission::{Accounts, Books, DEFAULT_ORG, Door, KeyRing, Leases, Limiter, SpendFile},
    config::{Config, Security, Server},
    dispatch::{Address, Mirrors, Published, Wiring},
    memory::BodyMemory,
    prices::Catalogue,
    replay::Replays,
    spool::Spool,
    telemetry::{Metrics, Tracer},
    transport::MediaFetcher,
    usage::Publishing,
};

/// Names that wait for model lists still being read; beyond it they are answered at once.
const MOST_RESOLVING: usize = 256;

/// What every handler shares. All of it is read without waiting.
pub struct Gateway {
    pub table: Published,
    pub keys: ArcSwap<KeyRing>,
    pub limits: ArcSwap<Limits>,
    pub accounts: Arc<Accounts>,
    pub door: Arc<Door>,
    /// What requests' bodies and providers' whole answers draw on.
    pub memory: Arc<BodyMemory>,
    /// What may fetch the media that requests name by address; `None` when nothing may.
    pub media: ArcSwapOption<MediaFetcher>,
    pub metrics: Arc<Metrics>,
    pub prices: ArcSwap<Catalogue>,
    pub phase: Phase,
    pub mirrors: Mirrors,
    pub replays: Replays,
    /// Where usage events are kept; `None` where none are wanted.
    pub spool: Option<Arc<Spool>>,
    /// What becomes of them.
    pub publishing: Option<Publishing>,
    /// What traces requests; `None` where nothing is traced.
    pub tracer: Option<Arc<Tracer>>,
    /// Its name in events.
    pub name: Arc<str>,
    /// Where the dispatcher of the file's providers is reached.
    pub dispatcher: Address,
    /// `None` where there are no organisations.
    pub administration: Option<Arc<Administration>>,
    began: Instant,
    resolving: Semaphore,
}

/// The part of the server's configuration that a request needs.
#[derive(Debug, Clone)]
pub struct Limits {
    pub server: Server,
    pub log_bodies: bool,
    /// How much may be asked for; `None` where that is not limited.
    pub limiter: Option<Arc<Limiter>>,
}

impl Limits {
    fn of(config: &Config, accounts: &Accounts, before: Option<&Limiter>) -> Self {
        Self {
            server: config.server.clone(),
            log_bodies: config.logging.include_bodies,
            limiter: Limiter::new(
                Books::of_file(accounts),
                DEFAULT_ORG,
                (&config.rate_limits, &config.budgets),
                before,
            ),
        }
    }

    /// What a request asks once: whether its body is logged, and how much may be asked for.
    fn of_requests(&self) -> (bool, Option<Arc<Limiter>>) {
        (self.log_bodies, self.limiter.clone())
    }
}

/// Where the process is in its life.
#[derive(Debug, Default)]
pub struct Phase(AtomicU8);

impl Phase {
    const READY: u8 = 1;
    const DRAINING: u8 = 2;

    pub fn ready(&self) {
        let _ = self.0.compare_exchange(0, Self::READY, Relaxed, Relaxed);
    }

    pub fn drain(&self) {
        self.0.store(Self::DRAINING, Relaxed);
    }

    pub fn is_ready(&self) -> bool {
        self.0.load(Relaxed) == Self::READY
    }

    pub fn is_draining(&self) -> bool {
        self.0.load(Relaxed) == Self::DRAINING
    }
}

impl Gateway {
    pub fn new(
        config: &Config,
        wiring: &Wiring,
        accounts: Arc<Accounts>,
        administration: Option<Arc<Administration>>,
        publishing: Option<Publishing>,
        tracer: Option<Arc<Tracer>>,
    ) -> Arc<Self> {
        let Wiring { published: table, metrics, memory, dispatcher, .. } = wiring.clone();
        let keys = KeyRing::new(&config.auth, &accounts, administration.as_ref().map(|all| all.keys.clone()));
        Arc::new(Self {
            table,
            keys: ArcSwap::from_pointee(keys),
            door: Door::new(config.server.max_in_flight),
            limits: ArcSwap::from_pointee(Limits::of(config, &accounts, None)),
            accounts,
            media: ArcSwapOption::empty(),
            mirrors: Mirrors::new(&metrics, publishing.as_ref()),
            replays: Replays::new(memory.clone()),
            memory,
            spool: publishing.as_ref().map(|publishing| publishing.spool.clone()),
            name: publishing.as_ref().map(|publishing| publishing.name.clone()).unwrap_or_default(),
            publishing,
            tracer,
            metrics,
            prices: ArcSwap::from_pointee(Catalogue::new(&config.cost_tracking)),
            phase: Phase::default(),
            dispatcher,
            administration,
            began: Instant::now(),
            resolving: Semaphore::new(MOST_RESOLVING),
        })
    }
}

impl Gateway {
    /// Who may enter, and how much may be asked for from now on; what has been used stays used.
    pub fn admit(&self, config: &Config) {
        if let Err(error) = keep_spending(&self.accounts, config, None) {
            tracing::error!(%error, "spending is not written down");
        }
        let virtual_keys = self.administration.as_ref().map(|administration| administration.keys.clone());
        self.keys.store(Arc::new(KeyRing::new(&config.auth, &self.accounts, virtual_keys)));
        self.door.resize(config.server.max_in_flight);
        self.memory.resize(config.server.body_memory());
        let limits = Limits::of(config, &self.accounts, self.limits.load().limiter.as_deref());
        self.limits.store(Arc::new(limits));
    }

    /// What may fetch media from now on.
    ///
    /// # Errors
    /// When the CA file cannot be read; then nothing changes.
    pub fn fetch_media(&self, security: &Security) -> Result<(), String> {
        let fetcher = |limits| MediaFetcher::new(limits, self.memory.clone()).map(Arc::new);
        let made = security.remote_media.as_ref().map(fetcher);
        let made = made.transpose().map_err(|error| format!("security.remote_media_ca_file: {error}"))?;
        self.media.store(made);
        Ok(())
    }
}

/// Spending is written down in the store, where there are budgets, or where organisations may have some; the others are told.
///
/// # Errors
/// When what was spent before cannot be read.
pub fn keep_spending(accounts: &Accounts, config: &Config, others: Option<Leases>) -> Result<(), String> {
    let may_spend = config.has_budgets() || config.control_plane.is_some();
    if !may_spend || accounts.has_book() {
        return Ok(());
    }
    let folder = &config.store.path;
    let said = |error: std::io::Error| format!("{}: {error}", folder.join(SpendFile::NAME).display());
    let book = SpendFile::open(folder).map_err(said)?.telling(others);
    accounts.keep(Box::new(book)).map_err(said)
}

/// What a caller sent, echoed no further than makes sense.
fn clip(text: &str) -> &str {
    const MOST: usize = 200;
    &text[..text.floor_char_boundary(MOST)]
}
