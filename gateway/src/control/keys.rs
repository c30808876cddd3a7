//! Client keys of organisations: shown once, kept as a keyed hash.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::{
    author::{Author, Wish},
    master_key::random,
    merge::merge,
    organisations::{self, invalid, no_such},
    state::{Control, failed, now},
};
use crate::{
    admission::{Accounts, Caller, DEFAULT_ORG, KEY_PREFIX, KeyHash, Scope, VirtualKeys},
    api::{
        KeyBudget, KeyChange, KeyDeletedObject, KeyObject, KeyRole, ListObject, VirtualKey, VirtualKeyDeleted,
        VirtualKeyList,
    },
    config::{self, ClientKey, Role},
    ids,
    refusal::{Cause, Refusal},
    secret::Secret,
    store::{Change, Expects, Revision},
};

/// Keys in the store: `key/ORGANISATION/ID`.
pub(super) const PREFIX: &str = "key/";
/// Longest time for which a replaced key works beside the new one.
const LONGEST_OVERLAP: u64 = 30 * 24 * 3600;
/// Characters of a key that are shown, to recognise it by: 24 of its 256 bits.
const SHOWN: usize = 4;

/// A key as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeyRecord {
    pub id: String,
    organisation: String,
    /// What it may be used for, as `config::organisation_key` has accepted it.
    settings: Map<String, Json>,
    disabled: bool,
    prefix: String,
    /// The present one, then the one before, for as long as it works.
    hashes: Vec<KeptHash>,
    created_at: String,
    created_by: String,
    updated_at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptHash {
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
}

/// A key that has just been made.
pub(super) struct Made {
    pub secret: Secret,
    pub record: KeyRecord,
}

/// A text that nobody can guess: 256 random bits.
pub(super) fn fresh() -> String {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    random(&mut *bytes);
    URL_SAFE_NO_PAD.encode(*bytes)
}

/// A key of a role, with nothing else said of it.
pub(super) fn make(name: &str, role: Role, organisation: &str, author: &str, keys: &VirtualKeys) -> Made {
    let settings = [("name".to_owned(), json!(name)), ("role".to_owned(), json!(role.name()))];
    new(settings.into_iter().collect(), false, organisation, author, keys)
}

fn new(settings: Map<String, Json>, disabled: bool, organisation: &str, author: &str, keys: &VirtualKeys) -> Made {
    let (secret, prefix, hash) = secret(keys);
    let at = now();
    let record = KeyRecord {
        id: ids::unique("key_"),
        organisation: organisation.to_owned(),
        settings,
        disabled,
        prefix,
        hashes: vec![KeptHash { hash, until: None }],
        created_at: at.clone(),
        created_by: author.to_owned(),
        updated_at: at,
    };
    Made { secret, record }
}

/// A new key, what is shown of it, and what is kept.
fn secret(keys: &VirtualKeys) -> (Secret, String, String) {
    let key = format!("{KEY_PREFIX}{}", fresh());
    let (shown, hash) = (key[..KEY_PREFIX.len() + SHOWN].to_owned(), URL_SAFE_NO_PAD.encode(keys.hash(&key)));
    (Secret::new(key), shown, hash)
}

impl KeyRecord {
    /// Under which it is kept.
    fn key(&self) -> String {
        format!("{PREFIX}{}", self.name())
    }

    /// As callers have it: unique among all keys.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.organisation, self.id)
    }

    pub fn change(&self, expects: Expects) -> Change {
        Change::put(self.key(), serde_json::to_vec(self).expect("a record serialises"), expects)
    }

    /// What requests find it by; none while it is disabled. `None` when it is damaged.
    pub fn callers(&self, accounts: &Accounts) -> Option<Vec<(KeyHash, Arc<Caller>)>> {
        let described = self.described()?;
        if self.disabled {
            return Some(Vec::new());
        }
        let (name, organisation): (Arc<str>, Arc<str>) = (self.name().into(), self.organisation.as_str().into());
        let caller = |kept: &KeptHash| {
            let hash: KeyHash = URL_SAFE_NO_PAD.decode(&kept.hash).ok()?.try_into().ok()?;
            let ends = [described.expires_at, kept.until];
            let key = ClientKey { expires_at: ends.into_iter().flatten().min(), ..described.clone() };
            Some((hash, Arc::new(Caller::new(&key, name.clone(), organisation.clone(), accounts))))
        };
        self.hashes.iter().map(caller).collect()
    }

    fn described(&self) -> Option<ClientKey> {
        config::accepted_key(Json::Object(self.settings.clone()))
    }

    /// # Errors
    /// When it is damaged.
    fn role(&self) -> Result<Role, Refusal> {
        let damaged = || Refusal::new(Cause::Internal, "the key's record is damaged").code("damaged_record");
        self.described().map(|key| key.role).ok_or_else(damaged)
    }

    /// As it is shown.
    fn shown(&self, secret: Option<&Secret>) -> VirtualKey {
        let text = |key: &str| self.settings.get(key).and_then(Json::as_str).map(str::to_owned);
        let list = |key: &str| {
            let items = self.settings.get(key).and_then(Json::as_array).into_iter().flatten();
            items.filter_map(Json::as_str).map(str::to_owned).collect()
        };
        let number = |key: &str| self.settings.get(key).and_then(Json::as_u64).unwrap_or(0);
        let until = self.hashes.iter().filter_map(|kept| kept.until).find(|until| *until > Utc::now());
        VirtualKey {
            object: KeyObject,
            id: self.id.clone(),
            org_id: self.organisation.clone(),
            prefix: self.prefix.clone(),
            name: text("name").unwrap_or_default(),
            role: KeyRole::from(text("role").unwrap_or_else(|| Role::default().name().to_owned())),
            models: list("models"),
            providers: list("providers"),
            allowed_ips: list("allowed_ips"),
            allowed_tools: list("allowed_tools"),
            denied_tools: list("denied_tools"),
            rate_limit_rpm: number("rate_limit_rpm"),
            rate_limit_tpm: number("rate_limit_tpm"),
            max_concurrent: number("max_concurrent"),
            budget: self.settings.get("budget").and_then(budget),
            metadata: self.settings.get("metadata").and_then(Json::as_object).cloned().unwrap_or_default(),
            expires_at: text("expires_at"),
            disabled: self.disabled,
            overlap_until: until.map(|until| until.to_rfc3339_opts(SecondsFormat::Millis, true)),
            created_at: self.created_at.clone(),
            created_by: self.created_by.clone(),
            updated_at: self.updated_at.clone(),
            key: secret.map(|secret| secret.expose().to_owned()),
        }
    }
}

impl Control {
    /// Makes a key.
    ///
    /// # Errors
    /// 400 for a wrong description, 404 without the organisation, 409 when the name is taken.
    pub fn create_key(&mut self, author: &Author, organisation: &str, sent: Json) -> Result<VirtualKey, Refusal> {
        author.may(Wish::Change, organisation)?;
        if organisation != DEFAULT_ORG {
            organisations::head(&*self.store, organisation)?;
        }
        let (settings, disabled) = accept(sent)?;
        may_give(author, organisation, &settings)?;
        self.name_is_free(organisation, &settings, None)?;
        let Made { secret, record } = new(settings, disabled.unwrap_or(false), organisation, &author.name, &self.keys);
        self.change(vec![record.change(Expects::Nothing)], author, (organisation, "key.create", &record.id))?;
        self.know(&record);
        self.tell(&record.name(), KeyChange::Created, author);
        Ok(record.shown(Some(&secret)))
    }

    /// # Errors
    /// 404 without it.
    pub fn retrieve_key(&self, author: &Author, organisation: &str, id: &str) -> Result<VirtualKey, Refusal> {
        author.may(Wish::Read, organisation)?;
        Ok(self.key(organisation, id)?.0.shown(None))
    }

    /// So many of an organisation's keys after the one that `cursor` names.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn list_keys(
        &self,
        author: &Author,
        organisation: &str,
        cursor: &str,
        most: usize,
    ) -> Result<VirtualKeyList, Refusal> {
        author.may(Wish::Read, organisation)?;
        let prefix = format!("{PREFIX}{organisation}/");
        let mut data = Vec::new();
        let mut next_cursor = None;
        let see = &mut |record: crate::store::Record| {
            if data.len() == most {
                next_cursor = data.last().map(|key: &VirtualKey| key.id.clone());
                return false;
            }
            data.extend(serde_json::from_slice::<KeyRecord>(&record.value).ok().map(|key| key.shown(None)));
            true
        };
        self.store.scan(&prefix, &format!("{prefix}{cursor}"), see).map_err(failed)?;
        Ok(VirtualKeyList { object: ListObject, data, next_cursor })
    }

    /// Changes what a key may be used for.
    ///
    /// # Errors
    /// 400 for a wrong description, 404 without it, 409 when the name is taken.
    pub fn update_key(
        &mut self,
        author: &Author,
        organisation: &str,
        id: &str,
        patch: Json,
    ) -> Result<VirtualKey, Refusal> {
        author.may(Wish::Change, organisation)?;
        let (mut record, revision) = self.key_to_change(author, organisation, id)?;
        if !patch.is_object() {
            return Err(Refusal::new(Cause::Invalid, "expected a JSON object"));
        }
        let mut merged = Json::Object(record.settings.clone());
        merged["disabled"] = json!(record.disabled);
        merge(&mut merged, patch);
        let (settings, disabled) = accept(merged)?;
        may_give(author, organisation, &settings)?;
        self.name_is_free(organisation, &settings, Some(id))?;
        let change = match (record.disabled, disabled.unwrap_or(false)) {
            (false, true) => KeyChange::Disabled,
            (true, false) => KeyChange::Enabled,
            _ => KeyChange::Updated,
        };
        (record.settings, record.disabled, record.updated_at) = (settings, disabled.unwrap_or(false), now());
        self.change(
            vec![record.change(Expects::Revision(revision))],
            author,
            (organisation, "key.update", &record.id),
        )?;
        self.know(&record);
        self.tell(&record.name(), change, author);
        Ok(record.shown(None))
    }

    /// Replaces a key; the old one works for so many seconds more.
    ///
    /// # Errors
    /// 400 for too long a time, 404 without it.
    pub fn rotate_key(
        &mut self,
        author: &Author,
        organisation: &str,
        id: &str,
        overlap: u64,
    ) -> Result<VirtualKey, Refusal> {
        author.may(Wish::Change, organisation)?;
        if overlap > LONGEST_OVERLAP {
            let message = format!("`overlap_seconds` is at most {LONGEST_OVERLAP}, which are 30 days");
            return Err(Refusal::invalid("overlap_seconds", message));
        }
        let (mut record, revision) = self.key_to_change(author, organisation, id)?;
        let (secret, prefix, hash) = secret(&self.keys);
        let overlap = i64::try_from(overlap).ok().filter(|&seconds| seconds > 0).and_then(TimeDelta::try_seconds);
        let old = record.hashes.first().cloned().zip(overlap);
        let old = old.map(|(kept, overlap)| KeptHash { until: Some(Utc::now() + overlap), ..kept });
        record.hashes = std::iter::once(KeptHash { hash, until: None }).chain(old).collect();
        (record.prefix, record.updated_at) = (prefix, now());
        self.change(
            vec![record.change(Expects::Revision(revision))],
            author,
            (organisation, "key.rotate", &record.id),
        )?;
        self.know(&record);
        self.tell(&record.name(), KeyChange::Rotated, author);
        Ok(record.shown(Some(&secret)))
    }

    /// # Errors
    /// 404 without it.
    pub fn delete_key(&mut self, author: &Author, organisation: &str, id: &str) -> Result<VirtualKeyDeleted, Refusal> {
        author.may(Wish::Change, organisation)?;
        let (record, revision) = self.key_to_change(author, organisation, id)?;
        self.change(
            vec![Change::delete(record.key(), Expects::Revision(revision))],
            author,
            (organisation, "key.delete", &record.id),
        )?;
        self.forget(&record.name());
        self.tell(&record.name(), KeyChange::Deleted, author);
        Ok(VirtualKeyDeleted { object: KeyDeletedObject, id: record.id, deleted: true })
    }

    /// Deletions of all of an organisation's keys, and their names.
    pub(super) fn all_keys(&self, organisation: &str) -> Result<Vec<(Change, String)>, Refusal> {
        let mut found = Vec::new();
        self.store
            .scan(&format!("{PREFIX}{organisation}/"), "", &mut |record| {
                let name = record.key.strip_prefix(PREFIX).unwrap_or_default().to_owned();
                found.push((Change::delete(record.key, Expects::Revision(record.revision)), name));
                true
            })
            .map_err(failed)?;
        Ok(found)
    }

    /// Tells who listens to events; `name` is the key's as callers have it.
    pub(super) fn tell(&self, name: &str, change: KeyChange, author: &Author) {
        if let Some(notices) = &self.notices {
            let organisation = name.split('/').next().unwrap_or_default();
            notices.key(organisation, name, change, Some(&author.name));
        }
    }

    /// Requests find it as it is now.
    fn know(&self, record: &KeyRecord) {
        self.keys.settle(&record.name(), &record.callers(&self.accounts).unwrap_or_default());
    }

    /// It is deleted: it opens nothing, and what it has spent is nobody's any more.
    pub(super) fn forget(&self, name: &str) {
        self.keys.settle(name, &[]);
        self.accounts.forget(Scope::Key, name);
    }

    fn key(&self, organisation: &str, id: &str) -> Result<(KeyRecord, Revision), Refusal> {
        let missing = || no_such("key", id, "key_id");
        let record = self.store.get(&format!("{PREFIX}{organisation}/{id}")).map_err(failed)?.ok_or_else(missing)?;
        let key = serde_json::from_slice(&record.value).map_err(|_| missing())?;
        Ok((key, record.revision))
    }

    /// A key as strong as its author, or stronger, is not the author's to touch.
    fn key_to_change(&self, author: &Author, organisation: &str, id: &str) -> Result<(KeyRecord, Revision), Refusal> {
        let (record, revision) = self.key(organisation, id)?;
        if record.role()? >= Role::Admin {
            author.may(Wish::Own, organisation)?;
        }
        Ok((record, revision))
    }

    fn name_is_free(&self, organisation: &str, settings: &Map<String, Json>, but: Option<&str>) -> Result<(), Refusal> {
        let mut taken = false;
        self.store
            .scan(&format!("{PREFIX}{organisation}/"), "", &mut |record| {
                let other = serde_json::from_slice::<KeyRecord>(&record.value).ok();
                taken = other.is_some_and(|other| {
                    Some(other.id.as_str()) != but && other.settings.get("name") == settings.get("name")
                });
                !taken
            })
            .map_err(failed)?;
        if taken {
            let message = "the organisation has another key with this name";
            return Err(Refusal::new(Cause::Conflict, message).param("name").code("name_taken"));
        }
        Ok(())
    }
}

/// As it is shown: the limit may also have been written as a text.
fn budget(written: &Json) -> Option<KeyBudget> {
    let mut budget = written.clone();
    if let Some(text) = budget["limit"].as_str() {
        budget["limit"] = json!(text.parse::<f64>().ok()?);
    }
    serde_json::from_value(budget).ok()
}

/// The description of a key, checked as the file's keys are; and whether it is to be disabled.
fn accept(mut sent: Json) -> Result<(Map<String, Json>, Option<bool>), Refusal> {
    let Some(object) = sent.as_object_mut() else {
        return Err(Refusal::new(Cause::Invalid, "expected a JSON object"));
    };
    object.retain(|_, value| !value.is_null());
    let disabled = match object.shift_remove("disabled") {
        None => None,
        Some(Json::Bool(disabled)) => Some(disabled),
        Some(_) => return Err(Refusal::invalid("disabled", "`disabled`: expected true or false")),
    };
    config::organisation_key(&sent).map_err(|mistakes| invalid(&mistakes))?;
    match sent {
        Json::Object(settings) => Ok((settings, disabled)),
        _ => Err(Refusal::new(Cause::Invalid, "expected a JSON object")),
    }
}

/// Nobody gives out a key that may do more than theirs.
fn may_give(author: &Author, organisation: &str, settings: &Map<String, Json>) -> Result<(), Refusal> {
    let role = settings.get("role").and_then(Json::as_str);
    let strong = [Role::Admin, Role::Owner].iter().any(|strong| Some(strong.name()) == role);
    if strong { author.may(Wish::Own, organisation) } else { Ok(()) }
}
