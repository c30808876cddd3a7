//! What organisations have configured: each change a new version, validated as the file is, its secrets sealed.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    author::{Author, Wish},
    document::{self, Writing},
    master_key::MasterKeys,
    merge::{differences, merge},
    rotation::no_file,
    seal::SealError,
    state::{Control, Rules, failed, now},
};
use crate::{
    admission::DEFAULT_ORG,
    api::{
        KeyChange, ListObject, OrgConfig, OrgConfigAction, OrgConfigChange, OrgConfigDeleted, OrgConfigDeletedObject,
        OrgConfigDiff, OrgConfigMistake, OrgConfigObject, OrgConfigValidation, OrgConfigVersion, OrgConfigVersions,
        OrgList, OrgSummary,
    },
    config::{self, Config, Mistakes, Terms},
    refusal::{Cause, Refusal},
    secret::{Wiped, wipe},
    store::{Change, Expects, Record, Revision, Store},
};

/// Organisations in the store: `org/ORGANISATION`.
pub(super) const PREFIX: &str = "org/";
/// Their versions: `version/ORGANISATION/NUMBER`.
pub(super) const VERSIONS: &str = "version/";
/// Versions that can be looked at and rolled back to.
const VERSIONS_KEPT: u64 = 100;
const LONGEST_ID: usize = 64;

/// An organisation as it is kept, under `org/ORGANISATION`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Head {
    version: u64,
    pub config: Json,
    created_at: String,
    updated_at: String,
    updated_by: String,
}

/// A version as it is kept, under `version/ORGANISATION/NUMBER`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Version {
    version: u64,
    action: OrgConfigAction,
    config: Json,
    at: String,
    author: String,
}

/// What is to be done to a configuration.
pub enum Edit {
    Create(Wiped),
    Replace(Wiped),
    /// A merge patch.
    Update(Wiped),
    Rollback(u64),
}

impl Control {
    /// Makes, replaces, patches or brings back a configuration. `seen` is the state that the author has seen, `None` when it
    /// does not matter.
    ///
    /// # Errors
    /// 400 for a wrong configuration, 404 without the organisation, 409 when it is there already, 412 when it is another
    /// than was seen.
    pub fn edit(
        &mut self,
        author: &Author,
        organisation: &str,
        seen: Option<&str>,
        edit: Edit,
    ) -> Result<OrgConfig, Refusal> {
        author.may(Wish::Change, organisation)?;
        is_configurable(organisation)?;
        let at = now();
        let before = match &edit {
            Edit::Create(_) => None,
            _ => Some(head(&*self.store, organisation)?),
        };
        matches_seen(seen, before.as_ref().map(|(_, revision)| *revision))?;
        let kept = before.as_ref().map(|(head, _)| &head.config);
        let writing = Writing { organisation, is_operator: author.is_operator(), at: &at };
        let (action, config) = match edit {
            Edit::Create(sent) => (OrgConfigAction::Create, self.accept(sent, kept, &writing)?),
            Edit::Replace(sent) => (OrgConfigAction::Replace, self.accept(sent, kept, &writing)?),
            Edit::Update(mut patch) => {
                let mut whole = Wiped(kept.map(document::show).unwrap_or_default());
                merge(&mut whole.0, std::mem::take(&mut patch.0));
                (OrgConfigAction::Update, self.accept(whole, kept, &writing)?)
            }
            Edit::Rollback(version) => {
                let config = self.version(organisation, version)?.config;
                document::operators_part_stays(&config, kept, &writing)?;
                self.check(&config, organisation)?;
                (OrgConfigAction::Rollback, config)
            }
        };
        let version = before.as_ref().map_or(0, |(head, _)| head.version) + 1;
        let created_at = before.as_ref().map_or_else(|| at.clone(), |(head, _)| head.created_at.clone());
        let head = Head { version, config, created_at, updated_at: at, updated_by: author.name.clone() };
        let expects = before.map_or(Expects::Nothing, |(_, revision)| Expects::Revision(revision));
        let name = action.as_str().to_owned();
        let changes = changes(organisation, &head, action, expects);
        let subject = version.to_string();
        let done = self.change(changes, author, (organisation, &format!("config.{name}"), &subject));
        let revision = done.map_err(|refusal| match refusal.cause {
            Cause::Conflict if expects == Expects::Nothing => exists(organisation),
            _ => refusal,
        })?;
        Ok(shown(organisation, &head, revision))
    }

    /// # Errors
    /// 404 without it.
    pub fn retrieve(&self, author: &Author, organisation: &str) -> Result<OrgConfig, Refusal> {
        author.may(Wish::Read, organisation)?;
        is_configurable(organisation)?;
        let (head, revision) = head(&*self.store, organisation)?;
        Ok(shown(organisation, &head, revision))
    }

    /// So many organisations after the one that `cursor` names; an organisation's own keys see that one alone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn list(&self, author: &Author, cursor: &str, most: usize) -> Result<OrgList, Refusal> {
        author.may(Wish::Read, &author.organisation)?;
        let mut data: Vec<OrgSummary> = Vec::new();
        let mut next_cursor = None;
        let see = &mut |record: Record| {
            let id = record.key.strip_prefix(PREFIX).unwrap_or_default();
            if author.may(Wish::Read, id).is_err() {
                return true;
            }
            if data.len() == most {
                next_cursor = data.last().map(|last| last.org_id.clone());
                return false;
            }
            let head = serde_json::from_slice::<Head>(&record.value).ok();
            data.extend(head.map(|head| summary(id, head)));
            true
        };
        self.store.scan(PREFIX, &format!("{PREFIX}{cursor}"), see).map_err(failed)?;
        Ok(OrgList { object: ListObject, data, next_cursor })
    }

    /// Ends an organisation: its configuration, all versions of it, and its keys.
    ///
    /// # Errors
    /// 404 without it, 412 when it is another than was seen.
    pub fn delete(
        &mut self,
        author: &Author,
        organisation: &str,
        seen: Option<&str>,
    ) -> Result<OrgConfigDeleted, Refusal> {
        author.may(Wish::Own, organisation)?;
        is_configurable(organisation)?;
        let (head, revision) = head(&*self.store, organisation)?;
        matches_seen(seen, Some(revision))?;
        let mut changes = vec![Change::delete(format!("{PREFIX}{organisation}"), Expects::Revision(revision))];
        self.store
            .scan(&format!("{VERSIONS}{organisation}/"), "", &mut |record| {
                changes.push(Change::delete(record.key, Expects::Anything));
                true
            })
            .map_err(failed)?;
        let (keys, names): (Vec<_>, Vec<_>) = self.all_keys(organisation)?.into_iter().unzip();
        changes.extend(keys);
        let version = head.version.to_string();
        let deed = (organisation, "config.delete", &*version);
        // where one commit does not take so many, keys go first: an organisation without them serves nobody
        let most = self.store.most_changes() - 1;
        while changes.len() > most {
            let last = changes.split_off(changes.len() - most.min(changes.len() - 1));
            self.change(last, author, deed)?;
        }
        self.change(changes, author, deed)?;
        self.accounts.forget_organisation(organisation);
        for name in &names {
            self.keys.settle(name, &[]);
            self.tell(name, KeyChange::Deleted, author);
        }
        Ok(OrgConfigDeleted { object: OrgConfigDeletedObject, org_id: organisation.to_owned(), deleted: true })
    }

    /// The versions that are kept, the latest first.
    ///
    /// # Errors
    /// 404 without the organisation.
    pub fn versions(&self, author: &Author, organisation: &str) -> Result<OrgConfigVersions, Refusal> {
        author.may(Wish::Read, organisation)?;
        is_configurable(organisation)?;
        head(&*self.store, organisation)?;
        let mut data = Vec::new();
        self.store
            .scan(&format!("{VERSIONS}{organisation}/"), "", &mut |record| {
                let version = serde_json::from_slice::<Version>(&record.value).ok();
                data.extend(version.map(|Version { version, action, at, author, .. }| OrgConfigVersion {
                    version,
                    action,
                    at,
                    author,
                }));
                true
            })
            .map_err(failed)?;
        data.reverse();
        Ok(OrgConfigVersions { object: ListObject, data })
    }

    /// What two versions differ in; without them, the last two.
    ///
    /// # Errors
    /// 404 without one of them.
    pub fn diff(
        &self,
        author: &Author,
        organisation: &str,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<OrgConfigDiff, Refusal> {
        author.may(Wish::Read, organisation)?;
        is_configurable(organisation)?;
        let (head, _) = head(&*self.store, organisation)?;
        let to = to.unwrap_or(head.version);
        let from = from.unwrap_or_else(|| to.saturating_sub(1).max(1));
        let (before, after) = (self.version(organisation, from)?, self.version(organisation, to)?);
        let changes = differences(&document::show(&before.config), &document::show(&after.config));
        let change =
            |one: super::merge::Difference| OrgConfigChange { path: one.path, before: one.before, after: one.after };
        Ok(OrgConfigDiff { from, to, changes: changes.into_iter().map(change).collect() })
    }

    /// What would be said of a configuration; nothing changes.
    ///
    /// # Errors
    /// When a marker in it stands for nothing.
    pub fn validate(
        &mut self,
        author: &Author,
        organisation: &str,
        sent: Wiped,
    ) -> Result<OrgConfigValidation, Refusal> {
        author.may(Wish::Change, organisation)?;
        is_configurable(organisation)?;
        let kept = self.store.get(&format!("{PREFIX}{organisation}")).map_err(failed)?;
        let kept = kept.and_then(|record| serde_json::from_slice::<Head>(&record.value).ok());
        let at = now();
        let writing = Writing { organisation, is_operator: author.is_operator(), at: &at };
        let mistakes = match self.kept(sent, kept.as_ref().map(|head| &head.config), &writing) {
            Ok(config) => match self.resolve(&config, organisation)? {
                Ok(_) => Vec::new(),
                Err(mistakes) => mistakes
                    .0
                    .into_iter()
                    .map(|mistake| OrgConfigMistake { path: mistake.path, message: mistake.message })
                    .collect(),
            },
            Err(refusal) => vec![OrgConfigMistake {
                path: refusal.param.map(|path| path.into_owned()).unwrap_or_default(),
                message: refusal.message.into_owned(),
            }],
        };
        Ok(OrgConfigValidation { valid: mistakes.is_empty(), mistakes })
    }

    /// A configuration as it was sent, as it is to be kept.
    fn accept(&mut self, sent: Wiped, kept: Option<&Json>, writing: &Writing<'_>) -> Result<Json, Refusal> {
        let config = self.kept(sent, kept, writing)?;
        self.check(&config, writing.organisation)?;
        Ok(config)
    }

    fn kept(&mut self, mut sent: Wiped, kept: Option<&Json>, writing: &Writing<'_>) -> Result<Json, Refusal> {
        if !sent.0.is_object() {
            return Err(Refusal::new(Cause::Invalid, "expected a JSON object: `{\"providers\": {…}}`"));
        }
        self.master.reload().map_err(no_file)?;
        document::keep(&mut sent.0, kept, &self.master, writing)?;
        Ok(std::mem::take(&mut sent.0))
    }

    fn check(&mut self, config: &Json, organisation: &str) -> Result<(), Refusal> {
        self.resolve(config, organisation)?.map(drop).map_err(|mistakes| invalid(&mistakes))
    }

    fn resolve(&mut self, config: &Json, organisation: &str) -> Result<Result<Config, Mistakes>, Refusal> {
        resolve(config, organisation, &mut self.master, &self.rules.load())
    }

    fn version(&self, organisation: &str, version: u64) -> Result<Version, Refusal> {
        let missing = || no_such("version", &version.to_string(), "version");
        let record = self.store.get(&version_key(organisation, version)).map_err(failed)?.ok_or_else(missing)?;
        serde_json::from_slice(&record.value).map_err(|_| missing())
    }
}

/// A configuration as it is used, or everything that is wrong with it.
pub(super) fn resolve(
    config: &Json,
    organisation: &str,
    master: &mut MasterKeys,
    rules: &Rules,
) -> Result<Result<Config, Mistakes>, Refusal> {
    let mut opened = document::open(config, organisation, master);
    // somebody may have rotated the master key
    if let Err((_, SealError::UnknownMasterKey)) = opened {
        master.reload().map_err(no_file)?;
        opened = document::open(config, organisation, master);
    }
    let mut opened = opened.map_err(|error| not_opened(organisation, error))?;
    let terms = Terms {
        organisation,
        allow_private: rules.allow_private,
        max_in_flight: rules.max_in_flight,
        shared: &rules.shared,
    };
    let config = config::organisation(&opened.0, terms);
    wipe(&mut opened.0);
    Ok(config)
}

fn changes(organisation: &str, head: &Head, action: OrgConfigAction, expects: Expects) -> Vec<Change> {
    let version = Version {
        version: head.version,
        action,
        config: head.config.clone(),
        at: head.updated_at.clone(),
        author: head.updated_by.clone(),
    };
    let mut changes = vec![
        Change::put(version_key(organisation, head.version), json(&version), Expects::Anything),
        Change::put(format!("{PREFIX}{organisation}"), json(head), expects),
    ];
    if head.version > VERSIONS_KEPT {
        changes.push(Change::delete(version_key(organisation, head.version - VERSIONS_KEPT), Expects::Anything));
    }
    changes
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("a record serialises")
}

fn version_key(organisation: &str, version: u64) -> String {
    format!("{VERSIONS}{organisation}/{version:010}")
}

/// An organisation as it is kept, and the commit that made it so.
pub(super) fn head(store: &dyn Store, organisation: &str) -> Result<(Head, Revision), Refusal> {
    let record = store.get(&format!("{PREFIX}{organisation}")).map_err(failed)?;
    let record = record.ok_or_else(|| no_such("organisation", organisation, "org_id"))?;
    let head = serde_json::from_slice(&record.value).map_err(|_| damaged(organisation))?;
    Ok((head, record.revision))
}

fn shown(organisation: &str, head: &Head, revision: Revision) -> OrgConfig {
    OrgConfig {
        object: OrgConfigObject,
        org_id: organisation.to_owned(),
        version: head.version,
        etag: revision.to_string(),
        config: serde_json::from_value(document::show(&head.config)).unwrap_or_default(),
        created_at: head.created_at.clone(),
        updated_at: head.updated_at.clone(),
        updated_by: head.updated_by.clone(),
    }
}

fn summary(id: &str, head: Head) -> OrgSummary {
    let providers = head.config["providers"].as_object();
    OrgSummary {
        org_id: id.to_owned(),
        version: head.version,
        providers: providers.map(|all| all.keys().cloned().collect()).unwrap_or_default(),
        updated_at: head.updated_at,
        updated_by: head.updated_by,
    }
}

/// # Errors
/// When a name can be no organisation's, or its configuration is not kept here.
pub(super) fn is_configurable(organisation: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if organisation.is_empty() || organisation.len() > LONGEST_ID || !organisation.chars().all(plain) {
        let message = format!("an organisation's id has up to {LONGEST_ID} letters, digits, `-` and `_`");
        return Err(Refusal::invalid("org_id", message));
    }
    if organisation == DEFAULT_ORG {
        let message = "the organisation `default` is configured by the gateway's file";
        return Err(Refusal::new(Cause::Conflict, message).param("org_id").code("configured_by_file"));
    }
    Ok(())
}

fn matches_seen(seen: Option<&str>, revision: Option<Revision>) -> Result<(), Refusal> {
    let present = revision.map(|revision| revision.to_string());
    match seen {
        Some(seen) if seen != "*" && Some(seen) != present.as_deref() => {
            let message = "it is another than the one that `if_match` names: read it again";
            Err(Refusal::new(Cause::PreconditionFailed, message).param("if_match").code("changed_meanwhile"))
        }
        _ => Ok(()),
    }
}

fn exists(organisation: &str) -> Refusal {
    let message = format!("there is an organisation `{organisation}` already");
    Refusal::new(Cause::Conflict, message).param("org_id").code("organisation_exists")
}

pub(super) fn no_such(what: &str, name: &str, param: &'static str) -> Refusal {
    let name: String = name.chars().take(LONGEST_ID).collect();
    let code = format!("{what}_not_found");
    Refusal::new(Cause::NotFound, format!("no {what} `{name}`")).param(param).code(code)
}

/// All mistakes in one message, the first of them named.
pub(super) fn invalid(mistakes: &Mistakes) -> Refusal {
    let told: Vec<_> = mistakes.0.iter().map(|one| format!("`{}`: {}", one.path, one.message)).collect();
    let first = mistakes.0.first().map(|one| one.path.clone()).unwrap_or_default();
    Refusal::invalid(first, told.join("; ")).code("invalid_config")
}

pub(super) fn damaged(organisation: &str) -> Refusal {
    tracing::error!(organisation, "an organisation's record in the store is damaged");
    Refusal::new(Cause::Internal, "the organisation's record is damaged").code("damaged_record")
}

pub(super) fn not_opened(organisation: &str, (path, error): (String, SealError)) -> Refusal {
    tracing::error!(organisation, path, %error, "a sealed credential cannot be opened");
    let message = "a credential of the organisation cannot be opened: set it again";
    Refusal::new(Cause::Unavailable, message).param(path).code("sealed_credential")
}
