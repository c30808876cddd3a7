//! The actor that owns the route table. Requests read what it last published; it answers what the table cannot.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use indexmap::IndexMap;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use super::{Budgets, Route, RouteTable, Shared};
use crate::{config::Routing, provider::ProviderCore, telemetry::Metrics};

/// A name that nobody knows waits this long for model lists that are still being read.
const SETTLING: Duration = Duration::from_secs(3);

/// The table that requests read.
pub type Published = Arc<ArcSwap<RouteTable>>;

/// Where the dispatcher of the moment is reached: another one after a crash.
pub type Whereabouts = ArcSwapOption<ActorRef<DispatcherMessage>>;
pub type Address = Arc<Whereabouts>;

pub struct Dispatcher;

/// What it decides from: replaced as a whole on reload, handed to the next incarnation after a crash.
#[derive(Clone)]
pub struct Roster {
    pub providers: Vec<Arc<ProviderCore>>,
    pub aliases: IndexMap<String, String>,
    pub routing: Arc<Routing>,
    pub budgets: Arc<Budgets>,
    /// What an organisation may use besides; `None` for the file's own.
    pub shared: Option<Arc<Shared>>,
}

impl Roster {
    /// Its providers, then those shared ones that do not have the name of one of them.
    pub fn everybody(&self) -> Vec<Arc<ProviderCore>> {
        let mut all = self.providers.clone();
        if let Some(shared) = &self.shared {
            let is_new = |core: &&Arc<ProviderCore>| self.providers.iter().all(|own| own.name != core.name);
            all.extend(shared.cores().iter().filter(is_new).cloned());
        }
        all
    }

    /// Of a gateway that has not begun.
    pub fn empty() -> Self {
        let routing = Arc::new(Routing::default());
        let budgets = Arc::new(Budgets::of(&routing));
        Self { providers: Vec::new(), aliases: IndexMap::new(), routing, budgets, shared: None }
    }
}

pub struct DispatcherArguments {
    pub roster: Arc<ArcSwap<Roster>>,
    pub published: Published,
    pub metrics: Arc<Metrics>,
}

pub enum DispatcherMessage {
    /// The roster, or a provider's list of models, has changed.
    Publish,
    /// Answered when everything that was said before has been published.
    Published(RpcReplyPort<()>),
    /// A name that the table does not know while a list is still being read. At most `http`'s bound of these wait.
    Resolve { model: Box<str>, reply: RpcReplyPort<Option<Arc<Route>>> },
    /// Answers what has waited long enough.
    Expire,
}

pub struct DispatcherData {
    arguments: DispatcherArguments,
    waiting: Vec<Waiting>,
}

struct Waiting {
    model: Box<str>,
    until: Instant,
    reply: RpcReplyPort<Option<Arc<Route>>>,
}

impl Actor for Dispatcher {
    type Msg = DispatcherMessage;
    type State = DispatcherData;
    type Arguments = DispatcherArguments;

    async fn pre_start(
        &self,
        _: ActorRef<DispatcherMessage>,
        arguments: DispatcherArguments,
    ) -> Result<DispatcherData, ActorProcessingErr> {
        let mut data = DispatcherData { arguments, waiting: Vec::new() };
        data.publish();
        Ok(data)
    }

    async fn handle(
        &self,
        me: ActorRef<DispatcherMessage>,
        message: DispatcherMessage,
        data: &mut DispatcherData,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            DispatcherMessage::Publish => data.publish(),
            DispatcherMessage::Published(reply) => drop(reply.send(())),
            DispatcherMessage::Resolve { model, reply } => data.resolve(&me, model, reply, Instant::now()),
            DispatcherMessage::Expire => data.answer(Instant::now()),
        }
        Ok(())
    }
}

impl DispatcherData {
    fn publish(&mut self) {
        let DispatcherArguments { roster, published, metrics } = &self.arguments;
        let table = RouteTable::build(&roster.load(), metrics);
        published.store(Arc::new(table));
        self.answer(Instant::now());
    }

    fn resolve(
        &mut self,
        me: &ActorRef<DispatcherMessage>,
        model: Box<str>,
        reply: RpcReplyPort<Option<Arc<Route>>>,
        now: Instant,
    ) {
        self.waiting.push(Waiting { model, until: now + SETTLING, reply });
        me.send_after(SETTLING, || DispatcherMessage::Expire);
        self.answer(now);
    }

    /// Answers everyone whose model is known now, whose time is up, or for whom no list is left to wait for.
    fn answer(&mut self, now: Instant) {
        let table = self.arguments.published.load();
        let settled = !table.is_settling();
        for waiting in std::mem::take(&mut self.waiting) {
            let route = table.route(&waiting.model);
            if settled || route.is_some() || now >= waiting.until {
                let _ = waiting.reply.send(route);
            } else {
                self.waiting.push(waiting);
            }
        }
    }
}
