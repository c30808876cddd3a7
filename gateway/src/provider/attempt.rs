//! The guard of one upstream call: whatever ends it, its permit and its probe's place come back and its outcome counts once.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use http::HeaderMap;
use tokio::time::Instant;

use super::{Bounds, Lease, ProviderMessage, quota::Observed};
use crate::{
    api::TokenUsage,
    refusal::{Cause, Refusal},
};

/// Within this share of its recent answers a provider takes its usual time.
const USUAL: f64 = 0.95;

/// A call that nobody ended was abandoned by its client and says nothing about the provider.
pub(super) struct Attempt {
    pub(super) lease: Lease,
    pub(super) began: Instant,
    stream: bool,
    /// When the request's time ends the call before the provider's does, and whether the caller chose that.
    cut_off: Option<(Instant, bool)>,
    answered: Option<Duration>,
    /// Its first content has been seen.
    is_flowing: bool,
    observed: Option<Observed>,
    outcome: Option<Outcome>,
}

enum Outcome {
    Succeeded,
    Failed,
    /// The provider answered that the request is not one it takes: it is well.
    Refused,
}

impl Attempt {
    pub(super) fn begin(lease: Lease, stream: bool) -> Self {
        let began = Instant::now();
        Self { lease, began, stream, cut_off: None, answered: None, is_flowing: false, observed: None, outcome: None }
    }

    /// When it ends without an answer: after the provider's time, or with the request.
    pub(super) fn bound(&mut self, bounds: &Bounds<'_>, patience: Duration) -> Instant {
        let own = self.began + patience;
        self.cut_off = (bounds.deadline < own).then_some((bounds.deadline, bounds.hurried));
        own.min(bounds.deadline)
    }

    /// The answer's head has arrived; whatever it is, it may speak of the quota.
    pub(super) fn answered(&mut self, headers: &HeaderMap) {
        self.answered = Some(self.began.elapsed());
        let core = &self.lease.core;
        self.observed = Observed::read(headers, core.at(core.age()));
    }

    /// A stream has shown its first content. A stream may last for long: that it began is what a probe asks for.
    pub(super) fn flows(&mut self) {
        self.cut_off = None;
        self.is_flowing = true;
        let (core, took) = (&self.lease.core, self.began.elapsed());
        let now = core.age();
        self.lease.model.answered(now, true, took);
        self.lease.model.quota(self.lease.key).observe(now, self.observed.take().as_ref());
        if let Some(probe) = self.lease.pass.take_if(|pass| pass.is_probe()) {
            core.announce(core.breaker.succeed(now, probe));
        }
    }

    pub(super) fn succeed(&mut self, usage: Option<TokenUsage>) {
        self.outcome = Some(Outcome::Succeeded);
        if let Some(usage) = usage {
            self.lease.core.stats.tokens.fetch_add(usage.input + usage.output, Relaxed);
        }
    }

    pub(super) fn fail(&mut self, refusal: &Refusal) {
        if refusal.cause == Cause::UpstreamTimeout && self.had_no_time() {
            return; // as if the caller had left
        }
        let Lease { core, model, key, pass, .. } = &mut self.lease;
        let (now, pass) = (core.age(), pass.take());
        let took = self.began.elapsed();
        let ill = refusal.cause.is_ill_health();
        match refusal.cause {
            _ if ill => {
                core.stats.failure(now);
                model.failed(now, took);
                core.announce(pass.and_then(|pass| core.breaker.fail(now, fastrand::f64(), pass)));
            }
            Cause::RateLimited => {
                model.failed(now, took);
                let wait = self.observed.as_ref().and_then(Observed::wait);
                model.quota(*key).limited(now, refusal.retry_after.or(wait));
            }
            Cause::Credential => {
                core.keys.get(*key).credential.refuse(now);
            }
            _ => core.announce(pass.and_then(|pass| core.breaker.succeed(now, pass))),
        }
        if ill || matches!(refusal.cause, Cause::Credential | Cause::RateLimited) {
            core.report_failure(refusal);
        }
        self.outcome = Some(if ill { Outcome::Failed } else { Outcome::Refused });
    }

    /// Whether the request's time was up sooner than the provider usually answers: callers in a hurry, and attempts that
    /// get what others have left, must not make it look ill to everybody.
    fn had_no_time(&self) -> bool {
        let Some((deadline, hurried)) = self.cut_off.filter(|(deadline, _)| Instant::now() >= *deadline) else {
            return false;
        };
        let Lease { core, model, .. } = &self.lease;
        model.quantile(core.age(), self.stream, USUAL).map_or(hurried, |usual| deadline - self.began < usual)
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let Lease { core, model, key, pass, .. } = &mut self.lease;
        let (now, pass) = (core.age(), pass.take());
        match self.outcome {
            Some(Outcome::Succeeded) => {
                core.counters.succeeded.inc();
                let took = self.answered.unwrap_or_else(|| self.began.elapsed());
                core.stats.success(now, took);
                if !self.stream {
                    model.answered(now, false, took);
                    model.quota(*key).observe(now, self.observed.as_ref());
                }
                core.keys.get(*key).credential.accept();
                core.announce(pass.and_then(|pass| core.breaker.succeed(now, pass)));
                if core.stats.consecutive_failures.load(Relaxed) > 0 {
                    core.stats.consecutive_failures.store(0, Relaxed);
                    core.cast(ProviderMessage::Recovered);
                }
            }
            Some(Outcome::Failed) => core.counters.failed.inc(),
            Some(Outcome::Refused) => core.counters.refused.inc(),
            None => {
                core.counters.abandoned.inc();
                if !self.is_flowing {
                    model.abandoned(now, self.stream, self.began.elapsed());
                }
                pass.into_iter().for_each(|pass| core.breaker.abandon(pass));
            }
        }
    }
}
