//! Tool call ids in the form of Mistral: exactly nine letters and digits, anything else is answered with code 3280.
//!
//! The same id gives the same nine characters in every request, so that the provider's prompt cache holds.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    ops::Range,
};

use sha2::{Digest, Sha256};

use super::edits::Edits;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH: usize = 9;

/// Collects the ids of one request, then rewrites those that need it.
#[derive(Default)]
pub(super) struct Rewriter<'a> {
    places: Vec<(Cow<'a, str>, Range<usize>)>,
    /// Ids that are in use.
    taken: HashSet<String>,
}

impl<'a> Rewriter<'a> {
    pub(super) fn note(&mut self, id: Option<Cow<'a, str>>, span: Range<usize>) {
        let Some(id) = id else { return };
        if is_nine(&id) {
            self.taken.insert(id.into_owned());
        } else {
            self.places.push((id, span));
        }
    }

    /// Edits every place; gives (the provider's id, the client's) for each id that was rewritten.
    pub(super) fn rewrite(mut self, edits: &mut Edits) -> Vec<(String, String)> {
        let mut known: HashMap<&str, String> = HashMap::new();
        let mut pairs = Vec::new();
        for (id, span) in &self.places {
            let nine = known.entry(id).or_insert_with(|| {
                let nine = fresh(id, &mut self.taken);
                pairs.push((nine.clone(), id.clone().into_owned()));
                nine
            });
            edits.replace(span.clone(), format!("\"{nine}\""));
        }
        pairs
    }
}

fn is_nine(id: &str) -> bool {
    id.len() == LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Nine characters for this id that no other id of the request has.
fn fresh(id: &str, taken: &mut HashSet<String>) -> String {
    let mut salt = 0;
    loop {
        let nine = hashed(id, salt);
        if taken.insert(nine.clone()) {
            return nine;
        }
        salt += 1;
    }
}

fn hashed(id: &str, salt: u32) -> String {
    let digest = Sha256::new().chain_update(id).chain_update(salt.to_le_bytes()).finalize();
    let head: [u8; 8] = digest[..8].try_into().expect("a SHA-256 digest has 32 bytes");
    let mut number = u64::from_le_bytes(head);
    let mut nine = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        nine.push(char::from(ALPHABET[(number % 62) as usize]));
        number /= 62;
    }
    nine
}
