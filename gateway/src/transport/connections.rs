//! The connections of one core to one provider: those that wait for a request, and the making of new ones.
//!
//! hyper-util's pooled client can more (HTTP/2 above all), and pays for it with each request: a race between waiting and making that is
//! set up before the pool is looked at, and a task that waits for the answer's end. Here the answer's body gives its connection back.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, Uri,
    header::HOST,
    uri::{Authority, PathAndQuery, Scheme},
};
use http_body::{Body, Frame, SizeHint};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    rt::{Read, Write},
};
use tokio::{sync::oneshot, time::sleep};
use tower_service::Service;

use super::{BoxError, TransportError, UpstreamBody, chain};
use crate::wire::Payload;

/// An idle connection is closed before the 60 s after which most servers close it themselves.
const IDLE: Duration = Duration::from_secs(55);
/// How often those are looked for that have been idle for so long.
const SWEEP: Duration = Duration::from_secs(5);
/// Bytes that are read from a provider at once, and its head's longest: left to itself hyper comes to read 400 KB of one that
/// floods, and keeps its core for as long as that takes.
const READ: usize = 64 << 10;
/// Hosts that are remembered with nothing going on; a provider's answers may name some.
const QUIET_HOSTS: usize = 8;

type Sender = SendRequest<Payload>;

/// What makes connections.
pub(super) trait Connect:
    Service<Uri, Response: Read + Write + Unpin + Send + 'static, Error: Into<BoxError>, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<C> Connect for C where
    C: Service<Uri, Response: Read + Write + Unpin + Send + 'static, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

pub(super) struct Connections<C> {
    connector: C,
    /// Idle ones to one host at the most.
    most: usize,
    hosts: Mutex<Vec<Arc<Host>>>,
}

impl<C: Connect> Connections<C> {
    pub fn new(connector: C, most: usize) -> Self {
        Self { connector, most, hosts: Mutex::default() }
    }

    /// Sends a request on a connection that is idle, or on a new one.
    ///
    /// # Errors
    /// When no connection can be made, or it breaks before the head of the answer has come.
    pub async fn send(&self, mut request: Request<Payload>) -> Result<Response<UpstreamBody>, TransportError> {
        let host = self.host(&mut request)?;
        loop {
            let (mut sender, is_new) = match host.take() {
                Some(sender) => (sender, false),
                None => self.open(&host).await?,
            };
            match sender.try_send_request(request).await {
                Ok(response) => {
                    let body = |body| UpstreamBody::Socket(SocketBody::new(body, sender, host));
                    return Ok(response.map(body));
                }
                Err(mut error) => match error.take_message() {
                    // the provider has closed it while it was idle, and nothing of the request has gone
                    Some(unsent) if !is_new => request = unsent,
                    _ => return Err(TransportError::broken(&error.into_error())),
                },
            }
        }
    }

    /// Where a request goes; what is left of its address is the path.
    fn host(&self, request: &mut Request<Payload>) -> Result<Arc<Host>, TransportError> {
        let parts = std::mem::take(request.uri_mut()).into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(TransportError::Connect("the address names no host".into()));
        };
        *request.uri_mut() = Uri::from(parts.path_and_query.unwrap_or(PathAndQuery::from_static("/")));
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = hosts.iter().find(|host| host.authority == authority && host.scheme == scheme);
        let host = match known {
            Some(host) => host.clone(),
            None => {
                if hosts.len() >= QUIET_HOSTS {
                    hosts.retain(|host| Arc::strong_count(host) > 1 || !host.places().idle.is_empty());
                }
                let host = Host::new(scheme, authority, self.most)?;
                hosts.push(host.clone());
                host
            }
        };
        drop(hosts);
        request.headers_mut().entry(HOST).or_insert_with(|| host.header.clone());
        Ok(host)
    }

    /// A new connection, or one that has become idle meanwhile; and whether it is new.
    async fn open(&self, host: &Arc<Host>) -> Result<(Sender, bool), TransportError> {
        let given_back = host.wait();
        let mut making = Box::pin(make(self.connector.clone(), host.address()));
        tokio::select! {
            biased;
            Ok(sender) = given_back => {
                let host = host.clone();
                let for_somebody_else = async move { making.await.map(|sender| host.give_back(sender)) };
                tokio::spawn(for_somebody_else);
                Ok((sender, false))
            }
            made = &mut making => Ok((made?, true)),
        }
    }
}

async fn make(mut connector: impl Connect, address: Uri) -> Result<Sender, TransportError> {
    let failed = |error: BoxError| {
        let text = chain(&*error);
        if text.contains("timed out") || text.contains("deadline has elapsed") {
            TransportError::ConnectTimeout
        } else {
            TransportError::Connect(text)
        }
    };
    poll_fn(|cx| connector.poll_ready(cx)).await.map_err(|error| failed(error.into()))?;
    let io = connector.call(address).await.map_err(|error| failed(error.into()))?;
    let broken = |error: hyper::Error| TransportError::broken(&error);
    let (mut sender, connection) = http1::Builder::new().max_buf_size(READ).handshake(io).await.map_err(broken)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a provider ended");
        }
    });
    sender.ready().await.map_err(broken)?;
    Ok(sender)
}

/// One host that the provider is found at.
struct Host {
    scheme: Scheme,
    authority: Authority,
    /// Its name and port for `Host`, the port where it is not the scheme's own (RFC 9110 §7.2).
    header: HeaderValue,
    most: usize,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    /// With the sweep that each has become idle after. The last one in is the first one out, so that what is not needed grows old.
    idle: Vec<(Sender, u32)>,
    /// Requests for which a connection is being made.
    waiting: VecDeque<oneshot::Sender<Sender>>,
    sweeps: u32,
    is_swept: bool,
}

impl Host {
    fn new(scheme: Scheme, authority: Authority, most: usize) -> Result<Arc<Self>, TransportError> {
        let usual = if scheme == Scheme::HTTPS { 443 } else { 80 };
        let header = match authority.port_u16() {
            Some(port) if port != usual => format!("{}:{port}", authority.host()),
            _ => authority.host().to_owned(),
        };
        let header = HeaderValue::try_from(header).map_err(|error| TransportError::Connect(error.to_string()))?;
        Ok(Arc::new(Self { scheme, authority, header, most, places: Mutex::default() }))
    }

    fn address(&self) -> Uri {
        let whole = Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone()).path_and_query("/");
        whole.build().expect("scheme, authority and path are all there")
    }

    fn take(&self) -> Option<Sender> {
        let mut places = self.places();
        for at in (0..places.idle.len()).rev() {
            let sender = &places.idle[at].0;
            if sender.is_closed() {
                places.idle.remove(at);
            } else if sender.is_ready() {
                return Some(places.idle.remove(at).0);
            } // else it is at the end of an answer still
        }
        None
    }

    /// Whoever waits is given the next connection that becomes idle.
    fn wait(&self) -> oneshot::Receiver<Sender> {
        let (give, given) = oneshot::channel();
        let mut places = self.places();
        places.waiting.retain(|waiting| !waiting.is_closed());
        places.waiting.push_back(give);
        given
    }

    /// The answer on it has been read.
    fn give_back(self: &Arc<Self>, mut sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let mut places = self.places();
        while sender.is_ready()
            && let Some(waiting) = places.waiting.pop_front()
        {
            match waiting.send(sender) {
                Ok(()) => return,
                Err(unwanted) => sender = unwanted,
            }
        }
        if places.idle.len() < self.most {
            let since = places.sweeps;
            places.idle.push((sender, since));
            if !std::mem::replace(&mut places.is_swept, true) {
                tokio::spawn(sweep(Arc::downgrade(self)));
            }
        }
    }

    /// Closes those that nobody has needed for long; `false` when none is left.
    fn sweep(&self) -> bool {
        let mut places = self.places();
        places.sweeps += 1;
        let oldest = places.sweeps.saturating_sub((IDLE.as_secs() / SWEEP.as_secs()) as u32);
        places.idle.retain(|(sender, since)| *since >= oldest && !sender.is_closed());
        places.is_swept = !places.idle.is_empty();
        places.is_swept
    }

    /// Nothing panics while it holds the lock.
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sweep(host: Weak<Host>) {
    loop {
        sleep(SWEEP).await;
        if !host.upgrade().is_some_and(|host| host.sweep()) {
            return;
        }
    }
}

/// What comes on a connection, which serves again when this has been read to its end; dropped before, it ends the connection.
pub struct SocketBody {
    body: Incoming,
    /// `None` once it has been given back.
    connection: Option<(Sender, Arc<Host>)>,
}

impl SocketBody {
    fn new(body: Incoming, sender: Sender, host: Arc<Host>) -> Self {
        let mut this = Self { body, connection: Some((sender, host)) };
        this.end_if_read();
        this
    }

    fn end_if_read(&mut self) {
        if self.body.is_end_stream() {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Some((sender, host)) = self.connection.take() {
            host.give_back(sender);
        }
    }
}

impl Body for SocketBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match frame {
            None => self.end(),
            Some(Ok(_)) => self.end_if_read(),
            Some(Err(_)) => self.connection = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        io,
        sync::atomic::{AtomicUsize, Ordering::Relaxed},
    };

    use http_body_util::BodyExt;
    use hyper_util::rt::TokioIo;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        task::yield_now,
    };

    use super::*;

    /// A provider inside the process: each connection answers as often as `answers` says, then it is closed.
    #[derive(Clone)]
    struct Provider {
        connections: Arc<AtomicUsize>,
        /// Connections that can be made; later ones take for ever.
        most: usize,
        answers: usize,
        /// How much of an answer comes before the rest is waited for in vain.
        body: &'static str,
    }

    impl Provider {
        fn new(most: usize, answers: usize, body: &'static str) -> Self {
            Self { connections: Arc::default(), most, answers, body }
        }

        fn made(&self) -> usize {
            self.connections.load(Relaxed)
        }

        async fn serve(self, mut stream: DuplexStream) -> io::Result<()> {
            let mut seen = Vec::new();
            for _ in 0..self.answers {
                while !seen.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut seen).await? == 0 {
                        return Ok(());
                    }
                }
                seen.clear();
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
                stream.write_all(format!("{head}{}", self.body).as_bytes()).await?;
            }
            Ok(())
        }
    }

    impl Service<Uri> for Provider {
        type Response = TokioIo<DuplexStream>;
        type Error = io::Error;
        type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Uri) -> Self::Future {
            let this = self.clone();
            Box::pin(async move {
                if this.connections.fetch_add(1, Relaxed) >= this.most {
                    pending::<()>().await;
                }
                let (ours, theirs) = duplex(1 << 10);
                tokio::spawn(this.serve(theirs));
                Ok(TokioIo::new(ours))
            })
        }
    }

    fn request() -> Request<Payload> {
        let mut request = Request::new(Payload::default());
        *request.uri_mut() = Uri::from_static("http://provider.test:8080/v1/models");
        request
    }

    async fn text(response: Response<UpstreamBody>) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_connection_serves_one_request_after_the_other() {
        let provider = Provider::new(9, 9, "hello");
        let connections = Connections::new(provider.clone(), 4);
        for _ in 0..5 {
            assert_eq!(text(connections.send(request()).await.unwrap()).await, "hello");
        }
        assert_eq!(provider.made(), 1);
    }

    #[tokio::test]
    async fn one_that_was_closed_while_it_was_idle_costs_no_request() {
        let provider = Provider::new(9, 1, "hello");
        let connections = Connections::new(provider.clone(), 4);
        for made in 1..5 {
            assert_eq!(text(connections.send(request()).await.unwrap()).await, "hello");
            assert_eq!(provider.made(), made);
        }
    }

    #[tokio::test]
    async fn what_has_not_been_read_to_its_end_is_not_used_again() {
        let provider = Provider::new(9, 9, "hel");
        let connections = Connections::new(provider.clone(), 4);
        drop(connections.send(request()).await.unwrap());
        drop(connections.send(request()).await.unwrap());
        assert_eq!(provider.made(), 2);
    }

    #[tokio::test]
    async fn who_waits_for_a_new_one_takes_one_that_becomes_idle() {
        let provider = Provider::new(1, 9, "hello");
        let connections = Arc::new(Connections::new(provider.clone(), 4));
        let first = connections.send(request()).await.unwrap();
        let second = tokio::spawn({
            let connections = connections.clone();
            async move { text(connections.send(request()).await.unwrap()).await }
        });
        while provider.made() < 2 {
            yield_now().await;
        }
        assert_eq!((text(first).await, second.await.unwrap()), ("hello".into(), "hello".into()));
    }

    #[tokio::test]
    async fn no_more_are_kept_than_are_wanted() {
        let provider = Provider::new(9, 9, "hello");
        let connections = Connections::new(provider.clone(), 1);
        let (one, other) = (connections.send(request()).await.unwrap(), connections.send(request()).await.unwrap());
        assert_eq!((text(one).await, text(other).await), ("hello".into(), "hello".into()));
        let kept: usize = connections.hosts.lock().unwrap().iter().map(|host| host.places().idle.len()).sum();
        assert_eq!((provider.made(), kept), (2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_needs_is_closed_within_a_minute() {
        let provider = Provider::new(9, 9, "hello");
        let connections = Connections::new(provider.clone(), 4);
        let long = Duration::from_secs(50);
        for _ in 0..3 {
            assert_eq!(text(connections.send(request()).await.unwrap()).await, "hello");
            sleep(long).await; // one that is needed now and then stays
        }
        let idle = || connections.hosts.lock().unwrap()[0].places().idle.len();
        assert_eq!((provider.made(), idle()), (1, 1));
        sleep(Duration::from_secs(61) - long).await;
        assert_eq!(idle(), 0);
    }

    #[tokio::test]
    async fn hosts_with_nothing_going_on_are_forgotten() {
        let connections = Connections::new(Provider::new(99, 9, "hello"), 0);
        for number in 0..50 {
            let mut request = request();
            *request.uri_mut() = format!("http://{number}.provider.test/").parse().unwrap();
            text(connections.send(request).await.unwrap()).await;
        }
        assert!(connections.hosts.lock().unwrap().len() <= QUIET_HOSTS + 1);
    }

    #[test]
    fn the_port_is_named_where_it_is_not_the_usual_one() {
        let header = |scheme: &str, authority: &'static str| {
            Host::new(scheme.parse().unwrap(), Authority::from_static(authority), 1).unwrap().header.clone()
        };
        assert_eq!(header("https", "a.test:443"), "a.test");
        assert_eq!(header("http", "a.test:443"), "a.test:443");
        assert_eq!(header("http", "user@a.test"), "a.test");
        assert_eq!(header("https", "[::1]:8443"), "[::1]:8443");
    }
}
