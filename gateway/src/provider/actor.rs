//! The actor of one provider: it owns health and discovery. Calls never wait for it.

use std::{
    borrow::Cow,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio_util::task::TaskTracker;

use super::{
    Discovery, ProviderCore,
    breaker::{BreakerState, Transition},
    discovery,
};
use crate::{
    api::{DiscoveryHealth, ProviderError, ProviderHealth, ProviderState},
    refusal::{Cause, Refusal},
};

/// Failures in a row from which a provider counts as unhealthy.
const UNHEALTHY_AFTER: u32 = 3;
/// Share of failures in the last minute from which it counts as degraded.
const DEGRADED_FROM: f64 = 0.1;
/// After a failed discovery the next is tried this soon, then ever later up to the configured period.
const REDISCOVER: Duration = Duration::from_secs(5);

/// A probe that failed after its pause is repeated this soon.
const PROBE_AGAIN: Duration = Duration::from_secs(1);

pub struct Provider;

pub struct ProviderArguments {
    pub core: Arc<ProviderCore>,
    /// Called when the list of models has changed or its first reading has ended.
    pub models_changed: Arc<dyn Fn() + Send + Sync>,
    pub tasks: TaskTracker,
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
    Health(RpcReplyPort<ProviderHealth>),
    /// A defect on purpose, to prove that the supervisor does its work.
    #[cfg(test)]
    Crash,
}

pub struct ProviderData {
    arguments: ProviderArguments,
    last_error: Option<ProviderError>,
    discoveries_failed: u32,
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
        if !matches!(arguments.core.breaker.state(arguments.core.age()), BreakerState::Closed) {
            me.cast(ProviderMessage::Probe)?; // the incarnation before may have died with its timer
        }
        if arguments.core.config.discover.is_some() {
            me.cast(ProviderMessage::Discover)?;
        }
        Ok(ProviderData { arguments, last_error: None, discoveries_failed: 0 })
    }

    async fn handle(
        &self,
        me: ActorRef<ProviderMessage>,
        message: ProviderMessage,
        data: &mut ProviderData,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ProviderMessage::Failed { cause, message } => data.failed(cause, message),
            ProviderMessage::Recovered => data.recovered(),
            ProviderMessage::Discover => data.discover(&me),
            ProviderMessage::Discovered(result) => data.discovered(&me, result),
            ProviderMessage::Breaker(transition) => data.moved(&me, &transition),
            ProviderMessage::Probe => data.probe(&me),
            ProviderMessage::Probed(well) => data.probed(&me, well),
            ProviderMessage::Health(reply) => drop(reply.send(data.health())),
            #[cfg(test)]
            ProviderMessage::Crash => panic!("crash on purpose"),
        }
        Ok(())
    }
}

impl ProviderData {
    fn failed(&mut self, cause: Cause, message: Cow<'static, str>) {
        let core = &self.arguments.core;
        let in_a_row = core.stats.consecutive_failures.load(Relaxed);
        if cause.is_ill_health() && in_a_row == UNHEALTHY_AFTER {
            tracing::warn!(provider = %core.name, %message, "provider is unhealthy");
        }
        if cause == Cause::Credential && self.last_error.as_ref().is_none_or(|last| last.cause != "credential") {
            tracing::error!(provider = %core.name, "the provider refuses the gateway's credential");
        }
        self.last_error = Some(ProviderError {
            cause: cause_name(cause).to_owned(),
            message: message.into_owned(),
            at: rfc3339(SystemTime::now()),
        });
    }

    fn moved(&mut self, me: &ActorRef<ProviderMessage>, transition: &Transition) {
        let name = &self.arguments.core.name;
        let (from, to) = (transition.from.name(), transition.to.name());
        match transition.pause {
            Some(pause) => {
                let pause_s = pause.as_secs_f64();
                tracing::warn!(provider = %name, from, to, reason = %transition.reason, pause_s, "breaker");
                me.send_after(pause, || ProviderMessage::Probe);
            }
            None => tracing::info!(provider = %name, from, to, reason = %transition.reason, "breaker"),
        }
    }

    /// An open breaker without traffic is closed by nobody: a look at the provider brings it back to where requests are.
    fn probe(&mut self, me: &ActorRef<ProviderMessage>) {
        let (core, me) = (self.arguments.core.clone(), me.clone());
        if core.breaker.is_open() {
            self.arguments.tasks.spawn(async move {
                let well = discovery::is_there(&core).await;
                let _ = me.cast(ProviderMessage::Probed(well));
            });
        }
    }

    fn probed(&mut self, me: &ActorRef<ProviderMessage>, well: bool) {
        let core = self.arguments.core.clone();
        let now = core.age();
        match core.breaker.probed(now, fastrand::f64(), well) {
            Some(transition) => self.moved(me, &transition),
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

    fn recovered(&mut self) {
        tracing::info!(provider = %self.arguments.core.name, "provider answers again");
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

/// What the counters say while the actor is silent.
pub fn health_from_outside(core: &ProviderCore) -> ProviderHealth {
    health(core, None)
}

/// What the counters say; `last_error` is what only the actor knows.
fn health(core: &ProviderCore, last_error: Option<ProviderError>) -> ProviderHealth {
    let (stats, age, discovery) = (&core.stats, core.age(), core.discovery());
    let (succeeded, failed) = (stats.succeeded.load(Relaxed), stats.failed.load(Relaxed));
    let consecutive_failures = stats.consecutive_failures.load(Relaxed);
    let error_rate = stats.error_rate(age);
    let state = if core.is_draining() {
        ProviderState::Draining
    } else if consecutive_failures >= UNHEALTHY_AFTER {
        ProviderState::Unhealthy
    } else if consecutive_failures > 0 || error_rate.is_some_and(|rate| rate >= DEGRADED_FROM) {
        ProviderState::Degraded
    } else if succeeded > 0 || discovery.last_success.is_some() || core.config.simulated {
        ProviderState::Healthy
    } else {
        ProviderState::Unknown
    };
    ProviderHealth {
        name: core.name.to_string(),
        kind: core.config.kind.clone(),
        api_format: core.config.api_format.clone(),
        state,
        in_flight: core.in_flight() as u64,
        max_concurrent: core.config.max_concurrent as u64,
        requests: succeeded + failed,
        failures: failed,
        consecutive_failures: u64::from(consecutive_failures),
        error_rate,
        latency_ms: stats.latency().map(|mean| mean.as_secs_f64() * 1e3),
        last_error,
        last_success_at: stats.last_success().map(|at| rfc3339(core.at(at))),
        restarts: u64::from(stats.restarts.load(Relaxed)),
        models: (core.config.models.len() + discovery.models.len()) as u64,
        discovery: core.config.discover.map(|_| DiscoveryHealth {
            last_success_at: discovery.last_success.map(rfc3339),
            error: discovery.error.clone(),
        }),
    }
}

fn rfc3339(at: SystemTime) -> String {
    chrono::DateTime::<chrono::Utc>::from(at).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::Credential => "credential",
        Cause::RateLimited => "rate_limited",
        Cause::Unreachable => "unreachable",
        Cause::UpstreamTimeout => "timeout",
        Cause::Unavailable => "unavailable",
        _ => "upstream",
    }
}
