//! What became of recent requests, for those who ask why: a bounded ring, filled by the drop of each exchange.
//!
//! What is kept is moved out of the exchange or shared with the route table; a request adds no allocation and meets no
//! lock but its own slot's.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use smallvec::SmallVec;

use super::Attempted;
use crate::{api::Endpoint, config::Strategy};

/// Slots are made so many at a time, as they are needed.
const CHUNK: usize = 64;
const CHUNKS: usize = 64;

/// Whom an attempt or a plan names.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    pub provider: Arc<str>,
    pub region: Option<Box<str>>,
    /// The model, as the provider knows it.
    pub model: Arc<str>,
}

/// What said who serves a model (SPEC §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    ProviderLock,
    ConditionalRoute,
    /// Targets that the request itself named.
    RequestTargets,
    Targets,
    ModelMap,
    Listed,
    Prefix,
    Discovered,
    Family,
    DefaultModel,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Self::ProviderLock => "provider_lock",
            Self::ConditionalRoute => "conditional_route",
            Self::RequestTargets => "request_targets",
            Self::Targets => "targets",
            Self::ModelMap => "model_map",
            Self::Listed => "listed",
            Self::Prefix => "prefix",
            Self::Discovered => "discovered",
            Self::Family => "family",
            Self::DefaultModel => "default_model",
        }
    }
}

/// The candidates for one model in the order of their turns.
#[derive(Debug, Clone)]
pub struct Considered {
    pub places: Arc<[Arc<Place>]>,
    /// Positions among the places.
    pub order: SmallVec<[u8; 16]>,
}

/// What was decided for one request and what came of it.
#[derive(Debug, Clone)]
pub struct Decision {
    pub request_id: String,
    /// The name of the client key that asked.
    pub key: Option<Arc<str>>,
    pub model: Option<Box<str>>,
    pub endpoint: Endpoint,
    pub strategy: Strategy,
    /// `None` when the request was refused before anybody was looked for.
    pub source: Option<Source>,
    /// For the model, then for each that stood in for it.
    pub considered: SmallVec<[Considered; 1]>,
    /// Those that were not asked when it was their turn, and why.
    pub passed_over: Vec<(Arc<Place>, &'static str)>,
    pub attempted: SmallVec<[Attempted; 1]>,
    pub status: u16,
    pub began: Instant,
    pub took: Duration,
}

type Slot = Mutex<Option<Decision>>;

/// The last 4,096.
pub struct Decisions {
    chunks: [OnceLock<Box<[Slot]>>; CHUNKS],
    next: AtomicUsize,
}

impl Default for Decisions {
    fn default() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS], next: AtomicUsize::new(0) }
    }
}

impl Decisions {
    pub fn keep(&self, decision: Decision) {
        let at = self.next.fetch_add(1, Relaxed) % (CHUNK * CHUNKS);
        let chunk = self.chunks[at / CHUNK].get_or_init(|| (0..CHUNK).map(|_| Slot::default()).collect());
        let mut slot = chunk[at % CHUNK].lock().unwrap_or_else(PoisonError::into_inner);
        let old = slot.replace(decision);
        drop(slot);
        drop(old);
    }

    /// What was decided for a request of this key.
    pub fn find(&self, key: Option<&str>, request_id: &str) -> Option<Decision> {
        let slots = self.chunks.iter().filter_map(OnceLock::get).flat_map(|chunk| chunk.iter());
        slots
            .map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner))
            .find(|slot| {
                let one = (**slot).as_ref();
                one.is_some_and(|one| one.request_id == request_id && one.key.as_deref() == key)
            })
            .and_then(|slot| slot.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(number: usize, key: Option<&str>) -> Decision {
        Decision {
            request_id: format!("req_{number}"),
            key: key.map(Into::into),
            model: None,
            endpoint: Endpoint::ChatCompletions,
            strategy: Strategy::default(),
            source: None,
            considered: SmallVec::new(),
            passed_over: Vec::new(),
            attempted: SmallVec::new(),
            status: 200,
            began: Instant::now(),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn the_last_ones_are_found_by_their_own_key_alone() {
        let decisions = Decisions::default();
        (0..5_000).for_each(|number| decisions.keep(decision(number, Some("a"))));
        let found = |number: usize, key| decisions.find(key, &format!("req_{number}")).is_some();
        assert!(found(4_999, Some("a")) && found(904, Some("a")) && !found(903, Some("a")));
        assert!(!found(4_999, Some("b")) && !found(4_999, None));
    }

    #[test]
    fn a_decision_is_small() {
        assert!(size_of::<Slot>() <= 352, "{} bytes", size_of::<Slot>());
    }
}
