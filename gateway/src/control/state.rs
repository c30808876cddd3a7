//! What the control plane works on, and how a change of it is made.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use arc_swap::ArcSwap;
use chrono::{SecondsFormat, Utc};

use super::{
    audit::{self, Deed, Head},
    author::Author,
    keys::{self, KeyRecord},
    master_key::{MasterKeyError, MasterKeys},
    organisations, owner,
    seal::{self, Belongs},
};
use crate::{
    admission::{Accounts, VirtualKeys},
    config::Config,
    refusal::{Cause, Refusal},
    secret::Secret,
    store::{Change, Expects, Mark, Revision, Store, StoreError, Wake},
    telemetry::Notices,
};

pub(super) const PEPPER: &str = "meta/pepper";
pub(super) const PEPPER_BELONGS: Belongs<'static> = Belongs { organisation: "", provider: "", field: "pepper" };
/// A commit that meets the audit entry of another process is made again behind it.
const MOST_TRIES: usize = 20;
/// The control plane's store is likely to be back.
const RETRY: Duration = Duration::from_secs(2);

/// What holds for every organisation; a reload brings others.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub allow_private: bool,
    /// Requests in progress at a provider that sets no bound of its own.
    pub max_in_flight: usize,
    /// The file's providers that organisations may use.
    pub shared: Vec<String>,
}

impl Rules {
    pub fn of(config: &Config) -> Self {
        let shared = config.providers.iter().filter(|provider| provider.shared);
        Self {
            allow_private: config.control_plane.as_ref().is_some_and(|control_plane| control_plane.allow_private),
            max_in_flight: config.server.max_in_flight,
            shared: shared.map(|provider| provider.name.clone()).collect(),
        }
    }
}

/// Organisations, their keys, and the log.
pub struct Control {
    pub(super) store: Box<dyn Store>,
    pub(super) master: MasterKeys,
    pub(super) keys: Arc<VirtualKeys>,
    pub(super) rules: Arc<ArcSwap<Rules>>,
    /// What limits keys.
    pub(super) accounts: Arc<Accounts>,
    /// Where changes of keys are told; `None` where no events are wanted.
    pub(super) notices: Option<Notices>,
    log: Head,
    /// Everything up to here is in memory as it is in the store.
    seen: Mark,
    /// Commits of its own since then.
    own: Vec<Revision>,
}

/// What a control plane is opened with.
pub struct Opening<'a> {
    pub store: Box<dyn Store>,
    /// Where generated keys are kept.
    pub folder: &'a Path,
    pub master_key_file: PathBuf,
    /// What `PRISM_MASTER_KEY` holds.
    pub master_key: Option<Secret>,
    pub rules: Arc<ArcSwap<Rules>>,
    pub accounts: Arc<Accounts>,
    /// `true` while the store is too old to say which keys have been revoked.
    pub stale: Arc<AtomicBool>,
    /// Where changes of keys are told.
    pub notices: Option<Notices>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error(
        "the store was sealed with another master key: bring that one back (`security.master_key_file`, PRISM_MASTER_KEY); \
         every gateway of one control plane has the same"
    )]
    OtherMasterKey,
    /// Organisations in a file beside the bucket, and they are not those of the bucket.
    #[error(
        "`{path}` holds organisations, and `control_plane.kv_bucket` keeps them elsewhere: move them with `prism store backup` \
         and `prism store restore`, or rename the file if it is of no use any more"
    )]
    NotMoved { path: PathBuf },
    #[error("`{key}` in the store cannot be read: it is damaged")]
    Damaged { key: String },
    #[error("cannot keep the owner's key in `{path}`: {source}")]
    OwnerKey { path: PathBuf, source: std::io::Error },
}

impl Control {
    /// Reads what is kept. The first start makes what there has to be: master key, pepper, and a key for the owner.
    ///
    /// # Errors
    /// When something of it cannot be read or made.
    pub fn open(opening: Opening<'_>) -> Result<Self, OpeningError> {
        let Opening { mut store, folder, master_key_file, master_key, rules, accounts, stale, notices } = opening;
        let sealed = store.get(PEPPER)?;
        let master = MasterKeys::load(master_key.as_ref(), &master_key_file, sealed.is_some())?;
        let pepper = pepper(&mut *store, &master)?;
        let (_, seen) = store.changed_since(Mark::MAX)?;
        let mut found = Vec::new();
        let mut damaged = None;
        store.scan(keys::PREFIX, "", &mut |record| {
            match serde_json::from_slice::<KeyRecord>(&record.value).ok().and_then(|key| key.callers(&accounts)) {
                Some(callers) => found.extend(callers),
                None => damaged = Some(record.key),
            }
            damaged.is_none()
        })?;
        if let Some(key) = damaged {
            return Err(OpeningError::Damaged { key });
        }
        let keys = Arc::new(VirtualKeys::new(pepper.expose().as_bytes(), found.into_iter(), stale));
        let log = audit::head(&*store, &Head::default())?;
        let mut control = Self { store, master, keys, rules, accounts, notices, log, seen, own: Vec::new() };
        owner::mint(&mut control, folder)?;
        Ok(control)
    }

    /// The keys as requests look them up.
    pub fn keys(&self) -> &Arc<VirtualKeys> {
        &self.keys
    }

    /// Makes changes and writes down who made them, all at once.
    ///
    /// # Errors
    /// 409 when somebody else has changed one of the records meanwhile.
    pub(super) fn change(
        &mut self,
        changes: Vec<Change>,
        author: &Author,
        (organisation, action, subject): (&str, &str, &str),
    ) -> Result<Revision, Refusal> {
        let at = now();
        for _ in 0..MOST_TRIES {
            let deed = Deed { at: &at, author: &author.name, organisation, action, subject };
            let (entry, head) = audit::write_down(&self.log, &deed);
            let at_entry = entry.key.clone();
            let all: Vec<_> = changes.iter().cloned().chain([entry]).collect();
            match self.store.commit(&all) {
                Ok(revision) => {
                    self.log = head;
                    self.own.push(revision);
                    tracing::info!(organisation, action, subject, author = %author.name, "control plane");
                    return Ok(revision);
                }
                Err(StoreError::Conflict { key }) if key == at_entry => {
                    self.log = audit::head(&*self.store, &self.log).map_err(failed)?;
                }
                Err(StoreError::Conflict { .. }) => return Err(changed_meanwhile()),
                Err(error) => return Err(failed(error)),
            }
        }
        Err(changed_meanwhile())
    }

    /// Takes over what other processes have written: keys at once, and the names of organisations whose configuration is
    /// another.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn catch_up(&mut self) -> Result<Vec<String>, StoreError> {
        let (changed, now) = self.store.changed_since(self.seen)?;
        let mut organisations = Vec::new();
        for key in &changed {
            let (organisation, name) = (key.strip_prefix(organisations::PREFIX), key.strip_prefix(keys::PREFIX));
            if organisation.is_none() && name.is_none() {
                continue;
            }
            let record = self.store.get(key)?;
            // what was changed here was taken over when it was
            if record.as_ref().is_some_and(|record| self.own.contains(&record.revision)) {
                continue;
            }
            if let (Some(organisation), None) = (organisation, &record) {
                self.accounts.forget_organisation(organisation);
            }
            organisations.extend(organisation.map(str::to_owned));
            if let Some(name) = name {
                let Some(record) = record else {
                    self.forget(name);
                    continue;
                };
                let key = serde_json::from_slice::<KeyRecord>(&record.value).ok();
                let callers = key.and_then(|key| key.callers(&self.accounts));
                self.keys.settle(name, &callers.unwrap_or_default());
            }
        }
        if now > self.seen {
            self.own.clear();
        }
        self.seen = now;
        Ok(organisations)
    }

    /// Has somebody woken when there may be something to take over.
    pub(super) fn on_change(&mut self, wake: Wake) {
        self.store.on_change(wake);
    }
}

/// What is mixed into the hashes of keys: made once, by whoever comes first.
fn pepper(store: &mut dyn Store, master: &MasterKeys) -> Result<Secret, OpeningError> {
    if store.get(PEPPER)?.is_none() {
        let sealed = seal::seal(master, PEPPER_BELONGS, keys::fresh().as_bytes());
        match store.commit(&[Change::put(PEPPER, sealed.into_bytes(), Expects::Nothing)]) {
            Ok(_) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let record = store.get(PEPPER)?.ok_or_else(|| OpeningError::Damaged { key: PEPPER.to_owned() })?;
    let text = String::from_utf8_lossy(&record.value);
    seal::open(master, PEPPER_BELONGS, &text).map_err(|_| OpeningError::OtherMasterKey)
}

/// RFC 3339, in UTC.
pub(super) fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(super) fn changed_meanwhile() -> Refusal {
    let message = "it was changed by somebody else meanwhile: read it again";
    Refusal::new(Cause::Conflict, message).code("changed_meanwhile")
}

/// What went wrong is the operator's to know.
pub(super) fn failed(error: StoreError) -> Refusal {
    tracing::error!(%error, "the control plane's store");
    let unavailable = |message: &'static str, code: &'static str| {
        Refusal::new(Cause::Unavailable, message).code(code).retry_after(Some(RETRY))
    };
    match error {
        StoreError::Away(_) => {
            unavailable("the control plane is out of reach: nothing was changed, requests go on", "store_unavailable")
        }
        StoreError::Unconfirmed(_) => unavailable(
            "whether the change was made is not known yet: read it before you try again",
            "change_unconfirmed",
        ),
        StoreError::TooLarge(_) => {
            let message = "it is more than the control plane's store takes at once: nothing was changed";
            Refusal::new(Cause::TooLarge, message).code("change_too_large")
        }
        _ => unavailable("the control plane's store cannot be used now", "store_unavailable"),
    }
}
