//! The actor that watches the configuration file and the certificate's files, and applies what changes or keeps the
//! last good one.

use std::{path::PathBuf, sync::Arc, time::Duration};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use ractor::{Actor, ActorProcessingErr, ActorRef, rpc::CallResult};

use crate::{
    config::{self, Config},
    control::Rules,
    dispatch::RootMessage,
    http::{Certificates, Gateway},
    options::Options,
    prices::Catalogue,
};

/// Editors write a file in several steps; it is read when it has been quiet for this long.
const SETTLE: Duration = Duration::from_millis(150);
/// Some mounts (Kubernetes' among them) give no notice: the file is looked at this often anyway.
const LOOK: Duration = Duration::from_secs(5);
const APPLY_TIMEOUT: Duration = Duration::from_secs(30);

pub struct Watcher;

pub struct Watched {
    pub path: PathBuf,
    pub options: Options,
    pub root: ActorRef<RootMessage>,
    pub gateway: Arc<Gateway>,
    pub current: Arc<Config>,
    pub certificates: Option<Arc<Certificates>>,
}

#[derive(Debug)]
pub enum WatcherMessage {
    /// Something in a file's folder has changed.
    Changed,
    /// Time to read the files.
    Look,
    Applied(Box<Result<Config, String>>),
}

pub struct WatcherData {
    watched: Watched,
    /// What was last read, so that a broken file is reported once.
    seen: Vec<u8>,
    looking: bool,
    _notify: Option<RecommendedWatcher>,
}

impl Actor for Watcher {
    type Msg = WatcherMessage;
    type State = WatcherData;
    type Arguments = Watched;

    async fn pre_start(
        &self,
        me: ActorRef<WatcherMessage>,
        watched: Watched,
    ) -> Result<WatcherData, ActorProcessingErr> {
        let seen = std::fs::read(&watched.path).unwrap_or_default();
        let folder = watched.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map_or_else(|| PathBuf::from("."), PathBuf::from);
        let mail = me.clone();
        let notify = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.map_or(true, |event| is_change(&event.kind)) {
                let _ = mail.cast(WatcherMessage::Changed);
            }
        });
        let notify = notify.and_then(|mut notify| {
            notify.watch(&folder, RecursiveMode::NonRecursive)?;
            for folder in watched.certificates.iter().flat_map(|certificates| certificates.folders()) {
                notify.watch(&folder, RecursiveMode::NonRecursive)?;
            }
            Ok(notify)
        });
        if let Err(error) = &notify {
            tracing::warn!(%error, "no notice of file changes here; looking every {} s", LOOK.as_secs());
        }
        me.send_interval(LOOK, || WatcherMessage::Look);
        Ok(WatcherData { watched, seen, looking: false, _notify: notify.ok() })
    }

    async fn handle(
        &self,
        me: ActorRef<WatcherMessage>,
        message: WatcherMessage,
        data: &mut WatcherData,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WatcherMessage::Changed => data.changed(&me),
            WatcherMessage::Look => data.look(&me),
            WatcherMessage::Applied(result) => data.applied(*result),
        }
        Ok(())
    }
}

impl WatcherData {
    /// At most one look is under way, however many notices come.
    fn changed(&mut self, me: &ActorRef<WatcherMessage>) {
        if !self.looking {
            self.looking = true;
            me.send_after(SETTLE, || WatcherMessage::Look);
        }
    }

    fn look(&mut self, me: &ActorRef<WatcherMessage>) {
        self.looking = false;
        self.look_at_certificates();
        let Ok(bytes) = std::fs::read(&self.watched.path) else { return }; // between two steps of an editor
        if bytes == self.seen {
            return;
        }
        self.seen = bytes;
        match self.watched.options.configuration() {
            Ok((config, _)) if config == *self.watched.current => {}
            Ok((config, _)) => self.apply(me, config),
            Err(mistakes) => {
                tracing::error!("the configuration has mistakes; the last good one stays in force\n{mistakes}");
            }
        }
    }

    fn look_at_certificates(&self) {
        match self.watched.certificates.as_ref().map(|certificates| certificates.reload()) {
            None | Some(Ok(false)) => {}
            Some(Ok(true)) => tracing::info!("new certificate for new connections"),
            Some(Err(error)) => tracing::error!(%error, "the new certificate cannot be used; the last good one stays"),
        }
    }

    fn apply(&self, me: &ActorRef<WatcherMessage>, config: Config) {
        let (root, me) = (self.watched.root.clone(), me.clone());
        tokio::spawn(async move {
            let new = Arc::new(config.clone());
            let applied = match root.call(|reply| RootMessage::Apply(new, reply), Some(APPLY_TIMEOUT)).await {
                Ok(CallResult::Success(result)) => result.map(|()| config),
                _ => Err("the root actor did not answer".to_owned()),
            };
            let _ = me.cast(WatcherMessage::Applied(Box::new(applied)));
        });
    }

    fn applied(&mut self, result: Result<Config, String>) {
        let config = match result {
            Ok(config) => config,
            Err(error) => return tracing::error!(%error, "the new configuration cannot be applied; the old one stays"),
        };
        let (gateway, old) = (&self.watched.gateway, &self.watched.current);
        gateway.admit(&config);
        if old.cost_tracking != config.cost_tracking {
            gateway.prices.store(Arc::new(Catalogue::new(&config.cost_tracking)));
        }
        if old.security != config.security
            && let Err(error) = gateway.fetch_media(&config.security)
        {
            tracing::error!(%error, "media are fetched as before");
        }
        if let Some((administration, control_plane)) = gateway.administration.clone().zip(config.control_plane.as_ref())
        {
            administration.reload(control_plane);
            administration.rules.store(Arc::new(Rules::of(&config)));
            tokio::spawn(async move { administration.tenants.all_changed().await });
        }
        let fixed = |config: &Config| {
            let config::Server { host, port, reuse_port, workers, tls, .. } = &config.server;
            (*host, *port, *reuse_port, *workers, tls.clone())
        };
        let kept = |config: &Config| {
            let control_plane = config.control_plane.as_ref();
            (
                config.store.clone(),
                control_plane.map(|control| (control.listen, control.master_key_file.clone(), control.shared.clone())),
            )
        };
        if kept(old) != kept(&config) {
            tracing::warn!(
                "`store`, `admin.listen`, the master key and the control plane itself change only with a restart"
            );
        }
        if fixed(old) != fixed(&config)
            || old.logging != config.logging
            || old.prometheus != config.prometheus
            || old.cors != config.cors
            || old.usage != config.usage
            || old.store != config.store
            || old.otel != config.otel
        {
            tracing::warn!(
                "address, TLS, workers, logging, CORS, usage events, traces, the store and the metrics page change only with a restart"
            );
        }
        if let Some(publishing) = &gateway.publishing {
            let providers = config.providers.iter().map(|provider| provider.name.clone()).collect();
            publishing.notices().config(&changed(old, &config), providers);
        }
        tracing::info!(providers = config.providers.len(), "configuration applied");
        self.watched.current = Arc::new(config);
    }
}

/// That a file was opened or read is no change: looking would be the reason to look again.
fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => *access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

/// The blocks of the file that say something else.
fn changed(old: &Config, new: &Config) -> Vec<&'static str> {
    let blocks = [
        ("server", old.server != new.server),
        ("providers", old.providers != new.providers),
        ("model_map", old.model_map != new.model_map),
        ("auth", old.auth != new.auth),
        ("routing", old.routing != new.routing),
        ("rate_limiting", old.rate_limits != new.rate_limits),
        ("budgets", old.budgets != new.budgets),
        ("cost_tracking", old.cost_tracking != new.cost_tracking),
        ("logging", old.logging != new.logging),
        ("prometheus", old.prometheus != new.prometheus),
        ("cors", old.cors != new.cors),
        ("security", old.security != new.security),
        ("usage", old.usage != new.usage),
        ("store", old.store != new.store),
        ("otel", old.otel != new.otel),
        ("nats", old.nats != new.nats),
    ];
    blocks.into_iter().filter(|(_, is_other)| *is_other).map(|(block, _)| block).collect()
}
