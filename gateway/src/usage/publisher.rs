//! The actor that keeps the publishing going: it owns the task that does it, and starts it again.

use std::{
    fmt,
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{
    Settings, Standing,
    analytics::{Analytics, Counting},
    delivery::{Delivery, Orders},
    lane::CONSUMER,
};
use crate::{
    spool::Spool,
    telemetry::{Gauges, Notices},
};

/// A task that has panicked is started again so much later.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// What the process knows of its publishing: it is there before the actor, and after it.
#[derive(Clone)]
pub struct Publishing {
    pub spool: Arc<Spool>,
    pub standing: Arc<Standing>,
    pub analytics: Arc<Analytics>,
    /// The stream that takes the events; `None` while none does.
    taken: watch::Sender<Option<Settings>>,
    /// The gateway's name, in events and where NATS lists its clients.
    pub name: Arc<str>,
    flush: CancellationToken,
    tasks: TaskTracker,
}

impl fmt::Debug for Publishing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publishing").field("standing", &self.standing).finish_non_exhaustive()
    }
}

impl Publishing {
    /// Of a gateway of that name. What is counted is kept in `folder`, for so long.
    pub fn new(spool: Arc<Spool>, name: &str, folder: PathBuf, max_age: Duration) -> Self {
        let (standing, taken) = (Arc::<Standing>::default(), watch::Sender::new(None));
        let analytics = Analytics::new(folder, max_age, standing.clone());
        let (flush, tasks) = (CancellationToken::new(), TaskTracker::new());
        Self { spool, standing, analytics, taken, name: name.into(), flush, tasks }
    }

    /// What counts the events wherever they are; to be run.
    pub fn counting(&self) -> Counting {
        Counting::new(self.analytics.clone(), self.spool.clone(), self.taken.subscribe())
    }

    /// Where what is not about requests goes.
    pub fn notices(&self) -> Notices {
        Notices::new(self.spool.clone(), self.name.clone())
    }

    /// Whether it has ever been begun: NATS is configured.
    pub fn is_begun(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Publishes what is left, at most for so long; what is not acknowledged then stays in the spool.
    pub async fn flush(&self, most: Duration) {
        self.flush.cancel();
        self.tasks.close();
        if tokio::time::timeout(most, self.tasks.wait()).await.is_err() {
            tracing::warn!("NATS has not taken every usage event; the rest waits in the spool for the next start");
        }
    }

    /// What is not as it should be, for people; nothing of it keeps requests from being served.
    pub fn worries(&self) -> Vec<String> {
        let state = self.spool.state();
        let mut worries = Vec::new();
        if self.is_begun() && !self.standing.is_connected() {
            worries.push(format!("NATS is not there, usage events wait in the spool: {}", self.standing.said()));
        }
        if state.is_failing() {
            worries.push("the disk takes no usage events".to_owned());
        }
        if state.is_full() {
            worries.push("the usage spool is full".to_owned());
        }
        worries
    }

    /// Shows what a scrape wants to know.
    pub fn show(&self, gauges: &Gauges) {
        let state = self.spool.state();
        gauges.show_level("prism_usage_spool_bytes", "Bytes of usage events on disk.", state.size());
        gauges.show_total("prism_usage_spool_written_total", "Records written to the spool.", state.written());
        gauges.show_total("prism_usage_spool_dropped_total", "Records given up for want of room.", state.dropped());
        gauges.show_level(
            "prism_usage_spool_refusing",
            "Whether requests are refused because their events cannot be kept.",
            u64::from(state.refuses()),
        );
        if self.is_begun() {
            self.show_nats(gauges);
        }
    }

    fn show_nats(&self, gauges: &Gauges) {
        let standing = &self.standing;
        let connected = u64::from(standing.is_connected());
        gauges.show_level("prism_nats_connected", "Whether NATS takes usage events.", connected);
        let behind = self.spool.logs().iter().map(|log| log.backlog(CONSUMER)).sum();
        gauges.show_level("prism_nats_behind_bytes", "Bytes of the spool that are not acknowledged.", behind);
        let age = standing.oldest().map_or(Duration::ZERO, |millis| {
            let since = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
            since.elapsed().unwrap_or_default()
        });
        let help = "How old the oldest record is that is not acknowledged.";
        gauges.show_seconds("prism_nats_behind_seconds", help, age.as_secs_f64());
        for (name, help, value) in [
            ("prism_nats_published_total", "Records sent, repetitions included.", standing.published()),
            ("prism_nats_acknowledged_total", "Records that the stream has stored.", standing.acknowledged()),
            ("prism_nats_resent_total", "Records sent once more.", standing.resent()),
            ("prism_nats_duplicates_total", "Records that the stream had already.", standing.duplicates()),
            ("prism_nats_unreadable_total", "Records that were no events.", standing.unreadable()),
        ] {
            gauges.show_total(name, help, value);
        }
    }
}

/// Keeps the usage events flowing; its child is a task, for it waits for the network.
pub struct UsagePublisher;

#[derive(Debug)]
pub enum PublisherMessage {
    /// What is configured now.
    Configure(Box<Settings>),
    /// The task of that generation has panicked.
    Panicked(u64),
    /// Time to start it again, unless another is there.
    Restart(u64),
}

pub struct PublisherData {
    publishing: Publishing,
    settings: Box<Settings>,
    generation: u64,
    running: Option<JoinHandle<()>>,
    /// Ends the task, with the actor at the latest.
    leave: DropGuard,
}

impl Actor for UsagePublisher {
    type Msg = PublisherMessage;
    type State = PublisherData;
    type Arguments = (Publishing, Box<Settings>);

    async fn pre_start(
        &self,
        me: ActorRef<PublisherMessage>,
        (publishing, settings): Self::Arguments,
    ) -> Result<PublisherData, ActorProcessingErr> {
        let leave = CancellationToken::new().drop_guard();
        let mut data = PublisherData { publishing, settings, generation: 0, running: None, leave };
        data.start(&me);
        Ok(data)
    }

    async fn handle(
        &self,
        me: ActorRef<PublisherMessage>,
        message: PublisherMessage,
        data: &mut PublisherData,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PublisherMessage::Configure(settings) => data.configure(&me, settings),
            PublisherMessage::Panicked(generation) => {
                me.send_after(AFTER_PANIC, move || PublisherMessage::Restart(generation));
            }
            PublisherMessage::Restart(generation) if generation == data.generation => data.start(&me),
            PublisherMessage::Restart(_) => {}
        }
        Ok(())
    }
}

impl PublisherData {
    fn configure(&mut self, me: &ActorRef<PublisherMessage>, settings: Box<Settings>) {
        if settings != self.settings {
            self.settings = settings;
            self.start(me);
        }
    }

    /// The task before it, if there is one, is told to leave and waited for: two would send everything twice.
    fn start(&mut self, me: &ActorRef<PublisherMessage>) {
        self.generation += 1;
        let leave = CancellationToken::new();
        self.leave = leave.clone().drop_guard(); // drops, and thereby ends, the one before
        let Publishing { spool, standing, analytics, taken, flush, tasks, .. } = self.publishing.clone();
        let (orders, settings) = (Orders { leave, flush }, (*self.settings).clone());
        taken.send_if_modified(|taken| taken.replace(settings.clone()).as_ref() != Some(&settings));
        let delivery = Delivery { spool, analytics, settings, standing, orders };
        let (me, generation, before) = (me.clone(), self.generation, self.running.take());
        self.running = Some(tasks.spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            if AssertUnwindSafe(delivery.run()).catch_unwind().await.is_err() {
                tracing::error!("publishing usage events has panicked; starting it again");
                let _ = me.cast(PublisherMessage::Panicked(generation));
            }
        }));
    }
}
