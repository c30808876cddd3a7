//! The limits of users: clients choose their names, so that only so many are kept apart.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{account::Limits, gossip::Realm};
use crate::config::Rates;

const SHARDS: usize = 16;
/// Kept apart in each shard, some 200 bytes each; more of them at once share what is one user's.
const MOST: usize = 1_024;
/// Those whose limits are whole again are looked for at most this often.
const SWEEP: Duration = Duration::from_secs(1);

/// Users by the hash of their names, which nobody outside can foresee.
#[derive(Debug)]
pub(super) struct Users {
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
    /// Where other gateways hear what is taken.
    pub realm: Option<Arc<Realm>>,
}

#[derive(Debug)]
struct Shard {
    rates: Rates,
    users: HashMap<u64, Limits>,
    /// Of all for whom there is no room.
    others: Limits,
    swept: Duration,
}

impl Users {
    pub fn new(now: Duration, rates: Rates, realm: Option<Arc<Realm>>) -> Self {
        let shard = || {
            let others = Limits::new(now, rates);
            Mutex::new(Shard { rates, users: HashMap::new(), others, swept: Duration::ZERO })
        };
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| shard()).collect(), realm }
    }

    pub fn id(&self, name: &str) -> u64 {
        self.hasher.hash_one(name)
    }

    pub fn change(&self, now: Duration, rates: Rates) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.rates = rates;
            shard.others.change(now, rates);
            shard.users.values_mut().for_each(|limits| limits.change(now, rates));
        }
    }

    /// What limits a user.
    pub fn with<R>(&self, now: Duration, id: u64, then: impl FnOnce(&mut Limits) -> R) -> R {
        let shard = &self.shards[(id % SHARDS as u64) as usize];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        then(shard.of(now, id))
    }

    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().users.len()).sum()
    }
}

impl Shard {
    fn of(&mut self, now: Duration, id: u64) -> &mut Limits {
        if self.users.len() >= MOST && !self.users.contains_key(&id) {
            if now.saturating_sub(self.swept) >= SWEEP {
                self.swept = now;
                self.users.retain(|_, limits| !limits.is_idle(now));
            }
            if self.users.len() >= MOST {
                return &mut self.others;
            }
        }
        let rates = self.rates;
        self.users.entry(id).or_insert_with(|| Limits::new(now, rates))
    }
}
