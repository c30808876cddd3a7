//! What is taken from rate limits, for the other gateways to hear, and what they have taken.
//!
//! No request waits for it: who has taken something is noted once, and a task (`admission::gossip`) asks what it was, some
//! milliseconds later, and tells the others. They take it from their own buckets, however little is left there: what was let in too
//! much at first is missing in the minutes after.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{Accounts, reservation::Holder};

/// What somebody has taken from his limits since it was last asked; less than nothing where more was given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uses {
    #[serde(default, skip_serializing_if = "is_zero")]
    pub requests: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tokens: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// What gateways tell each other of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Whose limits they are, where names are only unique there: an organisation that is not the file's.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub realm: Box<str>,
    /// `key app`, `user ann`, `model gpt-*`, `organisation default`.
    pub who: String,
    #[serde(flatten)]
    pub uses: Uses,
}

/// Of all the accounts of the process.
#[derive(Default)]
pub struct Gossip {
    news: Mutex<Vec<News>>,
    spoken: Notify,
    is_heard: AtomicBool,
    /// Those of the file, and of each organisation that is awake.
    realms: Mutex<HashMap<Box<str>, Weak<Accounts>>>,
}

/// Somebody who has taken something.
struct News {
    realm: Arc<Realm>,
    holder: Holder,
}

/// Accounts whose names are unique among themselves, on their way to the others.
pub struct Realm {
    name: Box<str>,
    gossip: Arc<Gossip>,
}

impl fmt::Debug for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realm").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Realm {
    pub(super) fn gossip(&self) -> &Gossip {
        &self.gossip
    }

    /// Another one, which the same gateways hear of.
    pub(super) fn beside(&self, name: &str, accounts: &Weak<Accounts>) -> Arc<Self> {
        self.gossip.realm(name, accounts)
    }

    /// Has somebody asked what he has taken, soon.
    pub(super) fn note(self: &Arc<Self>, holder: Holder) {
        let mut news = self.gossip.news();
        news.push(News { realm: self.clone(), holder });
        let is_first = news.len() == 1;
        drop(news);
        if is_first {
            self.gossip.spoken.notify_one();
        }
    }
}

impl Gossip {
    /// Waits until there is something to tell. Cancel safe.
    pub async fn spoken(&self) {
        self.spoken.notified().await;
    }

    /// What there is to tell, once.
    pub fn tell(&self, now: Duration) -> Vec<Said> {
        let news = std::mem::take(&mut *self.news());
        let said = news.into_iter().filter_map(|News { realm, holder }| {
            let (who, uses) = holder.tell(now);
            (uses != Uses::default()).then(|| Said { realm: realm.name.clone(), who, uses })
        });
        said.collect()
    }

    /// Whether the others are in reach.
    pub fn is_heard(&self) -> bool {
        self.is_heard.load(Relaxed)
    }

    /// They are, or are not any more. Answers whether they were.
    pub fn heard_by_others(&self, is_heard: bool) -> bool {
        self.is_heard.swap(is_heard, Relaxed)
    }

    /// Another gateway has told that. Of those whom nobody knows here nothing is kept.
    pub fn hear(&self, Said { realm, who, uses }: &Said) {
        let mut realms = self.realms();
        let accounts = realms.get(realm).and_then(Weak::upgrade);
        if accounts.is_none() {
            realms.remove(realm);
        }
        drop(realms);
        if let Some(accounts) = accounts {
            accounts.hear(who, *uses);
        }
    }

    /// The accounts of that name are these, from now on.
    pub(super) fn realm(self: &Arc<Self>, name: &str, accounts: &Weak<Accounts>) -> Arc<Realm> {
        self.realms().insert(name.into(), accounts.clone());
        Arc::new(Realm { name: name.into(), gossip: self.clone() })
    }

    fn news(&self) -> MutexGuard<'_, Vec<News>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn realms(&self) -> MutexGuard<'_, HashMap<Box<str>, Weak<Accounts>>> {
        self.realms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
