//! The root of supervision: it owns the roster of providers and starts, replaces and removes their supervisors. There is
//! one for the providers of the file, and one for those of each organisation that is awake.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio_util::task::TaskTracker;

use super::{
    Address, Budgets, Dispatcher, DispatcherMessage, Published, Shared,
    dispatcher::{DispatcherArguments, Roster},
};
use crate::{
    config::{self, Config},
    memory::BodyMemory,
    provider::{ProviderCore, ProviderSupervisor, Supervised},
    telemetry::Metrics,
    transport::{HttpTransport, Transport, credentials, simulator::Simulator},
    usage::{PublisherMessage, Publishing, Settings, UsagePublisher},
    wire,
};

/// What a reload replaces takes calls for this long: by then the new table is published and the old one is out of hand.
const OVERLAP: Duration = Duration::from_secs(1);

pub struct Root;

/// What everything below the root is made with.
#[derive(Clone)]
pub struct Wiring {
    pub published: Published,
    pub metrics: Arc<Metrics>,
    pub tasks: TaskTracker,
    /// What the providers' whole answers draw on.
    pub memory: Arc<BodyMemory>,
    /// Data-plane cores, for the pools.
    pub cores: usize,
    /// Where the root's dispatcher is reached.
    pub dispatcher: Address,
    /// What the file's root offers and the others take.
    pub shared: Arc<Shared>,
    /// Whose providers these are; `None` for those of the file.
    pub organisation: Option<Arc<str>>,
    /// How usage events are published; `None` where there are none.
    pub publishing: Option<Publishing>,
}

pub enum RootMessage {
    /// A new configuration. The answer says what could not be set up; then nothing has changed.
    Apply(Arc<Config>, RpcReplyPort<Result<(), String>>),
    /// Nobody routes to these any more.
    Dismiss(Vec<Member>),
}

pub struct RootData {
    wiring: Wiring,
    roster: Arc<ArcSwap<Roster>>,
    dispatcher: ActorRef<DispatcherMessage>,
    members: HashMap<Site, Member>,
    /// Only where NATS is configured.
    publisher: Option<Publisher>,
}

/// The actor that publishes usage events, and what it was last told.
struct Publisher {
    actor: ActorRef<PublisherMessage>,
    settings: Box<Settings>,
}

/// A provider's name and its region, where it has one.
type Site = (Arc<str>, Option<String>);

/// A provider at one site, and who supervises its actor.
pub struct Member {
    core: Arc<ProviderCore>,
    supervisor: ActorCell,
}

impl Actor for Root {
    type Msg = RootMessage;
    type State = RootData;
    type Arguments = (Wiring, Arc<Config>);

    async fn pre_start(
        &self,
        me: ActorRef<RootMessage>,
        (wiring, config): Self::Arguments,
    ) -> Result<RootData, ActorProcessingErr> {
        let roster = Roster {
            providers: Vec::new(),
            aliases: config.model_map.clone(),
            routing: Arc::new(config.routing.clone()),
            budgets: Arc::new(Budgets::of(&config.routing)),
            shared: wiring.organisation.as_ref().map(|_| wiring.shared.clone()),
        };
        let roster = Arc::new(ArcSwap::from_pointee(roster));
        let dispatcher = start_dispatcher(&wiring, &roster, me.get_cell()).await?;
        if wiring.organisation.is_some() {
            wiring.shared.listen(&wiring.dispatcher);
        }
        let mut data = RootData { wiring, roster, dispatcher, members: HashMap::new(), publisher: None };
        data.apply(&me, &config).await.map_err(ActorProcessingErr::from)?;
        Ok(data)
    }

    async fn handle(
        &self,
        me: ActorRef<RootMessage>,
        message: RootMessage,
        data: &mut RootData,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RootMessage::Apply(config, reply) => drop(reply.send(data.apply(&me, &config).await)),
            RootMessage::Dismiss(members) => members.iter().for_each(dismiss),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<RootMessage>,
        event: SupervisionEvent,
        data: &mut RootData,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(who, error) = event {
            data.revive(&me, who.get_id(), &error).await;
        }
        Ok(())
    }
}

impl RootData {
    /// Providers whose configuration is the same keep their actor, pool and history; the others are made anew, and calls
    /// in flight on what they replace finish undisturbed.
    async fn apply(&mut self, me: &ActorRef<RootMessage>, config: &Config) -> Result<(), String> {
        let mut cores = Vec::with_capacity(config.providers.len());
        for provider in config.providers.iter().flat_map(config::Provider::sites) {
            let kept = self.members.get(&site(&provider)).filter(|member| *member.core.config == provider);
            cores.push(match kept {
                Some(member) => member.core.clone(),
                None => self.core(provider)?,
            });
        }
        let mut members = HashMap::with_capacity(cores.len());
        let mut leaving = Vec::new();
        for core in &cores {
            let site = site(&core.config);
            let member = match self.members.remove(&site) {
                Some(member) if Arc::ptr_eq(&member.core, core) => member,
                replaced => {
                    leaving.extend(replaced);
                    let supervisor = self.supervise(me, core).await.map_err(|error| error.to_string())?;
                    Member { core: core.clone(), supervisor }
                }
            };
            members.insert(site, member);
        }
        leaving.extend(std::mem::replace(&mut self.members, members).into_values());
        let mut budgets = self.roster.load().budgets.clone();
        if !budgets.fit(&config.routing) {
            budgets = Arc::new(Budgets::of(&config.routing));
        }
        let shared: Vec<_> = cores.iter().filter(|core| core.config.shared).cloned().collect();
        self.roster.store(Arc::new(Roster {
            providers: cores,
            aliases: config.model_map.clone(),
            routing: Arc::new(config.routing.clone()),
            budgets,
            shared: self.roster.load().shared.clone(),
        }));
        let _ = self.dispatcher.cast(DispatcherMessage::Publish);
        if self.wiring.organisation.is_none() {
            self.wiring.shared.offer(shared);
            self.publish(me, config).await.map_err(|error| error.to_string())?;
        }
        // requests that still hold the old table find its providers open
        me.send_after(OVERLAP, move || RootMessage::Dismiss(leaving));
        Ok(())
    }

    /// Usage events go where the configuration says.
    async fn publish(&mut self, me: &ActorRef<RootMessage>, config: &Config) -> Result<(), ActorProcessingErr> {
        let Some(publishing) = &self.wiring.publishing else { return Ok(()) };
        let settings = config.nats.as_ref().map(|nats| Settings::new(nats, &config.usage, &publishing.name));
        match (settings.map(Box::new), &mut self.publisher) {
            (Some(settings), Some(publisher)) => {
                publisher.settings.clone_from(&settings);
                let _ = publisher.actor.cast(PublisherMessage::Configure(settings));
            }
            (Some(settings), none) => {
                let arguments = (publishing.clone(), settings.clone());
                let (actor, _) = Actor::spawn_linked(None, UsagePublisher, arguments, me.get_cell()).await?;
                *none = Some(Publisher { actor, settings });
            }
            (None, Some(_)) => tracing::warn!("usage events still go to NATS: taking `nats` away needs a restart"),
            (None, None) => {}
        }
        Ok(())
    }

    fn core(&self, provider: config::Provider) -> Result<Arc<ProviderCore>, String> {
        let name = provider.name.clone();
        let format = wire::format(&provider.api_format)
            .ok_or_else(|| format!("providers.{name}: unknown wire format `{}`", provider.api_format))?;
        let transport: Arc<dyn Transport> = if provider.simulated {
            Arc::new(Simulator)
        } else {
            let made = HttpTransport::new(&provider, self.wiring.cores);
            Arc::new(made.map_err(|error| format!("providers.{name}: {error}"))?)
        };
        let authoriser = credentials::authoriser(&provider).map_err(|error| format!("providers.{name}: {error}"))?;
        let Wiring { metrics, memory, .. } = &self.wiring;
        Ok(ProviderCore::authorised(Arc::new(provider), format, transport, authoriser, metrics, memory.clone()))
    }

    async fn supervise(
        &self,
        me: &ActorRef<RootMessage>,
        core: &Arc<ProviderCore>,
    ) -> Result<ActorCell, ActorProcessingErr> {
        let dispatcher = self.wiring.dispatcher.clone();
        let shared = core.config.shared.then(|| self.wiring.shared.clone());
        let models_changed = move || {
            if let Some(dispatcher) = dispatcher.load().as_deref() {
                let _ = dispatcher.cast(DispatcherMessage::Publish);
            }
            if let Some(shared) = &shared {
                shared.changed();
            }
        };
        let supervised = Supervised {
            core: core.clone(),
            models_changed: Arc::new(models_changed),
            tasks: self.wiring.tasks.clone(),
            notices: self.wiring.publishing.as_ref().map(Publishing::notices),
        };
        let (supervisor, _) = Actor::spawn_linked(None, ProviderSupervisor, supervised, me.get_cell()).await?;
        Ok(supervisor.get_cell())
    }

    /// Whatever dies is started again with what it had.
    async fn revive(&mut self, me: &ActorRef<RootMessage>, who: ractor::ActorId, error: &ActorProcessingErr) {
        if who == self.dispatcher.get_id() {
            tracing::error!(%error, "dispatcher failed; restarting it");
            if let Ok(dispatcher) = start_dispatcher(&self.wiring, &self.roster, me.get_cell()).await {
                self.dispatcher = dispatcher;
            }
            return;
        }
        if let Some(Publisher { settings, .. }) = self.publisher.take_if(|publisher| publisher.actor.get_id() == who) {
            tracing::error!(%error, "the publisher of usage events failed; restarting it");
            let Some(publishing) = self.wiring.publishing.clone() else { return };
            let arguments = (publishing, settings.clone());
            if let Ok((actor, _)) = Actor::spawn_linked(None, UsagePublisher, arguments, me.get_cell()).await {
                self.publisher = Some(Publisher { actor, settings });
            }
            return;
        }
        let Some((site, member)) = self.members.iter().find(|(_, member)| member.supervisor.get_id() == who) else {
            return;
        };
        let (site, core) = (site.clone(), member.core.clone());
        tracing::error!(provider = %core.name, %error, "provider supervisor failed; restarting it");
        if let Ok(supervisor) = self.supervise(me, &core).await {
            self.members.insert(site, Member { core, supervisor });
        }
    }
}

fn site(provider: &config::Provider) -> Site {
    (provider.name.as_str().into(), provider.settings.region.clone())
}

async fn start_dispatcher(
    wiring: &Wiring,
    roster: &Arc<ArcSwap<Roster>>,
    root: ActorCell,
) -> Result<ActorRef<DispatcherMessage>, ActorProcessingErr> {
    let arguments = DispatcherArguments {
        roster: roster.clone(),
        published: wiring.published.clone(),
        metrics: wiring.metrics.clone(),
    };
    let (dispatcher, _) = Actor::spawn_linked(None, Dispatcher, arguments, root).await?;
    wiring.dispatcher.store(Some(Arc::new(dispatcher.clone())));
    Ok(dispatcher)
}

/// No new call; the actors stop, the calls in flight keep the core alive until they end.
fn dismiss(member: &Member) {
    member.core.drain();
    member.supervisor.stop(None);
}
