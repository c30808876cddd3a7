//! Which server is tried next, and when.

use std::time::Duration;

use crate::config::NatsServer;

/// The servers that are tried, one after the other: those that are configured, then those that a cluster has named.
#[derive(Debug, Clone)]
pub struct Servers {
    known: Vec<NatsServer>,
    configured: usize,
    at: usize,
}

impl Servers {
    pub fn new(configured: &[NatsServer]) -> Self {
        Self {
            known: configured.to_vec(),
            configured: configured.len(),
            at: fastrand::usize(..configured.len().max(1)),
        }
    }

    pub fn present(&self) -> &NatsServer {
        &self.known[self.at]
    }

    pub fn next(&mut self) {
        self.at = (self.at + 1) % self.known.len();
    }

    /// What the cluster is made of now.
    pub fn learn(&mut self, others: impl Iterator<Item = NatsServer>) {
        let present = self.present().clone();
        self.known.truncate(self.configured);
        for server in others {
            if !self.known.contains(&server) {
                self.known.push(server);
            }
        }
        self.at = self.known.iter().position(|known| *known == present).unwrap_or_else(|| {
            self.known.push(present);
            self.known.len() - 1
        });
    }
}

/// Between two attempts to connect: the first, doubled up to the longest, and jittered so that not all come at once.
#[derive(Debug)]
pub struct Pauses {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Pauses {
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// An attempt has ended; the next one comes after so long. `went_well`: its connection was good for something.
    pub fn after(&mut self, went_well: bool) -> Duration {
        self.failures = if went_well { 1 } else { self.failures.saturating_add(1) };
        let doubled = self.first.saturating_mul(1_u32.checked_shl(self.failures - 1).unwrap_or(u32::MAX));
        doubled.min(self.longest).mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Attempts that have ended since one that went well.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_anew_when_it_went_well() {
        let second = Duration::from_secs(1);
        let mut pauses = Pauses::new(second, second * 5);
        let mut wait = |went_well, about: u32| {
            let pause = pauses.after(went_well);
            assert!(second * about / 2 <= pause && pause <= second * about, "{pause:?} for {about} s");
        };
        for about in [1, 2, 4, 5, 5] {
            wait(false, about);
        }
        wait(true, 1);
        wait(false, 2);
        for _ in 0..100 {
            pauses.after(false);
        }
        assert!(pauses.after(false) <= second * 5 && pauses.failures() == 103);
    }
}
