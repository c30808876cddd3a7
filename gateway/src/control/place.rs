//! Where organisations are kept: in a file of this machine, or in a bucket that several gateways have together.

use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;

use super::{
    organisations, owner,
    state::{Control, Opening, OpeningError, Rules},
};
use crate::{
    admission::Accounts,
    config::{Config, ControlPlane},
    nats::BucketSettings,
    secret::Secret,
    store::{Embedded, Shared, SharedSettings, Standing, Store},
    telemetry::Notices,
};

/// Everything that leads to it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The data directory: the file, or the copy of the bucket; and the owner's key.
    pub folder: PathBuf,
    pub master_key_file: PathBuf,
    pub shared: Option<SharedSettings>,
}

/// A store, and how it stands to the bucket where there is one.
pub type Placed = (Box<dyn Store>, Option<Arc<Standing>>);

impl Place {
    pub fn of(config: &Config, control_plane: &ControlPlane) -> Self {
        let folder = config.store.path.clone();
        let shared = control_plane.shared.as_ref().zip(config.nats.as_ref()).map(|(shared, nats)| SharedSettings {
            nats: nats.clone(),
            bucket: BucketSettings {
                name: shared.bucket.clone(),
                description: "Organisations of Prism gateways: what they have configured, their keys, the audit log",
                replicas: config.usage.replicas,
            },
            name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            max_staleness: shared.max_staleness,
            identity: owner::MINTED,
        });
        let master_key_file = control_plane.master_key_file.clone().unwrap_or_else(|| folder.join("master.key"));
        Self { folder, master_key_file, shared }
    }

    /// Opens the store; may wait, and is not to be called where a task runs.
    ///
    /// # Errors
    /// When it cannot be opened, or there is another beside it that nobody has moved.
    pub fn store(&self) -> Result<Placed, OpeningError> {
        let Some(settings) = &self.shared else { return Ok((Box::new(Embedded::open(&self.folder)?), None)) };
        let shared = Shared::open(&self.folder, settings.clone())?;
        self.nothing_is_left(&shared)?;
        let standing = shared.standing();
        Ok((Box::new(shared), Some(standing)))
    }

    /// Opens the store and what is in it.
    ///
    /// # Errors
    /// See [`Place::store`] and [`Control::open`].
    pub fn control(
        &self,
        rules: Arc<ArcSwap<Rules>>,
        accounts: Arc<Accounts>,
        notices: Option<Notices>,
    ) -> Result<(Control, Option<Arc<Standing>>), OpeningError> {
        let (store, standing) = self.store()?;
        let control = Control::open(Opening {
            store,
            folder: &self.folder,
            master_key_file: self.master_key_file.clone(),
            master_key: std::env::var("PRISM_MASTER_KEY").ok().map(Secret::new),
            rules,
            accounts,
            stale: standing.as_ref().map(|standing| standing.stale()).unwrap_or_default(),
            notices,
        })?;
        Ok((control, standing))
    }

    /// # Errors
    /// When a file of before holds organisations that are not in the bucket.
    fn nothing_is_left(&self, shared: &Shared) -> Result<(), OpeningError> {
        if !Embedded::is_in(&self.folder) {
            return Ok(());
        }
        let file = Embedded::open(&self.folder)?;
        let owner = |store: &dyn Store| Ok::<_, OpeningError>(store.get(owner::MINTED)?.map(|record| record.value));
        let mut holds_something = false;
        file.scan(organisations::PREFIX, "", &mut |_| {
            holds_something = true;
            false
        })?;
        if holds_something && owner(&file)? != owner(shared)? {
            return Err(OpeningError::NotMoved { path: self.folder.join("prism.db") });
        }
        Ok(())
    }
}
