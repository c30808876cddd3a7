//! Another master key: made, everything wrapped with it, the earlier one forgotten. A gateway that runs meanwhile reads the
//! key's file before it seals, and when it meets a key that it does not know.

use serde_json::Value as Json;

use super::{
    author::Author,
    document,
    master_key::MasterKeyError,
    organisations::{self, damaged, not_opened},
    seal::{self, SealError},
    state::{Control, PEPPER, PEPPER_BELONGS, failed},
};
use crate::{
    admission::DEFAULT_ORG,
    refusal::{Cause, Refusal},
    store::{Change, Expects, Record, StoreError},
};

impl Control {
    /// Makes a new master key, unless its owner has put one into the environment, and wraps with it whatever an earlier one
    /// had wrapped. Says how many records that were. The earlier key stays in its file, behind the new one, until
    /// [`Control::retire_master_keys`].
    ///
    /// # Errors
    /// When the key's file cannot be written, a secret does not open, or the store cannot be written.
    pub fn rotate_master_key(&mut self, author: &Author) -> Result<usize, Refusal> {
        author.operates()?;
        self.master.reload().map_err(no_file)?;
        self.master.rotate().map_err(no_file)?;
        let rewrapped = self.rewrap_all()?;
        self.change(Vec::new(), author, (DEFAULT_ORG, "master_key.rotate", &rewrapped.to_string()))?;
        Ok(rewrapped)
    }

    /// Forgets earlier master keys, once nothing is left that one of them has wrapped: another gateway may have sealed
    /// something in the moment of the rotation.
    ///
    /// # Errors
    /// When a secret does not open, or the store or the key's file cannot be written.
    pub fn retire_master_keys(&mut self, author: &Author) -> Result<(), Refusal> {
        author.operates()?;
        self.master.reload().map_err(no_file)?;
        let rewrapped = self.rewrap_all()?;
        self.master.forget_earlier().map_err(no_file)?;
        self.change(Vec::new(), author, (DEFAULT_ORG, "master_key.retire", &rewrapped.to_string()))?;
        Ok(())
    }

    fn rewrap_all(&mut self) -> Result<usize, Refusal> {
        let mut keys = Vec::new();
        for prefix in [organisations::PREFIX, organisations::VERSIONS] {
            let see = &mut |record: Record| {
                keys.push(record.key);
                true
            };
            self.store.scan(prefix, "", see).map_err(failed)?;
        }
        let mut rewrapped = 0;
        for key in &keys {
            while !self.rewrap(key, &mut rewrapped)? {}
        }
        self.rewrap_pepper()?;
        Ok(rewrapped)
    }

    /// `false` when somebody else has changed the record meanwhile.
    fn rewrap(&mut self, key: &str, rewrapped: &mut usize) -> Result<bool, Refusal> {
        let Some(record) = self.store.get(key).map_err(failed)? else { return Ok(true) };
        let organisation = key.split('/').nth(1).unwrap_or_default();
        let mut value: Json = serde_json::from_slice(&record.value).map_err(|_| damaged(organisation))?;
        let changed = document::rewrap(&mut value["config"], organisation, &self.master);
        if !changed.map_err(|error| not_opened(organisation, error))? {
            return Ok(true);
        }
        let change = Change::put(key, value.to_string().into_bytes(), Expects::Revision(record.revision));
        match self.store.commit(&[change]) {
            Ok(_) => {
                *rewrapped += 1;
                Ok(true)
            }
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    fn rewrap_pepper(&mut self) -> Result<(), Refusal> {
        let lost = |error: SealError| not_opened(DEFAULT_ORG, ("the pepper of keys".to_owned(), error));
        let Some(record) = self.store.get(PEPPER).map_err(failed)? else { return Ok(()) };
        let text = String::from_utf8_lossy(&record.value);
        if let Some(again) = seal::rewrap(&self.master, PEPPER_BELONGS, &text).map_err(lost)? {
            let change = Change::put(PEPPER, again.into_bytes(), Expects::Revision(record.revision));
            self.store.commit(&[change]).map_err(failed)?;
        }
        Ok(())
    }
}

pub(super) fn no_file(error: MasterKeyError) -> Refusal {
    tracing::error!(%error, "the master key");
    Refusal::new(Cause::Unavailable, "the file of the master key cannot be used").code("master_key_unavailable")
}
