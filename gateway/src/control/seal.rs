//! Authenticated encryption of one secret: a key of its own, wrapped by the master key, and bound to where it belongs.
//!
//! XChaCha20-Poly1305 twice, with random nonces, which its 24 bytes allow. What is sealed for one place (an
//! organisation's provider's field) opens nowhere else: a record that is moved is a record that is broken.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use zeroize::Zeroizing;

use super::master_key::{MasterKey, MasterKeyId, MasterKeys, random};
use crate::secret::Secret;

const VERSION: u8 = 1;
const ID: usize = 8;
const NONCE: usize = 24;
/// A key of 32 bytes and its tag.
const WRAPPED: usize = 48;

/// Where a secret belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Belongs<'a> {
    pub organisation: &'a str,
    pub provider: &'a str,
    /// Without the position in a list: a key may move among its siblings.
    pub field: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("it was sealed with a master key that is not there")]
    UnknownMasterKey,
    #[error("it is damaged, or belongs elsewhere")]
    Broken,
}

/// The parts of a sealed secret.
struct Parts<'a> {
    id: MasterKeyId,
    wrap_nonce: &'a [u8],
    wrapped: &'a [u8],
    nonce: &'a [u8],
    sealed: &'a [u8],
}

/// The secret as text that says nothing.
pub fn seal(keys: &MasterKeys, belongs: Belongs<'_>, secret: &[u8]) -> String {
    let mut own = Zeroizing::new([0; 32]);
    random(&mut *own);
    let mut bytes = Vec::with_capacity(1 + ID + NONCE + WRAPPED + NONCE + secret.len() + 16);
    bytes.push(VERSION);
    wrap(keys.present(), belongs, &own, &mut bytes);
    let mut nonce = [0; NONCE];
    random(&mut nonce);
    bytes.extend_from_slice(&nonce);
    bytes.extend(encrypt(&own, &nonce, secret, &belongs.bytes("secret")));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What was sealed.
///
/// # Errors
/// When it cannot be opened here.
pub fn open(keys: &MasterKeys, belongs: Belongs<'_>, text: &str) -> Result<Secret, SealError> {
    let bytes = decode(text)?;
    let parts = parts(&bytes)?;
    let own = unwrap(keys, belongs, &parts)?;
    let secret = Zeroizing::new(decrypt(&own, parts.nonce, parts.sealed, &belongs.bytes("secret"))?);
    String::from_utf8(secret.to_vec()).map(Secret::new).map_err(|_| SealError::Broken)
}

/// The same, under the present master key; `None` when it is already.
///
/// # Errors
/// When it cannot be opened here.
pub fn rewrap(keys: &MasterKeys, belongs: Belongs<'_>, text: &str) -> Result<Option<String>, SealError> {
    let bytes = decode(text)?;
    let parts = parts(&bytes)?;
    if parts.id == keys.present().id {
        return Ok(None);
    }
    let own = unwrap(keys, belongs, &parts)?;
    let mut again = vec![VERSION];
    wrap(keys.present(), belongs, &own, &mut again);
    again.extend_from_slice(parts.nonce);
    again.extend_from_slice(parts.sealed);
    Ok(Some(URL_SAFE_NO_PAD.encode(again)))
}

fn wrap(master: &MasterKey, belongs: Belongs<'_>, own: &[u8; 32], bytes: &mut Vec<u8>) {
    let mut nonce = [0; NONCE];
    random(&mut nonce);
    bytes.extend_from_slice(&master.id);
    bytes.extend_from_slice(&nonce);
    bytes.extend(encrypt(&master.bytes, &nonce, own, &belongs.bytes("key")));
}

fn unwrap(keys: &MasterKeys, belongs: Belongs<'_>, parts: &Parts<'_>) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let master = keys.find(parts.id).ok_or(SealError::UnknownMasterKey)?;
    let bytes = Zeroizing::new(decrypt(&master.bytes, parts.wrap_nonce, parts.wrapped, &belongs.bytes("key"))?);
    let mut own = Zeroizing::new([0; 32]);
    own.copy_from_slice(&bytes);
    Ok(own)
}

fn decode(text: &str) -> Result<Vec<u8>, SealError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Broken)
}

fn parts(bytes: &[u8]) -> Result<Parts<'_>, SealError> {
    let (version, rest) = bytes.split_first().ok_or(SealError::Broken)?;
    if *version != VERSION || rest.len() < ID + NONCE + WRAPPED + NONCE {
        return Err(SealError::Broken);
    }
    let (id, rest) = rest.split_at(ID);
    let (wrap_nonce, rest) = rest.split_at(NONCE);
    let (wrapped, rest) = rest.split_at(WRAPPED);
    let (nonce, sealed) = rest.split_at(NONCE);
    Ok(Parts { id: id.try_into().map_err(|_| SealError::Broken)?, wrap_nonce, wrapped, nonce, sealed })
}

fn encrypt(key: &[u8; 32], nonce: &[u8; NONCE], message: &[u8], bound: &[u8]) -> Vec<u8> {
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let payload = Payload { msg: message, aad: bound };
    cipher.encrypt(&XNonce::from(*nonce), payload).expect("a short message always encrypts")
}

fn decrypt(key: &[u8; 32], nonce: &[u8], message: &[u8], bound: &[u8]) -> Result<Vec<u8>, SealError> {
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| SealError::Broken)?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    cipher.decrypt(&XNonce::from(nonce), Payload { msg: message, aad: bound }).map_err(|_| SealError::Broken)
}

impl Belongs<'_> {
    /// Each part with its length before it: no two places are the same bytes.
    fn bytes(&self, purpose: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in ["prism", purpose, self.organisation, self.provider, self.field] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Belongs<'static> = Belongs { organisation: "acme", provider: "openai", field: "api_key" };

    fn keys() -> (tempfile::TempDir, MasterKeys) {
        let folder = tempfile::tempdir().unwrap();
        let keys = MasterKeys::load(None, &folder.path().join("master.key"), false).unwrap();
        (folder, keys)
    }

    #[test]
    fn a_secret_opens_where_it_belongs_and_nowhere_else() {
        let (_folder, keys) = keys();
        let sealed = seal(&keys, HERE, b"sk-canary");
        assert_eq!(open(&keys, HERE, &sealed).unwrap().expose(), "sk-canary");
        for elsewhere in [
            Belongs { organisation: "other", ..HERE },
            Belongs { provider: "groq", ..HERE },
            Belongs { field: "client_secret", ..HERE },
            Belongs { organisation: "acmeopenai", provider: "", ..HERE },
        ] {
            assert_eq!(open(&keys, elsewhere, &sealed).unwrap_err(), SealError::Broken, "{elsewhere:?}");
        }
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let (_folder, keys) = keys();
        let sealed = URL_SAFE_NO_PAD.decode(seal(&keys, HERE, b"sk-canary")).unwrap();
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(open(&keys, HERE, &URL_SAFE_NO_PAD.encode(damaged)).is_err(), "byte {at}");
            assert!(open(&keys, HERE, &URL_SAFE_NO_PAD.encode(&sealed[..at])).is_err(), "cut at {at}");
        }
        assert!(open(&keys, HERE, "no base64!").is_err());
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same() {
        let (_folder, keys) = keys();
        assert_ne!(seal(&keys, HERE, b"sk-canary"), seal(&keys, HERE, b"sk-canary"));
    }

    #[test]
    fn after_a_rotation_what_was_rewrapped_opens_with_the_new_key_alone() {
        let (_folder, mut keys) = keys();
        let sealed = seal(&keys, HERE, b"sk-canary");
        assert_eq!(rewrap(&keys, HERE, &sealed).unwrap(), None);
        keys.rotate().unwrap().unwrap();
        assert_eq!(open(&keys, HERE, &sealed).unwrap().expose(), "sk-canary");
        let again = rewrap(&keys, HERE, &sealed).unwrap().unwrap();
        keys.forget_earlier().unwrap();
        assert_eq!(open(&keys, HERE, &sealed).unwrap_err(), SealError::UnknownMasterKey);
        assert_eq!(open(&keys, HERE, &again).unwrap().expose(), "sk-canary");
    }
}
