//! Where connections come from: a socket of our own, or one that whoever started the process holds open (`LISTEN_FDS`, as
//! systemd and others have it).
//!
//! Two processes meet at one address when one follows the other. Nobody who has connected may be lost between them: an
//! inherited socket is one queue for both, and ours is closed only when its queue is empty and nothing more can come into it.

use std::{
    io,
    net::{self, SocketAddr},
    time::Duration,
};

use listenfd::ListenFd;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, timeout_at},
};

use crate::config::Server;

const BACKLOG: i32 = 4096;
/// Handshakes that have begun when the door is closed may end in this time: longer than a way around the world takes.
const HANDSHAKE: Duration = Duration::from_millis(150);
/// The queue is emptied for no longer than this, whatever still comes.
const LAST_CALL: Duration = Duration::from_secs(2);

/// A socket that listens.
pub struct Listener {
    socket: TcpListener,
    is_inherited: bool,
}

/// The sockets that the process was started with. Taken before any thread is started, since it clears the environment that
/// tells of them.
pub struct Inherited(ListenFd);

impl Inherited {
    pub fn take() -> Self {
        Self(ListenFd::from_env())
    }
}

impl Listener {
    /// Listens on the inherited socket if there is one, else on the configured address.
    ///
    /// # Errors
    /// When the address is taken or not ours, or what was inherited is no TCP socket that listens.
    pub fn open(mut inherited: Inherited, server: &Server) -> Result<Self, String> {
        let found = match inherited.0.len() {
            0 => None,
            1 => inherited.0.take_tcp_listener(0).map_err(|error| format!("the inherited socket: {error}"))?,
            many => return Err(format!("{many} sockets were inherited (`LISTEN_FDS`): the gateway listens on one")),
        };
        let address = SocketAddr::new(server.host, server.port);
        let is_inherited = found.is_some();
        let socket = match found {
            Some(socket) => adopt(socket).map_err(|error| format!("the inherited socket: {error}"))?,
            None => bind(address, server.reuse_port).map_err(|error| {
                format!("cannot listen on {address}: {error} (choose another port with `--port` or `server.port`)")
            })?,
        };
        Ok(Self { socket, is_inherited })
    }

    /// Listens on another address, beside the first.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub fn at(address: SocketAddr) -> Result<Self, String> {
        let socket = bind(address, false).map_err(|error| format!("cannot listen on {address}: {error}"))?;
        Ok(Self { socket, is_inherited: false })
    }

    /// # Errors
    /// When the socket has none.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The next connection.
    ///
    /// # Errors
    /// Those of the system; it can be tried again.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.socket.accept().await
    }

    /// Closes, after `last` has got every connection that its client believes to have.
    ///
    /// Those in the queue of an inherited socket are for whoever holds it.
    pub(super) async fn close(self, mut last: impl AsyncFnMut(TcpStream, SocketAddr)) {
        if self.is_inherited {
            return;
        }
        let refusing = refuse_more(&self.socket);
        if let Err(error) = &refusing {
            tracing::debug!(%error, "connections may still come into the queue that is being emptied");
        }
        let quiet = if refusing.is_ok() { HANDSHAKE } else { Duration::from_millis(1) };
        let until = Instant::now() + LAST_CALL;
        while let Ok(Ok((socket, peer))) = timeout_at(until.min(Instant::now() + quiet), self.socket.accept()).await {
            last(socket, peer).await;
        }
    }
}

fn adopt(socket: net::TcpListener) -> io::Result<TcpListener> {
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

fn bind(address: SocketAddr, reuse_port: bool) -> io::Result<TcpListener> {
    let domain = if address.is_ipv4() { socket2::Domain::IPV4 } else { socket2::Domain::IPV6 };
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    socket.set_reuse_address(true)?; // a restart need not wait for old connections to be forgotten
    socket.set_reuse_port(reuse_port)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    adopt(socket.into())
}

/// New connections are no longer answered: their clients ask again after a second, and find the next process or nobody.
/// Closing at once would reset those that have come into the queue since it was last looked at.
#[cfg(target_os = "linux")]
fn refuse_more(socket: &TcpListener) -> io::Result<()> {
    use socket2::{SockFilter, SockRef};
    // classic BPF over the TCP header: the byte with the flags; of SYN and ACK only SYN: drop, else keep all of it
    const NOTHING_THAT_BEGINS: &[SockFilter] = &[
        SockFilter::new(0x30, 0, 0, 13),       // ldb [13]
        SockFilter::new(0x54, 0, 0, 0x12),     // and #SYN|ACK
        SockFilter::new(0x15, 0, 1, 0x02),     // jeq #SYN, else skip one
        SockFilter::new(0x06, 0, 0, 0),        // ret #0
        SockFilter::new(0x06, 0, 0, u32::MAX), // ret #-1
    ];
    SockRef::from(socket).attach_filter(NOTHING_THAT_BEGINS)
}

#[cfg(not(target_os = "linux"))]
fn refuse_more(_: &TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;
    use crate::config;

    fn server(port: u16, reuse_port: bool) -> Server {
        let file = format!("server: {{port: {port}, reuse_port: {reuse_port}}}");
        config::parse(&file, "test.yaml", &|_| None).unwrap().server
    }

    fn open(port: u16, reuse_port: bool) -> Result<Listener, String> {
        Listener::open(Inherited(ListenFd::empty()), &server(port, reuse_port))
    }

    #[tokio::test]
    async fn an_address_is_one_processs_unless_both_say_otherwise() {
        let first = open(0, false).unwrap();
        let port = first.address().unwrap().port();
        assert!(open(port, false).is_err() && open(port, true).is_err());
        drop(first);
        let shared = open(port, true).unwrap();
        assert!(open(port, false).is_err());
        assert!(open(port, true).is_ok());
        drop(shared);
    }

    #[tokio::test]
    async fn who_waits_in_the_queue_is_taken_before_it_closes() {
        let listener = open(0, false).unwrap();
        let address = listener.address().unwrap();
        let mut waiting = Vec::new();
        for _ in 0..20 {
            waiting.push(TcpStream::connect(address).await.unwrap());
        }
        let mut taken = 0;
        listener.close(async |_, _| taken += 1).await;
        assert_eq!(taken, 20);
        assert!(TcpStream::connect(address).await.is_err());
    }
}
