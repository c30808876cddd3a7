//! The task that carries records from the spool to JetStream.
//!
//! It publishes ahead of the acknowledgements, within a window, and writes down only what everything before it is acknowledged. On
//! the first thing that goes wrong it drops the connection and all that was under way, and begins again from what is written
//! down: what had arrived all the same is recognised by its id, or found in the stream (`doubt`).

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use tokio::{
    sync::watch,
    time::{sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{SUBJECTS, Standing, analytics::Analytics, doubt, lane::Lane, published, subject::Subject, window::Window};
use crate::{
    config::{Nats, NatsServer, Usage},
    nats::{self, Connection, Message, Pauses, Servers, StreamSettings, Trouble},
    spool::Spool,
};

/// Records under way at once.
const WINDOW: usize = 2048;
/// Bytes that wait for the socket: no more is read while there are so many.
const UNWRITTEN: usize = 512 << 10;
/// Events are gathered for so long, so that one read and one write serve many.
const LINGER: Duration = Duration::from_millis(20);
/// An acknowledgement that takes longer does not come.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many bytes done with are written down before the window is empty.
const OWED: u64 = 128 << 10;
/// Between two attempts to connect: the first, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A connection that is just being made has so long, when the process ends, to be there.
const LAST_CHANCE: Duration = Duration::from_secs(1);

/// Where and how events are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub nats: Nats,
    pub stream: StreamSettings,
    /// The gateway's name, as the server lists it.
    pub name: String,
}

impl Settings {
    pub fn new(nats: &Nats, usage: &Usage, name: &str) -> Self {
        let stream = StreamSettings {
            name: usage.stream.clone(),
            subjects: SUBJECTS.to_vec(),
            replicas: usage.replicas,
            dedup_window: usage.dedup_window,
            max_age: usage.max_age,
        };
        Self { nats: nats.clone(), stream, name: name.to_owned() }
    }
}

/// How it is told to end.
#[derive(Debug, Clone, Default)]
pub(super) struct Orders {
    /// At once; the rest stays in the spool.
    pub leave: CancellationToken,
    /// When everything is acknowledged, or NATS is not there.
    pub flush: CancellationToken,
}

/// Why a session ended without trouble.
enum Ended {
    Told,
    /// A log has been inherited, which begins with its own doubts.
    Anew,
}

pub(super) struct Delivery {
    pub spool: Arc<Spool>,
    /// Counts from the stream what goes there; what it has counted already it has to be told before.
    pub analytics: Arc<Analytics>,
    pub settings: Settings,
    pub standing: Arc<Standing>,
    pub orders: Orders,
}

impl Delivery {
    /// Runs until it is told to end.
    pub async fn run(self) {
        let mut lanes = Vec::new();
        let mut servers = Servers::new(&self.settings.nats.servers);
        let mut pauses = Pauses::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let began = self.standing.acknowledged();
            match self.session(&mut lanes, &mut servers).await {
                Ok(Ended::Told) => break,
                Ok(Ended::Anew) => continue,
                Err(trouble) => self.tell(&servers, &trouble),
            }
            servers.next();
            tokio::select! {
                () = sleep(pauses.after(self.standing.acknowledged() > began)) => {}
                () = self.orders.leave.cancelled() => break,
                () = self.orders.flush.cancelled() => break,
            }
        }
    }

    /// Told to flush, and for so long no connection.
    async fn flushed_in_vain(&self) {
        self.orders.flush.cancelled().await;
        sleep(LAST_CHANCE).await;
    }

    fn tell(&self, servers: &Servers, trouble: &Trouble) {
        let NatsServer { host, port } = servers.present();
        if self.standing.troubled(format!("{host}:{port}: {trouble}")) {
            tracing::warn!(server = %format_args!("{host}:{port}"), error = %trouble, "NATS: usage events wait in the spool");
        }
    }

    /// One connection, from its beginning to its end.
    async fn session(&self, lanes: &mut Vec<Lane>, servers: &mut Servers) -> Result<Ended, Trouble> {
        let more_logs = self.spool.more_logs();
        self.open_lanes(lanes).await?;
        let connection = tokio::select! {
            prepared = self.prepare(lanes, servers) => prepared?,
            () = self.orders.leave.cancelled() => return Ok(Ended::Told),
            () = self.flushed_in_vain() => return Ok(Ended::Told),
        };
        UnderWay { delivery: self, connection, lanes, more_logs, window: Window::default(), is_behind: false }
            .run()
            .await
    }

    /// A lane for each log that may have something; those that are done with go, their folders with them.
    async fn open_lanes(&self, lanes: &mut Vec<Lane>) -> Result<(), Trouble> {
        let logs = self.spool.logs();
        lanes.retain(|lane| logs.iter().any(|log| Arc::ptr_eq(log, lane.log())));
        for log in &logs {
            if !lanes.iter().any(|lane| Arc::ptr_eq(log, lane.log())) {
                self.analytics.hand_over(log).await.map_err(|error| Trouble::Setup(error.to_string()))?;
                lanes.push(Lane::open(log).map_err(cannot_read)?);
            }
        }
        self.show_oldest(lanes).await
    }

    /// While nothing is sent, how old the oldest record is has to be looked up.
    async fn show_oldest(&self, lanes: &mut [Lane]) -> Result<(), Trouble> {
        let mut oldest = 0;
        for lane in lanes {
            lane.rewind();
            if let Some(first) = lane.read().await.map_err(cannot_read)?.first() {
                oldest = if oldest == 0 { first.millis } else { first.millis.min(oldest) };
            }
            lane.rewind();
        }
        self.standing.oldest.store(oldest, Relaxed);
        Ok(())
    }

    /// Connected, the stream there, and every doubt settled.
    async fn prepare(&self, lanes: &mut [Lane], servers: &mut Servers) -> Result<Connection, Trouble> {
        let Settings { nats, stream, name } = &self.settings;
        let mut connection = Connection::open(servers.present(), nats, name).await?;
        servers.learn(connection.others());
        let found = nats::stream(&mut connection, stream).await?;
        let was_away = !self.standing.is_connected();
        for lane in lanes {
            doubt::settle(&mut connection, &stream.name, lane, found.dedup_window).await?;
        }
        self.standing.connected(connection.server());
        if was_away {
            let (server, stream, is_new) = (connection.server(), &stream.name, found.is_new);
            tracing::info!(%server, %stream, is_new, "NATS: usage events are published");
            if !found.differences.is_empty() {
                let differences = found.differences.join(", ");
                tracing::warn!(%stream, %differences, "the stream is not as configured; it is used as it is");
            }
        }
        Ok(connection)
    }
}

/// A disk that cannot be read is as much a reason to wait as a server that is not there.
fn cannot_read(error: std::io::Error) -> Trouble {
    Trouble::Setup(format!("the spool cannot be read: {error}"))
}

struct UnderWay<'a> {
    delivery: &'a Delivery,
    connection: Connection,
    lanes: &'a mut Vec<Lane>,
    more_logs: watch::Receiver<()>,
    window: Window,
    /// The last read left something: nothing is gained by gathering.
    is_behind: bool,
}

impl UnderWay<'_> {
    async fn run(&mut self) -> Result<Ended, Trouble> {
        let Orders { leave, flush } = self.delivery.orders.clone();
        let mut sent = Instant::now() - LINGER;
        loop {
            let is_flushing = flush.is_cancelled();
            while let Some(message) = self.connection.ready()? {
                self.acknowledged(&message)?;
            }
            self.settle().await?;
            if self.connection.is_leaving() {
                return Err(Trouble::Leaving);
            }
            let has_room = self.window.len() < WINDOW && self.connection.unwritten() < UNWRITTEN;
            let due = self.lanes.iter().position(|lane| lane.has_room() && !lane.is_at_end()).filter(|_| has_room);
            let next = if self.is_behind { sent } else { sent + LINGER };
            if let Some(lane) = due.filter(|_| next <= Instant::now()) {
                sent = Instant::now();
                self.send(lane).await?;
                self.is_behind = self.lanes.iter().any(|lane| !lane.is_at_end());
            } else if is_flushing && self.lanes.iter().all(Lane::is_done) {
                return Ok(Ended::Told);
            }
            let oldest = self.window.oldest();
            let (connection, own) = (&mut self.connection, &mut self.lanes[0]);
            // Each condition holds since the top of the loop: asked again here, what has come meanwhile would wake nobody.
            let message = tokio::select! {
                biased; // what was published is written before more is read
                message = connection.next() => Some(message?),
                () = own.ready(), if due.is_none() && has_room && own.has_room() => None,
                () = sleep_until(next.into()), if due.is_some() => None,
                () = sleep_until((oldest.unwrap_or(sent) + PATIENCE).into()), if oldest.is_some() => {
                    return Err(Trouble::Silent);
                }
                Ok(()) = self.more_logs.changed() => return Ok(Ended::Anew),
                () = leave.cancelled() => return Ok(Ended::Told),
                () = flush.cancelled(), if !is_flushing => None,
            };
            if let Some(message) = message {
                self.acknowledged(&message)?;
            }
        }
    }

    /// Reads on in a lane, writing down on the way what is done with, and publishes what is not held already.
    async fn send(&mut self, at: usize) -> Result<(), Trouble> {
        let records = self.lanes[at].read().await.map_err(cannot_read)?;
        let (standing, now) = (&self.delivery.standing, Instant::now());
        for record in records {
            let lane = &mut self.lanes[at];
            let named = Subject::of(record.kind, &record.bytes);
            let (Some(Subject { subject, id }), Some(event)) = (named, published(record.kind, &record.bytes)) else {
                tracing::error!(kind = ?record.kind, position = record.end, "a record of the spool is no event; passed over");
                standing.unreadable.fetch_add(1, Relaxed);
                self.window.passed(at, record.end);
                continue;
            };
            if lane.held.remove(&id) {
                standing.duplicates.fetch_add(1, Relaxed);
                self.window.passed(at, record.end);
                continue;
            }
            if lane.sends(record.end) {
                standing.resent.fetch_add(1, Relaxed);
            }
            standing.published.fetch_add(1, Relaxed);
            let number = self.connection.publish(&subject, &[("Nats-Msg-Id", &id)], &event);
            self.window.sent(number, at, record.end, record.millis, now);
        }
        Ok(())
    }

    fn acknowledged(&mut self, message: &Message) -> Result<(), Trouble> {
        let Some(number) = self.connection.number(message) else { return Ok(()) };
        let ack = nats::acknowledged(message)?;
        if self.window.acknowledged(number) {
            let standing = &self.delivery.standing;
            standing.acknowledged.fetch_add(1, Relaxed);
            standing.duplicates.fetch_add(u64::from(ack.duplicate), Relaxed);
        }
        Ok(())
    }

    /// Takes what is settled out of the window, and writes it down when it is much or nothing else is under way.
    async fn settle(&mut self) -> Result<(), Trouble> {
        while let Some((lane, end)) = self.window.settled() {
            self.lanes[lane].acknowledged(end);
        }
        if self.window.is_empty() {
            self.lanes.iter_mut().for_each(Lane::settle);
        }
        self.delivery.standing.oldest.store(self.window.oldest_millis().unwrap_or(0), Relaxed);
        let least = if self.window.is_empty() { 1 } else { OWED };
        for lane in self.lanes.iter_mut().filter(|lane| lane.owes() >= least) {
            lane.release().await.map_err(cannot_read)?;
        }
        Ok(())
    }
}
