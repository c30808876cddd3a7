//! Rate limits that several gateways have together: each tells the others what it has let in, and takes from its own buckets what
//! they have.
//!
//! Plain messages of NATS, which nobody keeps: what is a minute old is of no interest. No request waits for them. So the limit is
//! not exact among gateways, as it is in each: what `n` of them let in before they have heard of each other, some 10 ms, may
//! be up to `n` times what was left, and is missing in what follows. A gateway that begins, or that was cut off, counts from
//! what it knows itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::{sleep, sleep_until};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::limits::{Gossip, Said};
use crate::{
    admission::LeaseSettings,
    config::NatsServer,
    nats::{Connection, Pauses, Servers, Trouble},
};

/// News are gathered for so long, so that a burst is one message.
const LINGER: Duration = Duration::from_millis(5);
/// Bytes of a message.
const MESSAGE: usize = 64 << 10;
/// When so many bytes wait for the socket, news are lost instead of waiting, too.
const UNWRITTEN: usize = 1 << 20;
/// A server that lets nobody in there says so within this time.
const OBJECTION: Duration = Duration::from_millis(300);
/// Between two attempts to connect: the first, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Begins to share the rate limits of these accounts, whose times are counted from `born`, until it is told to stop.
pub fn share(
    settings: LeaseSettings,
    gossip: Arc<Gossip>,
    born: Instant,
    tasks: &TaskTracker,
    stop: CancellationToken,
) {
    let subject = format!("prism.rates.{}", settings.bucket.name);
    tasks.spawn(Sharing { settings, subject, gossip, born, stop }.run());
}

struct Sharing {
    settings: LeaseSettings,
    subject: String,
    gossip: Arc<Gossip>,
    born: Instant,
    stop: CancellationToken,
}

impl Sharing {
    async fn run(self) {
        let mut servers = Servers::new(&self.settings.nats.servers);
        let mut pauses = Pauses::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut has_warned = false;
        loop {
            let began = Instant::now();
            match self.session(&mut servers).await {
                Ok(()) => return,
                Err(trouble) => self.part(&servers, &trouble, &mut has_warned),
            }
            servers.next();
            tokio::select! {
                () = sleep(pauses.after(began.elapsed() > LONGEST_PAUSE)) => {}
                () = self.stop.cancelled() => return,
            }
            // nobody hears it
            self.gossip.tell(self.born.elapsed());
        }
    }

    /// Warns when they were in reach before, and once where they never were.
    fn part(&self, servers: &Servers, trouble: &Trouble, has_warned: &mut bool) {
        if self.gossip.heard_by_others(false) || !*has_warned {
            *has_warned = true;
            let NatsServer { host, port } = servers.present();
            let server = format_args!("{host}:{port}");
            tracing::warn!(%server, error = %trouble, "rate limits: the other gateways are out of reach; this one counts alone");
        }
    }

    /// One connection, from its beginning to its end.
    async fn session(&self, servers: &mut Servers) -> Result<(), Trouble> {
        let mut connection = Connection::open(servers.present(), &self.settings.nats, &self.settings.name).await?;
        servers.learn(connection.others());
        connection.subscribe(&self.subject);
        let accepted = Instant::now() + OBJECTION;
        let mut is_accepted = false;
        let mut due: Option<Instant> = None;
        loop {
            if connection.is_leaving() {
                return Err(Trouble::Leaving);
            }
            tokio::select! {
                message = connection.next() => {
                    let said = serde_json::from_slice::<Vec<Said>>(&message?.payload).unwrap_or_default();
                    said.iter().for_each(|said| self.gossip.hear(said));
                }
                () = sleep_until(accepted.into()), if !is_accepted => {
                    is_accepted = true;
                    self.gossip.heard_by_others(true);
                    tracing::info!(subject = %self.subject, "rate limits are shared with the other gateways");
                }
                () = self.gossip.spoken(), if due.is_none() => due = Some(Instant::now() + LINGER),
                () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => {
                    due = None;
                    self.tell(&mut connection);
                }
                () = self.stop.cancelled() => return Ok(()),
            }
        }
    }

    fn tell(&self, connection: &mut Connection) {
        let said = self.gossip.tell(self.born.elapsed());
        if connection.unwritten() > UNWRITTEN {
            return;
        }
        let mut message = String::new();
        for said in &said {
            message.push(if message.is_empty() { '[' } else { ',' });
            message += &serde_json::to_string(said).expect("texts and numbers");
            if message.len() >= MESSAGE {
                self.publish(connection, &mut message);
            }
        }
        self.publish(connection, &mut message);
    }

    fn publish(&self, connection: &mut Connection, message: &mut String) {
        if !message.is_empty() {
            message.push(']');
            connection.tell(&self.subject, message.as_bytes());
            message.clear();
        }
    }
}
