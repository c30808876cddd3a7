//! What requests need of organisations: read beside the thread that changes them, which may be waiting for its disk or for
//! the others.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::Value as Json;

use super::{
    master_key::MasterKeys,
    organisations::{Head, PREFIX, damaged, invalid, resolve},
    state::{Control, Rules, failed},
};
use crate::{
    config::Config,
    refusal::{Cause, Refusal},
    store::{Store, StoreError},
};

/// Reads the same store.
pub struct Reading {
    store: Box<dyn Store>,
    master: MasterKeys,
    rules: Arc<ArcSwap<Rules>>,
}

impl Control {
    /// # Errors
    /// When the store cannot be opened once more.
    pub fn reading(&self) -> Result<Reading, StoreError> {
        Ok(Reading { store: self.store.reader()?, master: self.master.clone(), rules: self.rules.clone() })
    }
}

impl Reading {
    /// What an organisation's requests work with; without a configuration it has no providers of its own.
    ///
    /// # Errors
    /// When its secrets do not open.
    pub fn configuration(&mut self, organisation: &str) -> Result<Arc<Config>, Refusal> {
        let kept = self.store.get(&format!("{PREFIX}{organisation}")).map_err(failed)?;
        let config = match kept.map(|record| serde_json::from_slice::<Head>(&record.value)) {
            None => Json::Object(serde_json::Map::new()),
            Some(Ok(head)) => head.config,
            Some(Err(_)) => return Err(damaged(organisation)),
        };
        match resolve(&config, organisation, &mut self.master, &self.rules.load())? {
            Ok(config) => Ok(Arc::new(config)),
            // accepted by an earlier version, or under other rules
            Err(mistakes) => {
                tracing::error!(organisation, mistakes = %invalid(&mistakes).message, "an organisation's configuration");
                let message =
                    "the organisation's configuration has mistakes: its administrators can see them with `validate`";
                Err(Refusal::new(Cause::Unavailable, message).code("organisation_unavailable"))
            }
        }
    }
}
