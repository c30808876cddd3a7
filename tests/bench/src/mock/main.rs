//! Imitates upstream LLM APIs on one loopback port. Answers are pre-built byte strings and bodies are scanned, not
//! parsed, so that it stays far cheaper than any gateway in front of it.
//!
//! Routes: POST `/v1/chat/completions`, `/v1/completions`, `/v1/embeddings`, `/v1/messages`; GET `/v1/models`;
//! GET and POST `/__mock/config`; GET `/__mock/stats`.
//!
//! Behaviour, later wins: flags (`--latency-ms 20`) < POST `/__mock/config` `{"latency_ms":20}` < model suffix
//! (`gpt@latency_ms=20,chunks=5`) < header (`x-mock: latency_ms=20,chunks=5`).

mod behaviour;
mod canned;
mod control;
mod serve;
mod state;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use behaviour::Behaviour;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

fn main() {
    let mut behaviour = Behaviour::default();
    let (mut port, mut workers) = (9100u16, 1usize);
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let key = flag.trim_start_matches("--").replace('-', "_");
        let value = args.next().unwrap_or_default();
        match key.as_str() {
            "port" => port = value.parse().expect("--port takes a port number"),
            "workers" => workers = value.parse().expect("--workers takes a count"),
            key => behaviour.set(key, &value).unwrap_or_else(|why| {
                eprintln!("mock-upstream: {why}");
                std::process::exit(2)
            }),
        }
    }
    state::install(behaviour);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .expect("a runtime needs only threads and an epoll handle")
        .block_on(accept(port, workers));
}

async fn accept(port: u16, workers: usize) {
    let addr = SocketAddr::from(([127, 0, 0, 1], port)); // loopback only, by construction
    let listener = listen(addr).unwrap_or_else(|why| {
        eprintln!("mock-upstream: cannot listen on {addr}: {why}");
        std::process::exit(2)
    });
    eprintln!("mock-upstream on http://{addr} ({workers} workers)");
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        state::shared().connections.fetch_add(1, Relaxed);
        let _ = connection.set_nodelay(true);
        tokio::spawn(answer(connection));
    }
}

async fn answer(connection: TcpStream) {
    // A second handle on the same socket, only to set SO_LINGER for an injected reset.
    let Ok(socket) = socket2::SockRef::from(&connection).try_clone() else { return };
    let socket = Arc::new(socket);
    let service = hyper::service::service_fn(move |request| serve::serve(request, socket.clone()));
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(1 << 20)
        .serve_connection(TokioIo::new(connection), service)
        .await;
}

/// A listener with a long backlog: load generators open hundreds of connections at once.
fn listen(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(4096)?;
    TcpListener::from_std(socket.into())
}
