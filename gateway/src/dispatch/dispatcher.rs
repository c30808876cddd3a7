//! The actor that owns the route table. Requests read what it last published; it answers what the table cannot.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use indexmap::IndexMap;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use super::{Budgets, Route, RouteTable};
use crate::{config::Routing, provider::ProviderCore, telemetry::Metrics};

/// A name that nobody knows waits this long for model lists that are still being read.
const SETTLING: Duration = Duration::from_secs(3);

/// The table that requests read.
pub type Published = Arc<ArcSwap<RouteTable>>;

pub struct Dispatcher;

/// What it decides from: replaced as a whole on reload, handed to the next incarnation after a crash.
#[derive(Clone)]
pub struct Roster {
    pub providers: Vec<Arc<ProviderCore>>,
    pub aliases: IndexMap<String, String>,
    pub routing: Arc<Routing>,
    pub budgets: Arc<Budgets>,
}

impl Roster {
    /// Of a gateway that has not begun.
    pub fn empty() -> Self {
        let routing = Arc::new(Routing::default());
        let budgets = Arc::new(Budgets::of(&routing));
        Self { providers: Vec::new(), aliases: IndexMap::new(), routing, budgets }
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
