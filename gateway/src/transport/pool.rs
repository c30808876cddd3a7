//! Pooled HTTP/1.1 connections to one provider, a pool per core so that no request waits for a lock or a wake-up on
//! another core.
//!
//! HTTP/1.1 on purpose: one HTTP/2 connection per provider costs 14 % more CPU, is a bottleneck of one task and bounds
//! the number of streams.

use std::{
    cell::Cell,
    fs, io,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, pki_types::CertificateDer, pki_types::pem::PemObject,
};

use super::{
    SendFuture, Transport,
    connections::{Connect, Connections},
    connector::Connector,
};
use crate::{config::Provider, wire::Payload};

thread_local! {
    /// Which shard this thread uses; threads that are not data-plane cores share shard 0.
    static SHARD: Cell<usize> = const { Cell::new(0) };
}

/// Makes this thread use the pool shard of one data-plane core (0-based).
pub fn enter_core(core: usize) {
    SHARD.set(core + 1);
}

#[derive(Debug, thiserror::Error)]
pub enum TransportSetupError {
    #[error("cannot read `{path}`: {source}")]
    Read { path: String, source: io::Error },
    #[error("no PEM certificate in `{path}`")]
    NoCertificate { path: String },
    #[error("`{proxy}` is not a proxy URL")]
    Proxy { proxy: String },
}

/// The connections of one provider.
pub struct HttpTransport {
    shards: Box<[OnceLock<Pool>]>,
    maker: Maker,
}

/// What a shard's pool is made from on its first use.
struct Maker {
    tls: Option<Arc<ClientConfig>>,
    proxy: Option<http::Uri>,
    connect_timeout: Duration,
    idle_per_host: usize,
    /// To public addresses only.
    guarded: bool,
}

enum Pool {
    Plain(Arc<Connections<Connector>>),
    Tls(Arc<Connections<HttpsConnector<Connector>>>),
    Proxied(Arc<Connections<HttpsConnector<Tunnel<Connector>>>>),
}

impl HttpTransport {
    /// `cores` is the number of data-plane cores.
    ///
    /// # Errors
    /// When the CA file cannot be read or the proxy is no URL.
    pub fn new(provider: &Provider, cores: usize) -> Result<Self, TransportSetupError> {
        let proxy = provider
            .proxy
            .as_ref()
            .map(|proxy| proxy.parse().map_err(|_| TransportSetupError::Proxy { proxy: proxy.clone() }))
            .transpose()?;
        let secure = provider.base_url.starts_with("https:") || proxy.is_some();
        let tls = if secure { Some(client_tls(provider)?) } else { None };
        Ok(Self {
            shards: (0..=cores).map(|_| OnceLock::new()).collect(),
            maker: Maker {
                tls,
                proxy,
                connect_timeout: provider.timeouts.connect,
                idle_per_host: provider.conn_pool_size,
                guarded: provider.guarded,
            },
        })
    }
}

impl HttpTransport {
    /// Connections that belong to no provider, trusting a CA file beside Mozilla's roots.
    ///
    /// # Errors
    /// When the CA file cannot be read.
    pub fn beside(ca_file: Option<&Path>, connect_timeout: Duration) -> Result<Self, TransportSetupError> {
        let maker =
            Maker { tls: Some(trusting(ca_file)?), proxy: None, connect_timeout, idle_per_host: 1, guarded: false };
        Ok(Self { shards: [OnceLock::new()].into(), maker })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: http::Request<Payload>) -> SendFuture {
        let shard = SHARD.get().min(self.shards.len() - 1);
        match self.shards[shard].get_or_init(|| self.maker.pool()) {
            Pool::Plain(connections) => sending(connections, request),
            Pool::Tls(connections) => sending(connections, request),
            Pool::Proxied(connections) => sending(connections, request),
        }
    }
}

fn sending(connections: &Arc<Connections<impl Connect>>, request: http::Request<Payload>) -> SendFuture {
    let connections = connections.clone();
    Box::pin(async move { connections.send(request).await })
}

impl Maker {
    fn pool(&self) -> Pool {
        let tcp = Connector::new(self.connect_timeout, self.guarded);
        match (&self.tls, &self.proxy) {
            (None, _) => Pool::Plain(self.connections(tcp)),
            (Some(tls), None) => Pool::Tls(self.connections(https(tls, tcp))),
            (Some(tls), Some(proxy)) => Pool::Proxied(self.connections(https(tls, Tunnel::new(proxy.clone(), tcp)))),
        }
    }

    fn connections<C: Connect>(&self, connector: C) -> Arc<Connections<C>> {
        Arc::new(Connections::new(connector, self.idle_per_host))
    }
}

fn https<C>(tls: &Arc<ClientConfig>, connector: C) -> HttpsConnector<C> {
    HttpsConnectorBuilder::new()
        .with_tls_config((**tls).clone())
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector)
}

fn client_tls(provider: &Provider) -> Result<Arc<ClientConfig>, TransportSetupError> {
    if !provider.skip_tls {
        return trusting(provider.ca_file.as_deref());
    }
    let verifier = Arc::new(insecure::AnyCertificate);
    Ok(Arc::new(tls_builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()))
}

/// TLS as every client in the gateway begins it.
pub fn tls_builder() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
}

/// Trusts Mozilla's roots, plus those of a CA file.
///
/// # Errors
/// When the CA file cannot be read.
pub fn trusting(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TransportSetupError> {
    static COMMON: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let trusting = |roots| Arc::new(tls_builder().with_root_certificates(roots).with_no_client_auth());
    match ca_file {
        None => Ok(COMMON.get_or_init(|| trusting(mozillas())).clone()),
        Some(_) => Ok(trusting(roots(ca_file)?)),
    }
}

/// Mozilla's roots, plus those of a CA file.
///
/// # Errors
/// When the file cannot be read or holds none.
pub fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, TransportSetupError> {
    let mut roots = mozillas();
    let Some(path) = ca_file else { return Ok(roots) };
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|_| TransportSetupError::NoCertificate { path: path.display().to_string() })?;
    }
    Ok(roots)
}

fn mozillas() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// The PEM certificates in a file, at least one.
///
/// # Errors
/// When the file cannot be read or holds none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TransportSetupError> {
    let name = || path.display().to_string();
    let pem = fs::read(path).map_err(|source| TransportSetupError::Read { path: name(), source })?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(TransportSetupError::NoCertificate { path: name() }),
    }
}

/// `skip_tls: true`: the operator has said that this provider's certificate is not to be checked.
mod insecure {
    use rustls::{
        DigitallySignedStruct, Error, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::ring,
        pki_types::{CertificateDer, ServerName, UnixTime},
    };

    #[derive(Debug)]
    pub(super) struct AnyCertificate;

    impl ServerCertVerifier for AnyCertificate {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            ring::default_provider().signature_verification_algorithms.supported_schemes()
        }
    }
}
