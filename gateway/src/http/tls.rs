//! The certificate at the door: read from files, and again when they have changed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::{config::Tls, transport::certificates};

/// What new connections are greeted with. Those that are open keep what they began with.
pub struct Certificates {
    files: Tls,
    current: ArcSwap<ServerConfig>,
    /// Of the files when they were last read, so that a broken pair is reported once.
    seen: Mutex<[u8; 32]>,
}

impl Certificates {
    /// # Errors
    /// What is wrong with the files.
    pub fn open(files: &Tls) -> Result<Arc<Self>, String> {
        let seen = Mutex::new(digest(files)); // before they are read: a change in between is seen later
        let current = ArcSwap::from_pointee(server_config(files)?);
        Ok(Arc::new(Self { files: files.clone(), current, seen }))
    }

    /// For one connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }

    /// Reads the files if they have changed, and says whether they had. What cannot be used changes nothing: a
    /// certificate whose key is still to be written, for instance.
    ///
    /// # Errors
    /// What is wrong with the files; once for each change of them.
    pub fn reload(&self) -> Result<bool, String> {
        let now = digest(&self.files);
        let before = std::mem::replace(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner), now);
        if now == before {
            return Ok(false);
        }
        self.current.store(Arc::new(server_config(&self.files)?));
        Ok(true)
    }

    /// Where a change of the files shows.
    pub fn folders(&self) -> impl Iterator<Item = PathBuf> + '_ {
        paths(&self.files).map(|path| match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        })
    }
}

fn paths(files: &Tls) -> impl Iterator<Item = &Path> {
    [Some(&files.cert_file), Some(&files.key_file), files.client_ca_file.as_ref()]
        .into_iter()
        .flatten()
        .map(|path| &**path)
}

fn digest(files: &Tls) -> [u8; 32] {
    let mut digest = Sha256::new();
    for path in paths(files) {
        let text = fs::read(path).unwrap_or_default();
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    digest.finalize().into()
}

/// TLS as configured, HTTP/2 and HTTP/1.1 by ALPN.
fn server_config(tls: &Tls) -> Result<ServerConfig, String> {
    let chain = certificates(&tls.cert_file).map_err(|error| format!("server.tls.cert_file: {error}"))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key_file)
        .map_err(|error| format!("server.tls.key_file: cannot read `{}`: {error}", tls.key_file.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions");
    let builder = match &tls.client_ca_file {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path).map_err(|error| format!("server.tls.client_ca_file: {error}"))? {
                roots.add(certificate).map_err(|error| format!("server.tls.client_ca_file: {error}"))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| format!("server.tls.client_ca_file: {error}"))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| format!("server.tls: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
