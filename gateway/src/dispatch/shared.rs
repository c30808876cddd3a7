//! The file's providers that organisations may use, and who has to know when they change.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::ArcSwap;

use super::dispatcher::{Address, DispatcherMessage, Whereabouts};
use crate::provider::ProviderCore;

/// Offered by the root of the file's providers, taken by every organisation's.
#[derive(Default)]
pub struct Shared {
    cores: ArcSwap<Vec<Arc<ProviderCore>>>,
    /// Organisations that are asleep again are forgotten at the next change.
    listeners: Mutex<Vec<Weak<Whereabouts>>>,
}

impl Shared {
    /// What may be used now.
    pub fn cores(&self) -> Arc<Vec<Arc<ProviderCore>>> {
        self.cores.load_full()
    }

    pub fn offer(&self, cores: Vec<Arc<ProviderCore>>) {
        self.cores.store(Arc::new(cores));
        self.changed();
    }

    /// A dispatcher that wants to know of changes.
    pub fn listen(&self, dispatcher: &Address) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(dispatcher));
    }

    /// One of them has another list of models, or there are others: every organisation's table is made anew.
    pub fn changed(&self) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| match listener.upgrade() {
            Some(dispatcher) => {
                if let Some(dispatcher) = dispatcher.load().as_deref() {
                    let _ = dispatcher.cast(DispatcherMessage::Publish);
                }
                true
            }
            None => false,
        });
    }
}
