//! A service account: a statement signed with its key is exchanged for a token (RFC 7523).

use std::time::SystemTime;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::{rand::SystemRandom, signature};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use serde::Deserialize;
use serde_json::json;

use super::{Failure, SCOPE, Surroundings, TOKEN_URI, Token, WHO};
use crate::secret::Secret;

/// Google takes no longer ones.
const LIFE: u64 = 3600;

#[derive(Deserialize)]
pub(super) struct ServiceAccount {
    client_email: String,
    private_key: Secret,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

pub(super) async fn token(account: &ServiceAccount, around: &Surroundings) -> Result<Token, Failure> {
    let uri = account.token_uri.as_deref().unwrap_or(TOKEN_URI);
    let statement = statement(account, uri, around.now())?;
    let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", statement.expose())];
    Token::read(WHO, &around.web.post_form(WHO, uri, &form).await?)
}

fn statement(account: &ServiceAccount, audience: &str, now: SystemTime) -> Result<Secret, Failure> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": account.private_key_id });
    let claims = json!({ "iss": account.client_email, "scope": SCOPE, "aud": audience, "iat": now, "exp": now + LIFE });
    let text = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let signature = sign(account.private_key.expose(), text.as_bytes())
        .ok_or_else(|| Failure::new("the service account's private key cannot be used"))?;
    Ok(Secret::new(format!("{text}.{}", BASE64.encode(signature))))
}

fn sign(pem: &str, text: &[u8]) -> Option<Vec<u8>> {
    let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()? {
        PrivateKeyDer::Pkcs8(key) => signature::RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok()?,
        PrivateKeyDer::Pkcs1(key) => signature::RsaKeyPair::from_der(key.secret_pkcs1_der()).ok()?,
        _ => return None,
    };
    let mut signed = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signed).ok()?;
    Some(signed)
}
