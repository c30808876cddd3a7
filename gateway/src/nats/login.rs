//! Who the gateway is to a NATS server: its part of `CONNECT`.
//!
//! NKeys are Ed25519 keys in base32 with a prefix and a checksum
//! (<https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth>); a credentials file holds a JWT
//! and the seed of its user, each between two lines of dashes.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value as Json, json};
use zeroize::Zeroizing;

use super::Trouble;
use crate::{config::NatsLogin, secret::Secret};

/// The prefix byte of a seed, whose kind follows: 20 is a user.
const SEED: u8 = 18 << 3;
const USER: u8 = 20 << 3;

/// The members of `CONNECT` that say who connects; files are read anew each time, so that they can be replaced.
///
/// # Errors
/// When a file cannot be read or holds no seed.
pub(super) fn members(login: &NatsLogin, nonce: &str) -> Result<Map<String, Json>, Trouble> {
    let members = match login {
        NatsLogin::Nobody => json!({}),
        NatsLogin::Token(token) => json!({ "auth_token": token.expose() }),
        NatsLogin::User { name, password } => json!({ "user": name, "pass": password.expose() }),
        NatsLogin::Nkey(seed) => by_key(seed.expose(), nonce).ok_or_else(|| no_seed("nats.nkey"))?,
        NatsLogin::NkeyFile(path) => {
            let text = read(path)?;
            let seed = text.expose().lines().map(str::trim).find(|line| line.starts_with("SU"));
            let signed = seed.and_then(|seed| by_key(seed, nonce));
            signed.ok_or_else(|| no_seed(&path.display().to_string()))?
        }
        NatsLogin::Credentials(path) => {
            let text = read(path)?;
            let signed = by_jwt(text.expose(), nonce);
            signed.ok_or_else(|| no_seed(&path.display().to_string()))?
        }
    };
    match members {
        Json::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

fn read(path: &Path) -> Result<Secret, Trouble> {
    let text = fs::read_to_string(path);
    text.map(Secret::new).map_err(|error| Trouble::Setup(format!("cannot read `{}`: {error}", path.display())))
}

fn no_seed(place: &str) -> Trouble {
    Trouble::Setup(format!("`{place}` holds no seed of a user's NKey"))
}

fn by_key(seed: &str, nonce: &str) -> Option<Json> {
    let pair = pair(seed)?;
    let mut public = vec![USER];
    public.extend_from_slice(pair.public_key().as_ref());
    public.extend_from_slice(&crc16(&public).to_le_bytes());
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(nonce.as_bytes()));
    Some(json!({ "nkey": base32(&public), "sig": signature }))
}

fn by_jwt(text: &str, nonce: &str) -> Option<Json> {
    let mut sections = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut section = |name: &str| {
        sections.by_ref().find(|line| line.starts_with("-----BEGIN") && line.contains(name))?;
        sections.by_ref().next()
    };
    let jwt = section("JWT")?;
    let signature = pair(section("SEED")?)?.sign(nonce.as_bytes());
    Some(json!({ "jwt": jwt, "sig": URL_SAFE_NO_PAD.encode(signature) }))
}

/// The key pair of a user's seed.
fn pair(seed: &str) -> Option<Ed25519KeyPair> {
    let bytes = Zeroizing::new(from_base32(seed.trim())?);
    let (body, sum) = bytes.split_last_chunk::<2>()?;
    let kind = (body.first()? & 7) << 5 | (body.get(1)? & 0xf8) >> 3;
    let is_seed = body.first()? & 0xf8 == SEED;
    if !is_seed || kind != USER || crc16(body) != u16::from_le_bytes(*sum) {
        return None;
    }
    Ed25519KeyPair::from_seed_unchecked(body.get(2..)?).ok()
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// RFC 4648, without padding.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    text
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        held = held << 5 | value as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 255) as u8);
        }
    }
    Some(bytes)
}

/// CRC-16 of XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pair of the documentation's page on NKeys.
    const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    const PUBLIC: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

    #[test]
    fn a_seed_signs_as_its_public_key() {
        let members = by_key(SEED, "nonce").unwrap();
        assert_eq!(members["nkey"], PUBLIC);
        let signature = URL_SAFE_NO_PAD.decode(members["sig"].as_str().unwrap()).unwrap();
        let public = from_base32(PUBLIC).unwrap();
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &public[1..33]);
        key.verify(b"nonce", &signature).unwrap();
    }

    #[test]
    fn what_is_no_seed_of_a_user_signs_nothing() {
        let broken = SEED.replace('Y', "Z");
        for seed in
            ["", "SU", PUBLIC, &broken, &SEED[..57], "SU!CSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"]
        {
            assert!(by_key(seed, "nonce").is_none(), "{seed}");
        }
    }

    #[test]
    fn a_credentials_file_gives_its_jwt_and_signs_with_its_seed() {
        let text = format!(
            "-----BEGIN NATS USER JWT-----\r\nabc.def.ghi\r\n------END NATS USER JWT------\r\n\r\n*** IMPORTANT ***\r\n\
             -----BEGIN USER NKEY SEED-----\r\n{SEED}\r\n------END USER NKEY SEED------\r\n"
        );
        let members = by_jwt(&text, "nonce").unwrap();
        assert_eq!(members["jwt"], "abc.def.ghi");
        assert_eq!(members["sig"], by_key(SEED, "nonce").unwrap()["sig"]);
        assert!(by_jwt("-----BEGIN NATS USER JWT-----\nabc", "nonce").is_none());
    }

    #[test]
    fn base32_there_and_back() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(37)).collect();
            assert_eq!(from_base32(&base32(&bytes)).unwrap(), bytes);
        }
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
    }
}
