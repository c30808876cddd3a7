//! Under the routes: one listener, and a single-threaded runtime per core that owns the connections it was given.
//!
//! A request never leaves its core. The acceptor hands each socket to the core with the fewest connections, since
//! SO_REUSEPORT would pile few long-lived ones on one core and let a second instance share the port in silence.

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, SystemTime},
};

use axum::{Router, response::Response};
use hyper::{
    Request,
    body::Incoming,
    header::{CONNECTION, HeaderValue, TRANSFER_ENCODING},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::{heads::Watched, reply, status, tls::Certificates};
use crate::{
    config::Server,
    ids,
    refusal::{Cause, Refusal},
    transport::enter_core,
};

/// Accepted sockets that wait for a busy core; then the acceptor waits, and the kernel's queue after it.
const HAND_OVER: usize = 256;
const BACKLOG: i32 = 4096;
const MAX_HTTP2_STREAMS: u32 = 256;
const MAX_HEADERS: u32 = 64 << 10;
const HTTP2_PREFACE: &[u8] = b"PRI ";

/// The client's address, as the socket says it.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

/// How the data plane is told to stop.
#[derive(Clone)]
pub struct Shutdown {
    pub begun: CancellationToken,
    /// For streams that are running.
    pub grace: Duration,
}

/// The cores.
pub struct Plane {
    cores: Vec<Core>,
    tls: Option<Arc<Certificates>>,
}

struct Core {
    sockets: mpsc::Sender<Accepted>,
    connections: Arc<AtomicUsize>,
    thread: thread::JoinHandle<()>,
}

struct Accepted {
    socket: std::net::TcpStream,
    peer: SocketAddr,
    counted: Counted,
}

/// One connection in its core's count.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Plane {
    /// Starts `workers` threads.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(
        router: &Router,
        server: &Server,
        tls: Option<Arc<Certificates>>,
        shutdown: &Shutdown,
    ) -> io::Result<Self> {
        let worker = Worker::new(router, server, tls.as_ref(), shutdown);
        let cores = (0..server.workers)
            .map(|index| Core::start(format!("core-{index}"), worker.clone(), move || enter_core(index)));
        Ok(Self { cores: cores.collect::<io::Result<_>>()?, tls })
    }

    /// Starts one thread that is no core of the data plane, for another listener.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn beside(
        router: &Router,
        server: &Server,
        tls: Option<Arc<Certificates>>,
        shutdown: &Shutdown,
    ) -> io::Result<Self> {
        let worker = Worker::new(router, server, tls.as_ref(), shutdown);
        Ok(Self { cores: vec![Core::start("administration".to_owned(), worker, || {})?], tls })
    }

    /// Accepts until told to stop, then takes what the kernel has already accepted for us and closes the listener.
    pub async fn accept(&self, listener: TcpListener, stop: &CancellationToken) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((socket, peer)) => self.hand_over(socket, peer).await,
                // out of file descriptors, most likely: they come back as connections close
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        while let Ok(Ok((socket, peer))) = timeout(Duration::from_millis(1), listener.accept()).await {
            self.hand_over(socket, peer).await;
        }
    }

    async fn hand_over(&self, socket: TcpStream, peer: SocketAddr) {
        let idlest = self.cores.iter().min_by_key(|core| core.connections.load(Relaxed)).expect("at least one core");
        idlest.connections.fetch_add(1, Relaxed);
        let counted = Counted(idlest.connections.clone());
        let Ok(socket) = socket.into_std() else { return };
        let _ = idlest.sockets.send(Accepted { socket, peer, counted }).await;
    }

    /// Waits for the cores, which end when their connections have.
    pub fn join(self) {
        let Self { cores, .. } = self;
        let threads: Vec<_> = cores.into_iter().map(|core| core.thread).collect(); // drops the senders
        for thread in threads {
            let _ = thread.join();
        }
    }

    /// For the start-up message.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

impl Core {
    fn start(name: String, worker: Worker, enter: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (sockets, incoming) = mpsc::channel(HAND_OVER);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name(name).spawn(move || {
            enter();
            runtime.block_on(worker.run(incoming));
        })?;
        Ok(Self { sockets, connections: Arc::default(), thread })
    }
}

/// What one core's thread needs.
#[derive(Clone)]
struct Worker {
    router: Router,
    header_timeout: Duration,
    tls: Option<Arc<Certificates>>,
    shutdown: Shutdown,
}

impl Worker {
    fn new(router: &Router, server: &Server, tls: Option<&Arc<Certificates>>, shutdown: &Shutdown) -> Self {
        Self {
            router: router.clone(),
            header_timeout: server.header_timeout,
            tls: tls.cloned(),
            shutdown: shutdown.clone(),
        }
    }

    async fn run(self, mut incoming: mpsc::Receiver<Accepted>) {
        let graceful = GracefulShutdown::new();
        let shutdown = self.shutdown.clone();
        let this = Arc::new(self);
        while let Some(accepted) = incoming.recv().await {
            let Accepted { socket, peer, counted } = accepted;
            let Ok(socket) = TcpStream::from_std(socket) else { continue };
            let (this, watcher) = (this.clone(), graceful.watcher());
            tokio::spawn(async move {
                let _counted = counted;
                this.connection(socket, peer.ip(), watcher).await;
            });
        }
        // the senders are gone: the listener is closed
        let finished = graceful.shutdown();
        if timeout(shutdown.grace, finished).await.is_err() {
            tracing::warn!(grace_s = shutdown.grace.as_secs_f64(), "grace is over; cutting what still runs");
        }
    }

    async fn connection(&self, socket: TcpStream, peer: IpAddr, watcher: Watcher) {
        let _ = socket.set_nodelay(true); // without it a stream has a 40 ms mode
        let Some(tls) = &self.tls else {
            return match self.preface(&socket).await {
                Some(true) => self.http2(socket, peer, watcher).await,
                Some(false) => self.http1(socket, peer, watcher).await,
                None => {}
            };
        };
        let Ok(Ok(stream)) = timeout(self.header_timeout, tls.acceptor().accept(socket)).await else { return };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(stream, peer, watcher).await;
        } else {
            self.http1(stream, peer, watcher).await;
        }
    }

    /// Whether a plain connection begins as HTTP/2 with prior knowledge; `None` when nothing comes in time, or when the
    /// shutdown begins before anything has come.
    async fn preface(&self, socket: &TcpStream) -> Option<bool> {
        let mut start = [0; HTTP2_PREFACE.len()];
        let peek = async {
            loop {
                let seen = socket.peek(&mut start).await.ok()?;
                match &start[..seen] {
                    [] => return None,
                    whole if whole == HTTP2_PREFACE => return Some(true),
                    part if HTTP2_PREFACE.starts_with(part) => tokio::time::sleep(Duration::from_millis(5)).await,
                    _ => return Some(false),
                }
            }
        };
        tokio::select! {
            seen = timeout(self.header_timeout, peek) => seen.ok().flatten(),
            () = self.shutdown.begun.cancelled() => Some(false),
        }
    }

    async fn http1<S: AsyncRead + AsyncWrite + Unpin + 'static>(&self, stream: S, peer: IpAddr, watcher: Watcher) {
        let (stream, contradiction) = Watched::new(stream);
        let service = service_fn(|request| serve(self.router.clone(), request, peer, contradiction.seen()));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .serve_connection(TokioIo::new(stream), service);
        note(watcher.watch(connection).await);
    }

    async fn http2<S: AsyncRead + AsyncWrite + Unpin + 'static>(&self, stream: S, peer: IpAddr, watcher: Watcher) {
        let router = self.router.clone();
        let service = service_fn(move |request| serve(router.clone(), request, peer, false));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(30)))
            .max_concurrent_streams(MAX_HTTP2_STREAMS)
            .max_header_list_size(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        note(watcher.watch(connection).await);
    }
}

/// One request through the routes. `contradiction`: its connection has sent a head with two lengths.
async fn serve(
    mut router: Router,
    mut request: Request<Incoming>,
    peer: IpAddr,
    contradiction: bool,
) -> Result<Response, Infallible> {
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    request.extensions_mut().insert(Peer(peer));
    let mut response = if chunked && contradiction {
        let message = "the request has both `Content-Length` and `Transfer-Encoding`; send one of them";
        status::page(&Refusal::new(Cause::Invalid, message).code("contradicting_lengths"))
    } else {
        router.call(request).await?
    };
    let headers = response.headers_mut();
    if chunked {
        // whatever follows on this connection is not trusted to be a request
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if !headers.contains_key(reply::PRISM_REQUEST_ID)
        && let Ok(id) = HeaderValue::try_from(ids::request_id(SystemTime::now()))
    {
        headers.insert(reply::REQUEST_ID, id.clone());
        headers.insert(reply::PRISM_REQUEST_ID, id);
    }
    Ok(response)
}

fn note(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// Listens on the configured address.
///
/// # Errors
/// When the address is taken or not ours.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = if address.is_ipv4() { socket2::Domain::IPV4 } else { socket2::Domain::IPV6 };
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    socket.set_reuse_address(true)?; // a restart need not wait for old connections to be forgotten
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
