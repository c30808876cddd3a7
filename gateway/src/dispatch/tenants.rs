//! The actor that wakes organisations: each has a root of its own with providers, dispatcher and table, started by its first
//! request and stopped when nobody has asked for a while. Requests read which are awake; they wait only for the first start.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use ractor::{
    Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent, concurrency::Duration as Wait,
    rpc::CallResult,
};
use tokio::sync::Semaphore;

use super::{Address, DispatcherMessage, Published, Root, RootMessage, Roster, RouteTable, Wiring};
use crate::{
    admission::{Accounts, Books, Limiter},
    config::Config,
    prices::Catalogue,
    refusal::{Cause, Refusal},
};

/// An organisation that nobody has used for so long is let go.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// How often that is looked at.
const REAP: Duration = Duration::from_secs(60);
/// Between the last request that can have found an organisation awake and the end of its actors.
const OVERLAP: Duration = Duration::from_secs(1);
/// Requests that wait for organisations to wake; beyond it they are refused at once.
const MOST_WAITING: usize = 1_024;
/// Longest wait for an organisation to wake, or to take a change.
const PATIENCE: Wait = Wait::from_secs(10);

/// Where configurations of organisations come from. An organisation that has none is one without providers.
pub trait Configurations: Send + Sync {
    fn of(&self, organisation: &str) -> Configuring;
}

pub type Configuring = Pin<Box<dyn Future<Output = Result<Arc<Config>, Refusal>> + Send>>;

/// An organisation that is awake: what its requests work with.
pub struct Tenant {
    pub published: Published,
    pub dispatcher: Address,
    pub prices: ArcSwap<Catalogue>,
    /// How much may be asked for; `None` where that is not limited.
    pub limiter: ArcSwapOption<Limiter>,
    accounts: Arc<Accounts>,
    /// Those of the file, which remember what was spent.
    kept: Arc<Accounts>,
    /// Seconds of the gateway's life at which it was last used.
    used: AtomicU64,
}

impl Tenant {
    /// What its requests meet from now on, beside the table.
    fn take(&self, organisation: &str, config: &Config) {
        self.prices.store(Arc::new(Catalogue::new(&config.cost_tracking)));
        let before = self.limiter.load_full();
        self.limiter.store(Limiter::new(
            Books::of_organisation(&self.accounts, &self.kept),
            organisation,
            (&config.rate_limits, &config.budgets),
            before.as_deref(),
        ));
    }

    /// Waits until its table shows what its root has been told.
    async fn is_published(&self) {
        if let Some(dispatcher) = self.dispatcher.load_full() {
            let _ = dispatcher.call(DispatcherMessage::Published, Some(PATIENCE)).await;
        }
    }
}

/// Who is awake, and who wakes the others.
pub struct Tenants {
    awake: Arc<Awake>,
    actor: ActorRef<TenantsMessage>,
    waiting: Semaphore,
}

struct Awake {
    tenants: ArcSwap<HashMap<Arc<str>, Arc<Tenant>>>,
    born: Instant,
}

impl Tenants {
    /// Starts the actor that wakes them.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(arguments: TenantsArguments) -> Result<Self, ractor::SpawnErr> {
        let awake = Arc::new(Awake { tenants: ArcSwap::default(), born: Instant::now() });
        let (actor, _) = Actor::spawn(None, TenantsActor, (arguments, awake.clone())).await?;
        Ok(Self { awake, actor, waiting: Semaphore::new(MOST_WAITING) })
    }

    /// What an organisation's requests work with.
    ///
    /// # Errors
    /// When it cannot be woken.
    pub async fn of(&self, organisation: &Arc<str>) -> Result<Arc<Tenant>, Refusal> {
        if let Some(tenant) = self.awake(organisation) {
            return Ok(tenant);
        }
        Box::pin(self.wake(organisation)).await
    }

    async fn wake(&self, organisation: &Arc<str>) -> Result<Arc<Tenant>, Refusal> {
        let _place = self.waiting.try_acquire().map_err(|_| unavailable("too many organisations are waking"))?;
        let organisation = organisation.clone();
        match self.actor.call(|reply| TenantsMessage::Wake { organisation, reply }, Some(PATIENCE)).await {
            Ok(CallResult::Success(result)) => result,
            _ => Err(unavailable("the organisation's providers could not be started in time")),
        }
    }

    /// Without waking it.
    pub fn awake(&self, organisation: &str) -> Option<Arc<Tenant>> {
        let tenant = self.awake.tenants.load().get(organisation).cloned()?;
        tenant.used.store(self.awake.born.elapsed().as_secs(), Relaxed);
        Some(tenant)
    }

    /// An organisation has another configuration; when this returns, requests meet it.
    pub async fn changed(&self, organisation: &str) {
        let organisation: Arc<str> = organisation.into();
        let _ = self.actor.call(|reply| TenantsMessage::Changed { organisation, reply }, Some(PATIENCE)).await;
    }

    /// Every organisation that is awake is configured anew.
    pub async fn all_changed(&self) {
        let all: Vec<_> = self.awake.tenants.load().keys().cloned().collect();
        for organisation in all {
            self.changed(&organisation).await;
        }
    }

    /// Ends all of them.
    pub fn stop(&self) {
        self.actor.stop(None);
    }

    /// How many are awake.
    pub fn len(&self) -> usize {
        self.awake.tenants.load().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

struct TenantsActor;

pub struct TenantsArguments {
    /// Of the file's root; each organisation gets its own of what cannot be shared.
    pub wiring: Wiring,
    pub configurations: Arc<dyn Configurations>,
    /// Those of the file.
    pub accounts: Arc<Accounts>,
}

type Reply = RpcReplyPort<Result<Arc<Tenant>, Refusal>>;

enum TenantsMessage {
    Wake {
        organisation: Arc<str>,
        reply: Reply,
    },
    /// Read its configuration again, if it is awake.
    Changed {
        organisation: Arc<str>,
        reply: Reply,
    },
    /// A configuration has been read, or why not.
    Configured {
        organisation: Arc<str>,
        config: Result<Arc<Config>, Refusal>,
    },
    /// A root has taken its configuration, or has not.
    Applied {
        organisation: Arc<str>,
        result: Result<(), String>,
    },
    /// Lets go of those that nobody uses.
    Reap,
}

struct TenantsData {
    arguments: TenantsArguments,
    awake: Arc<Awake>,
    known: HashMap<Arc<str>, Known>,
}

/// An organisation that is awake, or waking.
#[derive(Default)]
struct Known {
    tenant: Option<Arc<Tenant>>,
    root: Option<ActorRef<RootMessage>>,
    /// Its table has been published.
    ready: bool,
    /// Its configuration is being read or applied.
    busy: bool,
    /// It has changed meanwhile.
    stale: bool,
    waiting: Vec<Reply>,
}

impl Actor for TenantsActor {
    type Msg = TenantsMessage;
    type State = TenantsData;
    type Arguments = (TenantsArguments, Arc<Awake>);

    async fn pre_start(
        &self,
        me: ActorRef<TenantsMessage>,
        (arguments, awake): Self::Arguments,
    ) -> Result<TenantsData, ActorProcessingErr> {
        me.send_interval(REAP, || TenantsMessage::Reap);
        Ok(TenantsData { arguments, awake, known: HashMap::new() })
    }

    async fn handle(
        &self,
        me: ActorRef<TenantsMessage>,
        message: TenantsMessage,
        data: &mut TenantsData,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TenantsMessage::Wake { organisation, reply } => data.wake(&me, organisation, reply),
            TenantsMessage::Changed { organisation, reply } => data.changed(&me, organisation, reply),
            TenantsMessage::Configured { organisation, config } => data.configured(&me, organisation, config).await,
            TenantsMessage::Applied { organisation, result } => data.applied(&me, &organisation, result),
            TenantsMessage::Reap => data.reap(),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<TenantsMessage>,
        event: SupervisionEvent,
        data: &mut TenantsData,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(who, error) = event {
            data.lost(who.get_id(), &error);
        }
        Ok(())
    }
}

impl TenantsData {
    fn wake(&mut self, me: &ActorRef<TenantsMessage>, organisation: Arc<str>, reply: Reply) {
        let known = self.known.entry(organisation.clone()).or_default();
        match &known.tenant {
            Some(tenant) if known.ready => drop(reply.send(Ok(tenant.clone()))),
            _ => {
                known.waiting.push(reply);
                self.read(me, organisation);
            }
        }
    }

    fn changed(&mut self, me: &ActorRef<TenantsMessage>, organisation: Arc<str>, reply: Reply) {
        let Some(known) = self.known.get_mut(&organisation) else {
            drop(reply.send(Err(unavailable("it is not awake"))));
            return;
        };
        known.stale |= known.busy;
        known.waiting.push(reply);
        self.read(me, organisation);
    }

    /// Reads its configuration, unless that is being done.
    fn read(&mut self, me: &ActorRef<TenantsMessage>, organisation: Arc<str>) {
        let Some(known) = self.known.get_mut(&organisation).filter(|known| !known.busy) else { return };
        known.busy = true;
        let (configuring, me) = (self.arguments.configurations.of(&organisation), me.clone());
        self.arguments.wiring.tasks.spawn(async move {
            let config = configuring.await;
            let _ = me.cast(TenantsMessage::Configured { organisation, config });
        });
    }

    async fn configured(
        &mut self,
        me: &ActorRef<TenantsMessage>,
        organisation: Arc<str>,
        config: Result<Arc<Config>, Refusal>,
    ) {
        let Some(known) = self.known.get_mut(&organisation) else { return };
        if std::mem::take(&mut known.stale) {
            known.busy = false;
            return self.read(me, organisation);
        }
        let config = match config {
            Ok(config) => config,
            Err(refusal) => {
                tracing::error!(%organisation, error = %refusal.message, "an organisation's configuration cannot be read");
                return self.settle(&organisation, Err(refusal));
            }
        };
        if let (Some(root), Some(tenant)) = (&known.root, &known.tenant) {
            tenant.take(&organisation, &config);
            let (root, tenant, me) = (root.clone(), tenant.clone(), me.clone());
            self.arguments.wiring.tasks.spawn(async move {
                let result = match root.call(|reply| RootMessage::Apply(config, reply), Some(PATIENCE)).await {
                    Ok(CallResult::Success(result)) => result,
                    _ => Err("its root actor did not answer".to_owned()),
                };
                tenant.is_published().await;
                let _ = me.cast(TenantsMessage::Applied { organisation, result });
            });
            return;
        }
        match start(&self.arguments, &self.awake, me, &organisation, &config).await {
            Ok((tenant, root)) => {
                let (tenant, me) = (Arc::new(tenant), me.clone());
                known.tenant = Some(tenant.clone());
                known.root = Some(root);
                self.arguments.wiring.tasks.spawn(async move {
                    tenant.is_published().await;
                    let _ = me.cast(TenantsMessage::Applied { organisation, result: Ok(()) });
                });
            }
            Err(error) => self.applied(me, &organisation, Err(error.to_string())),
        }
    }

    fn applied(&mut self, me: &ActorRef<TenantsMessage>, organisation: &Arc<str>, result: Result<(), String>) {
        let Some(known) = self.known.get_mut(organisation) else { return };
        if let Err(error) = &result {
            tracing::error!(%organisation, %error, "an organisation's configuration cannot be applied");
        }
        if std::mem::take(&mut known.stale) {
            known.busy = false;
            return self.read(me, organisation.clone());
        }
        let tenant = known.tenant.clone();
        self.settle(organisation, tenant.ok_or_else(|| unavailable("its providers cannot be set up")));
    }

    /// Everybody who waits has their answer; the first of them finds it awake for the others.
    fn settle(&mut self, organisation: &Arc<str>, result: Result<Arc<Tenant>, Refusal>) {
        let Some(known) = self.known.get_mut(organisation) else { return };
        known.busy = false;
        known.ready |= result.is_ok();
        let waiting = std::mem::take(&mut known.waiting);
        if known.tenant.is_none() {
            self.known.remove(organisation);
        }
        self.publish();
        for reply in waiting {
            let _ = reply.send(result.clone());
        }
    }

    fn publish(&self) {
        let ready = self.known.iter().filter(|(_, known)| known.ready);
        let all = ready.filter_map(|(name, known)| Some((name.clone(), known.tenant.clone()?)));
        self.awake.tenants.store(Arc::new(all.collect()));
    }

    fn reap(&mut self) {
        let now = self.awake.born.elapsed().as_secs();
        let is_idle = |known: &Known| {
            let used = known.tenant.as_ref().map(|tenant| tenant.used.load(Relaxed));
            !known.busy && used.is_some_and(|used| now.saturating_sub(used) > IDLE.as_secs())
        };
        let idle: Vec<_> =
            self.known.iter().filter(|(_, known)| is_idle(known)).map(|(name, _)| name.clone()).collect();
        let leaving: Vec<_> = idle.iter().filter_map(|name| self.known.remove(name)?.root).collect();
        if leaving.is_empty() {
            return;
        }
        self.publish();
        tracing::debug!(organisations = leaving.len(), "let go of what nobody uses");
        self.arguments.wiring.tasks.spawn(async move {
            tokio::time::sleep(OVERLAP).await;
            leaving.iter().for_each(|root| root.stop(None));
        });
    }

    /// A root has died: its organisation is woken again by its next request.
    fn lost(&mut self, who: ActorId, error: &ActorProcessingErr) {
        let is_it = |known: &Known| known.root.as_ref().is_some_and(|root| root.get_id() == who);
        let Some(organisation) = self.known.iter().find(|(_, known)| is_it(known)).map(|(name, _)| name.clone()) else {
            return;
        };
        tracing::error!(%organisation, %error, "an organisation's root failed");
        if let Some(known) = self.known.remove(&organisation) {
            known.waiting.into_iter().for_each(|reply| drop(reply.send(Err(unavailable("it is being restarted")))));
        }
        self.publish();
    }
}

async fn start(
    arguments: &TenantsArguments,
    awake: &Awake,
    me: &ActorRef<TenantsMessage>,
    organisation: &Arc<str>,
    config: &Arc<Config>,
) -> Result<(Tenant, ActorRef<RootMessage>), ractor::SpawnErr> {
    let wiring = &arguments.wiring;
    let table = RouteTable::build(&Roster::empty(), &wiring.metrics);
    let wiring = Wiring {
        published: Arc::new(ArcSwap::from_pointee(table)),
        dispatcher: Address::default(),
        organisation: Some(organisation.clone()),
        ..wiring.clone()
    };
    let (published, dispatcher) = (wiring.published.clone(), wiring.dispatcher.clone());
    let (root, _) = Actor::spawn_linked(None, Root, (wiring, config.clone()), me.get_cell()).await?;
    let tenant = Tenant {
        published,
        dispatcher,
        prices: ArcSwap::from_pointee(Catalogue::new(&config.cost_tracking)),
        limiter: ArcSwapOption::empty(),
        accounts: arguments.accounts.apart(organisation),
        kept: arguments.accounts.clone(),
        used: AtomicU64::new(awake.born.elapsed().as_secs()),
    };
    tenant.take(organisation, config);
    Ok((tenant, root))
}

fn unavailable(why: &'static str) -> Refusal {
    let message = format!("the organisation cannot be served now: {why}");
    Refusal::new(Cause::Unavailable, message).code("organisation_unavailable").retry_after(Some(OVERLAP))
}
