//! Restarts one provider's actor: at once, then with growing pauses.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio_util::task::TaskTracker;

use super::{Provider, ProviderCore, actor::ProviderArguments};
use crate::telemetry::Notices;

/// The pause before the second restart; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// An actor that lived this long starts with a clean slate.
const STABLE: Duration = Duration::from_secs(60);

pub struct ProviderSupervisor;

#[derive(Clone)]
pub struct Supervised {
    pub core: Arc<ProviderCore>,
    pub models_changed: Arc<dyn Fn() + Send + Sync>,
    pub tasks: TaskTracker,
    /// Who is told of changes; `None` where nobody listens.
    pub notices: Option<Notices>,
}

#[derive(Debug)]
pub enum SupervisorMessage {
    Restart,
}

pub struct SupervisorData {
    supervised: Supervised,
    restarts_in_a_row: u32,
    started: Instant,
}

impl Actor for ProviderSupervisor {
    type Msg = SupervisorMessage;
    type State = SupervisorData;
    type Arguments = Supervised;

    async fn pre_start(
        &self,
        me: ActorRef<SupervisorMessage>,
        supervised: Supervised,
    ) -> Result<SupervisorData, ActorProcessingErr> {
        start(&supervised, me.get_cell()).await?;
        Ok(SupervisorData { supervised, restarts_in_a_row: 0, started: Instant::now() })
    }

    async fn handle(
        &self,
        me: ActorRef<SupervisorMessage>,
        message: SupervisorMessage,
        data: &mut SupervisorData,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMessage::Restart => data.restart(&me).await,
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<SupervisorMessage>,
        event: SupervisionEvent,
        data: &mut SupervisorData,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(_, error) => data.bury(&me, &error).await,
            SupervisionEvent::ActorTerminated(..) if !data.supervised.core.is_draining() => {
                data.bury(&me, &ActorProcessingErr::from("stopped")).await;
            }
            _ => {}
        }
        Ok(())
    }
}

impl SupervisorData {
    async fn bury(&mut self, me: &ActorRef<SupervisorMessage>, error: &ActorProcessingErr) {
        let core = &self.supervised.core;
        core.stats.restarts.fetch_add(1, Relaxed);
        tracing::error!(provider = %core.name, %error, "provider actor failed; restarting it");
        if self.started.elapsed() >= STABLE {
            self.restarts_in_a_row = 0;
        }
        self.restarts_in_a_row += 1;
        match self.restarts_in_a_row {
            1 => self.restart(me).await,
            n => {
                let pause = (FIRST_PAUSE * 2_u32.pow((n - 2).min(16))).min(LONGEST_PAUSE);
                me.send_after(pause, || SupervisorMessage::Restart);
            }
        }
    }

    async fn restart(&mut self, me: &ActorRef<SupervisorMessage>) {
        self.started = Instant::now();
        if start(&self.supervised, me.get_cell()).await.is_err() {
            me.send_after(LONGEST_PAUSE, || SupervisorMessage::Restart);
        }
    }
}

async fn start(supervised: &Supervised, supervisor: ActorCell) -> Result<(), ActorProcessingErr> {
    let Supervised { core, models_changed, tasks, notices } = supervised.clone();
    let arguments = ProviderArguments { core, models_changed, tasks, notices };
    Actor::spawn_linked(None, Provider, arguments, supervisor).await?;
    Ok(())
}
