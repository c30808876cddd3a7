//! Usage events as the stream of all gateways has them.

use std::{convert::Infallible, time::Duration};

use tokio::time::sleep;

use crate::{
    config::{Nats, NatsServer},
    nats::{Connection, Extent, Playback, Servers, Trouble, extent},
    usage::USAGE,
};

/// As the server lists it.
const NAME: &str = "prism usage tail";
/// A connection that has ended is followed by another one so much later.
const PAUSE: Duration = Duration::from_secs(1);

/// How far the stream has been seen.
struct Seen {
    stream: Extent,
    next: u64,
}

/// Why a connection was given up.
enum Ended {
    Trouble(Trouble),
    NobodyLooks,
}

impl From<Trouble> for Ended {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// Gives every event to `see`, until that says `false`; over lost connections none twice, and none left out.
///
/// # Errors
/// When no server can be reached at the beginning.
pub(super) fn follow(
    nats: &Nats,
    stream: &str,
    from_the_beginning: bool,
    mut see: impl FnMut(&[u8]) -> bool,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let mut seen = None;
    runtime.block_on(async {
        let mut in_vain = 0;
        let mut servers = Servers::new(&nats.servers);
        loop {
            let watching = watch(&mut servers, nats, stream, from_the_beginning, &mut seen, &mut see);
            let Err(Ended::Trouble(trouble)) = watching.await else { return Ok(()) };
            in_vain += 1;
            let NatsServer { host, port } = servers.present();
            let said = format!("NATS: {host}:{port}: {trouble}");
            if seen.is_none() && in_vain >= nats.servers.len() {
                return Err(format!("{said} (`--store` reads what one gateway has not published yet)"));
            }
            if seen.is_some() {
                eprintln!("{said}; trying again");
            }
            servers.next();
            sleep(PAUSE).await;
        }
    })
}

/// One connection, to its end.
async fn watch(
    servers: &mut Servers,
    nats: &Nats,
    stream: &str,
    from_the_beginning: bool,
    seen: &mut Option<Seen>,
    see: &mut impl FnMut(&[u8]) -> bool,
) -> Result<Infallible, Ended> {
    let mut connection = Connection::open(servers.present(), nats, NAME).await?;
    servers.learn(connection.others());
    let there = extent(&mut connection, stream).await?;
    let begin = Seen { stream: there.clone(), next: if from_the_beginning { 1 } else { there.last + 1 } };
    let seen = seen.get_or_insert(begin);
    if seen.stream.created != there.created {
        *seen = Seen { stream: there, next: 1 }; // another one of the same name
    }
    let mut playback = Playback::begin(&mut connection, stream, USAGE, seen.next).await?;
    loop {
        let stored = playback.next(&mut connection).await?;
        seen.next = stored.sequence + 1;
        if !see(&stored.message.payload) {
            return Err(Ended::NobodyLooks);
        }
    }
}
