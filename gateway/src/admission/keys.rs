//! Client keys: held as hashes, found by hash, confirmed in constant time. Those of the file are here, those of
//! organisations in [`VirtualKeys`].

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Account, Accounts, DEFAULT_ORG, Limiter, Scope, Terms, VirtualKeys};
use crate::{
    api::ClientRequest,
    config::{Auth, ClientKey, Role, ToolRules, names_model},
    refusal::{Cause, Refusal},
};

type Hash = [u8; 32];
/// Scalars by name.
pub type Metadata = Map<String, Value>;

/// Every key that opens the gateway.
pub struct KeyRing {
    /// Mixed into every hash, so that what is in memory is of no use elsewhere.
    salt: [u8; 16],
    keys: HashMap<Hash, Arc<Caller>>,
    /// Whoever brings no key enters too.
    open: bool,
    /// `None` where there are no organisations.
    virtual_keys: Option<Arc<VirtualKeys>>,
}

/// How Prism's own keys begin.
pub const KEY_PREFIX: &str = "sk-prism-";

/// What a key allows.
#[derive(Debug)]
pub struct Caller {
    /// Unique among all keys: no two share what is kept for one of them.
    pub name: Arc<str>,
    /// Whose providers it calls.
    pub organisation: Arc<str>,
    pub role: Role,
    models: Vec<String>,
    providers: Vec<String>,
    allowed_ips: Vec<IpNet>,
    expires_at: Option<DateTime<Utc>>,
    tools: ToolRules,
    /// What its owner said of it.
    pub metadata: Option<Arc<Metadata>>,
    /// What limits it by what it says itself; `None` for nothing.
    own_account: Option<Arc<Account>>,
    /// What limits it only because its organisation limits every key, since its first request.
    granted: OnceLock<Arc<Account>>,
}

impl KeyRing {
    pub fn new(auth: &Auth, accounts: &Accounts, virtual_keys: Option<Arc<VirtualKeys>>) -> Self {
        let salt = std::array::from_fn(|_| fastrand::u8(..));
        let organisation: Arc<str> = DEFAULT_ORG.into();
        let caller =
            |key: &ClientKey| Arc::new(Caller::new(key, key.name.as_str().into(), organisation.clone(), accounts));
        let keys: HashMap<_, _> = auth.keys.iter().map(|key| (hash(&salt, key.key.expose()), caller(key))).collect();
        // where there are organisations there is at least the owner's key
        let open = !auth.enabled || (keys.is_empty() && virtual_keys.is_none());
        Self { salt, keys: if auth.enabled { keys } else { HashMap::new() }, open, virtual_keys }
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The caller behind a key; `None` when no key is needed.
    ///
    /// # Errors
    /// 401 without a valid key, 403 from an address that the key does not allow, 503 while an organisation's keys are not
    /// known to be valid.
    pub fn admit(
        &self,
        key: Option<&str>,
        ip: IpAddr,
        now: impl FnOnce() -> DateTime<Utc>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let Some(key) = key else {
            if self.open {
                return Ok(None);
            }
            let message =
                "you did not provide an API key: send `Authorization: Bearer YOUR_KEY` or `x-api-key: YOUR_KEY`";
            return Err(Refusal::new(Cause::Unauthenticated, message).code("missing_api_key"));
        };
        let Some(caller) = self.find(key)? else {
            // a key that was one of ours does not become everybody's by being taken back
            if self.open && !(self.virtual_keys.is_some() && key.starts_with(KEY_PREFIX)) {
                return Ok(None);
            }
            return Err(Refusal::new(Cause::Unauthenticated, "the API key is not valid").code("invalid_api_key"));
        };
        if caller.expires_at.is_some_and(|end| now() >= end) {
            return Err(Refusal::new(Cause::Unauthenticated, "the API key has expired").code("expired_api_key"));
        }
        if !caller.allowed_ips.is_empty() && !caller.allowed_ips.iter().any(|net| net.contains(&ip.to_canonical())) {
            return Err(
                Refusal::new(Cause::Forbidden, "this API key is not allowed from your address").code("ip_not_allowed")
            );
        }
        Ok(Some(caller))
    }

    /// # Errors
    /// 503 for an organisation's key while nobody knows whether it is revoked.
    fn find(&self, key: &str) -> Result<Option<Arc<Caller>>, Refusal> {
        if !self.keys.is_empty() {
            let wanted = hash(&self.salt, key);
            if let Some((_, caller)) = self.keys.get_key_value(&wanted).filter(|(found, _)| found.ct_eq(&wanted).into())
            {
                return Ok(Some(caller.clone()));
            }
        }
        let Some(keys) = &self.virtual_keys else { return Ok(None) };
        let found = keys.find(key);
        if found.is_some() && keys.are_stale() {
            let message =
                "the gateway has been cut off from its control plane for too long to know whether this key is valid";
            return Err(Refusal::new(Cause::Unavailable, message)
                .code("control_plane_stale")
                .retry_after(Some(Duration::from_secs(5))));
        }
        Ok(found)
    }
}

impl Caller {
    /// `name` as logs have it; its key as it is described.
    pub fn new(key: &ClientKey, name: Arc<str>, organisation: Arc<str>, accounts: &Accounts) -> Self {
        let terms = Terms { rates: key.rates, budget: key.budget, max_concurrent: key.max_concurrent };
        Self {
            own_account: accounts.of(Scope::Key, &name, terms),
            granted: OnceLock::new(),
            name,
            organisation,
            role: key.role,
            models: key.models.clone(),
            providers: key.providers.clone(),
            allowed_ips: key.allowed_ips.clone(),
            expires_at: key.expires_at,
            tools: key.tools.clone(),
            metadata: (!key.metadata.is_empty()).then(|| Arc::new(key.metadata.clone())),
        }
    }

    /// What limits it by what it says itself; `None` for nothing.
    pub fn own_account(&self) -> Option<&Arc<Account>> {
        self.own_account.as_ref()
    }

    /// What limits it where these are the limits of its organisation; `None` for nothing.
    pub fn account(&self, limiter: Option<&Limiter>, accounts: &Accounts) -> Option<&Arc<Account>> {
        if self.own_account.is_some() || !limiter.is_some_and(Limiter::limits_keys) {
            return self.own_account.as_ref();
        }
        if let Some(account) = self.granted.get() {
            return Some(account);
        }
        let account = accounts.known_or_granted(Scope::Key, &self.name)?;
        Some(self.granted.get_or_init(|| account))
    }

    /// `model` as the client names it; a pattern may also match the part behind a provider's prefix.
    pub fn may_use_model(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|pattern| names_model(pattern, model))
    }

    /// # Errors
    /// 403 naming the tool that it may not offer to a model.
    pub fn check_tools(&self, request: &ClientRequest) -> Result<(), Refusal> {
        if self.tools.is_empty() { Ok(()) } else { self.tools.check(request) }
    }

    /// A viewer reads what is configured, and calls nothing.
    pub fn may_call(&self) -> bool {
        self.role >= Role::Member
    }

    /// Whether its organisation is the one of the file.
    pub fn is_default(&self) -> bool {
        &*self.organisation == DEFAULT_ORG
    }

    pub fn may_use_provider(&self, provider: &str) -> bool {
        self.providers.is_empty() || self.providers.iter().any(|allowed| allowed == provider)
    }
}

fn hash(salt: &[u8], key: &str) -> Hash {
    Sha256::new().chain_update(salt).chain_update(key).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Rates, secret::Secret};

    fn key(change: impl FnOnce(&mut ClientKey)) -> KeyRing {
        let mut key = ClientKey {
            name: "app".into(),
            key: Secret::new("sk-prism-1"),
            role: Role::Member,
            models: vec![],
            providers: vec![],
            allowed_ips: vec![],
            rates: Rates::default(),
            budget: None,
            max_concurrent: None,
            tools: ToolRules::default(),
            metadata: Metadata::default(),
            expires_at: None,
        };
        change(&mut key);
        KeyRing::new(&Auth { enabled: true, keys: vec![key] }, &Accounts::default(), None)
    }

    fn admit(ring: &KeyRing, key: Option<&str>, ip: &str) -> Result<Option<Arc<Caller>>, Cause> {
        ring.admit(key, ip.parse().unwrap(), Utc::now).map_err(|refusal| refusal.cause)
    }

    #[test]
    fn only_the_key_itself_opens() {
        let ring = key(|_| {});
        assert_eq!(&*admit(&ring, Some("sk-prism-1"), "127.0.0.1").unwrap().unwrap().name, "app");
        for wrong in [None, Some(""), Some("sk-prism-"), Some("sk-prism-11")] {
            assert_eq!(admit(&ring, wrong, "127.0.0.1").unwrap_err(), Cause::Unauthenticated);
        }
    }

    #[test]
    fn expired_keys_and_foreign_addresses_are_refused() {
        let ring = key(|key| key.expires_at = Some(Utc::now() - chrono::TimeDelta::seconds(1)));
        assert_eq!(admit(&ring, Some("sk-prism-1"), "127.0.0.1").unwrap_err(), Cause::Unauthenticated);
        let ring = key(|key| key.allowed_ips = vec!["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(admit(&ring, Some("sk-prism-1"), "127.0.0.1").unwrap_err(), Cause::Forbidden);
        assert!(admit(&ring, Some("sk-prism-1"), "::ffff:10.1.2.3").is_ok(), "an IPv4 peer on an IPv6 socket");
    }

    #[test]
    fn without_keys_everybody_enters() {
        let ring = KeyRing::new(&Auth { enabled: true, keys: vec![] }, &Accounts::default(), None);
        assert!(ring.is_open() && admit(&ring, None, "127.0.0.1").unwrap().is_none());
    }

    #[test]
    fn model_patterns() {
        for (pattern, model, expected) in [
            ("gpt-*", "gpt-4o", true),
            ("gpt-*", "openai/gpt-4o", true),
            ("openai/*", "openai/gpt-4o", true),
            ("openai/*", "groq/gpt-4o", false),
            ("gpt-4o", "gpt-4o-mini", false),
            ("*-mini", "gpt-4o-mini", true),
            ("g*4*mini", "gpt-4o-mini", true),
            ("a*a", "a", false),
            ("*", "anything/at/all", true),
        ] {
            let ring = key(|key| key.models = vec![pattern.into()]);
            let caller = admit(&ring, Some("sk-prism-1"), "127.0.0.1").unwrap().unwrap();
            assert_eq!(caller.may_use_model(model), expected, "{pattern} on {model}");
        }
    }
}
