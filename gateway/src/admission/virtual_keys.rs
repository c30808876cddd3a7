//! The keys of organisations: found by their keyed hash in a snapshot that is read without a lock.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwap;
use ring::hmac;

use super::Caller;

/// What is kept of a key. Without the pepper, which is kept sealed, it cannot even be compared with a guess.
pub type KeyHash = [u8; 32];

/// A change copies one shard: of 100,000 keys, 400.
const SHARDS: usize = 256;

type Shard = ArcSwap<HashMap<KeyHash, Arc<Caller>>>;

/// Every key of every organisation.
pub struct VirtualKeys {
    pepper: hmac::Key,
    /// By the first byte of the hash.
    shards: Box<[Shard]>,
    /// Which of them have been revoked meanwhile is not known: it is too long since somebody has said.
    stale: Arc<AtomicBool>,
}

impl VirtualKeys {
    /// With all that there are at the start. While `stale` is `true`, they open nothing.
    pub fn new(pepper: &[u8], keys: impl Iterator<Item = (KeyHash, Arc<Caller>)>, stale: Arc<AtomicBool>) -> Self {
        let mut shards: Vec<HashMap<_, _>> = (0..SHARDS).map(|_| HashMap::new()).collect();
        for (hash, caller) in keys {
            shards[usize::from(hash[0])].insert(hash, caller);
        }
        Self {
            pepper: hmac::Key::new(hmac::HMAC_SHA256, pepper),
            shards: shards.into_iter().map(Shard::from_pointee).collect(),
            stale,
        }
    }

    /// Whether it is too long since somebody has said which of them are revoked.
    pub fn are_stale(&self) -> bool {
        self.stale.load(Relaxed)
    }

    pub fn hash(&self, key: &str) -> KeyHash {
        let tag = hmac::sign(&self.pepper, key.as_bytes());
        tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
    }

    /// Who has that key. Whoever guesses learns nothing from how long it takes: what is compared is a keyed hash.
    pub fn find(&self, key: &str) -> Option<Arc<Caller>> {
        let hash = self.hash(key);
        self.shard(&hash).load().get(&hash).cloned()
    }

    /// From now on; a key that was there is replaced.
    pub fn put(&self, hash: KeyHash, caller: &Arc<Caller>) {
        self.shard(&hash).rcu(|keys| {
            let mut keys = HashMap::clone(keys);
            keys.insert(hash, caller.clone());
            keys
        });
    }

    /// From now on it opens nothing.
    pub fn remove(&self, hash: &KeyHash) {
        if !self.shard(hash).load().contains_key(hash) {
            return;
        }
        self.shard(hash).rcu(|keys| {
            let mut keys = HashMap::clone(keys);
            keys.remove(hash);
            keys
        });
    }

    /// From now on a caller has these keys and no others; one that it had and has still opens all the time.
    pub fn settle(&self, name: &str, keys: &[(KeyHash, Arc<Caller>)]) {
        keys.iter().for_each(|(hash, caller)| self.put(*hash, caller));
        let is_over =
            |hash: &KeyHash, caller: &Caller| &*caller.name == name && keys.iter().all(|(kept, _)| kept != hash);
        for shard in &self.shards {
            let over: Vec<_> = {
                let all = shard.load();
                all.iter().filter(|(hash, caller)| is_over(hash, caller)).map(|(hash, _)| *hash).collect()
            };
            over.iter().for_each(|hash| self.remove(hash));
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.load().len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, hash: &KeyHash) -> &Shard {
        &self.shards[usize::from(hash[0])]
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::{
        admission::{Accounts, KeyRing},
        config::{Auth, ClientKey, Rates, Role, ToolRules},
        refusal::Cause,
        secret::Secret,
    };

    fn key_of_a_test() -> ClientKey {
        ClientKey {
            name: String::new(),
            key: Secret::new(""),
            role: Role::Member,
            models: vec![],
            providers: vec![],
            allowed_ips: vec![],
            rates: Rates::default(),
            budget: None,
            max_concurrent: None,
            tools: ToolRules::default(),
            metadata: serde_json::Map::new(),
            expires_at: None,
        }
    }

    fn caller(name: &str, organisation: &str) -> Arc<Caller> {
        let key = ClientKey { name: name.into(), ..key_of_a_test() };
        Arc::new(Caller::new(&key, name.into(), organisation.into(), &Accounts::default()))
    }

    #[test]
    fn a_key_is_found_until_it_is_removed() {
        let keys = VirtualKeys::new(&[7; 32], std::iter::empty(), Arc::default());
        for number in 0..1_000 {
            keys.put(keys.hash(&format!("sk-prism-{number}")), &caller(&number.to_string(), "acme"));
        }
        assert_eq!(keys.len(), 1_000);
        assert_eq!(&*keys.find("sk-prism-77").unwrap().name, "77");
        assert!(keys.find("sk-prism-1000").is_none() && keys.find("").is_none());
        keys.remove(&keys.hash("sk-prism-77"));
        assert!(keys.find("sk-prism-77").is_none());
        assert_eq!(keys.len(), 999);
    }

    #[test]
    fn a_caller_keeps_what_it_has_still_and_loses_the_rest() {
        let keys = VirtualKeys::new(&[7; 32], std::iter::empty(), Arc::default());
        let hash = |key: &str| keys.hash(key);
        let (old, new, other) = (hash("old"), hash("new"), hash("other"));
        keys.put(old, &caller("acme/1", "acme"));
        keys.put(other, &caller("acme/2", "acme"));
        keys.settle("acme/1", &[(old, caller("acme/1", "acme")), (new, caller("acme/1", "acme"))]);
        assert_eq!(keys.len(), 3);
        keys.settle("acme/1", &[(new, caller("acme/1", "acme"))]);
        assert!(keys.find("old").is_none() && keys.find("new").is_some() && keys.find("other").is_some());
        keys.settle("acme/1", &[]);
        assert_eq!(keys.len(), 1);
    }

    #[test]
    fn the_hash_depends_on_the_pepper() {
        let with = |pepper| VirtualKeys::new(&[pepper; 32], std::iter::empty(), Arc::default()).hash("sk-prism-1");
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
    }

    #[test]
    fn while_nobody_knows_what_is_revoked_only_the_files_keys_open() {
        let stale = Arc::new(AtomicBool::new(false));
        let keys = Arc::new(VirtualKeys::new(&[7; 32], std::iter::empty(), stale.clone()));
        keys.put(keys.hash("sk-prism-1"), &caller("one", "acme"));
        let file = ClientKey { name: "file".into(), key: Secret::new("sk-file"), ..key_of_a_test() };
        let ring = KeyRing::new(&Auth { enabled: true, keys: vec![file] }, &Accounts::default(), Some(keys));
        let admit = |key| ring.admit(Some(key), "127.0.0.1".parse().unwrap(), Utc::now);
        assert!(admit("sk-prism-1").is_ok());
        stale.store(true, Relaxed);
        let refusal = admit("sk-prism-1").unwrap_err();
        assert_eq!((refusal.cause, refusal.code.as_deref()), (Cause::Unavailable, Some("control_plane_stale")));
        assert_eq!(admit("sk-prism-2").unwrap_err().cause, Cause::Unauthenticated);
        assert!(admit("sk-file").is_ok());
    }

    #[test]
    fn where_there_are_organisations_nobody_enters_without_a_key() {
        let keys = Arc::new(VirtualKeys::new(&[7; 32], std::iter::empty(), Arc::default()));
        keys.put(keys.hash("sk-prism-1"), &caller("one", "acme"));
        let admit = |auth: &Auth, key| {
            let ring = KeyRing::new(auth, &Accounts::default(), Some(keys.clone()));
            ring.admit(key, "127.0.0.1".parse().unwrap(), Utc::now).map_err(|refusal| refusal.cause)
        };
        let closed = Auth { enabled: true, keys: vec![] };
        assert_eq!(admit(&closed, None).unwrap_err(), Cause::Unauthenticated);
        assert_eq!(&*admit(&closed, Some("sk-prism-1")).unwrap().unwrap().organisation, "acme");
        // told to be open, it is; but what looks like a key of ours has to be one
        let open = Auth { enabled: false, keys: vec![] };
        assert!(admit(&open, None).unwrap().is_none() && admit(&open, Some("anything")).unwrap().is_none());
        assert_eq!(&*admit(&open, Some("sk-prism-1")).unwrap().unwrap().organisation, "acme");
        assert_eq!(admit(&open, Some("sk-prism-2")).unwrap_err(), Cause::Unauthenticated);
    }
}
