//! What credentials depend on besides the configuration: the environment, the clock, the network.

use std::{path::PathBuf, sync::Arc, time::Duration, time::SystemTime};

use super::asking::Asking;
use crate::{
    config::{Provider, Timeouts},
    transport::{HttpTransport, TransportSetupError},
};

pub(super) type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;
pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

#[derive(Clone)]
pub(super) struct Surroundings {
    pub env: Environment,
    pub clock: Clock,
    /// Token endpoints, through the provider's proxy.
    pub web: Asking,
    /// Metadata services of the machine, never through a proxy.
    pub machine: Asking,
}

impl Surroundings {
    pub(super) fn of(provider: &Provider) -> Result<Self, TransportSetupError> {
        let asking = |proxy: Option<String>, connect: Duration| {
            let timeouts = Timeouts { connect, ..provider.timeouts };
            let base_url = "https://credentials".to_owned(); // so that the pool speaks TLS too
            let like = Provider { base_url, proxy, timeouts, conn_pool_size: 1, ..provider.clone() };
            Ok(Asking(Arc::new(HttpTransport::new(&like, 0)?)))
        };
        Ok(Self {
            env: Arc::new(|name| std::env::var(name).ok()),
            clock: Arc::new(SystemTime::now),
            web: asking(provider.proxy.clone(), provider.timeouts.connect)?,
            machine: asking(None, Duration::from_secs(2))?,
        })
    }

    /// A variable that is set and not empty.
    pub(super) fn env(&self, name: &str) -> Option<String> {
        (self.env)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// A path below the user's home.
    pub(super) fn home(&self, path: &str) -> Option<PathBuf> {
        let home = self.env("HOME").or_else(|| self.env("USERPROFILE"))?;
        Some(PathBuf::from(home).join(path))
    }
}
