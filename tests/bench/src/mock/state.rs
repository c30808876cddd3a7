//! What all connections share: the behaviour in force, its canned answers, and the counters.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use crate::behaviour::Behaviour;
use crate::canned::Canned;

#[derive(Default)]
pub struct Shared {
    /// Empty only until [`install`].
    current: RwLock<Option<(Behaviour, Arc<Canned>)>>,
    pub connections: AtomicU64,
    pub requests: AtomicU64,
    pub streams: AtomicU64,
    pub chunks: AtomicU64,
    pub faults: AtomicU64,
    pub body_bytes: AtomicU64,
    /// Streams whose client went away before the end.
    pub aborted: AtomicU64,
    random: AtomicU64,
}

static SHARED: OnceLock<Shared> = OnceLock::new();

pub fn install(behaviour: Behaviour) {
    let shared = SHARED.get_or_init(Shared::default);
    shared.random.store(42, Relaxed); // faults and latencies repeat from run to run
    shared.adopt(behaviour);
}

pub fn shared() -> &'static Shared {
    SHARED.get().expect("installed in main before the first connection")
}

impl Shared {
    pub fn adopt(&self, behaviour: Behaviour) {
        let canned = Arc::new(Canned::new(&behaviour));
        *self.current.write().expect("no one panics with the lock held") = Some((behaviour, canned));
    }

    pub fn current(&self) -> (Behaviour, Arc<Canned>) {
        self.current.read().expect("no one panics with the lock held").clone().expect("set by `install`")
    }

    /// Uniform in [0,1): splitmix64 on a shared counter.
    pub fn uniform(&self) -> f64 {
        let mut z = self.random.fetch_add(0x9E37_79B9_7F4A_7C15, Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn latency(&self, behaviour: &Behaviour) -> Duration {
        let mut ms = behaviour.latency_ms;
        if behaviour.latency_sigma > 0.0 && ms > 0.0 {
            let (u, v) = (self.uniform().max(1e-12), self.uniform());
            let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
            ms = (ms * (behaviour.latency_sigma * normal).exp()).min(600_000.0);
        }
        Duration::from_secs_f64(ms.max(0.0) / 1e3)
    }
}
