//! Tells consumers of events what is not about requests. Like usage events it goes through the spool: NATS may be away.

use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use serde::Serialize;

use crate::{
    api::{
        CONFIG_SCHEMA, ConfigEvent, KEY_SCHEMA, KeyChange, KeyEvent, PROVIDER_SCHEMA, ProviderEvent, ProviderSubject,
    },
    spool::{Kind, Spool},
};

/// Where notices go.
#[derive(Debug, Clone)]
pub struct Notices {
    spool: Arc<Spool>,
    gateway: Arc<str>,
}

/// What is said of a provider.
#[derive(Debug, Clone, Copy)]
pub struct ProviderNotice<'a> {
    pub provider: &'a str,
    pub region: Option<&'a str>,
    pub subject: ProviderSubject,
    pub from: Option<&'a str>,
    pub to: &'a str,
    pub reason: &'a str,
}

impl Notices {
    pub fn new(spool: Arc<Spool>, gateway: Arc<str>) -> Self {
        Self { spool, gateway }
    }

    pub fn provider(&self, notice: &ProviderNotice<'_>) {
        let event = ProviderEvent {
            schema: PROVIDER_SCHEMA.to_owned(),
            event_id: event_id(),
            at: now(),
            gateway: self.gateway.to_string(),
            provider: notice.provider.to_owned(),
            region: notice.region.map(str::to_owned),
            subject: notice.subject,
            from: notice.from.map(str::to_owned),
            to: notice.to.to_owned(),
            reason: notice.reason.to_owned(),
        };
        self.note(Kind::Provider, &event);
    }

    /// A configuration was applied: which blocks have changed, which providers there are.
    pub fn config(&self, changed: &[&str], providers: Vec<String>) {
        let event = ConfigEvent {
            schema: CONFIG_SCHEMA.to_owned(),
            event_id: event_id(),
            at: now(),
            gateway: self.gateway.to_string(),
            changed: changed.iter().map(|&block| block.to_owned()).collect(),
            providers,
        };
        self.note(Kind::Config, &event);
    }

    /// A key of an organisation has changed; `by` is who did it.
    pub fn key(&self, org: &str, key_id: &str, change: KeyChange, by: Option<&str>) {
        let event = KeyEvent {
            schema: KEY_SCHEMA.to_owned(),
            event_id: event_id(),
            at: now(),
            gateway: self.gateway.to_string(),
            org: org.to_owned(),
            key_id: key_id.to_owned(),
            change,
            by: by.map(str::to_owned),
        };
        self.note(Kind::Key, &event);
    }

    fn note(&self, kind: Kind, event: &impl Serialize) {
        self.spool.note(kind, serde_json::to_vec(event).expect("our own types always serialise"));
    }
}

fn event_id() -> String {
    crate::ids::event_id(std::time::SystemTime::now())
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
