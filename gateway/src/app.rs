//! Wiring: what is started in which order, and what is stopped in which.

use std::{io::Write, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use ractor::{Actor, ActorRef};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    admission::{self, Accounts, Gossip, LeaseSettings, Leases},
    api::Ending,
    code,
    config::{Config, ControlPlane, exposure},
    control::{Desk, Place, Rules},
    dispatch::{Address, Root, RootMessage, Roster, RouteTable, Tenants, TenantsArguments, Wiring},
    http::{Administration, Certificates, Gateway, Inherited, Listener, Plane, Routes, Shutdown, Side, keep_spending},
    memory::BodyMemory,
    nats::BucketSettings,
    options::Options,
    spool::Spool,
    store::SharedSettings,
    telemetry::{self, Metrics},
    traces,
    usage::{Publishing, inherit},
    watcher::{Watched, Watcher},
};

/// Between two writings of what was spent: a kill loses no more than this.
const RECORD: Duration = Duration::from_millis(500);
/// What was abandoned is still cancelled at its provider, if that is done soon.
const LAST_ERRANDS: Duration = Duration::from_secs(2);
/// So are the last events, or after the next start.
const LAST_COUNT: Duration = Duration::from_secs(5);
/// The last events have so long to be acknowledged; then they wait for the next start.
const LAST_EVENTS: Duration = Duration::from_secs(5);

/// By then what only the start needs has run.
const SETTLED: Duration = Duration::from_millis(300);

/// What other gateways have spent is known in this time, or later.
const FIRST_CONTACT: Duration = Duration::from_secs(2);

/// Lists of organisations that another process has changed.
const CHANGES: usize = 16;

/// Runs the gateway until it is told to stop.
///
/// # Errors
/// What kept it from starting.
pub fn run(options: Options) -> Result<(), String> {
    let inherited = Inherited::take();
    let (config, notices) = aside(|| options.configuration())?;
    let _log = telemetry::start_log(&config.logging)?;
    let control =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let result = control.block_on(serve(options, Arc::new(config), notices, inherited));
    control.shutdown_background(); // told to stop twice, it does not wait for the cores
    result
}

async fn serve(
    options: Options,
    config: Arc<Config>,
    notices: Vec<String>,
    inherited: Inherited,
) -> Result<(), String> {
    let mut stop = StopSignal::listen()?;
    let server = &config.server;
    let tls = server.tls.as_ref().map(Certificates::open).transpose()?;
    let listener = Listener::open(inherited, server)?;
    let address = listener.address().map_err(|error| error.to_string())?;
    exposure(address.ip(), &config.auth, config.control_plane.is_some())?; // of an inherited socket the configuration says nothing
    let office = config.control_plane.as_ref().and_then(|control_plane| control_plane.listen);
    let office = office.map(|at| Listener::at(at).map_err(|error| format!("{error} (`admin.listen`)"))).transpose()?;

    let publishing = spool(&config, options.config.is_some())?.map(|spool| publishing(spool, &config));
    let started = start(&config, publishing.clone()).await?;
    let Started { gateway, root, tasks, alone } = &started;
    let counted = CancellationToken::new();
    let counting = publishing.as_ref().map(|publishing| count(publishing, &counted));
    let shutdown = Shutdown { begun: CancellationToken::new(), grace: server.shutdown_timeout };
    let side = if office.is_some() { Side::Calls } else { Side::Both };
    let routes = Routes::new(gateway.clone(), &config, side);
    let no_core = |error| format!("cannot start a core: {error}");
    let plane = Plane::start(gateway, &routes, server, tls.clone(), &shutdown).map_err(no_core)?;
    let office = match office {
        Some(listener) => {
            let routes = Routes::new(gateway.clone(), &config, Side::Administration);
            Some((Plane::beside(gateway, &routes, server, tls.clone(), &shutdown).map_err(no_core)?, listener))
        }
        None => None,
    };
    if let Some(path) = options.config.clone() {
        let (gateway, current) = (gateway.clone(), config.clone());
        let watched = Watched { path, options, root: root.clone(), gateway, current, certificates: tls };
        Actor::spawn_linked(None, Watcher, watched, root.get_cell()).await.map_err(|error| error.to_string())?;
    }
    gateway.phase.ready();
    greet(&plane, address, &config, &notices);

    let administering = async {
        if let Some((plane, listener)) = office {
            plane.accept(listener, &shutdown.begun).await;
            let _ = tokio::task::spawn_blocking(move || plane.join()).await;
        }
    };
    let accepting = plane.accept(listener, &shutdown.begun);
    let stopping = async {
        stop.wait().await;
        tracing::info!(
            grace_s = server.shutdown_timeout.as_secs_f64(),
            "stopping: no new connections, running answers finish"
        );
        gateway.phase.drain();
        tokio::time::sleep(server.pre_stop).await;
        shutdown.begun.cancel();
    };
    let settling = async {
        tokio::select! {
            () = tokio::time::sleep(SETTLED) => code::forget(),
            () = shutdown.begun.cancelled() => {}
        }
    };
    tokio::join!(accepting, administering, stopping, settling);
    // the cores have threads of their own; the actors go on serving them until they have ended
    let joined = tokio::task::spawn_blocking(move || plane.join());
    tokio::select! {
        _ = joined => {}
        () = stop.wait() => tracing::warn!("told to stop again: cutting what still runs"),
    }
    if let Some(administration) = &gateway.administration {
        administration.tenants.stop();
    }
    let recorded = gateway.clone();
    let _ = tokio::task::spawn_blocking(move || recorded.accounts.write_down()).await;
    alone.cancel();
    if let Some(publishing) = &publishing {
        publishing.spool.close();
        publishing.flush(LAST_EVENTS).await;
    }
    root.stop(None);
    gateway.tracer.iter().for_each(|tracer| tracer.close());
    tasks.close();
    let _ = tokio::time::timeout(LAST_ERRANDS, tasks.wait()).await;
    counted.cancel();
    if let Some(counting) = counting {
        let _ = tokio::time::timeout(LAST_COUNT, counting).await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// A configuration is read with its schema, which leaves crumbs: on a thread of their own, whose heap is given back when it
/// ends.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join()).expect("what panics here has panicked already")
}

/// Where usage events are kept. A gateway that was started with nothing goes on without them where it may not write.
fn spool(config: &Config, is_configured: bool) -> Result<Option<Spool>, String> {
    if !config.usage.enabled {
        return Ok(None);
    }
    match Spool::open(config.usage.spool(&config.store, config.server.max_in_flight), &Ending::interrupted()) {
        Ok(spool) => Ok(Some(spool)),
        Err(error) if is_configured => Err(error.to_string()),
        Err(error) => {
            tracing::warn!("no usage events: {error}");
            Ok(None)
        }
    }
}

/// Adds up what is used, and takes over what other processes leave, until it is told to stop.
fn count(publishing: &Publishing, stop: &CancellationToken) -> JoinHandle<()> {
    let counting = publishing.counting().run(stop.clone());
    let inheriting = inherit(publishing.spool.clone(), stop.clone());
    tokio::spawn(async {
        tokio::join!(counting, inheriting);
    })
}

/// The gateway's name in its events is the machine's.
fn publishing(spool: Spool, config: &Config) -> Publishing {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Publishing::new(Arc::new(spool), &name, config.store.path.clone(), config.usage.max_age)
}

struct Started {
    gateway: Arc<Gateway>,
    root: ActorRef<RootMessage>,
    tasks: TaskTracker,
    /// From then on its budgets are no other gateway's.
    alone: CancellationToken,
}

/// Actors first: when this returns, the table has its providers.
async fn start(config: &Arc<Config>, publishing: Option<Publishing>) -> Result<Started, String> {
    let metrics = Arc::new(Metrics::new());
    let empty = RouteTable::build(&Roster::empty(), &metrics);
    let published = Arc::new(ArcSwap::from_pointee(empty));
    let tasks = TaskTracker::new();
    let memory = BodyMemory::new(config.server.body_memory());
    let wiring = Wiring {
        published,
        metrics: metrics.clone(),
        tasks: tasks.clone(),
        memory: memory.clone(),
        cores: config.server.workers,
        dispatcher: Address::default(),
        shared: Arc::default(),
        organisation: None,
        publishing: publishing.clone(),
    };
    let (root, _) =
        Actor::spawn(None, Root, (wiring.clone(), config.clone())).await.map_err(|error| error.to_string())?;
    let alone = CancellationToken::new();
    let with_others = with_others(config);
    let accounts = match &with_others {
        None => Arc::<Accounts>::default(),
        Some(settings) => {
            let gossip = Arc::<Gossip>::default();
            let accounts = Accounts::told(&gossip);
            admission::share(settings.clone(), gossip, accounts.born(), &tasks, alone.clone());
            accounts
        }
    };
    let others = with_others.map(|settings| Leases::start(settings, accounts.clone(), &tasks, alone.clone()));
    let is_shared = others.is_some();
    keep_spending(&accounts, config, others)?;
    if is_shared && tokio::time::timeout(FIRST_CONTACT, accounts.joined()).await.is_err() {
        tracing::warn!("starting without the other gateways: budgets are counted from what was written down here");
    }
    let administration = match &config.control_plane {
        Some(control_plane) => Some(administration(config, control_plane, wiring.clone(), &accounts).await?),
        None => None,
    };
    let tracer = match &config.otel {
        None => None,
        Some(otel) => Some(traces::start(otel, &metrics, &tasks).map_err(|error| format!("otel.ca_file: {error}"))?),
    };
    let gateway = Gateway::new(config, &wiring, accounts, administration, publishing, tracer);
    tokio::spawn(keep_books(gateway.clone()));
    gateway.fetch_media(&config.security)?;
    Ok(Started { gateway, root, tasks, alone })
}

/// Gateways that have organisations together have budgets and rate limits together.
fn with_others(config: &Config) -> Option<LeaseSettings> {
    let Place { shared, .. } = Place::of(config, config.control_plane.as_ref()?);
    let SharedSettings { nats, bucket, name, .. } = shared?;
    let bucket = BucketSettings {
        name: format!("{}_SPENDING", bucket.name),
        description: "Budgets of Prism gateways: what is spent, and what each of them may spend of the rest",
        ..bucket
    };
    Some(LeaseSettings { nats, bucket, name })
}

/// Opens what is kept of organisations, and stands ready to wake them.
async fn administration(
    config: &Config,
    control_plane: &ControlPlane,
    wiring: Wiring,
    accounts: &Arc<Accounts>,
) -> Result<Arc<Administration>, String> {
    keep_no_core_file();
    let rules = Arc::new(ArcSwap::from_pointee(Rules::of(config)));
    let place = Place::of(config, control_plane);
    let (opened_rules, opened_accounts) = (rules.clone(), accounts.clone());
    let notices = wiring.publishing.as_ref().map(Publishing::notices);
    // it waits for its disk, or for the others
    let opened = tokio::task::spawn_blocking(move || place.control(opened_rules, opened_accounts, notices)).await;
    let (control, standing) = opened.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let keys = control.keys().clone();
    let (changed, mut changes) = mpsc::channel::<Vec<String>>(CHANGES);
    let desk = Desk::start(control, changed).map_err(|error| error.to_string())?;
    let arguments = TenantsArguments { wiring, configurations: Arc::new(desk.clone()), accounts: accounts.clone() };
    let tenants = Arc::new(Tenants::start(arguments).await.map_err(|error| error.to_string())?);
    let told = tenants.clone();
    tokio::spawn(async move {
        while let Some(organisations) = changes.recv().await {
            for organisation in organisations {
                told.changed(&organisation).await;
            }
        }
    });
    Ok(Arc::new(Administration::new(desk, tenants, keys, rules, standing, control_plane)))
}

/// A core file would hold every credential that has been opened.
fn keep_no_core_file() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = setrlimit(Resource::Core, none);
    if let Err(error) = limited.and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable)) {
        tracing::warn!(%error, "a crash may leave a core file, with credentials in it");
    }
}

/// Writes down what is spent, some at a time.
async fn keep_books(gateway: Arc<Gateway>) {
    loop {
        gateway.accounts.spent().await;
        tokio::time::sleep(RECORD).await;
        if gateway.accounts.has_book() {
            let gateway = gateway.clone();
            let _ = tokio::task::spawn_blocking(move || gateway.accounts.write_down()).await;
        }
    }
}

/// What a person who has just started it wants to know.
fn greet(plane: &Plane, address: SocketAddr, config: &Config, notices: &[String]) {
    for notice in notices {
        tracing::warn!("{notice}");
    }
    let names: Vec<_> = config
        .providers
        .iter()
        .filter(|provider| !provider.opportunistic)
        .map(|provider| provider.name.as_str())
        .collect();
    let url = format!("{}://{address}", plane.scheme());
    let keys = match (config.auth.enabled, config.auth.keys.len()) {
        (true, _) if config.control_plane.is_some() => "client keys, and those of organisations".to_owned(),
        (true, 0) | (false, _) => "open: no client key is needed".to_owned(),
        (true, many) => format!("{many} client keys"),
    };
    tracing::info!(%url, providers = names.join(","), workers = config.server.workers, access = %keys, "prism is ready");
    let _ = std::io::stdout().flush();
}

/// SIGTERM and SIGINT.
struct StopSignal {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignal {
    fn listen() -> Result<Self, String> {
        let on = |kind| signal(kind).map_err(|error| format!("cannot listen to signals: {error}"));
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
