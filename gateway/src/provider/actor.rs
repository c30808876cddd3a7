//! The actor of one provider: it owns health and discovery. Calls never wait for it.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio_util::task::TaskTracker;

use super::{
    Discovery, ProviderCore,
    breaker::{BreakerState, Transition},
    discovery,
    errands::Errands,
    health::{health, rfc3339},
};
use crate::{
    api::{ProviderError, ProviderHealth, ProviderState, ProviderSubject},
    refusal::{Cause, Refusal},
    telemetry::{Notices, ProviderNotice},
};

/// After a failed discovery the next is tried this soon, then ever later up to the configured period.
const REDISCOVER: Duration = Duration::from_secs(5);

/// A probe that failed after its pause is repeated this soon.
const PROBE_AGAIN: Duration = Duration::from_secs(1);
/// A state that passes with time alone is looked at again this soon.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// That a quota is used up is said so often at most.
const TELL_LIMITED: Duration = Duration::from_secs(60);

pub struct Provider;

pub struct ProviderArguments {
    pub core: Arc<ProviderCore>,
    /// Called when the list of models has changed or its first reading has ended.
    pub models_changed: Arc<dyn Fn() + Send + Sync>,
    pub tasks: TaskTracker,
    /// Who is told of changes; `None` where nobody listens.
    pub notices: Option<Notices>,
}

#[derive(Debug)]
pub enum ProviderMessage {
    /// A call failed for a reason that speaks against the provider or its credential.
    Failed {
        cause: Cause,
        message: Cow<'static, str>,
    },
    /// The first success after failures.
    Recovered,
    /// Time to read the model list.
    Discover,
    Discovered(Result<Vec<String>, Refusal>),
    /// The breaker has changed its state.
    Breaker(Transition),
    /// A pause may be over: time to see whether the provider is there, without asking it for anything that costs.
    Probe,
    Probed(bool),
    /// Time to see whether the state has changed.
    Look,
    Health(RpcReplyPort<ProviderHealth>),
    /// Something that was done for the provider has panicked: whatever this actor believes may be wrong, and a new one begins.
    Defect,
}

pub struct ProviderData {
    arguments: ProviderArguments,
    last_error: Option<ProviderError>,
    discoveries_failed: u32,
    /// A [`ProviderMessage::Look`] is on its way.
    looking: bool,
    /// When it was last said that a quota is used up.
    limited: Option<Instant>,
}

impl Actor for Provider {
    type Msg = ProviderMessage;
    type State = ProviderData;
    type Arguments = ProviderArguments;

    async fn pre_start(
        &self,
        me: ActorRef<ProviderMessage>,
        arguments: ProviderArguments,
    ) -> Result<ProviderData, ActorProcessingErr> {
        arguments.core.deliver_to(me.clone());
        arguments.core.errands.get_or_init(|| Errands::new(arguments.tasks.clone()));
        if !matches!(arguments.core.breaker.state(arguments.core.age()), BreakerState::Closed) {
            // the incarnation before may have died with its timer
            me.send_after(left_of_pause(&arguments.core).unwrap_or_default(), || ProviderMessage::Probe);
        }
        if arguments.core.config.discover.is_some() {
            me.cast(ProviderMessage::Discover)?;
        }
        Ok(ProviderData { arguments, last_error: None, discoveries_failed: 0, looking: false, limited: None })
    }

    async fn handle(
        &self,
        me: ActorRef<ProviderMessage>,
        message: ProviderMessage,
        data: &mut ProviderData,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ProviderMessage::Failed { cause, message } => data.failed(cause, message),
            ProviderMessage::Recovered => {} // the state shows it
            ProviderMessage::Discover => data.discover(&me),
            ProviderMessage::Discovered(result) => data.discovered(&me, result),
            ProviderMessage::Breaker(transition) => data.moved(&me, &transition),
            ProviderMessage::Probe => data.probe(&me),
            ProviderMessage::Probed(well) => data.probed(&me, well),
            ProviderMessage::Look => data.looking = false,
            ProviderMessage::Health(reply) => drop(reply.send(data.health())),
            ProviderMessage::Defect => return Err("what was done for it has panicked".into()),
        }
        data.look(&me);
        Ok(())
    }
}

impl ProviderData {
    fn failed(&mut self, cause: Cause, message: Cow<'static, str>) {
        let core = &self.arguments.core;
        if cause == Cause::Credential && self.last_error.as_ref().is_none_or(|last| last.cause != "credential") {
            tracing::error!(provider = %core.name, region = core.region(), "the provider refuses the gateway's credential");
            self.notify(ProviderSubject::Credential, None, "refused", &message);
        }
        if cause == Cause::RateLimited && self.limited.is_none_or(|told| told.elapsed() >= TELL_LIMITED) {
            self.limited = Some(Instant::now());
            self.notify(ProviderSubject::Quota, None, "limited", &message);
        }
        self.last_error = Some(ProviderError {
            cause: cause.name().to_owned(),
            message: message.into_owned(),
            at: rfc3339(SystemTime::now()),
        });
    }

    fn notify(&self, subject: ProviderSubject, from: Option<&str>, to: &str, reason: &str) {
        let ProviderArguments { core, notices: Some(notices), .. } = &self.arguments else { return };
        notices.provider(&ProviderNotice { provider: &core.name, region: core.region(), subject, from, to, reason });
    }

    /// Says once what has become of the provider.
    fn look(&mut self, me: &ActorRef<ProviderMessage>) {
        let core = &self.arguments.core;
        let change = core.changes.note(core);
        if let Some(change) = &change {
            let (name, region, reason) = (&core.name, core.region(), &change.reason);
            let (from, to) = (change.from.as_str(), change.to.as_str());
            self.notify(ProviderSubject::Health, Some(from), to, reason);
            match change.to {
                ProviderState::Degraded | ProviderState::Unhealthy => {
                    tracing::warn!(provider = %name, region, from, to, %reason, "provider");
                }
                _ => tracing::info!(provider = %name, region, from, to, %reason, "provider"),
            }
        }
        if !self.looking && core.changes.passes_with_time() {
            self.looking = true;
            me.send_after(LOOK_AGAIN, || ProviderMessage::Look);
        }
    }

    fn moved(&mut self, me: &ActorRef<ProviderMessage>, transition: &Transition) {
        let (name, region) = (&self.arguments.core.name, self.arguments.core.region());
        let (from, to) = (transition.from.name(), transition.to.name());
        self.notify(ProviderSubject::Breaker, Some(from), to, &transition.reason.to_string());
        match transition.pause {
            Some(pause) => {
                let pause_s = pause.as_secs_f64();
                tracing::warn!(provider = %name, region, from, to, reason = %transition.reason, pause_s, "breaker");
                me.send_after(pause, || ProviderMessage::Probe);
            }
            None => tracing::info!(provider = %name, region, from, to, reason = %transition.reason, "breaker"),
        }
    }

    /// An open breaker without traffic is closed by nobody: a look at the provider brings it back to where requests are.
    fn probe(&mut self, me: &ActorRef<ProviderMessage>) {
        let (core, me) = (self.arguments.core.clone(), me.clone());
        // what was due at the end of an earlier pause does not shorten the present one, which has a look of its own
        if core.breaker.is_open() && left_of_pause(&core).is_none() {
            self.arguments.tasks.spawn(async move {
                let well = discovery::is_there(&core).await;
                let _ = me.cast(ProviderMessage::Probed(well));
            });
        }
    }

    fn probed(&mut self, me: &ActorRef<ProviderMessage>, well: bool) {
        let core = self.arguments.core.clone();
        if left_of_pause(&core).is_some() {
            return; // a request has failed meanwhile
        }
        let now = core.age();
        match core.breaker.probed(now, fastrand::f64(), well) {
            Some(transition) => {
                core.count(&transition);
                self.moved(me, &transition);
            }
            None if core.breaker.is_open() => {
                let wait = match core.breaker.state(now) {
                    BreakerState::Open { until } => until.saturating_sub(now),
                    _ => PROBE_AGAIN,
                };
                me.send_after(wait, || ProviderMessage::Probe);
            }
            None => {}
        }
    }

    /// The reading itself is a task; its result comes back as a message.
    fn discover(&mut self, me: &ActorRef<ProviderMessage>) {
        let (core, me) = (self.arguments.core.clone(), me.clone());
        self.arguments.tasks.spawn(async move {
            let found = discovery::read_models(&core).await;
            let _ = me.cast(ProviderMessage::Discovered(found));
        });
    }

    fn discovered(&mut self, me: &ActorRef<ProviderMessage>, result: Result<Vec<String>, Refusal>) {
        let core = &self.arguments.core;
        let period = core.config.discover.unwrap_or(REDISCOVER);
        let old = core.discovery().clone();
        let (new, next) = match result {
            Ok(mut models) => {
                self.discoveries_failed = 0;
                models.sort_unstable();
                let models: Arc<[Box<str>]> = models.into_iter().map(String::into_boxed_str).collect();
                (Discovery { settled: true, models, last_success: Some(SystemTime::now()), error: None }, period)
            }
            Err(refusal) => {
                self.discoveries_failed += 1;
                if self.discoveries_failed == 1 && !core.config.opportunistic {
                    tracing::warn!(provider = %core.name, error = %refusal.message, "cannot read the provider's models");
                }
                let next = period.min(REDISCOVER * 2_u32.pow(self.discoveries_failed.min(10) - 1));
                (Discovery { settled: true, error: Some(refusal.message.into_owned()), ..(*old).clone() }, next)
            }
        };
        let changed = !old.settled || old.models != new.models;
        if changed && new.error.is_none() {
            tracing::info!(provider = %core.name, models = new.models.len(), "models discovered");
        }
        core.publish_discovery(new);
        if changed {
            (self.arguments.models_changed)();
        }
        me.send_after(next, || ProviderMessage::Discover);
    }

    fn health(&self) -> ProviderHealth {
        health(&self.arguments.core, self.last_error.clone())
    }
}

/// `None` when no pause is on, or it is over.
fn left_of_pause(core: &ProviderCore) -> Option<Duration> {
    let now = core.age();
    match core.breaker.state(now) {
        BreakerState::Open { until } => Some(until.saturating_sub(now)),
        _ => None,
    }
}

/// What the counters say while the actor is silent.
pub fn health_from_outside(core: &ProviderCore) -> ProviderHealth {
    health(core, None)
}
