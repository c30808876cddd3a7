//! TCP connections to providers: to wherever their names lead, or past the guard, to public addresses only.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use socket2::{SockRef, TcpKeepalive};
use tokio::{net::TcpStream, time::timeout};
use tower_service::Service;

use super::{BoxError, guard::GuardedConnector};

const KEEPALIVE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub(super) enum Connector {
    Open(HttpConnector),
    Guarded {
        guard: GuardedConnector,
        /// For name and connection together.
        patience: Duration,
    },
}

impl Connector {
    pub fn new(patience: Duration, guarded: bool) -> Self {
        if guarded {
            return Self::Guarded { guard: GuardedConnector::new(&[]), patience };
        }
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true); // without it a stream has a 40 ms mode (Nagle against delayed acknowledgements)
        tcp.set_connect_timeout(Some(patience));
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.enforce_http(false);
        Self::Open(tcp)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match self {
            Self::Open(tcp) => tcp.poll_ready(cx).map_err(Into::into),
            Self::Guarded { .. } => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match self {
            Self::Open(tcp) => {
                let connecting = tcp.call(uri);
                Box::pin(async move { Ok(connecting.await?) })
            }
            Self::Guarded { guard, patience } => {
                let (guard, patience) = (guard.clone(), *patience);
                Box::pin(async move {
                    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
                    let stream = timeout(patience, guard.connect(uri)).await.map_err(late)??;
                    stream.inner().set_nodelay(true)?;
                    SockRef::from(stream.inner()).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
                    Ok(stream)
                })
            }
        }
    }
}
