//! The floor in our own language: what a reverse proxy on hyper costs with next to nothing in it.
//!
//! - `floor-proxy --port 9201 --upstream 127.0.0.1:9100` passes through: no body is looked at.
//! - `--parse` adds the least that a gateway must do: read the JSON request, pick the upstream by model, swap the API
//!   key, and read usage out of the answer.

mod meter;
mod proxy;

use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use proxy::Proxy;

fn main() {
    let (mut port, mut upstream, mut parse, mut workers) = (9201u16, "127.0.0.1:9100".to_string(), false, 2usize);
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let mut value = || args.next().expect("every flag but --parse takes a value");
        match flag.as_str() {
            "--parse" => parse = true,
            "--port" => port = value().parse().expect("--port takes a port number"),
            "--upstream" => upstream = value(),
            "--workers" => workers = value().parse().expect("--workers takes a count"),
            _ => panic!("unknown flag {flag}"),
        }
    }
    let addr: SocketAddr = upstream.parse().expect("--upstream takes IP:PORT");
    assert!(addr.ip().is_loopback(), "loopback only");
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .expect("a runtime needs only threads and an epoll handle")
        .block_on(accept(port, Arc::new(Proxy::new(upstream, parse))));
}

async fn accept(port: u16, proxy: Arc<Proxy>) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        let _ = connection.set_nodelay(true);
        let proxy = proxy.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| proxy::handle(proxy.clone(), request));
            let _ =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}
