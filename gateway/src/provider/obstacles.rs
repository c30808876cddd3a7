//! What stands in the way of a request, in words for people. No key and no address is among them.

use super::{ModelState, ProviderCore, breaker::BreakerState, quota::Standing};

impl ProviderCore {
    /// Why the provider is asked less gladly than others, or not at all. Empty when nothing speaks against it.
    pub fn obstacles(&self, model: &ModelState) -> Vec<String> {
        let (now, mut found) = (self.age(), Vec::new());
        if self.is_draining() {
            found.push("draining: it is being removed".to_owned());
        }
        if self.in_flight() >= self.config.max_concurrent {
            found.push(format!("permits: all {} are taken", self.config.max_concurrent));
        }
        match self.breaker.state(now) {
            BreakerState::Closed => {}
            BreakerState::Open { until } => {
                found.push(format!("breaker: open for {} s", until.saturating_sub(now).as_secs_f64().ceil()));
            }
            BreakerState::HalfOpen { probes, successes } => {
                found.push(format!("breaker: half-open, {probes} requests probe it, {successes} have succeeded"));
            }
            BreakerState::Ramping { share } => {
                found.push(format!("breaker: closing, {:.0} % of the requests pass freely", share * 100.0));
            }
        }
        let keys = self.key_count();
        let (mut limited, mut low) = (0, 0);
        for key in 0..keys {
            match model.quota(key).standing(now, self.demand()) {
                Standing::Free => {}
                Standing::Low => low += 1,
                Standing::UntilReset(_) => limited += 1,
            }
        }
        let mut of_keys = |count: usize, what: &str| {
            if count > 0 {
                found.push(format!("{what} of {count} of {keys} keys"));
            }
        };
        of_keys(limited, "quota: nothing is left");
        of_keys(low, "quota: little is left");
        of_keys(self.refused_keys(), "credential: refusal");
        found
    }
}
