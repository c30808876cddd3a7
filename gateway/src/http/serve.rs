//! Under the routes: one listener, and a single-threaded runtime per core that owns the connections it was given.
//!
//! A request never leaves its core. The acceptor hands each socket to the core with the fewest connections, since
//! SO_REUSEPORT would pile few long-lived ones on one core and let a second instance share the port in silence.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::Poll,
    thread,
    time::{Duration, SystemTime},
};

use axum::response::Response;
use hyper::{
    Request, Version,
    body::Incoming,
    header::{CONNECTION, HeaderValue, TRANSFER_ENCODING},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Gateway, Listener,
    heads::{Seen, Watched},
    leftover::ReadToItsEnd,
    patience::Patience,
    reply,
    routes::Routes,
    status,
    tls::Certificates,
};
use crate::{
    config::Server,
    ids,
    refusal::{Cause, Refusal},
    transport::enter_core,
};

/// Accepted sockets that wait for a busy core; then the acceptor waits, and the kernel's queue after it.
const HAND_OVER: usize = 256;
/// Who has connected when the core closes may say what for in this time.
const FIRST_WORDS: Duration = Duration::from_secs(1);
const MAX_HTTP2_STREAMS: u32 = 256;
const MAX_HEADERS: u32 = 64 << 10;
const HTTP2_PREFACE: &[u8] = b"PRI ";
/// Bytes that the system takes for a client beyond what is on its way: left to itself it takes four megabytes of a stream that
/// nobody reads, each of them read from the provider, decoded, and thrown away in the end.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 << 10;

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
        gateway: &Arc<Gateway>,
        routes: &Routes,
        server: &Server,
        tls: Option<Arc<Certificates>>,
        shutdown: &Shutdown,
    ) -> io::Result<Self> {
        let cores = (0..server.workers).map(|index| {
            let worker = Worker::new(gateway, routes, server, tls.as_ref(), shutdown);
            Core::start(format!("core-{index}"), worker, move || enter_core(index))
        });
        Ok(Self { cores: cores.collect::<io::Result<_>>()?, tls })
    }

    /// Starts one thread that is no core of the data plane, for another listener.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn beside(
        gateway: &Arc<Gateway>,
        routes: &Routes,
        server: &Server,
        tls: Option<Arc<Certificates>>,
        shutdown: &Shutdown,
    ) -> io::Result<Self> {
        let worker = Worker::new(gateway, routes, server, tls.as_ref(), shutdown);
        Ok(Self { cores: vec![Core::start("administration".to_owned(), worker, || {})?], tls })
    }

    /// Accepts until told to stop, then takes who has come before the listener closes.
    pub async fn accept(&self, listener: Listener, stop: &CancellationToken) {
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
        listener.close(async |socket, peer| self.hand_over(socket, peer).await).await;
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
struct Worker {
    gateway: Arc<Gateway>,
    routes: Routes,
    header_timeout: Duration,
    /// Between two requests.
    idle_timeout: Duration,
    tls: Option<Arc<Certificates>>,
    shutdown: Shutdown,
    /// No connection will come any more.
    closing: CancellationToken,
}

impl Worker {
    fn new(
        gateway: &Arc<Gateway>,
        routes: &Routes,
        server: &Server,
        tls: Option<&Arc<Certificates>>,
        shutdown: &Shutdown,
    ) -> Self {
        Self {
            gateway: gateway.clone(),
            routes: routes.clone(),
            header_timeout: server.header_timeout,
            idle_timeout: server.idle_timeout,
            tls: tls.cloned(),
            shutdown: shutdown.clone(),
            closing: CancellationToken::new(),
        }
    }

    async fn run(self, mut incoming: mpsc::Receiver<Accepted>) {
        let (shutdown, connections) = (self.shutdown.clone(), TaskTracker::new());
        let this = Arc::new(self);
        while let Some(accepted) = incoming.recv().await {
            let Accepted { socket, peer, counted } = accepted;
            let Ok(socket) = TcpStream::from_std(socket) else { continue };
            let this = this.clone();
            connections.spawn(async move {
                let _counted = counted;
                this.connection(socket, peer.ip()).await;
            });
        }
        // the senders are gone: the listener is closed
        this.closing.cancel();
        connections.close();
        if timeout(shutdown.grace, connections.wait()).await.is_err() {
            tracing::warn!(grace_s = shutdown.grace.as_secs_f64(), "grace is over; cutting what still runs");
        }
    }

    /// What is not plain HTTP/1.1 has its state in a box: it is three times as large, and every connection would have room for it.
    async fn connection(self: &Arc<Self>, socket: TcpStream, peer: IpAddr) {
        let _ = socket.set_nodelay(true); // without it a stream has a 40 ms mode
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT);
        if let Some(tls) = &self.tls {
            return Box::pin(self.encrypted(tls, socket, peer)).await;
        }
        match self.preface(&socket).await {
            Some(true) => Box::pin(self.http2(socket, peer)).await,
            Some(false) => self.http1(socket, peer).await,
            None => {}
        }
    }

    async fn encrypted(self: &Arc<Self>, tls: &Certificates, socket: TcpStream, peer: IpAddr) {
        let Ok(Ok(stream)) = timeout(self.header_timeout, tls.acceptor().accept(socket)).await else { return };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(stream, peer).await;
        } else {
            self.http1(stream, peer).await;
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

    async fn http1<S: AsyncRead + AsyncWrite + Unpin + 'static>(&self, stream: S, peer: IpAddr) {
        let (stream, seen) = Watched::new(stream);
        let service = service_fn(|request| self.serve(request, peer, seen.contradiction()));
        let connection = http1::Builder::new()
            .timer(Patience::new(self.header_timeout, self.idle_timeout, seen.clone()))
            .header_read_timeout(self.header_timeout)
            .serve_connection(TokioIo::new(stream), service);
        note(self.drive(connection, &seen).await);
    }

    async fn http2<S: AsyncRead + AsyncWrite + Unpin + 'static>(self: &Arc<Self>, stream: S, peer: IpAddr) {
        let this = self.clone();
        let service = service_fn(move |request| {
            let this = this.clone();
            async move { this.serve(request, peer, false).await }
        });
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(30)))
            .max_concurrent_streams(MAX_HTTP2_STREAMS)
            .max_header_list_size(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let seen = Seen::default();
        seen.come(); // its preface, at least
        note(self.drive(connection, &seen).await);
    }

    /// Leads a connection to its end; when the core closes, to the end of what runs on it.
    async fn drive<C: GracefulConnection>(&self, connection: C, seen: &Seen) -> Result<(), C::Error> {
        let mut connection = pin!(connection);
        tokio::select! {
            biased;
            ended = &mut connection => return ended,
            () = self.closing.cancelled() => {}
        }
        // hyper closes a connection of which it has read nothing, although its client may have sent a request already
        let first_words = poll_fn(|cx| match connection.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if seen.anything() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        if let Ok(Some(ended)) = timeout(FIRST_WORDS, first_words).await {
            return ended;
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    }

    /// One request. `contradiction`: its connection has sent a head with two lengths.
    async fn serve(
        &self,
        mut request: Request<Incoming>,
        peer: IpAddr,
        contradiction: bool,
    ) -> Result<Response, Infallible> {
        let chunked = request.headers().contains_key(TRANSFER_ENCODING);
        let multiplexed = request.version() >= Version::HTTP_2;
        request.extensions_mut().insert(Peer(peer));
        let mut response = if chunked && contradiction {
            let message = "the request has both `Content-Length` and `Transfer-Encoding`; send one of them";
            status::page(&Refusal::new(Cause::Invalid, message).code("contradicting_lengths"))
        } else {
            self.routes.answer(request.map(ReadToItsEnd::new)).await
        };
        let headers = response.headers_mut();
        // whatever follows a chunked body is not trusted to be a request; and who is going asks his clients to go elsewhere
        // before he closes what they may be about to use
        if chunked || (self.gateway.phase.is_draining() && !multiplexed) {
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
}

fn note(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}
